package queue

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/reeveq/reeve"
)

// MaxEvents bounds the buffer of a subscription, in events.
const MaxEvents = 1 << 16

// maxEventText bounds what an event tells of an error or a reason, in bytes.
const maxEventText = 1 << 10

// hub hands events to those who follow them. The zero value has nobody.
type hub struct {
	subs atomic.Pointer[[]*Subscription] // never changed, but replaced; nil: none
	mu   sync.Mutex                      // guards replacing it; taken with no queue locked
}

// on reports whether anybody follows events. It costs one atomic load, and is
// asked before an event is put together.
func (h *hub) on() bool { return h.subs.Load() != nil }

// emit hands ev to those who follow its queue. The queue may be locked.
func (h *hub) emit(ev reeve.Event) {
	subs := h.subs.Load()
	if subs == nil {
		return
	}
	ev.Text = cut(ev.Text, maxEventText)
	for _, s := range *subs {
		s.note(&ev)
	}
}

// change replaces the list by what f makes of a copy.
func (h *hub) change(f func([]*Subscription) []*Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*Subscription
	if subs := h.subs.Load(); subs != nil {
		list = slices.Clone(*subs)
	}
	if list = f(list); len(list) == 0 {
		h.subs.Store(nil)
		return
	}
	h.subs.Store(&list)
}

// Subscription is a reader of events. Methods may be called from any number of
// goroutines.
type Subscription struct {
	hub    *hub
	queues map[string]struct{} // nil: all
	most   int                 // events that wait to be taken
	wake   func()

	mu     sync.Mutex // guards the fields below; nothing is locked after it
	ring   []reeve.Event
	first  int // of the n that wait
	n      int
	missed uint64 // since the last Take, before the first of them
	closed bool
}

// Subscribe follows what happens from now on in the named queues, without names
// in all, those included that are declared later. Up to buffer events, 1 to
// [MaxEvents], wait to be taken; when there are more the oldest are missed.
//
// wake is called when events begin to wait where none did. It is called with a
// queue locked, so it may only signal: it must neither block nor call the
// engine or the subscription. nil: whoever reads looks on their own. The caller
// closes the subscription.
//
// Errors: [reeve.ErrNoSuchQueue], [reeve.ErrInvalid] for the buffer,
// [reeve.ErrClosed].
func (e *Engine) Subscribe(queues []string, buffer int, wake func()) (*Subscription, error) {
	if buffer < 1 || buffer > MaxEvents {
		return nil, fmt.Errorf("%w: a buffer of %d events, want 1 to %d", reeve.ErrInvalid, buffer, MaxEvents)
	}
	e.mu.RLock()
	closed := e.closed
	e.mu.RUnlock()
	if closed {
		return nil, reeve.ErrClosed
	}
	if wake == nil {
		wake = func() {}
	}
	s := &Subscription{hub: &e.events, most: buffer, wake: wake}
	for _, name := range queues {
		q, err := e.Lookup(name)
		if err != nil {
			return nil, err
		}
		if s.queues == nil {
			s.queues = map[string]struct{}{}
		}
		s.queues[q.name] = struct{}{}
	}
	s.hub.change(func(list []*Subscription) []*Subscription { return append(list, s) })
	return s, nil
}

// note keeps ev, if it is of a queue that s follows.
func (s *Subscription) note(ev *reeve.Event) {
	if s.queues != nil {
		if _, ok := s.queues[ev.Queue]; !ok {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.n == len(s.ring) && s.n < s.most {
		s.grow()
	}
	if s.n == s.most {
		s.ring[s.first] = *ev
		s.first = (s.first + 1) % len(s.ring)
		s.missed++
		return
	}
	s.ring[(s.first+s.n)%len(s.ring)] = *ev
	if s.n++; s.n == 1 {
		s.wake()
	}
}

// grow makes the ring larger.
func (s *Subscription) grow() {
	ring := make([]reeve.Event, min(max(16, 2*len(s.ring)), s.most))
	n := copy(ring, s.ring[s.first:])
	copy(ring[n:], s.ring[:s.first])
	s.ring, s.first = ring, 0
}

// Take returns up to max of the events that wait, the oldest first; none: none
// waits. If some were missed before them, the first says how many. It does not
// block. After a call of wake, take until there are none.
func (s *Subscription) Take(max int) []reeve.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(max, s.n)
	if n <= 0 {
		return nil
	}
	out := make([]reeve.Event, n)
	for i := range out {
		at := (s.first + i) % len(s.ring)
		out[i], s.ring[at] = s.ring[at], reeve.Event{}
	}
	out[0].Missed += s.missed
	s.missed = 0
	s.first = (s.first + n) % len(s.ring)
	if s.n -= n; s.n == 0 && len(s.ring) > 256 {
		s.ring, s.first = nil, 0
	}
	return out
}

// Close ends the subscription: what waits is dropped, and wake is not called
// after it returned. A second Close does nothing.
func (s *Subscription) Close() {
	s.mu.Lock()
	s.closed, s.ring, s.first, s.n = true, nil, 0, 0
	s.mu.Unlock()
	s.hub.change(func(list []*Subscription) []*Subscription {
		return slices.DeleteFunc(list, func(o *Subscription) bool { return o == s })
	})
}
