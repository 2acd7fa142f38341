package proxy

import (
	"context"
	"fmt"
	"io"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
)

// readControl reads the control stream: signs of life, lost leases, goodbye.
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
			l.readCalls(stream)
		})
	}
}

// answers are the decoders of one stream, which keep their memory from frame
// to frame.
type answers struct {
	confirm wire.ConfirmFrame
	deliver wire.DeliverFrame
}

// readCalls reads answers from the calls stream or from a bulk stream.
func (l *link) readCalls(stream *session.Stream) {
	r := wire.NewReader(stream, l.maxFrame)
	defer r.Release()
	var a answers
	for {
		frame, err := r.Next()
		if err != nil {
			if stream.Kind() == session.Bulk && err == io.EOF {
				return // the master needs it no more
			}
			l.readFailed(err)
			return
		}
		l.c.traffic.in.Add(uint64(len(frame)))
		if err := l.onAnswer(&a, frame, r.Owned()); err != nil {
			l.violated(err)
			return
		}
		if r.Buffered() == 0 {
			a.confirm.Clear()
			a.deliver.Clear()
		}
	}
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
		l.onReply(m.Req, &m, nil)
	case wire.TypeError:
		var m wire.Error
		if err := wire.Decode(t, body, &m); err != nil {
			return err
		}
		l.onReply(m.Req, nil, m.Err())
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

// lock takes Client.mu; false, with nothing locked, when the connection is not
// the client's any more: what it still says is about a session that is over.
func (l *link) lock() bool {
	l.c.mu.Lock()
	if l.c.link != l {
		l.c.mu.Unlock()
		return false
	}
	return true
}

// askedCall returns the call that waits for the answer to id here, or nil: it
// was answered before, or never asked.
func (l *link) askedCall(id uint64) *call {
	k := l.c.pending.get(id)
	if k == nil || !l.askedLocked(k) {
		return nil
	}
	return k
}

func (l *link) onConfirm(f *wire.ConfirmFrame) {
	if !l.lock() {
		return
	}
	defer l.c.unlock()
	for _, r := range f.Ranges {
		l.onRange(r)
	}
}

func (l *link) onRange(r wire.Range) {
	c, first := l.c, r.First
	// Whatever the count claims: no call is beyond next.
	for id, end := r.Req, min(r.Req+uint64(r.Count), c.pending.next); id < end; id++ {
		k := l.askedCall(id)
		if k == nil {
			first++ // as a Put of one task, which is what is confirmed in long ranges
			continue
		}
		n := reeve.ID(k.ids)
		switch {
		case k.is(giving | answered), n > 0 && r.First == 0:
			c.answerLocked(k, wrongAnswer(k))
		default:
			if n > 0 {
				k.first = first
			}
			c.answerLocked(k, nil)
		}
		first += n
	}
}

func (l *link) onReply(id uint64, m *wire.Answer, err error) {
	if !l.lock() {
		return
	}
	c := l.c
	defer c.unlock()
	k := l.askedCall(id)
	switch {
	case k == nil:
		return
	case err == nil && !k.is(answered):
		err = wrongAnswer(k)
	case err == nil:
		k.answer = m
	}
	c.answerLocked(k, err)
}

// onEnd takes note that a consumer gets nothing more.
func (l *link) onEnd(m *wire.End) {
	if !l.lock() {
		return
	}
	defer l.c.unlock()
	if cs := l.c.consumers[m.Consumer]; cs != nil {
		cs.failLocked(m.Err())
	}
}

// onUnknown answers a call with what this version cannot read.
func (l *link) onUnknown(t wire.Type, body []byte) error {
	id, ok, err := wire.RequestID(body)
	if err == nil && ok {
		l.onReply(id, nil, fmt.Errorf("%w: the master answered with %v", reeve.ErrUnsupported, t))
	}
	return err
}

// onDeliver takes the leases of one frame: those of a consumer, or the answer
// to a Get.
func (l *link) onDeliver(a *answers, owned bool) {
	f := &a.deliver
	if !owned {
		ownPayloads(f.Tasks)
	}
	leases := make([]*reeve.Lease, len(f.Tasks))
	for i, t := range f.Tasks {
		leases[i] = reeve.NewLease(f.Queue, t, l.c)
	}
	if !l.lock() {
		return
	}
	c := l.c
	defer c.unlock()
	if f.Req != 0 {
		k := l.askedCall(f.Req)
		if k == nil || k.phase == abandoned || !k.is(giving) {
			// Nobody waits for them any more.
			c.giveBackLocked(leases)
			if k != nil {
				c.answerLocked(k, wrongAnswer(k))
			}
			return
		}
		k.leases = leases
		for _, lease := range leases {
			c.holdLocked(lease, nil)
		}
		c.answerLocked(k, nil)
		return
	}
	cs := c.consumers[f.Consumer]
	if cs == nil {
		c.giveBackLocked(leases)
		return
	}
	for _, lease := range leases {
		c.holdLocked(lease, cs)
	}
	cs.takeLocked(leases)
}

// ownPayloads moves the payloads out of the frame they came in, whose memory
// is used again, into one piece of their own. A piece is at most a small frame
// long, and lives as long as any of its payloads.
func ownPayloads(ts []reeve.Task) {
	n := 0
	for i := range ts {
		n += len(ts[i].Payload)
	}
	slab := make([]byte, 0, n)
	for i := range ts {
		from := len(slab)
		slab = append(slab, ts[i].Payload...)
		ts[i].Payload = slab[from:len(slab):len(slab)]
	}
}

func (l *link) onLost(body []byte) error {
	var m wire.Lost
	if err := wire.Decode(wire.TypeLost, body, &m); err != nil {
		return err
	}
	if l.lock() {
		l.c.loseLocked(m.ID, m.Attempt, m.Err())
		l.c.unlock()
	}
	return nil
}

func wrongAnswer(k *call) error {
	return fmt.Errorf("%w: the master's answer is not one to a %T", reeve.ErrProtocol, k.req)
}
