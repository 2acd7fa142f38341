package asynq

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hibiken/asynq"

	"github.com/reeveq/reeve/bench/internal/system"
)

func (q *queues) Dial(_ context.Context, endpoint string) (system.Client, error) {
	return &client{Client: asynq.NewClient(address(endpoint)), queues: q, endpoint: endpoint}, nil
}

type client struct {
	*asynq.Client
	queues   *queues
	endpoint string
}

func (c *client) Put(ctx context.Context, queue string, payloads [][]byte) error {
	for _, p := range payloads {
		if err := enqueue(ctx, c.Client, queue, p); err != nil {
			return err
		}
	}
	return nil
}

// Consume starts a server whose handlers hand over their tasks and wait until
// those are ended. No consumer waits in Redis, each server looks for tasks again
// and again: for many parked ones the error is system.ErrUnsupported.
func (c *client) Consume(_ context.Context, queue string, prefetch int) (system.Consumer, error) {
	if c.queues.consumers.Add(1) > mostConsumers {
		c.queues.consumers.Add(-1)
		return nil, fmt.Errorf("%w: asynq's servers poll, more than %d in a process measure just that", system.ErrUnsupported, mostConsumers)
	}
	in := &consumer{client: c, tasks: make(chan *handed, prefetch), closed: make(chan struct{})}
	server, err := serve(c.endpoint, queue, prefetch, in.handle)
	if err != nil {
		c.queues.consumers.Add(-1)
		return nil, err
	}
	in.server = server
	return in, nil
}

type consumer struct {
	client *client
	server *asynq.Server
	tasks  chan *handed // as many as there are handlers: sending never blocks
	once   sync.Once
	closed chan struct{} // ends the handlers whose tasks nobody will end
}

// handed is a task whose handler waits.
type handed struct {
	payload []byte
	ended   chan struct{} // closed by End
}

var errNotEnded = errors.New("the consumer was closed before the task was ended")

func (c *consumer) handle(ctx context.Context, task *asynq.Task) error {
	h := &handed{payload: task.Payload(), ended: make(chan struct{})}
	c.tasks <- h
	select {
	case <-h.ended:
		return nil
	case <-c.closed:
		return errNotEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *consumer) Next(ctx context.Context, items []system.Item, most int) ([]system.Item, error) {
	select {
	case h := <-c.tasks:
		items = append(items, system.Item{Payload: h.payload, Handle: h})
	case <-ctx.Done():
		return items, ctx.Err()
	}
	for taken := 1; taken < most; taken++ {
		select {
		case h := <-c.tasks:
			items = append(items, system.Item{Payload: h.payload, Handle: h})
		default:
			return items, nil
		}
	}
	return items, nil
}

func (c *consumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	for i, item := range items {
		h, ok := item.Handle.(*handed)
		if !ok {
			return fmt.Errorf("item %d is not one of this consumer's", i)
		}
		if results != nil {
			if err := enqueue(ctx, c.client.Client, to, results[i]); err != nil {
				return err
			}
		}
		close(h.ended)
	}
	return nil
}

// Flush has nothing to wait for: asynq does not tell when a task that was
// handled is acknowledged. Close waits for it.
func (c *consumer) Flush(context.Context) error { return nil }

func (c *consumer) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.server.Shutdown()
		c.client.queues.consumers.Add(-1)
	})
	return nil
}
