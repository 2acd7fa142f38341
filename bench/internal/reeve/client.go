package reeve

import (
	"context"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// client is one connection.
type client struct {
	*proxy.Client
	shared func() (handles, error)
}

func newClient(c *proxy.Client) *client {
	made := &client{Client: c}
	made.shared = sync.OnceValues(made.declare)
	return made
}

func (c *client) Put(ctx context.Context, queue string, payloads [][]byte) error {
	q := c.Queue(queue)
	for len(payloads) > 0 {
		n := min(len(payloads), reeve.MaxBatch)
		tasks := make([]reeve.Task, n)
		for i := range tasks {
			tasks[i].Payload = payloads[i]
		}
		if _, err := q.Put(ctx, tasks); err != nil {
			return err
		}
		payloads = payloads[n:]
	}
	return nil
}

func (c *client) Consume(ctx context.Context, queue string, prefetch int) (system.Consumer, error) {
	in, err := c.Queue(queue).Consume(ctx, prefetch)
	if err != nil {
		return nil, err
	}
	return newConsumer(in), nil
}

// single is the library used as its first pages say.
type single struct{ way }

// Run runs a worker with its defaults.
func (single) Run(ctx context.Context, endpoint, queue, results string, handle func([]byte) []byte, ready func()) error {
	c, err := dial(ctx, endpoint)
	if err != nil {
		return err
	}
	defer c.Close()
	w := worker.New(c.Queue(queue), worker.Config{Results: results, Init: func(context.Context) error {
		ready()
		return nil
	}})
	w.HandleDefaultFunc(func(_ context.Context, t *reeve.Task) ([]byte, error) { return handle(t.Payload), nil })
	return w.Run(ctx)
}

var (
	_ system.Client = (*client)(nil)
	_ system.Runner = single{}
)
