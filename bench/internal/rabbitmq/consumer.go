package rabbitmq

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/reeveq/reeve/bench/internal/system"
)

// consumer has what the server sends it. Deliveries whose results were published
// are acknowledged when the results are confirmed, which is waited for when the
// next ones are: until then there is other work to do.
type consumer struct {
	client     *client
	ch         *amqp.Channel
	deliveries <-chan amqp.Delivery
	ended      chan *amqp.Error // has one error when the server has closed the channel

	acked    uint64 // all deliveries up to this one are acknowledged
	results  []*amqp.DeferredConfirmation
	finished []uint64 // deliveries that wait for results
}

func (in *consumer) Next(ctx context.Context, items []system.Item, max int) ([]system.Item, error) {
	max += len(items)
	tags := make([]uint64, 0, max-len(items))
	add := func(d amqp.Delivery) {
		tags = append(tags, d.DeliveryTag)
		items = append(items, system.Item{Payload: d.Body, Handle: &tags[len(tags)-1]})
	}
	for len(items) < max {
		select {
		case d, ok := <-in.deliveries:
			if !ok {
				return items, in.why()
			}
			add(d)
			continue
		default:
		}
		if len(tags) > 0 {
			break
		}
		// All that may be sent may have been taken: acknowledge before waiting.
		if err := in.Flush(ctx); err != nil {
			return items, err
		}
		select {
		case d, ok := <-in.deliveries:
			if !ok {
				return items, in.why()
			}
			add(d)
		case <-ctx.Done():
			return items, ctx.Err()
		}
	}
	return items, nil
}

// why is why there are no more deliveries.
func (in *consumer) why() error {
	select {
	case err := <-in.ended:
		if err != nil {
			return fmt.Errorf("rabbitmq: the channel was closed: %w", err)
		}
	default:
	}
	return errors.New("rabbitmq: the consumer was cancelled")
}

func (in *consumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	if err := in.Flush(ctx); err != nil { // the results before these
		return err
	}
	for _, item := range items {
		in.finished = append(in.finished, *item.Handle.(*uint64))
	}
	if len(results) == 0 {
		return in.ack()
	}
	if err := in.client.declare(in.ch, to); err != nil {
		return err
	}
	var err error
	in.results, err = in.client.publish(in.ch, to, results, in.results)
	return err
}

// Flush waits for the confirms of the results and sends the acknowledgements,
// which the server does not confirm.
func (in *consumer) Flush(ctx context.Context) error {
	if err := confirmed(ctx, in.results); err != nil {
		return err
	}
	in.results = in.results[:0]
	return in.ack()
}

// ack acknowledges what is finished: together what follows what was acknowledged
// before, and one by one what does not.
func (in *consumer) ack() error {
	n := 0
	for n < len(in.finished) && in.finished[n] == in.acked+uint64(n)+1 {
		n++
	}
	if n > 0 {
		in.acked = in.finished[n-1]
		if err := in.ch.Ack(in.acked, true); err != nil {
			return err
		}
	}
	for _, tag := range in.finished[n:] {
		if err := in.ch.Ack(tag, false); err != nil {
			return err
		}
	}
	in.finished = in.finished[:0]
	return nil
}

func (in *consumer) Close() error { return in.ch.Close() }
