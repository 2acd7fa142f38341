package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/reeveq/reeve/bench/internal/system"
)

// streams is a stream for each queue, with one consumer group. An entry that is
// ended is acknowledged and deleted.
type streams struct{}

const (
	group = "workers"
	field = "p" // of an entry: the payload
)

func (streams) Name() string { return "redis-streams" }
func (streams) About() string {
	return "go-redis, streams: XADD in pipelines of 100, XREADGROUP COUNT 100, XACK and XDEL of 100, pipelined by hand"
}
func (streams) Group() system.Group { return system.Peer }
func (streams) Batch() int          { return batch }

func (streams) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	return Start(ctx, set)
}

func (streams) Dial(_ context.Context, endpoint string) (system.Client, error) {
	return streamsClient{dial(endpoint)}, nil
}

type streamsClient struct{ conns }

func (c streamsClient) Put(ctx context.Context, queue string, payloads [][]byte) error {
	pipe := c.pool.Pipeline()
	add(ctx, pipe, queue, payloads)
	_, err := pipe.Exec(ctx)
	return err
}

func add(ctx context.Context, pipe redis.Pipeliner, queue string, payloads [][]byte) {
	for _, p := range payloads {
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: queue, Values: []any{field, p}})
	}
}

// Consume makes the stream and its group when they are not there. The group
// begins with what was put before it.
func (c streamsClient) Consume(ctx context.Context, queue string, prefetch int) (system.Consumer, error) {
	l, err := c.link(ctx)
	if err != nil {
		return nil, err
	}
	err = l.XGroupCreateMkStream(ctx, queue, group, "0").Err()
	if err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP ") {
		return nil, errors.Join(err, l.Close())
	}
	return &streamsConsumer{link: l, pipe: l.Pipeline(), prefetch: prefetch, read: redis.XReadGroupArgs{
		Group: group, Consumer: rand.Text(), Streams: []string{queue, ">"},
	}}, nil
}

type streamsConsumer struct {
	link     *link
	pipe     redis.Pipeliner // what was ended and is not sent yet
	read     redis.XReadGroupArgs
	prefetch int
	held     int // items not ended
}

// Next sends what was ended in the same pipeline that reads the next entries,
// and blocks only when there are none.
func (c *streamsConsumer) Next(ctx context.Context, items []system.Item, most int) ([]system.Item, error) {
	n, err := room(c.held, c.prefetch, most)
	if err != nil {
		return items, err
	}
	c.read.Count = int64(n)
	if c.pipe.Len() > 0 {
		c.read.Block = -1 // do not
		next := c.pipe.XReadGroup(ctx, &c.read)
		if err := failed(c.pipe.Exec(ctx)); err != nil {
			return items, err
		}
		if streams, err := next.Result(); err == nil {
			return c.take(items, streams)
		}
	}
	var streams []redis.XStream
	err = c.link.blocking(ctx, func() (err error) {
		c.read.Block = 0 // as long as it takes
		streams, err = c.link.XReadGroup(ctx, &c.read).Result()
		return err
	})
	if err != nil {
		return items, err
	}
	return c.take(items, streams)
}

func (c *streamsConsumer) take(items []system.Item, streams []redis.XStream) ([]system.Item, error) {
	for _, s := range streams {
		for i := range s.Messages {
			m := &s.Messages[i]
			text, ok := m.Values[field].(string)
			if !ok {
				return items, fmt.Errorf("entry %s of %s has no %q", m.ID, s.Stream, field)
			}
			items = append(items, system.Item{Payload: bytesOf(text), Handle: m})
			c.held++
		}
	}
	return items, nil
}

// End only collects; the next Next or Flush sends it.
func (c *streamsConsumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	if len(items) == 0 {
		return nil
	}
	add(ctx, c.pipe, to, results)
	ids := make([]string, len(items))
	for i, item := range items {
		m, ok := item.Handle.(*redis.XMessage)
		if !ok {
			return fmt.Errorf("item %d is not one of this consumer's", i)
		}
		ids[i] = m.ID
	}
	c.pipe.XAck(ctx, c.read.Streams[0], group, ids...)
	c.pipe.XDel(ctx, c.read.Streams[0], ids...)
	c.held -= len(items)
	return nil
}

func (c *streamsConsumer) Flush(ctx context.Context) error {
	_, err := c.pipe.Exec(ctx)
	return err
}

func (c *streamsConsumer) Close() error {
	return errors.Join(c.Flush(context.Background()), c.link.Close())
}

var _ system.System = streams{}
