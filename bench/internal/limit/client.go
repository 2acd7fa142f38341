package limit

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/reeveq/reeve/bench/internal/system"
)

// client is one connection to the queue server. Nobody reads in the background:
// one of those that wait reads for all, so that nothing is handed from
// goroutine to goroutine where there is only one.
type client struct {
	link   *Link
	conn   net.Conn
	bodies bodies

	wmu    sync.Mutex // guards the fields below; taken before mu, never after
	w      writer
	queues map[string]uint32
	sent   uint64 // operations that are confirmed in time

	r *reader // used by who set reading

	mu        sync.Mutex // guards the fields below
	reading   bool
	lead      *context.Context // whose ctx ends the reading, by its address
	late      bool             // the connection's read deadline has passed
	waiters   []*waiter
	confirmed uint64
	consumers []*taker
	err       error
}

// waiter waits for somebody else who reads.
type waiter struct {
	done func() bool   // under mu
	wake chan struct{} // closed when it is done, or has to read itself
}

func newClient(link *Link, conn net.Conn, c codec) *client {
	cl := &client{link: link, conn: conn, w: writer{conn: conn, codec: c}, queues: map[string]uint32{}}
	cl.r = newReader(conn, c, &cl.bodies)
	return cl
}

// Put puts payloads in the queue, and waits until the server has them all.
func (c *client) Put(ctx context.Context, queue string, payloads [][]byte) error {
	sent, err := c.put(queue, payloads)
	if err != nil {
		return err
	}
	return c.wait(ctx, func() bool { return c.confirmed >= sent })
}

func (c *client) put(queue string, payloads [][]byte) (sent uint64, err error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	n, err := c.number(queue)
	if err != nil {
		return 0, err
	}
	for _, payload := range payloads {
		if err := c.w.add(kindPut, n, 0, payload); err != nil {
			return 0, err
		}
	}
	c.sent += uint64(len(payloads))
	return c.sent, c.w.flush()
}

// number is the queue's on this connection. The caller holds wmu.
func (c *client) number(queue string) (uint32, error) {
	n, ok := c.queues[queue]
	if ok {
		return n, nil
	}
	n = uint32(len(c.queues))
	c.queues[queue] = n
	return n, c.w.add(kindOpen, n, 0, []byte(queue))
}

// Consume takes items of queue. It returns when the server knows.
func (c *client) Consume(ctx context.Context, queue string, prefetch int) (system.Consumer, error) {
	t, sent, err := c.consume(queue, prefetch)
	if err != nil {
		return nil, err
	}
	return t, c.wait(ctx, func() bool { return c.confirmed >= sent })
}

func (c *client) consume(queue string, prefetch int) (t *taker, sent uint64, err error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	n, err := c.number(queue)
	if err != nil {
		return nil, 0, err
	}
	c.mu.Lock()
	t = &taker{client: c, number: uint32(len(c.consumers))}
	c.consumers = append(c.consumers, t)
	c.mu.Unlock()
	if err := c.w.add(kindConsume, n, uint64(prefetch), nil); err != nil {
		return nil, 0, err
	}
	c.sent++
	return t, c.sent, nil
}

// Close closes the connection. What waits returns with an error.
func (c *client) Close() error {
	return errors.Join(c.conn.Close(), c.link.Close())
}

// wait writes what was gathered and waits until done, which is called under mu.
func (c *client) wait(ctx context.Context, done func() bool) error {
	c.wmu.Lock()
	err := c.w.flush()
	c.wmu.Unlock()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.handOver()
	for !done() {
		if c.err != nil {
			return c.err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.reading {
			c.follow(ctx, done)
		} else {
			c.read(ctx)
		}
	}
	return nil
}

// handOver has somebody else read who waits. The caller holds mu.
func (c *client) handOver() {
	if !c.reading && len(c.waiters) > 0 {
		close(c.waiters[0].wake)
		c.waiters = c.waiters[1:]
	}
}

// follow waits until it is woken by who reads, or ctx ends. The caller holds
// mu, which it lets go meanwhile.
func (c *client) follow(ctx context.Context, done func() bool) {
	w := &waiter{done, make(chan struct{})}
	c.waiters = append(c.waiters, w)
	c.mu.Unlock()
	select {
	case <-w.wake:
	case <-ctx.Done():
	}
	c.mu.Lock()
	if i := slices.Index(c.waiters, w); i >= 0 {
		c.waiters = slices.Delete(c.waiters, i, i+1)
	}
}

// read reads once for all, or until ctx ends. The caller holds mu, which it lets
// go meanwhile.
func (c *client) read(ctx context.Context) {
	c.reading = true
	c.lead = &ctx
	if c.late {
		c.late = false
		_ = c.conn.SetReadDeadline(time.Time{})
	}
	mine := c.lead
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.lead == mine {
			c.late = true
			_ = c.conn.SetReadDeadline(time.Unix(1, 0))
		}
	})
	err := c.r.fill()
	stop()
	c.mu.Lock()
	c.reading = false
	c.lead = nil
	if late := errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, yamux.ErrTimeout); err != nil && !late {
		c.err = err
	} else if err == nil {
		c.err = c.takeAll()
	}
	c.waiters = slices.DeleteFunc(c.waiters, func(w *waiter) bool {
		if c.err == nil && !w.done() {
			return false
		}
		close(w.wake)
		return true
	})
}

// takeAll takes the messages that were read. The caller holds mu.
func (c *client) takeAll() error {
	var m message
	for {
		ok, err := c.r.next(&m)
		if err != nil || !ok {
			return err
		}
		switch {
		case m.Kind == kindConfirm:
			c.confirmed = m.ID
		case m.Kind == kindDeliver && int(m.N) < len(c.consumers):
			c.consumers[m.N].deliver(m.ID, m.Payload)
		default:
			return errMessage
		}
	}
}

var _ system.Client = (*client)(nil)
