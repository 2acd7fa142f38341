package reeve

import (
	"context"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/bench/internal/system"
)

// consumer takes leases and ends them without waiting for the answers.
type consumer struct {
	in   reeve.Consumer
	none context.Context // one that has ended: for what is there already

	mu       sync.Mutex // guards the fields below
	answered sync.Cond
	open     int   // ends without an answer
	err      error // the first that failed
}

func newConsumer(in reeve.Consumer) *consumer {
	none, cancel := context.WithCancel(context.Background())
	cancel()
	c := &consumer{in: in, none: none}
	c.answered.L = &c.mu
	return c
}

func (c *consumer) Next(ctx context.Context, items []system.Item, max int) ([]system.Item, error) {
	l, err := c.in.Next(ctx)
	if err != nil {
		return items, err
	}
	for items = append(items, item(l)); len(items) < max; {
		if l, err = c.in.Next(c.none); err != nil {
			break // nothing more is there
		}
		items = append(items, item(l))
	}
	return items, nil
}

func item(l *reeve.Lease) system.Item { return system.Item{Payload: l.Payload, Handle: l} }

func (c *consumer) End(_ context.Context, items []system.Item, to string, results [][]byte) error {
	c.mu.Lock()
	c.open += len(items)
	err := c.err
	c.mu.Unlock()
	outcomes := make([]reeve.Outcome, len(items))
	for i := range items {
		o := &outcomes[i]
		o.Verb = reeve.Ack
		if results != nil {
			o.Verb, o.To, o.Result.Payload = reeve.Complete, to, results[i]
		}
		items[i].Handle.(*reeve.Lease).Settle(o, c.ended)
	}
	return err
}

// ended takes the answer to the end of a lease.
func (c *consumer) ended(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	if c.err == nil {
		c.err = err
	}
	if c.open == 0 {
		c.answered.Broadcast()
	}
}

func (c *consumer) Flush(ctx context.Context) error {
	wake := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answered.Broadcast()
	})
	defer wake()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open > 0 && ctx.Err() == nil {
		c.answered.Wait()
	}
	if c.open > 0 {
		return ctx.Err()
	}
	return c.err
}

func (c *consumer) Close() error { return c.in.Close() }
