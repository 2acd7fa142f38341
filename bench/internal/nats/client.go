package nats

import (
	"context"
	"sync"

	"github.com/reeveq/reeve/bench/internal/system"
)

// client is a connection that publishes without waiting for each item.
type client struct {
	*link

	mu   sync.Mutex  // guards free
	free []publisher // that nobody uses
}

func (c *client) take() (publisher, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.free); n > 0 {
		p := c.free[n-1]
		c.free = c.free[:n-1]
		return p, nil
	}
	if c.use.publish == batches {
		return newBatchPublisher(c.link)
	}
	return newAsyncPublisher(c.link)
}

// publish publishes at most a window, which the publisher is to be waited for.
func (c *client) publish(queue string, payloads [][]byte) (publisher, error) {
	p, err := c.take()
	if err != nil {
		return nil, err
	}
	return p, p.publish(queue, payloads)
}

// settle waits until what p has published is confirmed, and puts p back.
func (c *client) settle(ctx context.Context, p publisher) error {
	if err := p.wait(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = append(c.free, p)
	return nil
}

// Put has two windows under way.
func (c *client) Put(ctx context.Context, queue string, payloads [][]byte) error {
	if err := c.declare(ctx, queue); err != nil {
		return err
	}
	var before publisher
	for len(payloads) > 0 {
		n := window(payloads)
		p, err := c.publish(queue, payloads[:n])
		if err != nil {
			return err
		}
		if before != nil {
			if err := c.settle(ctx, before); err != nil {
				return err
			}
		}
		before, payloads = p, payloads[n:]
	}
	if before == nil {
		return nil
	}
	return c.settle(ctx, before)
}

var _ system.Client = (*client)(nil)
