package proxy

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// put is a Put: of one task, which shares a frame with others that are put at
// the same time, or of several, which are put together or not at all.
type put struct {
	queue string
	flags uint64
	tasks []reeve.Task
	bytes int
}

func (q *queue) Put(ctx context.Context, tasks []reeve.Task, opts ...reeve.PutOption) ([]reeve.ID, error) {
	if err := checkName(q.name); err != nil {
		return nil, err
	}
	if err := checkCount("tasks of one Put", len(tasks), 1, reeve.MaxBatch); err != nil {
		return nil, err
	}
	both := &struct {
		call
		put
	}{}
	k, r := &both.call, &both.put
	*r = put{queue: q.name, tasks: tasks}
	if len(opts) > 0 {
		o := reeve.NewPutOptions(opts...)
		r.tasks = slices.Clone(tasks) // the caller's stay as they are
		for i := range r.tasks {
			o.Apply(&r.tasks[i])
		}
		if o.NoWait {
			r.flags |= wire.FlagNoWait
		}
	}
	if len(tasks) == 1 {
		r.flags |= wire.FlagEach
	}
	r.bytes = 96 + len(q.name)
	*k = call{req: r, traits: mutating, ids: len(tasks)}
	for i := range r.tasks {
		if err := q.c.checkTask(&r.tasks[i]); err != nil {
			return nil, err
		}
		r.bytes += taskSize(&r.tasks[i])
		k.weight += taskWeight(&r.tasks[i])
	}
	if r.bytes > wire.MaxSmallFrame && len(opts) == 0 {
		// It is encoded later, and the slice is the caller's when ctx ends first.
		r.tasks = slices.Clone(tasks)
	}
	if r.flags&wire.FlagNoWait == 0 {
		k.traits |= parks
	}
	if err := q.c.do(ctx, k); err != nil {
		return nil, err
	}
	ids := make([]reeve.ID, len(tasks))
	for i := range ids {
		ids[i] = k.first + reeve.ID(i)
	}
	return ids, nil
}

func (r *put) size() int { return r.bytes }

func (r *put) encode(b *wire.Builder, id, low uint64) error {
	return b.Put(id, low, r.queue, r.flags, r.tasks)
}

// taskSize bounds what a task takes in a frame, from above.
func taskSize(t *reeve.Task) int { return 48 + len(t.Payload) + len(t.Type) }

// taskWeight bounds what a task costs the master in memory, from above.
func taskWeight(t *reeve.Task) int64 { return int64(512 + len(t.Payload) + len(t.Type)) }

// checkTask checks a task that is to be put.
func (c *Client) checkTask(t *reeve.Task) error {
	if err := checkDuration("delay", t.Delay); err != nil {
		return err
	}
	if err := checkDuration("timeout", t.Timeout); err != nil {
		return err
	}
	if len(t.Type) > wire.MaxName || !utf8.ValidString(t.Type) {
		return fmt.Errorf("%w: task type of %d bytes, want at most %d, in UTF-8", reeve.ErrInvalid, len(t.Type), wire.MaxName)
	}
	if n, most := int64(len(t.Payload)), c.maxPayload.Load(); n > most {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "payload bytes", Value: n, Max: most, Set: "the master's -max-payload"}
	}
	return nil
}
