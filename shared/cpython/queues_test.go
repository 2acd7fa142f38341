package cpython_test

import (
	"context"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

// puttable is what all kinds of queues have in common.
type puttable interface {
	Put(ctx context.Context, v any, opts ...reeve.PutOption) error
	Get(ctx context.Context, opts ...reeve.GetOption) (any, error)
	TryGet(ctx context.Context, opts ...reeve.GetOption) (any, error)
	Len(ctx context.Context) (int, error)
	Empty(ctx context.Context) (bool, error)
}

// joinable is what those have besides whose items are to be done.
type joinable interface {
	puttable
	TryPut(ctx context.Context, v any, opts ...reeve.PutOption) error
	TaskDone(ctx context.Context) error
	Join(ctx context.Context) error
	Full(ctx context.Context) (bool, error)
	Shutdown(ctx context.Context, immediate bool) error
}

type queueSubject struct{ handles [3]puttable }

func makeQueue(p *play) ([]subject, error) {
	ctx, d := p.t.Context(), p.objects[0].(reeve.QueueDeclarer)
	cfg := reeve.QueueConfig{MaxLen: int(p.scenario.num("maxsize", 0, 0)), Lease: time.Hour}
	var err error
	var of func(q reeve.Queue) puttable
	switch p.scenario.Type {
	case "SimpleQueue":
		_, err = shared.NewSimpleQueue[any](ctx, d, p.name, cfg)
		of = func(q reeve.Queue) puttable { return shared.SimpleQueueOf[any](q) }
	case "PriorityQueue":
		_, err = shared.NewPriorityQueue(ctx, d, p.name, cfg, priority)
		of = func(q reeve.Queue) puttable { return shared.PriorityQueueOf(q, priority) }
	case "LifoQueue":
		_, err = shared.NewLifoQueue[any](ctx, d, p.name, cfg)
		of = func(q reeve.Queue) puttable { return shared.JoinableQueueOf[any](q) }
	default:
		_, err = shared.NewJoinableQueue[any](ctx, d, p.name, cfg)
		of = func(q reeve.Queue) puttable { return shared.JoinableQueueOf[any](q) }
	}
	if err != nil {
		return nil, err
	}
	x := &queueSubject{}
	for i, queue := range p.queue {
		q, err := queue(p.name)
		if err != nil {
			return nil, err
		}
		x.handles[i] = of(q)
	}
	return []subject{x}, nil
}

// priority is the key of an item: itself, or the first part of it.
func priority(item any) int {
	if parts, ok := item.([]any); ok {
		item = parts[0]
	}
	n, _ := item.(int64)
	return int(n)
}

func (x *queueSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	q := x.handles[actor]
	switch c.Call {
	case "put", "put_nowait":
		if item, given := c.arg("item", 0); given {
			return nil, x.put(ctx, q, item, c)
		}
		return nil, errNoSuchCall
	case "get", "get_nowait":
		if c.Call == "get_nowait" || !c.flag("block", 0, true) {
			return q.TryGet(ctx)
		}
		ctx, cancel := c.within(ctx, "timeout", 1)
		defer cancel()
		return q.Get(ctx)
	case "qsize":
		return q.Len(ctx)
	case "empty":
		return q.Empty(ctx)
	}
	j, ok := q.(joinable)
	if !ok {
		return nil, errNoSuchCall
	}
	switch c.Call {
	case "task_done":
		return nil, j.TaskDone(ctx)
	case "join":
		return nil, j.Join(ctx)
	case "full":
		return j.Full(ctx)
	case "shutdown":
		return nil, j.Shutdown(ctx, c.flag("immediate", 0, false))
	}
	return nil, errNoSuchCall
}

func (x *queueSubject) put(ctx context.Context, q puttable, item any, c *step) error {
	j, ok := q.(joinable)
	switch {
	case !ok: // never waits, whatever it is told
		return q.Put(ctx, item)
	case c.Call == "put_nowait" || !c.flag("block", 1, true):
		return j.TryPut(ctx, item)
	}
	ctx, cancel := c.within(ctx, "timeout", 2)
	defer cancel()
	return q.Put(ctx, item)
}
