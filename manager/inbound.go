package manager

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
	transport "github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
)

// inbound is one stream that the client writes. No goroutine waits at it: one
// reads while there is something to read, and what it needs for that is taken
// from pools. An idle client costs neither.
type inbound struct {
	s      *session
	st     *transport.Stream
	active atomic.Bool // somebody reads, or nobody may any more

	reader *wire.Reader // owned by who reads; nil while it rests with nothing kept
}

// Largest frames of the control stream.
const (
	maxHello   = 1 << 10
	maxControl = maxHello + 2*reeve.MaxErrorText
)

var (
	readers = sync.Pool{New: func() any { return wire.NewReader(nil, 0) }}
	tables  = sync.Pool{New: func() any { return new(requests) }}
)

// begin makes the reader ready for frames of at most max bytes.
func (in *inbound) begin(max int) *wire.Reader {
	if in.reader == nil {
		in.reader = readers.Get().(*wire.Reader)
		in.reader.Reset(in.st)
	}
	in.reader.SetMax(max)
	return in.reader
}

// pause gives the reader back, unless it keeps something. That of a bulk
// stream stays: it has seen how large the client's frames are.
func (in *inbound) pause() {
	if r := in.reader; r != nil && r.Empty() && in.st.Kind() != transport.Bulk {
		in.reader = nil
		r.Reset(nil)
		readers.Put(r)
	}
}

// listen has the client's streams read whenever something comes, and the
// session wound up when it ends.
func (s *session) listen() {
	m := s.m
	m.conns.Add(1) // until finish; called from a goroutine that is counted itself
	s.mux.OnEnd(func() {
		defer m.conns.Done()
		s.finish()
	})
	if s.first.reader != nil {
		s.first.wake() // more than the hello came with it
	}
	s.first.st.OnReadable(s.first.wake)
	s.mux.OnStream(func() { s.start(s.accept) })
}

// accept takes one stream that the client opened. Streams are taken in turn:
// that the calls stream was the first shows only when it has been noted.
func (s *session) accept() {
	s.accepting.Lock()
	defer s.accepting.Unlock()
	st, err := s.mux.Accept(s.m.ctx)
	if err != nil {
		s.fail(err)
		return
	}
	s.mu.Lock()
	early := st.Kind() != transport.Calls && s.calls == nil
	if st.Kind() == transport.Calls {
		s.calls = st
	}
	s.mu.Unlock()
	if early {
		s.fail(fmt.Errorf("%w: a %v stream before the calls stream", reeve.ErrProtocol, st.Kind()))
		return
	}
	in := &inbound{s: s, st: st}
	in.listen()
}

// listen has the stream read whenever something comes. What is there by now is left
// to a goroutine: more may come while it is read, and has to wait for room then.
func (in *inbound) listen() {
	in.active.Store(true)
	in.st.OnReadable(in.wake)
	in.active.Store(false)
	if in.st.Readable() && !in.active.Swap(true) {
		in.s.start(func() { in.run((*outbox).release) })
	}
}

// start runs f in a goroutine that finish waits for; false when it is too late.
func (s *session) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.readers.Add(1)
	s.m.crew.do(func() {
		defer s.readers.Done()
		f()
	})
	return true
}

// fewRequests is up to how many bytes of requests are carried out by the
// goroutine that reads the connection: what is worth no other, which would have
// to be woken.
const fewRequests = 2 << 10

// here runs f as start does, but in the caller's goroutine.
func (s *session) here(f func()) {
	s.mu.Lock()
	over := s.over
	if !over {
		s.readers.Add(1)
	}
	s.mu.Unlock()
	if !over {
		defer s.readers.Done()
		f()
	}
}

// wake has the stream read. It is called by the goroutine that reads the connection,
// so that nothing comes while a few requests are carried out, and none of their
// answers has to wait for room; and at the end of the session, when none is.
func (in *inbound) wake() {
	switch {
	case in.active.Swap(true):
	case in.st.Kind() == transport.Calls && in.reader == nil && !in.s.out.overfull() && in.st.Peek(few):
		in.s.here(func() { in.run((*outbox).letOut) })
	default:
		in.s.start(func() { in.run((*outbox).release) })
	}
}

// few reports whether b is a few whole requests of the kinds that come often and
// make nobody wait.
func few(b []byte) bool {
	return len(b) <= fewRequests && wire.Whole(b, func(t wire.Type) bool {
		switch t {
		case wire.TypePut, wire.TypeComplete, wire.TypeAck, wire.TypeGet, wire.TypeNack, wire.TypeCall:
			return true
		}
		return false
	})
}

// run reads until nothing is left to read, or for good. release lets out the
// answers.
func (in *inbound) run(release func(*outbox)) {
	read := in.readControl
	if in.st.Kind() != transport.Control {
		read = func() bool { return in.readRequests(release) }
	}
	for {
		if !read() {
			return // active stays: there is nothing more to come
		}
		in.pause()
		in.active.Store(false)
		if !in.st.Readable() || in.active.Swap(true) {
			return
		}
	}
}

// readControl answers heartbeats; false after the client's goodbye, and when
// the session is over.
func (in *inbound) readControl() bool {
	s := in.s
	for r := in.begin(maxControl); !r.Empty() || in.st.Readable(); {
		frame, err := r.Next()
		if err != nil {
			in.failed(err)
			return false
		}
		s.holder.Touch()
		if err := s.handleControl(frame); err != nil {
			s.goodbye(err)
			s.fail(err)
			return false
		}
		if s.farewell.Load() {
			s.out.drain(time.Second)
			s.fail(fmt.Errorf("%w: the client said goodbye", reeve.ErrClosed))
			return false
		}
	}
	return true
}

// readRequests carries out what comes; false when the session is over or the
// client has closed the stream. Answers go out when what was read at a time is
// done.
func (in *inbound) readRequests(letOut func(*outbox)) bool {
	s, r := in.s, in.begin(in.s.m.maxFrame())
	rq := tables.Get().(*requests)
	rq.s = s
	held := false
	release := func() {
		if held {
			held = false
			letOut(&s.out)
		}
	}
	defer func() {
		release()
		rq.rest()
		rq.s = nil
		tables.Put(rq)
	}()
	r.SetBudget(func(n int) (func(), error) {
		release() // a large frame takes its time: the answers to those before it do not wait
		return s.receive(n)
	})
	for !r.Empty() || in.st.Readable() {
		frame, err := r.Next()
		if err != nil {
			in.failed(err)
			return false
		}
		s.holder.Touch()
		if !held {
			held = true
			s.out.hold()
		}
		if err := rq.handle(frame, r.Owned()); err != nil {
			release()
			s.start(func() { // whoever reads the connection notices that the client closes it
				s.goodbye(err)
				s.fail(err)
			})
			return false
		}
		if r.Buffered() == 0 {
			release()
			rq.rest()
		} else if s.out.overfull() {
			release()
		}
	}
	return true
}

// failed deals with the end of a stream.
func (in *inbound) failed(err error) {
	s := in.s
	switch {
	case err == io.EOF: // bare: the end of the connection, which is no violation, matches it too
		if in.st.Kind() == transport.Bulk {
			in.st.Close()
			return
		}
		err = fmt.Errorf("%w: the client closed its %v stream", reeve.ErrProtocol, in.st.Kind())
		if s.farewell.Load() {
			err = reeve.ErrClosed
		}
	case errors.Is(err, reeve.ErrProtocol):
		s.goodbye(err)
	}
	s.fail(err)
}

// finish winds the session up. What had come before its end is still read: the
// end has woken every stream's reader.
func (s *session) finish() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.mux.Close()
	s.readers.Wait()
	s.end()
	s.count()
	s.m.cfg.Logger.Debug("session over", "session", s.id, "remote", s.peer.Remote, "cause", s.reason())
}
