package manager

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// localQueue is this process's handle of a queue: of whichever has its name, as
// those of clients.
type localQueue struct {
	localSupply
}

func newLocalQueue(l *local, name string) *localQueue {
	return &localQueue{localSupply{local: l, name: name}}
}

func (h *localQueue) Name() string { return h.name }

// ask has f ask the queue something with a tag, and waits for the answer.
func (h *localQueue) ask(ctx context.Context, f func(q *queue.Queue, tag uint64)) error {
	q, err := h.queue()
	if err != nil {
		return err
	}
	return h.local.do(ctx, func(tag uint64) { f(q, tag) }).err
}

func (h *localQueue) Put(ctx context.Context, tasks []reeve.Task, opts ...reeve.PutOption) ([]reeve.ID, error) {
	o := reeve.NewPutOptions(opts...)
	batch := make([]reeve.Task, len(tasks))
	each := false
	for i, t := range tasks {
		o.Apply(&t)
		batch[i] = reeve.Task{Payload: t.Payload, Type: t.Type, Priority: t.Priority, Delay: t.Delay, Timeout: t.Timeout, Rules: t.Rules}
		each = each || t.Rules != nil && t.Rules.Unique != ""
	}
	q, err := h.queue()
	if err != nil {
		return nil, err
	}
	if each {
		return h.putEach(ctx, q, batch, &o)
	}
	a := h.local.do(ctx, func(tag uint64) {
		q.Put(h.local.holder, &queue.PutOp{Tasks: batch, NoWait: o.NoWait, Tag: tag, By: h.local})
	})
	if a.err != nil {
		return nil, a.err
	}
	ids := make([]reeve.ID, len(tasks))
	for i := range ids {
		ids[i] = a.first + reeve.ID(i)
	}
	return ids, nil
}

// putEach puts each task, or finds the one that has its unique key, apart.
func (h *localQueue) putEach(ctx context.Context, q *queue.Queue, batch []reeve.Task, o *reeve.PutOptions) ([]reeve.ID, error) {
	if len(batch) > reeve.MaxBatch {
		return nil, &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "tasks of one Put", Value: int64(len(batch)), Max: reeve.MaxBatch}
	}
	for i := range batch { // what is wrong with one is wrong with the call
		if err := batch[i].Validate(); err != nil {
			return nil, err
		}
	}
	answers, err := h.local.doEach(ctx, len(batch), func(tag uint64) {
		q.Put(h.local.holder, &queue.PutOp{Tasks: batch, NoWait: o.NoWait, Each: true, Tag: tag, By: h.local})
	})
	if err != nil {
		return nil, err
	}
	ids := make([]reeve.ID, len(batch))
	var dup reeve.DuplicateError
	for i, a := range answers {
		switch {
		case a.err == nil:
			ids[i] = a.first
		case errors.Is(a.err, reeve.ErrDuplicate):
			dup.Tasks, dup.IDs = append(dup.Tasks, i), append(dup.IDs, a.first)
		case err == nil:
			err = a.err
		}
	}
	if err != nil {
		return ids, err // what was put, and not what was there
	}
	for n, i := range dup.Tasks {
		ids[i] = dup.IDs[n]
	}
	if len(dup.IDs) > 0 && !o.IgnoreDuplicates {
		return ids, &dup
	}
	return ids, nil
}

func (h *localQueue) Stats(ctx context.Context) (reeve.QueueStats, error) {
	q, err := h.queue()
	if err != nil {
		return reeve.QueueStats{Name: h.name}, err
	}
	return q.Stats(), ctx.Err()
}

func (h *localQueue) Join(ctx context.Context) error {
	return h.ask(ctx, func(q *queue.Queue, tag uint64) {
		q.Join(h.local.holder, &queue.JoinOp{Tag: tag, By: h.local})
	})
}

func (h *localQueue) Shutdown(ctx context.Context, immediate bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q, err := h.queue()
	if err != nil {
		return err
	}
	q.Shutdown(immediate)
	return h.local.durable(ctx)
}

func (h *localQueue) Dead(ctx context.Context, skip, max int) ([]reeve.DeadTask, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if skip < 0 || max < 1 || max > reeve.MaxBatch {
		return nil, fmt.Errorf("%w: %d dead tasks after %d, want 1 to %d", reeve.ErrInvalid, max, skip, reeve.MaxBatch)
	}
	q, err := h.queue()
	if err != nil {
		return nil, err
	}
	return q.Dead(skip, max)
}

func (h *localQueue) Peek(ctx context.Context, max int) ([]reeve.TaskInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q, err := h.queue()
	if err != nil {
		return nil, err
	}
	return q.Peek(max, reeve.NoLimit)
}

func (h *localQueue) Pause(ctx context.Context, reason string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q, err := h.queue()
	if err != nil {
		return err
	}
	if err := q.Pause(reason); err != nil {
		return err
	}
	return h.local.durable(ctx)
}

func (h *localQueue) Resume(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q, err := h.queue()
	if err != nil {
		return err
	}
	q.Resume()
	return h.local.durable(ctx)
}

var _ reeve.Queue = (*localQueue)(nil)
