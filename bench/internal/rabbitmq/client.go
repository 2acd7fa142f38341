package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/reeveq/reeve/bench/internal/system"
)

// errRefused is that the server did not take a message.
var errRefused = errors.New("rabbitmq: the server did not take a message")

// client is a connection with a channel for what it puts, and one for each
// consumer.
type client struct {
	conn    *amqp.Connection
	durable bool

	mu       sync.Mutex // guards the fields below, and is held while queues are declared
	puts     *amqp.Channel
	declared map[string]bool
}

// putter is the channel for what is put, with the queue declared.
func (c *client) putter(queue string) (*amqp.Channel, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.puts == nil {
		ch, err := c.channel()
		if err != nil {
			return nil, err
		}
		c.puts = ch
	}
	return c.puts, c.declareLocked(c.puts, queue)
}

// channel opens one whose messages are confirmed.
func (c *client) channel() (*amqp.Channel, error) {
	ch, err := c.conn.Channel()
	if err != nil {
		return nil, err
	}
	return ch, ch.Confirm(false)
}

// declare makes sure that there is a queue: a message for none is confirmed, and
// thrown away.
func (c *client) declare(ch *amqp.Channel, queue string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.declareLocked(ch, queue)
}

func (c *client) declareLocked(ch *amqp.Channel, queue string) error {
	if c.declared[queue] {
		return nil
	}
	kind := amqp.QueueTypeClassic
	if c.durable {
		kind = amqp.QueueTypeQuorum
	}
	_, err := ch.QueueDeclare(queue, c.durable, false, false, false, amqp.Table{amqp.QueueTypeArg: kind})
	c.declared[queue] = err == nil
	return err
}

// publish publishes messages, and appends what confirms them to confirms.
func (c *client) publish(ch *amqp.Channel, queue string, payloads [][]byte, confirms []*amqp.DeferredConfirmation) ([]*amqp.DeferredConfirmation, error) {
	message := amqp.Publishing{DeliveryMode: amqp.Transient}
	if c.durable {
		message.DeliveryMode = amqp.Persistent
	}
	for _, message.Body = range payloads {
		confirm, err := ch.PublishWithDeferredConfirm("", queue, false, false, message)
		if err != nil {
			return confirms, fmt.Errorf("publish: %w", err)
		}
		confirms = append(confirms, confirm)
	}
	return confirms, nil
}

// confirmed waits for confirms.
func confirmed(ctx context.Context, confirms []*amqp.DeferredConfirmation) error {
	for _, confirm := range confirms {
		ok, err := confirm.WaitContext(ctx)
		if err != nil {
			return err
		}
		if !ok {
			return errRefused
		}
	}
	return nil
}

func (c *client) Put(ctx context.Context, queue string, payloads [][]byte) error {
	ch, err := c.putter(queue)
	if err != nil {
		return err
	}
	confirms := make([]*amqp.DeferredConfirmation, 0, min(len(payloads), batch))
	for len(payloads) > 0 {
		n := min(len(payloads), batch)
		if confirms, err = c.publish(ch, queue, payloads[:n], confirms[:0]); err != nil {
			return err
		}
		if err := confirmed(ctx, confirms); err != nil {
			return err
		}
		payloads = payloads[n:]
	}
	return nil
}

func (c *client) Consume(_ context.Context, queue string, prefetch int) (system.Consumer, error) {
	ch, err := c.channel()
	if err != nil {
		return nil, err
	}
	if err := c.declare(ch, queue); err != nil {
		return nil, err
	}
	if err := ch.Qos(prefetch, 0, false); err != nil {
		return nil, err
	}
	in := &consumer{client: c, ch: ch, ended: ch.NotifyClose(make(chan *amqp.Error, 1))}
	in.deliveries, err = ch.Consume(queue, "", false, false, false, false, nil)
	return in, err
}

// Close closes the connection. The server gives what was not acknowledged to
// others.
func (c *client) Close() error { return c.conn.Close() }
