package proxy

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
)

// readControl reads the control stream: signs of life, lost leases, commands, goodbye.
func (l *link) readControl() {
	for {
		frame, err := l.hello.Next()
		if err != nil {
			l.readFailed(err)
			return
		}
		t, body, err := wire.ParseType(frame)
		if err == nil {
			switch t {
			case wire.TypeLost:
				err = l.onLost(body)
			case wire.TypeCommand:
				var m wire.Command
				if err = wire.Decode(t, body, &m); err == nil {
					l.onCommand(m)
				}
			case wire.TypeGoodbye:
				var m wire.Goodbye
				if err = wire.Decode(t, body, &m); err == nil {
					l.s.Fail(&goodbyeError{addr: l.addr, err: m.Err()})
					return
				}
			default: // a heartbeat says no more than that it came; what is unknown is of a newer master
			}
		}
		if err != nil {
			l.violated(err)
			return
		}
	}
}

// acceptBulk reads the master's bulk streams.
func (l *link) acceptBulk() {
	for {
		stream, err := l.s.Accept(context.Background())
		if err != nil {
			return // the session has ended
		}
		if stream.Kind() != session.Bulk {
			l.violated(fmt.Errorf("%w: the master opened a %v stream", reeve.ErrProtocol, stream.Kind()))
			return
		}
		l.readers.Go(func() { // joined by run
			defer stream.Close()
			l.readBulk(stream)
		})
	}
}

// answers are the decoders of one stream, which keep their memory from frame
// to frame.
type answers struct {
	confirm  wire.ConfirmFrame
	deliver  wire.DeliverFrame
	returned wire.ReturnFrame
}

// inbox reads the calls stream. A few whole frames are read by the goroutine that
// reads the connection, which is the shortest way for who waits for the answer;
// all else by one of its own.
type inbox struct {
	l    *link
	st   *session.Stream
	more chan struct{} // cap 1: there is something that the goroutine is to read

	mu   sync.Mutex // held by who reads; guards the fields below
	r    *wire.Reader
	a    answers
	over bool // nothing more is read
}

// fewAnswers is up to how many bytes of answers are worth no goroutine of their own.
const fewAnswers = 8 << 10

// readInbox reads the calls stream until it ends.
func (l *link) readInbox() {
	in := &inbox{l: l, st: l.calls, more: make(chan struct{}, 1), r: wire.NewReader(l.calls, l.maxFrame)}
	in.st.OnReadable(in.arrived)
	for range in.more {
		in.mu.Lock()
		ok := in.readSomeLocked()
		in.mu.Unlock()
		if !ok {
			return
		}
	}
}

// arrived is called by the goroutine that reads the connection, and when the
// session ends.
func (in *inbox) arrived() {
	if in.mu.TryLock() {
		if !in.over && in.r.Empty() && in.st.Peek(fewWhole) {
			in.readSomeLocked()
			in.mu.Unlock()
			if !in.st.Readable() {
				return
			}
		} else {
			in.mu.Unlock()
		}
	}
	select {
	case in.more <- struct{}{}:
	default:
	}
}

func fewWhole(b []byte) bool {
	return len(b) <= fewAnswers && wire.Whole(b, func(wire.Type) bool { return true })
}

// readSomeLocked reads what has come; false: that was the last.
func (in *inbox) readSomeLocked() bool {
	for !in.over && (!in.r.Empty() || in.st.Readable()) {
		if !in.l.readAnswer(in.r, in.st, &in.a) {
			in.over = true
			in.r.Release()
		}
	}
	return !in.over
}

// readBulk reads a stream of large answers.
func (l *link) readBulk(stream *session.Stream) {
	r := wire.NewReader(stream, l.maxFrame)
	defer r.Release()
	var a answers
	for l.readAnswer(r, stream, &a) {
	}
}

// readAnswer reads one frame; false: there is no more.
func (l *link) readAnswer(r *wire.Reader, stream *session.Stream, a *answers) bool {
	frame, err := r.Next()
	if err != nil {
		if stream.Kind() == session.Bulk && err == io.EOF {
			return false // the master needs it no more
		}
		l.readFailed(err)
		return false
	}
	l.c.traffic.in.Add(uint64(len(frame)))
	if err := l.onAnswer(a, frame, r.Owned()); err != nil {
		l.violated(err)
		return false
	}
	if r.Buffered() == 0 {
		a.confirm.Clear()
		a.deliver.Clear()
		a.returned.Clear()
	}
	return true
}

// readFailed ends the session after a read did.
func (l *link) readFailed(err error) {
	if l.s.Err() == nil && isViolation(err) {
		l.violated(err)
		return
	}
	l.s.Fail(fmt.Errorf("%w: %w", reeve.ErrDisconnected, err))
}

// onAnswer does what one frame says. Its error is the master's violation of
// the protocol.
func (l *link) onAnswer(a *answers, frame []byte, owned bool) error {
	t, body, err := wire.ParseType(frame)
	if err != nil {
		return err
	}
	switch t {
	case wire.TypeConfirm:
		if err := a.confirm.Decode(body); err != nil {
			return err
		}
		l.onConfirm(&a.confirm)
	case wire.TypeDeliver:
		if err := a.deliver.Decode(body); err != nil {
			return err
		}
		l.onDeliver(a, owned)
	case wire.TypeAnswer:
		var m wire.Answer
		if err := wire.Decode(t, body, &m); err != nil {
			return err
		}
		l.onReply(m.Req, &m, 0, nil)
	case wire.TypeReturn:
		if err := a.returned.Decode(body); err != nil {
			return err
		}
		l.onReturn(&a.returned, owned)
	case wire.TypeError:
		var m wire.Error
		if err := wire.Decode(t, body, &m); err != nil {
			return err
		}
		l.onReply(m.Req, nil, reeve.ID(m.First), m.Err())
	case wire.TypeEvent:
		var m wire.Event
		if err := wire.Decode(t, body, &m); err != nil {
			return err
		}
		l.onEvents(&m)
	case wire.TypeEnd:
		var m wire.End
		if err := wire.Decode(t, body, &m); err != nil {
			return err
		}
		l.onEnd(&m)
	default:
		return l.onUnknown(t, body)
	}
	return nil
}
