package proxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// Calls of shared objects have numbers of their own, apart from the requests about
// tasks: those have to be answered about in their order, and a call may wait for
// days. There are two series, for those that may wait and for those that do not.
const (
	firstObjectCall  = 1 << 62
	firstWaitingCall = firstObjectCall | 1<<61
)

// maxObjectCalls is how many of one series may be under way: the master remembers
// the answers to some more.
const maxObjectCalls = 12_000

// series are the calls of one series that were asked and have no answer.
type series struct {
	byID map[uint64]*call
	asks callList // in the order of their numbers
	next uint64
}

// objectCall is a call of a method of a shared object.
type objectCall struct {
	call    // by which it is asked
	c       *reeve.ObjectCall
	until   time.Time // when its caller gives up; zero: never
	again   bool      // an earlier life of the master may have carried it out
	session context.Context
	value   []byte
}

// objectCallSize is more than all of a call but its texts and arguments.
const objectCallSize = 128

func (r *objectCall) size() int {
	return objectCallSize + len(r.c.Ref.Name) + len(r.c.Ref.Type) + len(r.c.Method) + len(r.c.Args)
}

func (r *objectCall) encode(b *wire.Builder, id, low uint64) error {
	m := wire.Call{
		Req: id, Low: low, Name: r.c.Ref.Name, ID: r.c.Ref.ID, Life: r.c.Ref.Life, Type: r.c.Ref.Type,
		Method: r.c.Method, Args: r.c.Args,
	}
	if r.c.Reads {
		m.Flags |= wire.FlagReads
	}
	if r.c.Waits {
		m.Flags |= wire.FlagWaits
	}
	if r.again {
		m.Flags |= wire.FlagAgain
	}
	if !r.until.IsZero() {
		m.Timeout = max(time.Until(r.until), 1)
	}
	return b.Call(&m)
}

// CallObject calls a method of a shared object at the master; see [reeve.Objects].
// A call whose connection is lost is made again with the next one, unless the
// master knows that it was carried out and has the answer. [reeve.ErrDisconnected]
// says that ctx ended while there was no connection.
func (c *Client) CallObject(ctx context.Context, oc *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	r := &objectCall{c: oc}
	r.until, _ = ctx.Deadline()
	k := &r.call
	k.req, k.traits = r, onObject
	if oc.Waits {
		k.traits |= parks
	}
	if !oc.Reads {
		k.traits |= mutating
	}
	answered, err := c.ask(ctx, k)
	if !answered { // what it asks with is the connection's for a while yet
		return reeve.ObjectAnswer{}, err
	}
	return reeve.ObjectAnswer{Value: r.value, Session: r.session}, err
}

// seriesOf is where a call of an object has its number.
func (c *Client) seriesOf(k *call) *series {
	if k.is(parks) {
		return &c.waiting
	}
	return &c.calling
}

// register gives k its number.
func (c *Client) register(k *call) {
	if !k.is(onObject) {
		c.pending.add(k)
		return
	}
	s := c.seriesOf(k)
	k.id = s.next
	s.next++
	s.byID[k.id] = k
	s.asks.push(k)
}

// unregister takes k out: it has its answer, or needs none any more.
func (c *Client) unregister(k *call) {
	if !k.is(onObject) {
		c.pending.remove(k)
		return
	}
	s := c.seriesOf(k)
	delete(s.byID, k.id)
	s.asks.remove(k)
}

// registered is the call that waits for the answer to id, or nil.
func (c *Client) registered(id uint64) *call {
	switch {
	case id >= firstWaitingCall:
		return c.waiting.byID[id]
	case id >= firstObjectCall:
		return c.calling.byID[id]
	}
	return c.pending.get(id)
}

// lowOf is the lowest number of k's kind without an answer.
func (c *Client) lowOf(k *call) uint64 {
	if !k.is(onObject) {
		return c.pending.low
	}
	return c.seriesOf(k).asks.head.id
}

// allAsked returns the calls that have a number, in the order of these.
func (c *Client) allAsked() []*call {
	calls := c.pending.all()
	for _, s := range []*series{&c.calling, &c.waiting} {
		for k := s.asks.head; k != nil; k = k.next {
			calls = append(calls, k)
		}
	}
	return calls
}

// detachObjectsLocked notes of the calls of objects which ones l has sent.
func (c *Client) detachObjectsLocked(l *link) {
	if l.taken > 0 { // it was told of those
		c.strays = nil
	}
	for i, s := range []*series{&c.calling, &c.waiting} {
		for k := s.asks.head; k != nil; {
			next := k.next
			if !k.large && k.id < l.takenCalls[i] {
				k.sent = true
			}
			if k.phase == abandoned {
				c.unregister(k)
				k.phase = done
				c.strayLocked(k)
			}
			k = next
		}
	}
}

// strayLocked notes that k was given up while there was no connection to say so: the
// method of a user's object goes on.
func (c *Client) strayLocked(k *call) {
	if k.is(onObject) && k.is(parks) && k.sent {
		c.strays = append(c.strays, k.id)
	}
}

// lostError is why what was granted to a connection is lost.
func lostError(err error) error {
	if errors.Is(err, reeve.ErrDisconnected) || errors.Is(err, reeve.ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w", reeve.ErrDisconnected, err)
}

// resumeObjectsLocked asks again, on a new connection, the calls of objects that
// have no answer, and ends those that were given up.
func (c *Client) resumeObjectsLocked(l *link) {
	other := l.life != c.masterLife
	c.masterLife = l.life
	if other { // they ended with the other one
		c.strays = nil
	}
	for _, id := range c.strays {
		l.out.Message(wire.Cancel{Req: id}) // one number: always fits
	}
	for _, k := range c.allAsked() {
		if !k.is(onObject) {
			continue
		}
		switch {
		case !k.sent || !k.is(mutating):
		case other:
			k.req.(*objectCall).again = true
		case !l.recalled:
			c.unregister(k)
			c.finishLocked(k, reeve.ErrOutcomeUnknown)
			continue
		}
		l.writeLocked(k)
	}
}

// onReturn takes what a method returned. owned: the frame's memory may be kept.
func (l *link) onReturn(f *wire.ReturnFrame, owned bool) {
	if !l.lock() {
		return
	}
	defer l.c.unlock()
	k := l.askedCall(f.Req)
	if k == nil {
		return
	}
	r, ok := k.req.(*objectCall)
	if !ok {
		l.c.answerLocked(k, wrongAnswer(k))
		return
	}
	r.value, r.session = f.Value, l.over
	if !owned {
		r.value = append([]byte(nil), f.Value...)
	}
	l.c.answerLocked(k, nil)
}
