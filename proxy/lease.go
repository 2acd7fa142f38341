package proxy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

var (
	errNotKept = fmt.Errorf("%w: the connection to the master was lost, and the task was taken back", reeve.ErrLeaseLost)
	errGivenUp = fmt.Errorf("%w: %w", reeve.ErrLeaseLost, reeve.ErrClosed)
	errUnheld  = fmt.Errorf("%w: this client holds it no more", reeve.ErrLeaseLost)
)

// held is a lease that stands as far as this client knows.
type held struct {
	lease    *reeve.Lease
	consumer *consumer // that it was delivered to; nil: a Get's
	progress *progress // that was told of; nil: none
}

// lostLease is a lease to be told of its loss.
type lostLease struct {
	lease *reeve.Lease
	cause error
}

// holdLocked takes note of a lease. One on an earlier attempt at the same task
// has been lost, though the master's word of it is still on its way.
func (c *Client) holdLocked(lease *reeve.Lease, cs *consumer) {
	if old := c.leases.at(lease.ID); old != nil {
		c.loseLocked(lease.ID, old.lease.Attempt, errNotKept)
	}
	c.leases.add(lease.ID, held{lease: lease, consumer: cs})
}

// heldLocked reports whether lease still stands as far as this client knows.
func (c *Client) heldLocked(lease *reeve.Lease) bool {
	h := c.leases.at(lease.ID)
	return h != nil && h.lease == lease
}

// loseLocked takes note that the lease on that attempt does not stand any more.
func (c *Client) loseLocked(id reeve.ID, attempt uint32, cause error) {
	h := c.leases.at(id)
	if h == nil || h.lease.Attempt != attempt {
		return
	}
	c.lost = append(c.lost, lostLease{h.lease, cause})
	c.leases.remove(id)
}

// giveBackLocked returns leases that nobody here has seen, the last first: each
// goes to the front of its queue, so that they stand there as they came.
func (c *Client) giveBackLocked(leases []*reeve.Lease) {
	for i := len(leases) - 1; i >= 0; i-- {
		t := leases[i].Token()
		c.submitLocked(&call{traits: sessional, req: &plain{extra: len(t.Queue), message: func(id, low uint64) wire.Message {
			return wire.Nack{Req: id, Low: low, Queue: t.Queue, ID: t.ID, Attempt: t.Attempt, Cause: wire.CauseReturned}
		}}})
	}
}

// settle is the end of a lease. It is kept, whatever becomes of connections,
// until the master has answered it. There are never more of them than leases
// were given out, and no new ones are given out meanwhile: slots and Gets
// bound them.
type settle struct {
	all      *settling // that this is a part of
	lease    *reeve.Lease
	verb     reeve.Verb
	outcome  *reeve.Outcome // nil: there is no more to say than the verb
	consumer *consumer
	done     func(error)
}

// settling is what the end of a lease takes, in one piece of memory.
type settling struct {
	call
	settle
	outcome reeve.Outcome
}

// settlings are used again: at a hundred thousand ends a second they were a
// third of what a worker allocates.
var settlings = sync.Pool{New: func() any { return new(settling) }}

// Settle ends a lease; see [reeve.Settler].
func (c *Client) Settle(l *reeve.Lease, o *reeve.Outcome, done func(error)) {
	if err := c.checkOutcome(o); err != nil {
		done(err)
		return
	}
	all := settlings.Get().(*settling)
	k, s := &all.call, &all.settle
	*s = settle{all: all, lease: l, verb: o.Verb, done: done}
	*k = call{req: s, traits: mutating | fenced, then: settledLocked, after: settleDone}
	if o.Verb != reeve.Ack {
		all.outcome = *o
		s.outcome = &all.outcome
	}
	if o.Verb == reeve.Complete && o.To != "" {
		k.traits |= parks // for room
		k.weight = taskWeight(&o.Result)
	}
	c.mu.Lock()
	h := c.leases.at(l.ID)
	if h == nil || h.lease != l {
		err := c.closed
		c.mu.Unlock()
		if err == nil {
			err = errUnheld
		}
		done(err)
		return
	}
	s.consumer = h.consumer
	c.leases.remove(l.ID)
	c.submitLocked(k)
	c.unlock()
}

// settledLocked takes the answer: the lease has ended, or stands as before.
func settledLocked(c *Client, k *call) {
	s := k.req.(*settle)
	if k.err != nil && !errors.Is(k.err, reeve.ErrLeaseLost) && c.closed == nil {
		c.holdLocked(s.lease, s.consumer)
	}
}

// settleDone tells who ended the lease. Nobody else knows of the call any more, but
// for the bulk stream's writer, which may still have to find that it was answered.
func settleDone(k *call) {
	s, err := k.req.(*settle), k.err
	done := s.done
	if all := s.all; !k.large {
		*all = settling{}
		settlings.Put(all)
	}
	done(err)
}

func (c *Client) checkOutcome(o *reeve.Outcome) error {
	switch o.Verb {
	case reeve.Ack, reeve.Return, reeve.Bury, reeve.Skip, reeve.Discard:
		return nil
	case reeve.Nack, reeve.Snooze:
		if o.Delay < 0 || o.Delay > reeve.MaxTime {
			return fmt.Errorf("%w: a task is given back with a delay of %v, want 0 to 100 years", reeve.ErrInvalid, o.Delay)
		}
		return nil
	case reeve.Complete:
		if o.To != "" {
			if err := checkName(o.To); err != nil {
				return err
			}
		}
		return c.checkTask(&o.Result)
	}
	return fmt.Errorf("%w: no such end of a lease: %d", reeve.ErrInvalid, o.Verb)
}

func (s *settle) size() int {
	queue := len(s.lease.Queue())
	switch s.verb {
	case reeve.Ack:
		return 64 + queue
	case reeve.Complete:
		return 64 + queue + len(s.outcome.To) + taskSize(&s.outcome.Result)
	}
	return 96 + queue + min(len(s.outcome.Error), reeve.MaxErrorText) + min(len(s.outcome.Stack), reeve.MaxErrorText)
}

func (s *settle) encode(b *wire.Builder, id, low uint64) error {
	t, o := s.lease.Token(), s.outcome
	switch s.verb {
	case reeve.Ack:
		return b.Ack(id, low, t.Queue, t.ID, t.Attempt)
	case reeve.Complete:
		return b.Complete(id, low, t.Queue, o.To, t.ID, t.Attempt, &o.Result)
	case reeve.Bury:
		return b.Message(wire.Bury{Req: id, Low: low, Queue: t.Queue, ID: t.ID, Attempt: t.Attempt, Error: o.Error, Stack: o.Stack})
	}
	cause := wire.CauseFailed
	switch {
	case s.verb == reeve.Return:
		cause = wire.CauseReturned
	case s.verb == reeve.Snooze:
		cause = wire.CauseSnoozed
	case s.verb == reeve.Skip:
		cause = wire.CauseSkipped
	case s.verb == reeve.Discard:
		cause = wire.CauseDiscarded
	case o.TimedOut:
		cause = wire.CauseTimedOut
	}
	return b.Message(wire.Nack{Req: id, Low: low, Queue: t.Queue, ID: t.ID, Attempt: t.Attempt,
		Delay: o.Delay, Cause: cause, Error: o.Error, Stack: o.Stack})
}

// Extend makes a lease outlast a silence; see [reeve.Settler].
func (c *Client) Extend(ctx context.Context, l *reeve.Lease, d time.Duration) error {
	t := l.Token()
	err := c.do(ctx, &call{req: &plain{extra: len(t.Queue), message: func(id, low uint64) wire.Message {
		return wire.Extend{Req: id, Low: low, Queue: t.Queue, ID: t.ID, Attempt: t.Attempt, Duration: d}
	}}})
	if errors.Is(err, reeve.ErrCancelled) {
		err = cancelledLease(err)
	}
	if errors.Is(err, reeve.ErrLeaseLost) {
		c.mu.Lock()
		c.loseLocked(t.ID, t.Attempt, err)
		c.unlock()
	}
	return err
}

// cancelledLease is err, the master's word that a task was cancelled, for who
// held its lease, which was lost thereby: one code cannot say both.
func cancelledLease(err error) error { return fmt.Errorf("%w: %w", reeve.ErrLeaseLost, err) }

var _ reeve.Settler = (*Client)(nil)
