package manager

import (
	"context"
	"fmt"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// localQueue is this process's handle of a queue.
type localQueue struct {
	q     *queue.Queue
	local *local
}

func (h *localQueue) Name() string { return h.q.Name() }

func (h *localQueue) Put(ctx context.Context, tasks []reeve.Task, opts ...reeve.PutOption) ([]reeve.ID, error) {
	o := reeve.NewPutOptions(opts...)
	batch := make([]reeve.Task, len(tasks))
	for i, t := range tasks {
		o.Apply(&t)
		batch[i] = reeve.Task{Payload: t.Payload, Type: t.Type, Delay: t.Delay, Timeout: t.Timeout}
	}
	a := h.local.do(ctx, func(tag uint64) {
		h.q.Put(h.local.holder, &queue.PutOp{Tasks: batch, NoWait: o.NoWait, Tag: tag, By: h.local})
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

func (h *localQueue) Get(ctx context.Context, max int, opts ...reeve.GetOption) ([]*reeve.Lease, error) {
	return h.get(ctx, max, false)
}

func (h *localQueue) TryGet(ctx context.Context, max int, opts ...reeve.GetOption) ([]*reeve.Lease, error) {
	return h.get(ctx, max, true)
}

func (h *localQueue) get(ctx context.Context, max int, noWait bool) ([]*reeve.Lease, error) {
	a := h.local.do(ctx, func(tag uint64) {
		h.q.Get(h.local.holder, &queue.GetOp{Max: max, NoWait: noWait, Tag: tag})
	})
	return a.leases, a.err
}

func (h *localQueue) Consume(ctx context.Context, slots int, opts ...reeve.GetOption) (reeve.Consumer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if slots < 1 || slots > reeve.MaxSlots {
		return nil, fmt.Errorf("%w: %d slots, want 1 to %d", reeve.ErrInvalid, slots, reeve.MaxSlots)
	}
	l := h.local
	c := &localConsumer{local: l, more: make(chan struct{}, 1)}
	l.mu.Lock()
	l.tag++
	c.tag = l.tag
	l.consumers[c.tag] = c
	l.mu.Unlock()
	// Nothing is delivered before there is a consumer to change: start paused.
	if c.q = h.q.Consume(l.holder, c.tag, 0, reeve.NewGetOptions(opts...)); c.q == nil {
		l.mu.Lock()
		delete(l.consumers, c.tag)
		l.mu.Unlock()
		return nil, reeve.ErrClosed
	}
	c.q.SetSlots(slots)
	return c, nil
}

func (h *localQueue) Stats(ctx context.Context) (reeve.QueueStats, error) {
	return h.q.Stats(), ctx.Err()
}

func (h *localQueue) Join(ctx context.Context) error {
	return h.local.do(ctx, func(tag uint64) {
		h.q.Join(h.local.holder, &queue.JoinOp{Tag: tag, By: h.local})
	}).err
}

func (h *localQueue) Shutdown(ctx context.Context, immediate bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.q.Shutdown(immediate)
	return nil
}

func (h *localQueue) Dead(ctx context.Context, skip, max int) ([]reeve.DeadTask, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if skip < 0 || max < 1 || max > reeve.MaxBatch {
		return nil, fmt.Errorf("%w: %d dead tasks after %d, want 1 to %d", reeve.ErrInvalid, max, skip, reeve.MaxBatch)
	}
	return h.q.Dead(skip, max), nil
}

// localConsumer is a standing supply to this process.
type localConsumer struct {
	local *local
	q     *queue.Consumer
	tag   uint64
	more  chan struct{} // cap 1: something changed, and one who waits should look

	mu     sync.Mutex // guards the fields below; taken after local's
	leases []*reeve.Lease
	err    error
}

func (c *localConsumer) add(l *reeve.Lease) {
	c.mu.Lock()
	c.leases = append(c.leases, l)
	c.mu.Unlock()
	c.signal()
}

func (c *localConsumer) end(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.mu.Unlock()
	c.signal()
}

func (c *localConsumer) signal() {
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (c *localConsumer) Next(ctx context.Context) (*reeve.Lease, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if l, err := c.take(); l != nil || err != nil {
			return l, err
		}
		select {
		case <-c.more:
		case <-ctx.Done():
		}
	}
}

// take returns the next lease that is there. Whoever takes one, or learns the
// end, passes the signal on while there is more to see.
func (c *localConsumer) take() (*reeve.Lease, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.leases) == 0 {
		if c.err != nil {
			c.signal()
		}
		return nil, c.err
	}
	l := c.leases[0]
	c.leases[0] = nil
	c.leases = c.leases[1:]
	if len(c.leases) > 0 || c.err != nil {
		c.signal()
	}
	return l, nil
}

func (c *localConsumer) SetSlots(n int) error {
	if n < 0 || n > reeve.MaxSlots {
		return fmt.Errorf("%w: %d slots, want 0 to %d", reeve.ErrInvalid, n, reeve.MaxSlots)
	}
	c.q.SetSlots(n)
	return nil
}

func (c *localConsumer) Close() error {
	c.q.Close()
	c.local.mu.Lock()
	delete(c.local.consumers, c.tag)
	c.local.mu.Unlock()
	c.mu.Lock()
	rest := c.leases
	c.leases = nil
	c.err = reeve.ErrClosed
	c.mu.Unlock()
	c.signal()
	for i := len(rest) - 1; i >= 0; i-- { // each goes to the front
		rest[i].Settle(&reeve.Outcome{Verb: reeve.Return}, nil)
	}
	return nil
}

var (
	_ reeve.Queue    = (*localQueue)(nil)
	_ reeve.Consumer = (*localConsumer)(nil)
)

func (h *localQueue) Pause(ctx context.Context, reason string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return h.q.Pause(reason)
}

func (h *localQueue) Resume(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.q.Resume()
	return nil
}
