package proxy

import (
	"context"
	"iter"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// subscription is a loop over events. It outlives connections: each session is
// told of it anew. Client.mu guards it.
type subscription struct {
	c      *Client
	id     uint64
	queues []string
	buf    []reeve.Event
	err    error         // why nothing more comes
	avail  chan struct{} // cap 1: something came
}

// Events follows what happens in queues; see [reeve.Operator]. Up to
// [Config.EventBuffer] events wait here for a slow loop, and as many as it says
// at the master. What happens while there is no connection is missed, and not
// counted.
func (c *Client) Events(ctx context.Context, queues ...string) iter.Seq2[reeve.Event, error] {
	return func(yield func(reeve.Event, error) bool) {
		if ctx.Err() != nil {
			return
		}
		sub, err := c.subscribe(queues)
		if err != nil {
			yield(reeve.Event{}, err)
			return
		}
		defer c.unsubscribe(sub)
		for {
			events, err := sub.take()
			for _, e := range events {
				if ctx.Err() != nil || !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(reeve.Event{}, err)
				return
			}
			select {
			case <-sub.avail:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (c *Client) subscribe(queues []string) (*subscription, error) {
	for _, name := range queues {
		if err := checkName(name); err != nil {
			return nil, err
		}
	}
	if err := checkCount("queues of one Events", len(queues), 0, reeve.MaxBatch); err != nil {
		return nil, err
	}
	sub := &subscription{c: c, queues: queues, avail: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.unlock()
	if c.closed != nil {
		return nil, c.closed
	}
	c.lastSub++
	sub.id = c.lastSub
	c.subs[sub.id] = sub
	if c.link != nil {
		sub.tellLocked()
	}
	return sub, nil
}

// subscribing tells a session of a subscription.
type subscribing struct{ sub *subscription }

func (r *subscribing) size() int {
	n := 128
	for _, name := range r.sub.queues {
		n += 3 + len(name)
	}
	return n
}

func (r *subscribing) encode(b *wire.Builder, id, low uint64) error {
	return b.Message(wire.Events{Req: id, Low: low, Sub: r.sub.id, Queues: r.sub.queues})
}

func (sub *subscription) tellLocked() {
	sub.c.submitLocked(&call{req: &subscribing{sub}, traits: sessional, then: subscribed})
}

// subscribed takes the answer: an error is the end of the loop, unless the next
// session will know better.
func subscribed(_ *Client, k *call) {
	if k.err != nil && !isLeaving(k.err) {
		k.req.(*subscribing).sub.endLocked(k.err)
	}
}

func (sub *subscription) endLocked(err error) {
	if sub.err == nil {
		sub.err = err
	}
	sub.wakeLocked()
}

func (sub *subscription) wakeLocked() {
	select {
	case sub.avail <- struct{}{}:
	default:
	}
}

// take takes all that has come, and the end after it.
func (sub *subscription) take() ([]reeve.Event, error) {
	sub.c.mu.Lock()
	defer sub.c.mu.Unlock()
	events := sub.buf
	sub.buf = nil
	return events, sub.err
}

// addLocked adds an event in place of the oldest, if there is no room.
func (sub *subscription) addLocked(e reeve.Event) {
	if len(sub.buf) == sub.c.cfg.EventBuffer {
		missed := sub.buf[0].Missed + 1
		sub.buf = sub.buf[1:]
		if len(sub.buf) > 0 {
			sub.buf[0].Missed += missed
		} else {
			e.Missed += missed
		}
	}
	sub.buf = append(sub.buf, e)
}

func (c *Client) unsubscribe(sub *subscription) {
	c.mu.Lock()
	defer c.unlock()
	delete(c.subs, sub.id)
	if c.link != nil && c.closed == nil {
		// It goes the way that Events went, so that it cannot overtake that.
		extra := (&subscribing{sub}).size() - plainSize
		c.submitLocked(&call{traits: sessional, req: &plain{extra: extra, message: func(id, low uint64) wire.Message {
			return wire.Unevents{Req: id, Low: low, Sub: sub.id}
		}}})
	}
}

// onEvents takes events of one subscription.
func (l *link) onEvents(m *wire.Event) {
	if !l.lock() {
		return
	}
	defer l.c.unlock()
	sub := l.c.subs[m.Sub]
	if sub == nil {
		return // its loop has ended
	}
	for i := range m.Events {
		sub.addLocked(m.Events[i].Event())
	}
	sub.wakeLocked()
}
