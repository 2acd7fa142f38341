package cpython_test

import (
	"context"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// queueSubject is a queue. CPython's get takes an item for good, and task_done says
// of any one item that it is done; ours leases it, and an ack is of that item. So
// the one that was got first is acked; when all are, the last one once more. What
// comes from a SimpleQueue, which has no task_done, is acked at once.
type queueSubject struct {
	handles [3]*reeve.TypedQueue[any]
	kind    string

	mu    sync.Mutex // guards the fields below
	got   []*reeve.Item[any]
	acked int // of got, the first ones
}

func makeQueue(p *play) ([]subject, error) {
	max := p.scenario.num("maxsize", 0, 0)
	cfg := reeve.QueueConfig{MaxLen: int(max), LIFO: p.scenario.Type == "LifoQueue", Lease: time.Hour}
	if _, err := p.master.Manager().Queue(p.name, cfg); err != nil {
		return nil, err
	}
	q := &queueSubject{kind: p.scenario.Type}
	for i, queue := range p.queue {
		raw, err := queue(p.name)
		if err != nil {
			return nil, err
		}
		q.handles[i] = reeve.NewTypedQueue[any](raw, codec.CBOR)
	}
	return []subject{q}, nil
}

func (x *queueSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	q := x.handles[actor]
	switch c.Call {
	case "put", "put_nowait":
		item, given := c.arg("item", 0)
		if !given {
			return nil, errNoSuchCall
		}
		opts, ok := x.options(item)
		if !ok {
			return nil, errNoSuchCall
		}
		if c.Call == "put_nowait" || x.kind == "SimpleQueue" || !c.flag("block", 1, true) {
			opts = append(opts, reeve.NoWait())
		} else {
			var cancel context.CancelFunc
			ctx, cancel = c.within(ctx, "timeout", 2)
			defer cancel()
		}
		_, err := q.Put(ctx, item, opts...)
		return nil, err
	case "get", "get_nowait":
		get := q.Get
		if c.Call == "get_nowait" || !c.flag("block", 0, true) {
			get = q.TryGet
		} else {
			var cancel context.CancelFunc
			ctx, cancel = c.within(ctx, "timeout", 1)
			defer cancel()
		}
		item, err := get(ctx, reeve.UntilEmpty())
		if err != nil {
			return nil, err
		}
		if x.kind == "SimpleQueue" {
			return item.Value, item.Ack(ctx)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.got = append(x.got, item)
		return item.Value, nil
	case "task_done":
		x.mu.Lock()
		defer x.mu.Unlock()
		if len(x.got) == 0 {
			return nil, errNoSuchCall
		}
		if x.acked < len(x.got) {
			x.acked++
		}
		return nil, x.got[x.acked-1].Ack(ctx)
	case "join":
		return nil, q.Join(ctx)
	case "qsize":
		return q.Len(ctx)
	case "empty":
		return q.Empty(ctx)
	case "full":
		return q.Full(ctx)
	case "shutdown":
		return nil, q.Shutdown(ctx, c.flag("immediate", 0, false))
	}
	return nil, errNoSuchCall
}

// options say what comes first: of a priority queue, the lowest key does, which
// is the item itself or the first part of it.
func (x *queueSubject) options(item any) ([]reeve.PutOption, bool) {
	if x.kind != "PriorityQueue" {
		return nil, true
	}
	if parts, ok := item.([]any); ok {
		item = parts[0]
	}
	key, ok := item.(int64)
	return []reeve.PutOption{reeve.WithPriority(int32(-key))}, ok
}
