package manager

import (
	"cmp"
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// A master is an operator of itself: the same verbs as a client's, without a
// connection between. Here are those that look at tasks and queues, and those
// that put a hand to them.

// Queues returns the numbers of all queues; see [reeve.Operator].
func (m *Master) Queues(ctx context.Context) ([]reeve.QueueStats, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	return m.engine.Stats(), nil
}

// Types returns the numbers of a queue by task type; see [reeve.Operator].
func (m *Master) Types(ctx context.Context, queue string) ([]reeve.TypeStats, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	q, err := m.engine.Lookup(queue)
	if err != nil {
		return nil, err
	}
	return q.Types(), nil
}

// Task returns what is known of a task; see [reeve.Operator].
func (m *Master) Task(ctx context.Context, id reeve.ID) (reeve.TaskInfo, error) {
	if err := m.usable(ctx); err != nil {
		return reeve.TaskInfo{}, err
	}
	return m.engine.Task(id)
}

// List returns a page of the tasks that f means; see [reeve.Operator].
func (m *Master) List(ctx context.Context, queue string, f reeve.Filter, o reeve.ListOptions) (reeve.Page, error) {
	if err := m.usable(ctx); err != nil {
		return reeve.Page{}, err
	}
	q, err := m.engine.Lookup(queue)
	if err != nil {
		return reeve.Page{}, err
	}
	return q.List(&f, o)
}

// Peek returns the tasks that come next; see [reeve.Operator].
func (m *Master) Peek(ctx context.Context, queue string, max, payload int) ([]reeve.TaskInfo, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	q, err := m.engine.Lookup(queue)
	if err != nil {
		return nil, err
	}
	return q.Peek(max, payload)
}

// Explain returns why a task does not run; see [reeve.Operator].
func (m *Master) Explain(ctx context.Context, id reeve.ID) (reeve.Explanation, error) {
	if err := m.usable(ctx); err != nil {
		return reeve.Explanation{}, err
	}
	return m.engine.Explain(id)
}

// Cancel ends a task in whatever state it is; see [reeve.Operator].
func (m *Master) Cancel(ctx context.Context, id reeve.ID, reason string) error {
	if err := m.usable(ctx); err != nil {
		return err
	}
	return cmp.Or(m.engine.Cancel(id, reason), m.local.durable(ctx))
}

// CancelAll cancels the tasks that f means; see [reeve.Operator]. Once begun,
// it goes on to its end whatever becomes of ctx, as do the next three; when ctx
// ends while a journal is written, they return its error and the number.
func (m *Master) CancelAll(ctx context.Context, queue string, f reeve.Filter, reason string) (int, error) {
	return m.act(ctx, &action{verb: wire.ActCancel, queue: queue, filter: f, reason: reason})
}

// Revive makes dead tasks ready again; see [reeve.Operator].
func (m *Master) Revive(ctx context.Context, queue string, f reeve.Filter) (int, error) {
	return m.act(ctx, &action{verb: wire.ActRevive, queue: queue, filter: f})
}

// Purge removes tasks; see [reeve.Operator].
func (m *Master) Purge(ctx context.Context, queue string, f reeve.Filter) (int, error) {
	return m.act(ctx, &action{verb: wire.ActPurge, queue: queue, filter: f})
}

// Move moves tasks to another queue; see [reeve.Operator].
func (m *Master) Move(ctx context.Context, from, to string, f reeve.Filter) (int, error) {
	return m.act(ctx, &action{verb: wire.ActMove, queue: from, to: to, filter: f})
}

// action is something that is done to all tasks of a queue that a filter means.
type action struct {
	verb   uint64 // wire.ActCancel, ...
	queue  string
	to     string // ActMove
	filter reeve.Filter
	reason string // ActCancel
}

func (m *Master) act(ctx context.Context, a *action) (int, error) {
	if err := m.usable(ctx); err != nil {
		return 0, err
	}
	n, err := m.carryOut(a)
	return n, cmp.Or(err, m.local.durable(ctx))
}

// carryOut does what a says. With an error it may have been done to some.
func (m *Master) carryOut(a *action) (int, error) {
	q, err := m.engine.Lookup(a.queue)
	if err != nil {
		return 0, err
	}
	switch a.verb {
	case wire.ActCancel:
		return q.CancelAll(&a.filter, a.reason)
	case wire.ActRevive:
		return q.Revive(&a.filter)
	case wire.ActPurge:
		return q.Purge(&a.filter)
	case wire.ActMove:
		to, err := m.engine.Lookup(a.to)
		if err != nil {
			return 0, err
		}
		return q.Move(to, &a.filter)
	}
	return 0, fmt.Errorf("%w: no such action on tasks: %d", reeve.ErrInvalid, a.verb)
}

// usable is the error of a call that comes too late.
func (m *Master) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.Err()
}

var _ reeve.Operator = (*Master)(nil)
