package shared_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

// What follows says, apart from the master, what locks do: a model, which knows
// at each moment who holds what and which calls have returned.

// mGrace is that of the objects that have one.
const mGrace = 10 * time.Second

// mObject is what can be held.
type mObject struct {
	name, kind string
	graced     bool
	free       int
	holds      []*mHold
	queue      []*mCall
	granted    []*mCall // since the last look
	last       uint64   // token
}

// mHold is who holds it.
type mHold struct {
	a      *mActor
	places int
	read   bool
	until  time.Duration // when it ends unless its client is back; 0: it is not away
	real   []*shared.Hold
}

// mCond is a condition of a lock, with those who wait for a notify.
type mCond struct {
	name  string
	lock  *mObject
	waits []*mCall
}

// mCall is a call that may wait.
type mCall struct {
	a      *mActor
	o      *mObject // wants to hold it
	c      *mCond   // waits there; it had the lock before, in hold
	event  bool
	bar    bool
	places int
	read   bool
	hold   *mHold

	notified bool
	gaveUp   bool          // its context has ended; it comes for the lock
	until    time.Duration // when its wait ends, while its client is away

	done  bool
	err   error // with which it is to return
	index int   // at the barrier

	number int // in the order in which calls are made
	cancel context.CancelFunc
	real   *pending[mResult]
}

type mResult struct {
	hold  *shared.Hold
	index int
}

// mActor is one owner at a client. It does one thing at a time.
type mActor struct {
	name   string
	client *mClient
	owner  shared.Owner
	conds  map[*mCond]*shared.Condition
	call   *mCall
}

type mClient struct {
	*line
	away   bool
	resend []*mCall // what it asks when it is back
}

// model is all of it.
type model struct {
	objects []*mObject
	conds   []*mCond
	actors  []*mActor
	clients []*mClient
	set     bool     // the event
	sleeper []*mCall // at the event
	parties []*mCall // at the barrier
	broken  bool
	calls   int
	start   time.Time
}

const mParties = 3

func (m *model) now() time.Duration { return time.Since(m.start) }

func (o *mObject) holdOf(a *mActor) *mHold {
	for _, h := range o.holds {
		if h.a == a {
			return h
		}
	}
	return nil
}

// returns notes that a call returns with err.
func (m *model) returns(k *mCall, err error) {
	k.done, k.err = true, err
}

// acquire is what happens to k, which wants to hold k.o.
func (m *model) acquire(k *mCall, wait bool) {
	o := k.o
	if h := o.holdOf(k.a); h != nil && o.kind == "rlock" {
		k.hold = h
		m.grant(k)
		return
	}
	switch {
	case len(o.queue) == 0 && o.free >= k.places:
		m.grant(k)
	case !wait:
		m.returns(k, reeve.ErrLocked)
	case m.cycle(k):
		m.returns(k, reeve.ErrDeadlock)
	default:
		o.queue = append(o.queue, k)
	}
}

// grant gives k what it wants.
func (m *model) grant(k *mCall) {
	o := k.o
	if k.hold == nil {
		k.hold = &mHold{a: k.a, places: k.places, read: k.read}
	}
	if !slices.Contains(o.holds, k.hold) {
		o.holds = append(o.holds, k.hold)
		o.free -= k.hold.places
	}
	o.granted = append(o.granted, k)
	switch {
	case k.c != nil && !k.notified:
		m.returns(k, context.Canceled)
	default:
		m.returns(k, nil)
	}
}

func (m *model) drop(o *mObject, h *mHold) {
	o.holds = slices.DeleteFunc(o.holds, func(x *mHold) bool { return x == h })
	o.free += h.places
}

func (m *model) advance(o *mObject) {
	for len(o.queue) > 0 && o.free >= o.queue[0].places {
		k := o.queue[0]
		o.queue = o.queue[1:]
		m.grant(k)
	}
}

// leave takes k out of the queue, if it is there.
func (m *model) leave(k *mCall) {
	k.o.unqueue(k)
	m.advance(k.o)
}

func (o *mObject) unqueue(k *mCall) {
	o.queue = slices.DeleteFunc(o.queue, func(x *mCall) bool { return x == k })
}

// cycle reports whether k would wait for its own actor.
func (m *model) cycle(k *mCall) bool {
	if k.o.kind == "semaphore" {
		return false
	}
	seen := map[*mActor]bool{}
	next := m.waitsFor(k)
	for len(next) > 0 {
		a := next[0]
		next = next[1:]
		if a == k.a {
			return true
		}
		if seen[a] {
			continue
		}
		seen[a] = true
		for _, o := range m.objects {
			if o.kind == "semaphore" {
				continue
			}
			for _, u := range o.queue {
				if u.a == a {
					next = append(next, m.waitsFor(u)...)
				}
			}
		}
	}
	return false
}

// waitsFor lists those who have to do something before k gets its lock.
func (m *model) waitsFor(k *mCall) []*mActor {
	var list []*mActor
	for _, h := range k.o.holds {
		if !h.read || !k.read {
			list = append(list, h.a)
		}
	}
	for _, u := range k.o.queue {
		if u == k {
			break
		}
		if !u.read || !k.read {
			list = append(list, u.a)
		}
	}
	return list
}

// wait is a Wait of k, whose actor has the lock in k.hold.
func (m *model) wait(k *mCall) {
	m.drop(k.o, k.hold)
	k.c.waits = append(k.c.waits, k)
	m.advance(k.o)
}

// retake lets k, which waits for no notify any more, take the lock again.
func (m *model) retake(k *mCall) {
	switch {
	case len(k.o.queue) == 0 && k.o.free >= k.places:
		m.grant(k)
	case m.cycle(k):
		m.returns(k, reeve.ErrDeadlock)
		if k.notified {
			m.notify(k.c, 1)
		}
	default:
		k.o.queue = append(k.o.queue, k)
	}
}

func (c *mCond) unlist(k *mCall) {
	c.waits = slices.DeleteFunc(c.waits, func(x *mCall) bool { return x == k })
}

// notify lets n of those who wait go on.
func (m *model) notify(c *mCond, n int) int {
	told := 0
	for ; told < n && len(c.waits) > 0; told++ {
		k := c.waits[0]
		c.unlist(k)
		if k.notified = true; !k.a.client.away {
			m.retake(k)
		}
	}
	return told
}

// lost ends a Wait whose client is not back.
func (m *model) lost(k *mCall) {
	k.c.unlist(k)
	if k.until = 0; k.notified {
		k.notified = false
		m.notify(k.c, 1)
	}
}

// cancel is the end of the context of a call.
func (m *model) cancelCall(k *mCall) {
	switch {
	case k.event:
		m.sleeper = slices.DeleteFunc(m.sleeper, func(x *mCall) bool { return x == k })
		m.returns(k, context.Canceled)
	case k.bar:
		m.parties = slices.DeleteFunc(m.parties, func(x *mCall) bool { return x == k })
		m.breakUp()
		m.returns(k, context.Canceled)
	case k.c != nil:
		m.leave(k)
		k.c.unlist(k)
		k.gaveUp = true
		m.retake(k)
	default:
		m.leave(k)
		m.returns(k, context.Canceled)
	}
}

func (m *model) breakUp() {
	m.broken = true
	for _, k := range m.parties {
		m.returns(k, reeve.ErrBrokenBarrier)
	}
	m.parties = nil
}

// come is a Wait at the barrier.
func (m *model) come(k *mCall) {
	if m.broken {
		m.returns(k, reeve.ErrBrokenBarrier)
		return
	}
	k.index = len(m.parties)
	m.parties = append(m.parties, k)
	if len(m.parties) == mParties {
		for _, k := range m.parties {
			m.returns(k, nil)
		}
		m.parties = nil
	}
}

func (m *model) sleep(k *mCall) {
	if m.set {
		m.returns(k, nil)
	} else {
		m.sleeper = append(m.sleeper, k)
	}
}

// cut is the loss of a connection.
func (m *model) cut(c *mClient) {
	c.away = true
	var waiting []*mCall
	for _, a := range m.actors { // what waits is asked again, in the order in which it was asked
		if k := a.call; k != nil && a.client == c {
			waiting = append(waiting, k)
		}
	}
	for _, k := range waiting {
		switch {
		case k.event:
			m.sleeper = slices.DeleteFunc(m.sleeper, func(x *mCall) bool { return x == k })
		case k.bar:
			if slices.Contains(m.parties, k) {
				m.parties = slices.DeleteFunc(m.parties, func(x *mCall) bool { return x.a.client == c })
				m.breakUp()
			}
		case k.c != nil:
			k.until = m.now() + mGrace
			k.o.unqueue(k)
		default:
			k.o.unqueue(k)
		}
		c.resend = append(c.resend, k)
	}
	for _, o := range m.objects {
		for _, h := range slices.Clone(o.holds) {
			if h.a.client != c {
				continue
			}
			if h.until = m.now() + mGrace; !o.graced {
				m.drop(o, h)
			}
		}
		m.advance(o)
	}
	for _, k := range waiting {
		if k.c != nil && !k.o.graced {
			m.lost(k)
			m.returns(k, reeve.ErrLeaseLost)
			c.resend = slices.DeleteFunc(c.resend, func(x *mCall) bool { return x == k })
		}
	}
}

// expire ends what was away for too long, up to a moment.
func (m *model) expire() {
	for _, o := range m.objects {
		for _, h := range slices.Clone(o.holds) {
			if h.until != 0 && h.until <= m.now() {
				m.drop(o, h)
			}
		}
		m.advance(o)
	}
	for _, a := range m.actors {
		if k := a.call; k != nil && k.c != nil && k.until != 0 && k.until <= m.now() {
			m.lost(k)
			k.until = -1 // and is told when its client is back
		}
	}
}

// connect is that the client is back.
func (m *model) connect(c *mClient) {
	c.away = false
	for _, o := range m.objects {
		for _, h := range o.holds {
			if h.a.client == c {
				h.until = 0
			}
		}
	}
	for _, k := range c.resend {
		switch {
		case k.event:
			m.sleep(k)
		case k.bar:
			m.come(k)
		case k.c == nil:
			m.acquire(k, true)
		case k.until < 0:
			m.returns(k, reeve.ErrLeaseLost)
		default:
			if k.until = 0; k.notified || k.gaveUp {
				m.retake(k)
			}
		}
	}
	c.resend = nil
}

func (k *mCall) kind() string {
	switch {
	case k.event:
		return "event"
	case k.bar:
		return "barrier"
	case k.c != nil:
		return "wait"
	}
	return "acquire"
}

func (k *mCall) String() string {
	switch {
	case k.event:
		return k.a.name + " waits for the event"
	case k.bar:
		return k.a.name + " waits at the barrier"
	case k.c != nil:
		return fmt.Sprintf("%s waits at %s", k.a.name, k.c.name)
	}
	return fmt.Sprintf("%s acquires %d of %s", k.a.name, k.places, k.o.name)
}
