package managers

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

// client is a user of the Python process: one thread that puts in each queue,
// and one for each consumer.
type client struct {
	python *process

	mu      sync.Mutex // guards the field below; held while something is put
	putters map[string]*pipe
}

// Put has the thread put the items, one after the other or in chunks. Puts wait
// for each other.
func (c *client) Put(ctx context.Context, queue string, payloads [][]byte) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.putters[queue]
	if !ok {
		p, err = c.python.start(ctx, map[string]any{"do": "put", "queue": queue})
		if err != nil {
			return err
		}
		if c.putters == nil {
			c.putters = make(map[string]*pipe)
		}
		c.putters[queue] = p
	}
	defer p.bound(ctx)()
	for len(payloads) > 0 && err == nil {
		n := min(len(payloads), batch)
		if err = p.send(payloads[:n]); err == nil {
			err = p.answer()
		}
		payloads = payloads[n:]
	}
	if err != nil { // the answers may be out of step
		delete(c.putters, queue)
		return errors.Join(ended(ctx, err), p.Close())
	}
	return nil
}

// ended is why something failed that a ctx may have cut short.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (c *client) Consume(ctx context.Context, queue string, prefetch int) (system.Consumer, error) {
	p, err := c.python.start(ctx, map[string]any{"do": "take", "queue": queue, "prefetch": prefetch})
	if err != nil {
		return nil, err
	}
	return &consumer{pipe: p, client: c, prefetch: prefetch}, nil
}

// Close ends the Python process after its last client. What its consumers were
// waiting for is lost when it comes.
func (c *client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, p := range c.putters {
		err = errors.Join(err, p.Close())
	}
	c.putters = nil
	return errors.Join(err, c.python.release())
}

// times has a thread do order and returns the times that it answers.
func (c *client) times(ctx context.Context, order map[string]any) ([]time.Duration, error) {
	p, err := c.python.open(ctx, order)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	defer p.bound(ctx)()
	times, err := p.times()
	if err != nil {
		return nil, ended(ctx, err)
	}
	return times, nil
}

func (c *client) time(ctx context.Context, order map[string]any) (time.Duration, error) {
	times, err := c.times(ctx, order)
	if err == nil && len(times) != 1 {
		err = fmt.Errorf("%w: %d times", errAnswer, len(times))
	}
	if err != nil {
		return 0, err
	}
	return times[0], nil
}

func (c *client) RoundTrips(ctx context.Context, queue string, bytes, n int) ([]time.Duration, error) {
	return c.times(ctx, map[string]any{"do": "round_trips", "queue": queue, "bytes": bytes, "n": n})
}

func (c *client) Operate(ctx context.Context, operation string, callers, n int) (time.Duration, error) {
	switch operation {
	case "call", "lock", "set", "get":
	default:
		return 0, fmt.Errorf("%w: %s", system.ErrUnsupported, operation)
	}
	return c.time(ctx, map[string]any{"do": "operate", "operation": operation, "callers": callers, "n": n})
}

// Run has a thread work by itself. It does not call handle, but makes sure that
// it does the same.
func (s managers) Run(ctx context.Context, endpoint, queue, results string, handle func([]byte) []byte, ready func()) error {
	probe, want := make([]byte, 100), make([]byte, 100)
	const n = 123_456
	binary.BigEndian.PutUint64(probe, n)
	binary.BigEndian.PutUint64(want, n*n)
	if !bytes.Equal(handle(probe), want) {
		return fmt.Errorf("%w: client.py squares a number of 8 bytes, and handles nothing else", system.ErrUnsupported)
	}
	python, err := share(ctx, endpoint, s.chunked)
	if err != nil {
		return ended(ctx, err)
	}
	err = python.square(ctx, queue, results, ready)
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, python.release())
}

// square returns when the thread fails, or ctx ends.
func (p *process) square(ctx context.Context, queue, results string, ready func()) error {
	worker, err := p.start(ctx, map[string]any{"do": "square", "queue": queue, "results": results})
	if err != nil {
		return err
	}
	defer worker.Close()
	defer worker.bound(ctx)()
	ready()
	if err := worker.answer(); err != nil {
		return err
	}
	return fmt.Errorf("%w: a worker ended by itself", errAnswer)
}

var (
	_ system.Timed  = (*client)(nil)
	_ system.Runner = managers{}
)
