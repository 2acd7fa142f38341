package session

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
)

// Kind says what a stream is for. It is the first byte its opener writes.
type Kind byte

// The kinds of streams. Numbers are forever: append, never reuse.
const (
	Control Kind = 1 // exists once in a session
	Calls   Kind = 2 // exists once in a session
	Bulk    Kind = 3

	kindCount = 4
)

func (k Kind) valid() bool  { return k >= Control && k < kindCount }
func (k Kind) unique() bool { return k == Control || k == Calls }

func (k Kind) String() string {
	switch k {
	case Control:
		return "control"
	case Calls:
		return "calls"
	case Bulk:
		return "bulk"
	}
	return "unknown"
}

// Stream is a flow of bytes in both directions, in order, with a window of
// its own: a stream that is not read does not hold up others. One goroutine
// may read and one may write at a time; Close may be called from any.
type Stream struct {
	s     *Session
	mux   *yamux.Stream
	slots *slots
	kind  Kind
	since time.Time // when it was opened here
	flow  *flow

	closed atomic.Bool // by Close
}

// Kind tells what the stream is for.
func (st *Stream) Kind() Kind { return st.kind }

// Read waits for bytes and takes what there is. It gives io.EOF only when the
// peer has closed the stream: when the session ends it fails with the
// session's cause, after the bytes that had come. It fails with
// ErrStreamReset when the peer has given the stream up and with
// ErrStreamClosed after Close.
//
// Reading much also sends, to grant the peer more, and may wait for that.
func (st *Stream) Read(p []byte) (int, error) { return st.read(p, nil, nil) }

// read is Read that also ends, with errReadStopped or errReadTimeout, when one
// of the channels has something.
func (st *Stream) read(p []byte, stop <-chan struct{}, timeout <-chan time.Time) (int, error) {
	n, grant, err := st.flow.read(p, stop, timeout)
	if grant > 0 {
		h := header{kind: typeWindowUpdate, stream: st.mux.StreamID(), length: grant}
		_, _ = st.s.writer.frame(h, nil) // without a connection nothing more comes anyway
	}
	if err == errEnded {
		err = st.s.Err()
	}
	return n, err
}

// Write sends p in frames of at most MaxFrame, and returns when the last of
// them has been passed on to the connection or to what gathers for it. It
// waits while the peer's window is full and while the connection takes
// nothing. It fails with ErrStreamClosed after Close and with ErrStreamReset
// when the peer has given the stream up; any other error has ended the
// session and is its cause.
//
// The frames do not go through yamux, which would hand each to a goroutine of
// its own and wait for that: two changes of goroutine and a copy more for each
// write, 4 of 16 µs of a short one. yamux knows the stream all the same, and
// sends all that is not data.
func (st *Stream) Write(p []byte) (int, error) {
	one := [1][]byte{p}
	return st.WriteAll(one[:], nil)
}

// Room is how many bytes Write would send without waiting for the peer to read.
// It may still have to wait for the connection.
func (st *Stream) Room() int64 { return st.flow.credit.now() }

// WriteAll is Write of parts one after another, as if they were one. It keeps
// none of them, but changes the list. progress, if not nil, is called after each
// frame.
func (st *Stream) WriteAll(parts [][]byte, progress func()) (int, error) {
	left := 0
	for _, p := range parts {
		left += len(p)
	}
	total := 0
	for left > 0 {
		n, err := st.flow.credit.take(min(left, MaxFrame))
		if err != nil {
			return total, st.writeError(err)
		}
		h := header{kind: typeData, stream: st.mux.StreamID(), length: uint32(n)}
		if parts, err = st.s.writer.frame(h, parts); err != nil {
			return total, st.writeError(err)
		}
		total, left = total+n, left-n
		if progress != nil {
			progress()
		}
	}
	return total, nil
}

func (st *Stream) writeError(err error) error {
	if st.closed.Load() {
		return ErrStreamClosed
	}
	if err := st.s.Err(); err != nil {
		return err
	}
	return err
}

// Close ends the stream in both directions: the peer reads io.EOF after what
// was written, and calls here fail with ErrStreamClosed, those that wait
// included. Both ends must close a stream; a peer that does not within 30 s
// loses the session (ErrProtocol). Close waits while the connection takes nothing. It always
// returns nil.
func (st *Stream) Close() error {
	if st.closed.Swap(true) {
		return nil
	}
	s := st.s
	s.events.forget(st.mux.StreamID())
	st.flow.close()
	st.slots.done(st.mux.StreamID()) // before the peer can know
	err := st.mux.Close()
	s.awaitPeer(st)
	return err
}

// awaitPeer gives the peer its time to close a stream that is closed here.
func (s *Session) awaitPeer(st *Stream) {
	id := st.mux.StreamID()
	if !st.slots.lingers(id) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(streamLinger, func() {
		s.mu.Lock()
		delete(s.linger, t)
		s.mu.Unlock()
		if st.slots.lingers(id) {
			s.Fail(violation("stream %d was not closed within %v", id, streamLinger))
		}
	})
	if s.linger == nil {
		s.linger = map[*time.Timer]struct{}{}
	}
	s.linger[t] = struct{}{}
}

// muxFailed ends the session for an error of yamux after which nothing can be
// relied on, and returns the session's cause.
func (s *Session) muxFailed(err error) error {
	switch {
	case errors.Is(err, yamux.ErrSessionShutdown):
		<-s.done // yamux is about to close the connection, if it has not yet
	case errors.Is(err, yamux.ErrConnectionWriteTimeout):
		s.Fail(ErrWriteTimeout)
	default:
		s.Fail(lost(err))
	}
	return s.Err()
}

var _ io.ReadWriteCloser = (*Stream)(nil)
