package nsq

import (
	"context"
	"time"

	"github.com/nsqio/go-nsq"

	"github.com/reeveq/reeve/bench/internal/system"
)

// config is the library's default, with time enough for a machine that is busy.
func config() *nsq.Config {
	cfg := nsq.NewConfig()
	cfg.DialTimeout = 10 * time.Second
	cfg.WriteTimeout = time.Minute
	cfg.MaxAttempts = 0 // any number
	return cfg
}

const (
	// maxBody is how many bytes go in one command, if it has several items.
	maxBody = 4 << 20
	// maxCommands is how many commands of one call are under way.
	maxCommands = 8
)

// chunk is how many of payloads go in the next command.
func chunk(payloads [][]byte) int {
	size := 0
	for i, p := range payloads[:min(len(payloads), batch)] {
		if size += len(p) + 4; size > maxBody && i > 0 {
			return i
		}
	}
	return min(len(payloads), batch)
}

type client struct {
	addr     string
	producer *nsq.Producer
}

func (c *client) Put(ctx context.Context, queue string, payloads [][]byte) error {
	p, err := c.publish(ctx, queue, payloads)
	if err != nil {
		return err
	}
	return p.wait(ctx, 0)
}

func (c *client) Close() error {
	c.producer.Stop()
	return nil
}

// published is what is under way to the server.
type published struct {
	done  chan *nsq.ProducerTransaction // never full, lest the library wait
	count int                           // of commands without an answer
}

// publish sends payloads, and waits only when there are many commands of them.
func (c *client) publish(ctx context.Context, queue string, payloads [][]byte) (published, error) {
	p := published{done: make(chan *nsq.ProducerTransaction, maxCommands)}
	for len(payloads) > 0 {
		if err := p.wait(ctx, maxCommands-1); err != nil {
			return p, err
		}
		n := chunk(payloads)
		var err error
		if n == 1 {
			err = c.producer.PublishAsync(queue, payloads[0], p.done)
		} else {
			err = c.producer.MultiPublishAsync(queue, payloads[:n], p.done)
		}
		if err != nil {
			return p, err
		}
		p.count++
		payloads = payloads[n:]
	}
	return p, nil
}

// wait waits until at most so many commands have no answer.
func (p *published) wait(ctx context.Context, commands int) error {
	for p.count > commands {
		select {
		case t := <-p.done:
			if t.Error != nil {
				return t.Error
			}
			p.count--
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

var _ system.Client = (*client)(nil)
