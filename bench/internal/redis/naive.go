package redis

import (
	"context"
	"crypto/rand"

	"github.com/reeveq/reeve/bench/internal/system"
)

// naive is the same queue as lists, one command and its answer at a time.
type naive struct{}

func (naive) Name() string { return "redis-lists-naive" }
func (naive) About() string {
	return "go-redis, lists: LPUSH, BLMOVE to a list of the consumer and LREM, each for one task and waited for"
}
func (naive) Group() system.Group { return system.Peer }
func (naive) Batch() int          { return 1 }

func (naive) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	return Start(ctx, set)
}

func (naive) Dial(_ context.Context, endpoint string) (system.Client, error) {
	return naiveClient{dial(endpoint)}, nil
}

type naiveClient struct{ conns }

func (c naiveClient) Put(ctx context.Context, queue string, payloads [][]byte) error {
	for _, p := range payloads {
		if err := c.pool.LPush(ctx, queue, p).Err(); err != nil {
			return err
		}
	}
	return nil
}

func (c naiveClient) Consume(ctx context.Context, queue string, prefetch int) (system.Consumer, error) {
	l, err := c.link(ctx)
	if err != nil {
		return nil, err
	}
	return &naiveConsumer{link: l, queue: queue, own: queue + ":" + rand.Text(), prefetch: prefetch}, nil
}

type naiveConsumer struct {
	link       *link
	queue, own string
	prefetch   int
	held       int // items not ended
}

func (c *naiveConsumer) Next(ctx context.Context, items []system.Item, most int) ([]system.Item, error) {
	if _, err := room(c.held, c.prefetch, most); err != nil {
		return items, err
	}
	payload, err := c.link.move(ctx, c.queue, c.own)
	if err != nil {
		return items, err
	}
	c.held++
	return append(items, system.Item{Payload: payload}), nil
}

func (c *naiveConsumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	for i, item := range items {
		if results != nil {
			if err := c.link.LPush(ctx, to, results[i]).Err(); err != nil {
				return err
			}
		}
		if err := c.link.LRem(ctx, c.own, -1, item.Payload).Err(); err != nil {
			return err
		}
		c.held--
	}
	return nil
}

// Flush has nothing to wait for: End does.
func (c *naiveConsumer) Flush(context.Context) error { return nil }

func (c *naiveConsumer) Close() error { return c.link.Close() }

var _ system.System = naive{}
