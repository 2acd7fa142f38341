package nats

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/reeveq/reeve/bench/internal/system"
)

// naiveClient is a connection used as in the examples: each call waits for its
// answer.
type naiveClient struct{ *link }

func (c *naiveClient) Put(ctx context.Context, queue string, payloads [][]byte) error {
	if err := c.declare(ctx, queue); err != nil {
		return err
	}
	return c.publish(ctx, queue, payloads)
}

func (c *naiveClient) publish(ctx context.Context, queue string, payloads [][]byte) error {
	for _, p := range payloads {
		if _, err := c.js.Publish(ctx, queue, p); err != nil {
			return err
		}
	}
	return nil
}

// Consume returns a consumer that asks for an item when Next is called,
// whatever prefetch is.
func (c *naiveClient) Consume(ctx context.Context, queue string, _ int) (system.Consumer, error) {
	if err := c.declare(ctx, queue); err != nil {
		return nil, err
	}
	in, err := c.js.Consumer(ctx, queue, queue)
	if err != nil {
		return nil, err
	}
	return &naiveConsumer{client: c, in: in}, nil
}

type naiveConsumer struct {
	client *naiveClient
	in     jetstream.Consumer
}

func (c *naiveConsumer) Next(ctx context.Context, items []system.Item, _ int) ([]system.Item, error) {
	for {
		if err := ctx.Err(); err != nil {
			return items, err
		}
		m, err := c.in.Next(jetstream.FetchContext(ctx))
		switch {
		case err == nil:
			return append(items, system.Item{Payload: m.Data(), Handle: m}), nil
		case !errors.Is(err, nats.ErrTimeout): // else a request has expired
			return items, err
		}
	}
}

// End returns when all is confirmed.
func (c *naiveConsumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	if results != nil {
		if err := c.client.declare(ctx, to); err != nil {
			return err
		}
		if err := c.client.publish(ctx, to, results); err != nil {
			return err
		}
	}
	for _, item := range items {
		if err := item.Handle.(jetstream.Msg).DoubleAck(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *naiveConsumer) Flush(context.Context) error { return nil }
func (c *naiveConsumer) Close() error                { return nil }

var (
	_ system.Client   = (*naiveClient)(nil)
	_ system.Consumer = (*naiveConsumer)(nil)
)
