package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/reeveq/reeve/bench/internal/system"
)

var (
	ack = []byte("+ACK")
	nak = []byte("-NAK")
)

// consumer pulls with credit: it asks for as many items as it may hold, and for
// as many as were ended when they are half of that. The requests are its own:
// the library's iterators come with a timer or a goroutine for an item.
type consumer struct {
	client   *client
	sub      *nats.Subscription
	arrived  chan *nats.Msg
	pull     string // the subject of requests for items
	prefetch int
	owed     int     // items that were ended and not asked for again
	rounds   []round // ended with results that were not confirmed, the oldest first
	spare    [][]string
}

// round is what was ended with one call.
type round struct {
	publisher publisher
	acks      []string // the subjects that take the acknowledgements
}

// maxRounds is how many calls' results are published without waiting.
const maxRounds = 2

func (c *client) Consume(ctx context.Context, queue string, prefetch int) (system.Consumer, error) {
	if err := c.declare(ctx, queue); err != nil {
		return nil, err
	}
	in := &consumer{
		client:   c,
		arrived:  make(chan *nats.Msg, prefetch+1), // the library drops what does not fit: the items, and a refusal
		pull:     "$JS.API.CONSUMER.MSG.NEXT." + queue + "." + queue,
		prefetch: prefetch,
	}
	var err error
	if in.sub, err = c.conn.ChanSubscribe(c.conn.NewInbox(), in.arrived); err != nil {
		return nil, err
	}
	if err := in.ask(prefetch); err != nil {
		return nil, errors.Join(err, in.sub.Unsubscribe())
	}
	return in, nil
}

// ask asks for n more items. The request stands until they have come.
func (c *consumer) ask(n int) error {
	request := append(strconv.AppendInt([]byte(`{"batch":`), int64(n), 10), '}')
	return c.client.conn.PublishRequest(c.pull, c.sub.Subject, request)
}

// Next acknowledges all that was ended before it blocks.
func (c *consumer) Next(ctx context.Context, items []system.Item, most int) ([]system.Item, error) {
	if len(c.arrived) == 0 {
		if err := c.settle(ctx, 0); err != nil {
			return items, err
		}
	}
	select {
	case m := <-c.arrived:
		for n := 0; ; {
			if status := m.Header.Get("Status"); status != "" {
				return items, fmt.Errorf("nats: pull: %s %s", status, m.Header.Get("Description"))
			}
			items = append(items, system.Item{Payload: m.Data, Handle: m})
			if n++; n == most || len(c.arrived) == 0 {
				return items, nil
			}
			m = <-c.arrived
		}
	case <-c.client.closed:
		return items, errClosed
	case <-ctx.Done():
		return items, ctx.Err()
	}
}

// End publishes results, and acknowledges their items when these were
// confirmed: before a later End, Next or Flush returns.
func (c *consumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	if results == nil {
		for _, item := range items {
			if err := c.client.conn.Publish(item.Handle.(*nats.Msg).Reply, ack); err != nil {
				return err
			}
		}
		return c.ended(len(items))
	}
	if err := c.client.declare(ctx, to); err != nil {
		return err
	}
	for len(items) > 0 {
		if err := c.settle(ctx, maxRounds-1); err != nil {
			return err
		}
		n := window(results)
		p, err := c.client.publish(to, results[:n])
		if err != nil {
			return err
		}
		r := round{publisher: p}
		if k := len(c.spare); k > 0 {
			r.acks, c.spare = c.spare[k-1], c.spare[:k-1]
		}
		for _, item := range items[:n] {
			r.acks = append(r.acks, item.Handle.(*nats.Msg).Reply)
		}
		c.rounds = append(c.rounds, r)
		if err := c.ended(n); err != nil {
			return err
		}
		items, results = items[n:], results[n:]
	}
	return nil
}

func (c *consumer) ended(n int) error {
	if c.owed += n; 2*c.owed < c.prefetch {
		return nil
	}
	n, c.owed = c.owed, 0
	return c.ask(n)
}

// settle acknowledges the items of all but so many rounds, whose results it
// waits for.
func (c *consumer) settle(ctx context.Context, rounds int) error {
	for len(c.rounds) > rounds {
		r := c.rounds[0]
		if err := c.client.settle(ctx, r.publisher); err != nil {
			return err
		}
		for _, reply := range r.acks {
			if err := c.client.conn.Publish(reply, ack); err != nil {
				return err
			}
		}
		c.spare = append(c.spare, r.acks[:0])
		c.rounds = append(c.rounds[:0], c.rounds[1:]...)
	}
	return nil
}

// Flush waits until the server has read the acknowledgements.
func (c *consumer) Flush(ctx context.Context) error {
	if err := c.settle(ctx, 0); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // the library wants a deadline
	defer cancel()
	return c.client.conn.FlushWithContext(ctx)
}

// Close gives back what has arrived and was not taken.
func (c *consumer) Close() error {
	if err := c.sub.Unsubscribe(); err != nil {
		return err
	}
	for len(c.arrived) > 0 {
		if m := <-c.arrived; m.Reply != "" {
			if err := c.client.conn.Publish(m.Reply, nak); err != nil {
				return err
			}
		}
	}
	return nil
}

var _ system.Consumer = (*consumer)(nil)
