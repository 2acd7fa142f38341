package session

import (
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"
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
	id    uint32
	slots *slots
	kind  Kind
	since time.Time // when it was opened or accepted here

	over atomic.Bool // both ends have closed it: its number means nothing any more

	mu       sync.Mutex // guards the fields below; taken before Session.mu
	changed  sync.Cond  // there is more to read or room to write, or one of the ends below
	told     func()     // by OnReadable; nil: nobody is to be told
	in       inbox
	expected uint32 // bytes that the peer may still send
	room     uint32 // bytes that may still be sent
	closed   bool   // by Close
	finished bool   // the peer sends no more
	reset    bool   // the peer has given it up
	dead     bool   // the session has ended
}

func (s *Session) newStream(id uint32, in *slots) *Stream {
	st := &Stream{s: s, id: id, slots: in, expected: firstWindow, room: firstWindow}
	st.changed.L = &st.mu
	return st
}

// Kind tells what the stream is for.
func (st *Stream) Kind() Kind { return st.kind }

// Read waits for bytes and takes what there is. It gives io.EOF only when the
// peer has closed the stream: when the session ends it fails with the
// session's cause, after the bytes that had come. It fails with
// ErrStreamReset when the peer has given the stream up and with
// ErrStreamClosed after Close.
//
// Reading much also sends, to grant the peer more, and does not wait for that.
func (st *Stream) Read(p []byte) (int, error) {
	st.mu.Lock()
	for !st.readableLocked() {
		st.changed.Wait()
	}
	return st.takeLocked(p)
}

// readableLocked reports whether Read has something to give or to say.
func (st *Stream) readableLocked() bool {
	return st.in.size > 0 || st.closed || st.finished || st.reset || st.dead
}

// takeLocked is Read when nothing is to be waited for. It unlocks mu.
func (st *Stream) takeLocked(p []byte) (int, error) {
	if st.in.size == 0 || st.closed || st.reset {
		err := st.endLocked()
		st.mu.Unlock()
		return 0, err
	}
	n := st.in.read(p)
	more := st.moreLocked(st.s.cfg.Window / 2)
	st.mu.Unlock()
	if more > 0 {
		st.s.writer.post(header{kind: typeWindowUpdate, stream: st.id, length: more}) // the next Read tells if it fails
	}
	return n, nil
}

// moreLocked is what the peer is to be granted: all of the window that is free,
// once that is at least so much.
func (st *Stream) moreLocked(least uint32) uint32 {
	more := st.s.cfg.Window - uint32(st.in.size) - st.expected
	if more < least {
		return 0
	}
	st.expected += more
	return more
}

// all is what the peer is to be granted when a stream begins.
func (st *Stream) all() uint32 {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.moreLocked(0)
}

// endLocked is what Read fails with.
func (st *Stream) endLocked() error {
	switch {
	case st.closed:
		return ErrStreamClosed
	case st.reset:
		return ErrStreamReset
	case st.finished:
		return io.EOF
	}
	return st.s.Err()
}

// Write sends p in frames of at most MaxFrame, and returns when the last of
// them has been passed on to the connection or to what gathers for it. It
// waits while the peer's window is full and while the connection takes
// nothing. It fails with ErrStreamClosed after Close and with ErrStreamReset
// when the peer has given the stream up; any other error has ended the
// session and is its cause.
func (st *Stream) Write(p []byte) (int, error) {
	one := [1][]byte{p}
	return st.WriteAll(one[:], nil)
}

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
		n, err := st.spend(left)
		if err != nil {
			return total, err
		}
		if parts, err = st.s.send(header{kind: typeData, stream: st.id, length: uint32(n)}, parts); err != nil {
			return total, err
		}
		total, left = total+n, left-n
		if progress != nil {
			progress()
		}
	}
	return total, nil
}

// spend waits until something may be sent, and returns how much of n bytes.
func (st *Stream) spend(n int) (int, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for {
		switch {
		case st.closed:
			return 0, ErrStreamClosed
		case st.reset:
			return 0, ErrStreamReset
		case st.dead:
			return 0, st.s.Err()
		case st.room > 0:
			n = min(n, int(st.room), MaxFrame)
			st.room -= uint32(n)
			return n, nil
		}
		st.changed.Wait()
	}
}

// Room is how many bytes Write would send without waiting for the peer to read, nor
// for the connection to take what others have written. If nobody writes, Write does
// so itself, and waits as long as that takes.
func (st *Stream) Room() int64 {
	st.mu.Lock()
	room := int64(st.room)
	st.mu.Unlock()
	return min(room, int64(st.s.writer.room()))
}

// Close ends the stream in both directions: the peer reads io.EOF after what
// was written, and calls here fail with ErrStreamClosed, those that wait
// included. Both ends must close a stream; a peer that does not within 30 s
// loses the session (ErrProtocol). Close waits while too much waits for the
// connection. It always returns nil.
func (st *Stream) Close() error {
	st.mu.Lock()
	if st.closed {
		st.mu.Unlock()
		return nil
	}
	st.closed, st.told = true, nil
	st.in.drop()
	over, reset := st.finished || st.reset, st.reset
	st.changed.Broadcast()
	st.mu.Unlock()
	if over {
		st.s.remove(st)
	}
	st.slots.done(st.id) // before the peer can know
	if !reset {
		st.s.send(header{kind: typeWindowUpdate, flags: flagFIN, stream: st.id}, nil) // an error has ended the session
	}
	st.awaitPeer()
	return nil
}

// awaitPeer gives the peer its time to close a stream that is closed here.
func (st *Stream) awaitPeer() {
	s := st.s
	if !st.slots.lingers(st.id) {
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
		if st.slots.lingers(st.id) {
			s.Fail(violation("stream %d was not closed within %v", st.id, streamLinger))
		}
	})
	if s.linger == nil {
		s.linger = map[*time.Timer]struct{}{}
	}
	s.linger[t] = struct{}{}
}

// What the peer says of a stream, by the goroutine that reads the connection.

// grant notes that the peer takes n bytes more.
func (st *Stream) grant(n uint32) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.room = uint32(min(uint64(st.room)+uint64(n), math.MaxInt32))
	st.changed.Broadcast()
}

// space is where to put up to n bytes that the peer sends, which it must have
// been granted; nil: nobody wants them any more.
func (st *Stream) space(n int) ([]byte, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if uint32(n) > st.expected {
		return nil, violation("%d bytes on stream %d, more than its window of %d", n, st.id, st.expected)
	}
	if st.closed || st.finished || st.reset {
		st.expected -= uint32(n)
		return nil, nil
	}
	return st.in.space(n), nil
}

// filled says how much was put there.
func (st *Stream) filled(n int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.expected -= uint32(n)
	st.in.filled(n)
	if st.closed {
		st.in.drop()
	}
}

// end does what a frame's flags say of the stream's end; over: this end has
// closed it, too.
func (st *Stream) end(flags uint16) (over bool, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if flags&flagFIN != 0 {
		if st.finished || st.reset {
			return false, violation("unexpected flag: stream %d has ended before", st.id)
		}
		st.finished = true
	}
	if flags&flagRST != 0 {
		st.reset = true
		st.in.drop()
	}
	return st.closed, nil
}

// tell wakes who reads, or has somebody come to read.
func (st *Stream) tell() {
	st.mu.Lock()
	st.changed.Broadcast()
	told := st.told
	st.mu.Unlock()
	if told != nil {
		told()
	}
}

// fail ends the calls that wait: the session has ended.
func (st *Stream) fail() {
	st.mu.Lock()
	st.dead = true
	st.mu.Unlock()
	st.tell()
}

var _ io.ReadWriteCloser = (*Stream)(nil)
