package netrpc

import (
	"context"
	"net/rpc"

	"github.com/reeveq/reeve/bench/internal/system"
)

// client is one connection. Its calls are answered in any order.
type client struct {
	rpc     *rpc.Client
	chunked bool
}

// none is where answers go that have nothing to say.
var none struct{}

// call calls, and waits for the answer.
func (c *client) call(ctx context.Context, method string, args, reply any) error {
	call := c.rpc.Go(method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return call.Error
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *client) Put(ctx context.Context, queue string, payloads [][]byte) error {
	for len(payloads) > 0 {
		n := min(len(payloads), batch)
		done := make(chan *rpc.Call, n)
		calls := c.send(queue, payloads[:n], done)
		if err := await(ctx, done, calls); err != nil {
			return err
		}
		payloads = payloads[n:]
	}
	return nil
}

// send sends payloads, at most as many as done has room for, and returns how
// many calls are going to be answered.
func (c *client) send(queue string, payloads [][]byte, done chan *rpc.Call) int {
	if c.chunked {
		c.rpc.Go("Queues.PutMany", Items{queue, payloads}, &none, done)
		return 1
	}
	for _, payload := range payloads {
		c.rpc.Go("Queues.Put", One{queue, payload}, &none, done)
	}
	return len(payloads)
}

// await waits for so many answers.
func await(ctx context.Context, done chan *rpc.Call, calls int) error {
	for range calls {
		select {
		case call := <-done:
			if call.Error != nil {
				return call.Error
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *client) Close() error { return c.rpc.Close() }

// Consume takes items that the server has let go of: what it has sent when the
// consumer or the connection closes is lost.
func (c *client) Consume(_ context.Context, queue string, prefetch int) (system.Consumer, error) {
	in := &consumer{
		client: c,
		queue:  queue,
		most:   1,
		credit: prefetch,
		taken:  make(chan *rpc.Call, prefetch),
		put:    make(chan *rpc.Call, pending),
	}
	if c.chunked {
		in.most = min(batch, prefetch)
	}
	in.ask()
	return in, nil
}

var value = make([]byte, 100)

func (c *client) Call(ctx context.Context) error {
	return c.call(ctx, "Objects.Echo", value, new([]byte))
}

func (c *client) Lock(ctx context.Context) error {
	if err := c.call(ctx, "Objects.Acquire", none, &none); err != nil {
		return err
	}
	return c.call(ctx, "Objects.Release", none, &none)
}

func (c *client) Set(ctx context.Context, key string) error {
	return c.call(ctx, "Objects.Set", Entry{key, value}, &none)
}

func (c *client) Get(ctx context.Context, key string) error {
	return c.call(ctx, "Objects.Get", key, new([]byte))
}

var _ system.Objects = (*client)(nil)
