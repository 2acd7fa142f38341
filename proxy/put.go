package proxy

import (
	"context"
	"errors"
	"slices"

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
	var o reeve.PutOptions
	if len(opts) > 0 {
		o = reeve.NewPutOptions(opts...)
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
	unique := false
	for i := range r.tasks {
		t := &r.tasks[i]
		if err := q.c.checkTask(t); err != nil {
			return nil, err
		}
		r.bytes += taskSize(t)
		k.weight += taskWeight(t)
		unique = unique || t.Rules != nil && t.Rules.Unique != ""
	}
	if unique && len(tasks) > 1 {
		return q.putEach(ctx, r, &o)
	}
	if r.bytes > wire.MaxSmallFrame && len(opts) == 0 {
		// It is encoded later, and the slice is the caller's when ctx ends first.
		r.tasks = slices.Clone(tasks)
	}
	if r.flags&wire.FlagNoWait == 0 {
		k.traits |= parks
	}
	answered, err := q.c.ask(ctx, k)
	switch {
	case err == nil:
	case unique && answered && errors.Is(err, reeve.ErrDuplicate):
		if o.IgnoreDuplicates {
			return []reeve.ID{k.first}, nil
		}
		return []reeve.ID{k.first}, &reeve.DuplicateError{Tasks: []int{0}, IDs: []reeve.ID{k.first}}
	default:
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
func taskSize(t *reeve.Task) int {
	n := 54 + len(t.Payload) + len(t.Type)
	if t.Rules != nil {
		n += 160 + rulesTexts(t.Rules, 3)
	}
	return n
}

// taskWeight bounds what a task costs the master in memory, from above.
func taskWeight(t *reeve.Task) int64 {
	n := int64(512 + len(t.Payload) + len(t.Type))
	if t.Rules != nil {
		n += 512 + int64(rulesTexts(t.Rules, 16))
	}
	return n
}

// rulesTexts is the length of the texts of r, and so much for each label, and
// what its blobs take.
func rulesTexts(r *reeve.Rules, each int) int {
	n := len(r.Key) + len(r.Unique)
	for _, l := range r.Labels {
		n += each + len(l)
	}
	return n + len(r.Blobs)*reeve.BlobOverhead
}

// checkTask checks a task that is to be put.
func (c *Client) checkTask(t *reeve.Task) error {
	if err := t.Validate(); err != nil {
		return err
	}
	if n, most := int64(len(t.Payload)), c.maxPayload.Load(); n > most {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "payload bytes", Value: n, Max: most, Set: "the master's -max-payload"}
	}
	return nil
}
