package proxy

import (
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

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
	k := l.c.registered(id)
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
		case k.is(counted):
			k.first = r.First
			c.answerLocked(k, nil)
		default:
			if n > 0 {
				k.first = first
			}
			c.answerLocked(k, nil)
		}
		first += n
	}
}

// onReply takes an answer of its own: m, or err with what first has to say.
func (l *link) onReply(id uint64, m *wire.Answer, first reeve.ID, err error) {
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
	default:
		k.first = first
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
		l.onReply(id, nil, 0, fmt.Errorf("%w: the master answered with %v", reeve.ErrUnsupported, t))
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
	leases := reeve.NewLeases(f.Queue, f.Tasks, l.c)
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
