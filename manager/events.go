package manager

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/wire"
)

// eventBatch is how many events are taken from a subscription at a time.
const eventBatch = 256

// Events follows what happens in queues; see [reeve.Operator]. Up to
// [Config.EventBuffer] events wait for a slow loop.
func (m *Master) Events(ctx context.Context, queues ...string) iter.Seq2[reeve.Event, error] {
	return func(yield func(reeve.Event, error) bool) {
		if ctx.Err() != nil {
			return
		}
		if err := m.Err(); err != nil {
			yield(reeve.Event{}, err)
			return
		}
		more := make(chan struct{}, 1)
		wake := func() {
			select {
			case more <- struct{}{}:
			default:
			}
		}
		from, err := m.engine.Subscribe(queues, m.cfg.EventBuffer, wake)
		if err != nil {
			yield(reeve.Event{}, err)
			return
		}
		defer from.Close()
		for {
			taken := from.Take(eventBatch)
			for _, e := range taken {
				if ctx.Err() != nil || !yield(e, nil) {
					return
				}
			}
			if len(taken) > 0 {
				continue // until there is nothing left
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			case <-m.ctx.Done():
				yield(reeve.Event{}, m.Err())
				return
			}
		}
	}
}

// subscription is a client's place among the readers of events. What it is to
// be told waits with the engine, which drops the oldest of too many, and is
// taken from there when the connection takes it.
type subscription struct {
	id    uint64
	from  *queue.Subscription
	ready atomic.Bool // from is set
	due   bool        // stands in outbox.events; guarded by outbox.mu
}

// subscriptions are those of one client, by the number it gave them.
type subscriptions struct {
	mu   sync.Mutex // guards the field below; nothing else is locked with it held
	byID map[uint64]*subscription
}

// add notes sub, unless the client has one of that number or max of them.
func (t *subscriptions) add(sub *subscription, max int) (known, full bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known = t.byID[sub.id]; known {
		return true, false
	}
	if len(t.byID) >= max {
		return false, true
	}
	if t.byID == nil {
		t.byID = map[uint64]*subscription{}
	}
	t.byID[sub.id] = sub
	return false, false
}

// remove gives up the subscription id and returns it, or nil.
func (t *subscriptions) remove(id uint64) *subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	sub := t.byID[id]
	delete(t.byID, id)
	return sub
}

// end ends all. Nobody adds any more.
func (t *subscriptions) end() {
	t.mu.Lock()
	all := t.byID
	t.byID = nil
	t.mu.Unlock()
	for _, sub := range all {
		sub.from.Close()
	}
}

// events begins a subscription of a client.
func (r *requests) events(m *wire.Events) error {
	s := r.s
	if m.Sub == 0 {
		s.out.refuse(m.Req, fmt.Errorf("%w: subscription 0, want a number above 0", reeve.ErrInvalid))
		return nil
	}
	sub := &subscription{id: m.Sub}
	from, err := s.m.engine.Subscribe(m.Queues, s.m.cfg.EventBuffer, func() { s.out.hasEvents(sub) })
	if err != nil {
		s.out.refuse(m.Req, err)
		return nil
	}
	sub.from = from
	most := s.m.cfg.MaxSubscriptions
	known, full := s.subs.add(sub, most)
	switch {
	case known: // asked again
		from.Close()
	case full:
		from.Close()
		err := &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "event subscriptions of one client", Value: int64(most) + 1, Max: int64(most), Set: "Config.MaxSubscriptions"}
		s.out.refuse(m.Req, err)
		return nil
	}
	s.out.confirm(m.Req, 1, 0)
	sub.ready.Store(true)
	s.out.hasEvents(sub) // that it has some may have been told too early
	return nil
}

// unevents ends a subscription of a client.
func (r *requests) unevents(m *wire.Unevents) error {
	if sub := r.s.subs.remove(m.Sub); sub != nil {
		sub.from.Close()
	}
	r.s.out.confirm(m.Req, 1, 0)
	return nil
}

// hasEvents has a subscription's events sent. It may be called with a queue and
// the subscription locked.
func (o *outbox) hasEvents(sub *subscription) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || sub.due || !sub.ready.Load() {
		return
	}
	sub.due = true
	o.events = append(o.events, sub)
	o.startLocked()
}

// eventBytes is about how large one Event message gets.
const eventBytes = 32 << 10

// writeEvents writes what subs have by now, and no more than a batch of each:
// others take their turn in between.
func (o *outbox) writeEvents(subs []*subscription) error {
	for _, sub := range subs {
		taken := sub.from.Take(eventBatch)
		m, size := wire.Event{Sub: sub.id}, 0
		for i := range taken {
			e := wire.EventOf(&taken[i])
			m.Events = append(m.Events, e)
			size += 128 + len(e.Queue) + len(e.Type) + len(e.Worker) + len(e.Text)
			if size < eventBytes && i < len(taken)-1 {
				continue
			}
			if err := o.writeEvent(m); err != nil {
				return err
			}
			m.Events, size = m.Events[:0], 0
		}
		if len(taken) == eventBatch {
			o.hasEvents(sub) // there may be more
		}
	}
	return nil
}

func (o *outbox) writeEvent(m wire.Event) error {
	if err := o.rest.Message(m); err != nil {
		return err
	}
	buf := o.rest.Take()
	_, err := o.s.calls.Write(buf)
	o.rest.Reset(buf)
	if err == nil {
		o.progress()
	}
	return err
}
