package proxy

import (
	"context"
	"errors"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// putGroup is a Put whose tasks are put apart, because some of them have unique
// keys: each is a request of its own, and they travel together.
type putGroup struct {
	queue string
	flags uint64
	left  int           // without an answer; guarded by Client.mu
	ready chan struct{} // closed when none is left
}

// grouped is a Put of one task of a group.
type grouped struct {
	call
	group *putGroup
	task  *reeve.Task
}

// putEach puts the tasks of all apart and waits for all answers.
func (q *queue) putEach(ctx context.Context, all *put, o *reeve.PutOptions) ([]reeve.ID, error) {
	if ctx.Err() != nil {
		return nil, ctxError(ctx)
	}
	c, tasks := q.c, all.tasks
	if slices.ContainsFunc(tasks, func(t reeve.Task) bool { return taskSize(&t) > wire.MaxSmallFrame/2 }) {
		tasks = slices.Clone(tasks) // a large one may be encoded after ctx has ended
	}
	g := &putGroup{queue: q.name, flags: all.flags | wire.FlagEach, left: len(tasks), ready: make(chan struct{})}
	t := mutating
	if all.flags&wire.FlagNoWait == 0 {
		t |= parks
	}
	calls := make([]grouped, len(tasks))
	c.mu.Lock()
	for i := range calls {
		k := &calls[i]
		k.group, k.task = g, &tasks[i]
		k.call = call{req: k, traits: t, ids: 1, weight: taskWeight(k.task), then: oneOfGroup}
		c.submitLocked(&k.call)
	}
	c.unlock()
	select {
	case <-g.ready:
		return gather(calls, nil, o)
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.unlock()
	var err error
	for i := range calls {
		if e := c.abandonLocked(ctx, &calls[i].call); err == nil {
			err = e
		}
	}
	return gather(calls, err, o)
}

func (k *grouped) size() int { return 96 + len(k.group.queue) + taskSize(k.task) }

func (k *grouped) encode(b *wire.Builder, id, low uint64) error {
	return b.PutOne(id, low, k.group.queue, k.group.flags, k.task)
}

// oneOfGroup takes note that one more has its answer.
func oneOfGroup(_ *Client, k *call) {
	g := k.req.(*grouped).group
	if g.left--; g.left == 0 {
		close(g.ready)
	}
}

// gather makes one result of those of all calls. With an error, which may be
// err, the ids are of what was put; otherwise also of what was there before.
func gather(calls []grouped, err error, o *reeve.PutOptions) ([]reeve.ID, error) {
	ids := make([]reeve.ID, len(calls))
	var dup reeve.DuplicateError
	for i := range calls {
		k := &calls[i].call
		switch {
		case k.phase != done: // given up
		case k.err == nil:
			ids[i] = k.first
		case errors.Is(k.err, reeve.ErrDuplicate):
			dup.Tasks, dup.IDs = append(dup.Tasks, i), append(dup.IDs, k.first)
		case err == nil:
			err = k.err
		}
	}
	if err != nil {
		return ids, err
	}
	for n, i := range dup.Tasks {
		ids[i] = dup.IDs[n]
	}
	if len(dup.IDs) > 0 && !o.IgnoreDuplicates {
		return ids, &dup
	}
	return ids, nil
}
