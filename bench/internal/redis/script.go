package redis

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/reeveq/reeve/bench/internal/system"
)

// script is lists for those who work in batches: one script takes a batch, and
// what ends all that a consumer holds deletes its list, in place of a command
// for each task.
type script struct{}

// claim takes the oldest items of a list, at most ARGV[1], to another list.
var claim = redis.NewScript(`local taken = redis.call("RPOP", KEYS[1], ARGV[1])
if taken then redis.call("LPUSH", KEYS[2], unpack(taken)) end
return taken`)

// claimMost is how many items the script takes at most: they are on Lua's stack,
// which has 8,000 places.
const claimMost = 1000

func (script) Name() string { return "redis-lists-script" }
func (script) About() string {
	return "go-redis, lists: LPUSH of 100, a Lua script that moves 100 to a list of the consumer, DEL of that list for the batch; BLMOVE when it is empty"
}
func (script) Group() system.Group { return system.Peer }
func (script) Batch() int          { return batch }

func (script) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	return Start(ctx, set)
}

func (script) Dial(_ context.Context, endpoint string) (system.Client, error) {
	return scriptClient{dial(endpoint)}, nil
}

type scriptClient struct{ conns }

func (c scriptClient) Put(ctx context.Context, queue string, payloads [][]byte) error {
	return c.push(ctx, queue, payloads)
}

func (c scriptClient) Consume(ctx context.Context, queue string, prefetch int) (system.Consumer, error) {
	in, err := c.consume(ctx, queue, prefetch)
	if err != nil {
		return nil, err
	}
	if err := claim.Load(ctx, in.link).Err(); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	in.whole = 0
	return &scriptConsumer{in}, nil
}

type scriptConsumer struct{ *listsConsumer }

func (c *scriptConsumer) Next(ctx context.Context, items []system.Item, most int) ([]system.Item, error) {
	n, err := room(c.held, c.prefetch, most)
	if err != nil {
		return items, err
	}
	if n > 1 || c.pipe.Len() > 0 {
		taken := claim.EvalSha(ctx, c.pipe, []string{c.queue, c.own}, min(n, claimMost))
		if err := failed(c.pipe.Exec(ctx)); err != nil {
			return items, err
		}
		if texts, err := taken.StringSlice(); err == nil && len(texts) > 0 {
			for _, text := range texts {
				items = append(items, system.Item{Payload: bytesOf(text)})
			}
			c.held += len(texts)
			return items, nil
		}
	}
	return c.wait(ctx, items)
}

var _ system.System = script{}
