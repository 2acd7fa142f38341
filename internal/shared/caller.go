package shared

import (
	"context"
	"sync"
	"time"

	"github.com/reeveq/reeve"
)

// Caller calls objects from this process. It is a [reeve.Objects]. Methods are
// safe for concurrent use.
type Caller struct {
	link    *Link
	session context.Context
	end     context.CancelCauseFunc

	mu      sync.Mutex // guards the fields below; taken last of all
	last    uint64
	waiting map[uint64]chan outcome
	closed  bool
}

// outcome is the answer to a call.
type outcome struct {
	value []byte
	err   error
}

// NewCaller attaches a client of this process.
func (h *Host) NewCaller(id ClientID, who Who) *Caller {
	c := &Caller{waiting: map[uint64]chan outcome{}}
	c.session, c.end = context.WithCancelCause(context.Background())
	c.link, _ = h.Attach(id, who, c)
	return c
}

// Client is what the Host knows of the caller.
func (c *Caller) Client() *Client { return c.link.client }

// CallObject calls a method; see [reeve.Objects].
func (c *Caller) CallObject(ctx context.Context, call *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	if err := ctx.Err(); err != nil {
		return reeve.ObjectAnswer{}, err
	}
	ch := make(chan outcome, 1)
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return reeve.ObjectAnswer{}, reeve.ErrClosed
	}
	c.last++
	req := c.last
	c.waiting[req] = ch
	c.mu.Unlock()
	// No answer gets lost on its way: none is to be remembered.
	r := &Request{Req: req, Ref: call.Ref, Method: call.Method, Args: call.Args, Reads: true}
	if deadline, ok := ctx.Deadline(); ok {
		r.Timeout = time.Until(deadline)
	}
	c.link.Call(r)
	var o outcome
	select {
	case o = <-ch:
	case <-ctx.Done():
		c.link.Cancel(req)
		select {
		case o = <-ch: // the cancellation, or an answer that was faster
			if o.err == context.Canceled || o.err == context.DeadlineExceeded {
				o.err = ctx.Err()
			}
		default: // what it did is not durable yet
			c.forget(req)
			o.err = ctx.Err()
		}
	case <-c.session.Done():
		o.err = reeve.ErrClosed
	}
	return reeve.ObjectAnswer{Value: o.value, Session: c.session}, o.err
}

// forget drops the answer to a call.
func (c *Caller) forget(req uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, req)
}

// Return takes an answer; see [Replier].
func (c *Caller) Return(req uint64, value []byte) { c.answer(req, outcome{value: value}) }

// Fail takes an answer; see [Replier].
func (c *Caller) Fail(req uint64, err error) { c.answer(req, outcome{err: err}) }

func (c *Caller) answer(req uint64, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch := c.waiting[req]; ch != nil {
		delete(c.waiting, req)
		ch <- o
	}
}

// Close ends the caller: what it holds and refers to is released, or, without
// farewell, as when a connection is lost. Calls that wait end with
// [reeve.ErrClosed].
func (c *Caller) Close(farewell bool) {
	c.mu.Lock()
	before := c.closed
	c.closed = true
	c.mu.Unlock()
	if before {
		return
	}
	c.end(reeve.ErrClosed)
	c.link.Detach(farewell)
}
