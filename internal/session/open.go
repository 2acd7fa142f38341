package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/yamux"
)

// kindTimeout is how long a stream may be open before its kind must have come.
const kindTimeout = 10 * time.Second

// Open opens a stream and tells the peer its kind. It waits while as many
// streams as Config.MaxStreams opened from here are not over, and while the
// connection takes nothing, until ctx ends. It fails with ErrKindTaken for a
// second Control or Calls stream, with ctx's error, or with the session's
// cause.
//
// A cancelled Open leaves the session as it was, but a Control or Calls stream
// on its way by then counts as the one there may be.
func (s *Session) Open(ctx context.Context, kind Kind) (*Stream, error) {
	if !kind.valid() {
		return nil, errors.New("session: no such kind of stream")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !s.takeKind(kind) {
		return nil, ErrKindTaken
	}
	if !s.ours.reserve(ctx, s.done) {
		s.giveKind(kind)
		return nil, s.ended(ctx)
	}
	type result struct {
		st  *Stream
		err error
	}
	opened := make(chan result, 1)
	go func() { // ends when the connection has taken two frames, or the session ends
		st, err := s.open(kind)
		opened <- result{st, err}
	}()
	select {
	case r := <-opened:
		return r.st, r.err
	case <-ctx.Done():
		go func() { // ends right after the one above
			if r := <-opened; r.st != nil {
				r.st.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func (s *Session) open(kind Kind) (*Stream, error) {
	st, err := s.openStream()
	if err != nil {
		return nil, err
	}
	st.kind = kind
	if _, err := st.Write([]byte{byte(kind)}); err != nil {
		st.Close()
		return nil, err
	}
	return st, nil
}

// openStream opens a stream of yamux's. Streams have consecutive numbers, and
// what comes for one is counted from the first frame on, which may be here
// before OpenStream returns.
func (s *Session) openStream() (*Stream, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	s.events.flow(s.next)
	m, err := s.mux.OpenStream()
	if err != nil {
		s.ours.release()
		return nil, s.muxFailed(err)
	}
	if m.StreamID() != s.next {
		return nil, s.muxFailed(fmt.Errorf("stream %d instead of %d", m.StreamID(), s.next))
	}
	s.next += 2
	s.ours.fill(m.StreamID())
	return s.newStream(m, s.ours), nil
}

// Accept waits for the next stream that the peer opens, and for its kind. It
// fails with ctx's error, which loses no stream, or with the session's cause.
// Callers take turns. A stream of an unknown kind, a second Control or Calls
// stream, and one whose kind does not come within 10 s end the session with
// ErrProtocol.
func (s *Session) Accept(ctx context.Context) (*Stream, error) {
	select {
	case s.accepting <- struct{}{}:
		defer func() { <-s.accepting }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.done:
		return nil, s.Err()
	}
	for {
		if s.half == nil {
			m, err := s.mux.AcceptStreamWithContext(ctx)
			if err != nil {
				return nil, s.acceptError(ctx, err)
			}
			s.half = s.newStream(m, s.theirs)
			s.events.accepted()
		}
		st := s.half
		err := st.readKind(ctx)
		if err == nil {
			s.half = nil
			if err := s.checkKind(st.kind); err != nil {
				return nil, err
			}
			return st, nil
		}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil, err
		}
		s.half = nil
		st.Close()
		if s.Err() != nil {
			return nil, s.Err()
		}
		// The peer gave the stream up before it had said what it is for.
	}
}

// acceptError makes yamux's error the caller's. Only ctx's leaves the session
// alive.
func (s *Session) acceptError(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return err
	}
	return s.muxFailed(err)
}

// readKind waits for the first byte.
func (st *Stream) readKind(ctx context.Context) error {
	limit := time.NewTimer(time.Until(st.since.Add(kindTimeout)))
	defer limit.Stop()
	var b [1]byte
	switch _, err := st.read(b[:], ctx.Done(), limit.C); err {
	case nil:
		st.kind = Kind(b[0])
		return nil
	case errReadStopped:
		return ctx.Err()
	case errReadTimeout:
		st.s.Fail(violation("stream without a kind"))
		return st.s.Err()
	default:
		return err
	}
}

func (s *Session) checkKind(k Kind) error {
	switch {
	case !k.valid():
		s.Fail(violation("stream of unknown kind %d", k))
	case !s.takeKind(k):
		s.Fail(violation("second %v stream", k))
	default:
		return nil
	}
	return s.Err()
}

// takeKind reports false if k exists once and is there.
func (s *Session) takeKind(k Kind) bool {
	if !k.unique() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	free := !s.kinds[k]
	s.kinds[k] = true
	return free
}

// giveKind takes back a takeKind that led to nothing.
func (s *Session) giveKind(k Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds[k] = false
}

func (s *Session) newStream(m *yamux.Stream, in *slots) *Stream {
	return &Stream{s: s, mux: m, slots: in, since: time.Now(), flow: s.events.flow(m.StreamID())}
}

// ended is the error of a call that ctx or the session's end cut short.
func (s *Session) ended(ctx context.Context) error {
	if err := s.Err(); err != nil {
		return err
	}
	return ctx.Err()
}
