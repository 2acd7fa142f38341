package session

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"
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
	st, err := s.outgoing()
	if err != nil {
		s.ours.release()
		s.Fail(err)
		return nil, s.Err()
	}
	s.ours.fill(st.id)
	st.kind = kind
	if _, err := s.send(header{kind: typeWindowUpdate, flags: flagSYN, stream: st.id, length: st.all()}, nil); err != nil {
		st.Close()
		return nil, err
	}
	if _, err := st.Write([]byte{byte(kind)}); err != nil {
		st.Close()
		return nil, err
	}
	return st, nil
}

// outgoing makes a stream that is opened here, in place of a reservation.
func (s *Session) outgoing() (*Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cause != nil:
		return nil, s.cause
	case s.shut:
		return nil, lost(errors.New("the peer wants no more streams"))
	case s.next >= math.MaxUint32-1:
		return nil, lost(errors.New("no more numbers for streams"))
	}
	st := s.newStream(s.next, s.ours)
	s.next += 2
	s.streams[st.id] = st
	return st, nil
}

// send is writer.frame. An error has ended the session and is its cause.
func (s *Session) send(h header, parts [][]byte) ([][]byte, error) {
	rest, err := s.writer.frame(h, parts)
	if err != nil {
		s.Fail(lost(err)) // unless it has ended before
		return nil, s.Err()
	}
	return rest, nil
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
			st, err := s.nextIncoming(ctx)
			if err != nil {
				return nil, err
			}
			s.half = st
			st.since = time.Now()
			if _, err := s.send(header{kind: typeWindowUpdate, flags: flagACK, stream: st.id, length: st.all()}, nil); err != nil {
				return nil, err
			}
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

// nextIncoming waits for a stream that the peer opens.
func (s *Session) nextIncoming(ctx context.Context) (*Stream, error) {
	for {
		s.mu.Lock()
		if s.cause == nil && len(s.backlog) > 0 {
			st := s.backlog[0]
			s.backlog = slices.Delete(s.backlog, 0, 1)
			s.mu.Unlock()
			return st, nil
		}
		s.mu.Unlock()
		select {
		case <-s.arrived:
		case <-ctx.Done():
			return nil, s.ended(ctx)
		case <-s.done:
			return nil, s.Err()
		}
	}
}

// readKind waits for the first byte.
func (st *Stream) readKind(ctx context.Context) error {
	wake := func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.changed.Broadcast()
	}
	until := st.since.Add(kindTimeout)
	st.mu.Lock()
	if !st.readableLocked() {
		stop := context.AfterFunc(ctx, wake)
		defer stop()
		limit := time.AfterFunc(time.Until(until), wake)
		defer limit.Stop()
	}
	for !st.readableLocked() {
		switch {
		case ctx.Err() != nil:
			st.mu.Unlock()
			return ctx.Err()
		case !time.Now().Before(until):
			st.mu.Unlock()
			st.s.Fail(violation("stream without a kind"))
			return st.s.Err()
		}
		st.changed.Wait()
	}
	var b [1]byte
	_, err := st.takeLocked(b[:])
	st.kind = Kind(b[0])
	return err
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

// ended is the error of a call that ctx or the session's end cut short.
func (s *Session) ended(ctx context.Context) error {
	if err := s.Err(); err != nil {
		return err
	}
	return ctx.Err()
}
