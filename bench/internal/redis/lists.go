package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/reeveq/reeve/bench/internal/system"
)

const (
	// batch is how many items go in one pipeline.
	batch = 100
	// large is from what size on payloads are not sent to the server again to
	// have them removed one by one, when they can go together.
	large = 16 << 10
)

// lists is the reliable queue: an item is moved to a list of its consumer, and
// removed from there when it is ended.
type lists struct{}

func (lists) Name() string { return "redis-lists" }
func (lists) About() string {
	return "go-redis, lists: LPUSH of 100, LMOVE to a list of the consumer and LREM per task, in pipelines of 100 by hand; BLMOVE when it is empty"
}
func (lists) Group() system.Group { return system.Peer }
func (lists) Batch() int          { return batch }

func (lists) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	return Start(ctx, set)
}

func (lists) Dial(_ context.Context, endpoint string) (system.Client, error) {
	c := dial(endpoint)
	return listsClient{conns: c, objects: newObjects(c.pool)}, nil
}

type listsClient struct {
	conns
	objects
}

func (c listsClient) Put(ctx context.Context, queue string, payloads [][]byte) error {
	return c.push(ctx, queue, payloads)
}

func (c conns) push(ctx context.Context, queue string, payloads [][]byte) error {
	if len(payloads) == 0 {
		return nil
	}
	if len(payloads) <= batch {
		return c.pool.LPush(ctx, queue, values(payloads)...).Err()
	}
	pipe := c.pool.Pipeline()
	for some := range slices.Chunk(payloads, batch) {
		pipe.LPush(ctx, queue, values(some)...)
	}
	_, err := pipe.Exec(ctx)
	return err
}

func values(payloads [][]byte) []any {
	args := make([]any, len(payloads))
	for i, p := range payloads {
		args[i] = p
	}
	return args
}

func (c listsClient) Consume(ctx context.Context, queue string, prefetch int) (system.Consumer, error) {
	return c.consume(ctx, queue, prefetch)
}

func (c conns) consume(ctx context.Context, queue string, prefetch int) (*listsConsumer, error) {
	l, err := c.link(ctx)
	if err != nil {
		return nil, err
	}
	return &listsConsumer{link: l, pipe: l.Pipeline(), queue: queue, own: queue + ":" + rand.Text(), prefetch: prefetch, whole: large}, nil
}

type listsConsumer struct {
	link       *link
	pipe       redis.Pipeliner // what was ended and is not sent yet
	moves      []redis.Cmder   // the same each time, but for their answers
	queue, own string
	prefetch   int
	held       int // items not ended
	whole      int // from this size of payloads on, a batch is ended as a whole
}

// Next sends what was ended in the same pipeline that takes the next items, and
// blocks only when there are none.
func (c *listsConsumer) Next(ctx context.Context, items []system.Item, most int) ([]system.Item, error) {
	n, err := room(c.held, c.prefetch, most)
	if err != nil {
		return items, err
	}
	if n > 1 || c.pipe.Len() > 0 {
		ended := c.pipe.Len()
		for len(c.moves) < n {
			c.moves = append(c.moves, redis.NewStringCmd(context.Background(), "lmove", c.queue, c.own, "right", "left"))
		}
		if err := c.pipe.BatchProcess(ctx, c.moves[:n]...); err != nil {
			return items, err
		}
		cmds, err := c.pipe.Exec(ctx)
		if err := failed(cmds, err); err != nil {
			return items, err
		}
		before := len(items)
		for _, cmd := range cmds[ended:] {
			// After one that found the list empty others may find something: the
			// server does what other clients want between a pipeline's commands.
			if payload, err := cmd.(*redis.StringCmd).Bytes(); err == nil {
				items = append(items, system.Item{Payload: payload})
			}
		}
		if took := len(items) - before; took > 0 {
			c.held += took
			return items, nil
		}
	}
	return c.wait(ctx, items)
}

// wait takes one item, when there is one.
func (c *listsConsumer) wait(ctx context.Context, items []system.Item) ([]system.Item, error) {
	payload, err := c.link.move(ctx, c.queue, c.own)
	if err != nil {
		return items, err
	}
	c.held++
	return append(items, system.Item{Payload: payload}), nil
}

// End only collects; the next Next or Flush sends it. What ends all that the
// consumer holds may delete its list.
func (c *listsConsumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	if len(results) > 0 {
		c.pipe.LPush(ctx, to, values(results)...)
	}
	if len(items) > 0 && len(items) == c.held && len(items[0].Payload) >= c.whole {
		c.pipe.Del(ctx, c.own)
		c.held = 0
		return nil
	}
	for _, item := range items {
		c.pipe.LRem(ctx, c.own, -1, item.Payload) // from the end where the oldest is
	}
	c.held -= len(items)
	return nil
}

func (c *listsConsumer) Flush(ctx context.Context) error {
	_, err := c.pipe.Exec(ctx)
	return err
}

func (c *listsConsumer) Close() error {
	return errors.Join(c.Flush(context.Background()), c.link.Close())
}

var (
	_ system.System  = lists{}
	_ system.Objects = listsClient{}
)
