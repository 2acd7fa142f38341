package nsq

import (
	"context"
	"time"

	"github.com/nsqio/go-nsq"

	"github.com/reeveq/reeve/bench/internal/system"
)

// consumer is a bridge from the library's handler to a channel.
type consumer struct {
	client  *client
	nsq     *nsq.Consumer
	arrived chan *nsq.Message // holds all that may be in flight
	rounds  []round           // ended with results that were not confirmed, the oldest first
	spare   [][]*nsq.Message
}

// round is what was ended with one call.
type round struct {
	results published
	tasks   []*nsq.Message
}

// maxRounds is how many calls' results are published without waiting.
const maxRounds = 2

// shortTimeout is how long nsqd keeps back a message for others to go with it,
// when the consumer is ready for more: the least that it allows.
const shortTimeout = 25 * time.Millisecond

func (c *client) Consume(_ context.Context, queue string, prefetch int) (system.Consumer, error) {
	cfg := config()
	cfg.MaxInFlight = prefetch
	if prefetch > 1 { // else nothing is kept back
		cfg.OutputBufferTimeout = shortTimeout
	}
	in := &consumer{client: c, arrived: make(chan *nsq.Message, prefetch)}
	var err error
	if in.nsq, err = nsq.NewConsumer(queue, channel, cfg); err != nil {
		return nil, err
	}
	in.nsq.SetLoggerLevel(nsq.LogLevelError)
	in.nsq.AddHandler(nsq.HandlerFunc(func(m *nsq.Message) error {
		m.DisableAutoResponse()
		in.arrived <- m
		return nil
	}))
	if err := in.nsq.ConnectToNSQD(c.addr); err != nil {
		in.nsq.Stop()
		return nil, err
	}
	return in, nil
}

// Next acknowledges all that was ended before it blocks: nsqd sends no more
// than is acknowledged.
func (c *consumer) Next(ctx context.Context, items []system.Item, most int) ([]system.Item, error) {
	if len(c.arrived) == 0 {
		if err := c.settle(ctx, 0); err != nil {
			return items, err
		}
	}
	select {
	case m := <-c.arrived:
		for n := 0; ; {
			items = append(items, system.Item{Payload: m.Body, Handle: m})
			if n++; n == most || len(c.arrived) == 0 {
				return items, nil
			}
			m = <-c.arrived
		}
	case <-ctx.Done():
		return items, ctx.Err()
	}
}

// End publishes results, and acknowledges their items when these were
// confirmed: before a later End, Next or Flush returns.
func (c *consumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	if results == nil {
		for _, item := range items {
			item.Handle.(*nsq.Message).Finish()
		}
		return nil
	}
	if err := c.settle(ctx, maxRounds-1); err != nil {
		return err
	}
	var r round
	if k := len(c.spare); k > 0 {
		r.tasks, c.spare = c.spare[k-1], c.spare[:k-1]
	}
	for _, item := range items {
		r.tasks = append(r.tasks, item.Handle.(*nsq.Message))
	}
	var err error
	if r.results, err = c.client.publish(ctx, to, results); err != nil {
		return err
	}
	c.rounds = append(c.rounds, r)
	return nil
}

// settle acknowledges the items of all but so many rounds, whose results it
// waits for.
func (c *consumer) settle(ctx context.Context, rounds int) error {
	for len(c.rounds) > rounds {
		r := &c.rounds[0]
		if err := r.results.wait(ctx, 0); err != nil {
			return err
		}
		for _, m := range r.tasks {
			m.Finish()
		}
		clear(r.tasks)
		c.spare = append(c.spare, r.tasks[:0])
		c.rounds = append(c.rounds[:0], c.rounds[1:]...)
	}
	return nil
}

// Flush waits until the acknowledgements are sent; nsqd answers none.
func (c *consumer) Flush(ctx context.Context) error { return c.settle(ctx, 0) }

// Close starts to give back what has arrived and was not taken, and does not
// wait: the library takes 100 ms to close a connection.
func (c *consumer) Close() error {
	c.nsq.Stop()
	go func() { // ends with the library's part, after 30 s at most
		for {
			select {
			case m := <-c.arrived:
				m.RequeueWithoutBackoff(0)
			case <-c.nsq.StopChan:
				return
			}
		}
	}()
	return nil
}

var _ system.Consumer = (*consumer)(nil)
