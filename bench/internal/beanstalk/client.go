package beanstalk

import (
	"context"
	"errors"

	"github.com/reeveq/reeve/bench/internal/system"
)

// client puts in pipelines.
type client struct{ pool[*conn] }

func (c *client) Put(ctx context.Context, queue string, payloads [][]byte) error {
	used, err := c.take(ctx)
	if err != nil {
		return err
	}
	stop := used.bound(ctx)
	err = used.put(queue, payloads)
	stop()
	if err != nil { // its answers may be out of step
		return errors.Join(err, used.Close())
	}
	c.give(used)
	return nil
}

func (c *client) Consume(ctx context.Context, queue string, prefetch int) (system.Consumer, error) {
	own, err := c.take(ctx)
	if err != nil {
		return nil, err
	}
	defer own.bound(ctx)()
	if err := own.watch(queue); err != nil {
		return nil, errors.Join(err, own.Close())
	}
	return &consumer{conn: own, prefetch: prefetch, want: 1}, nil
}
