package expose

import (
	"context"
	"sync"
	"time"
)

// jobContext is the ctx that a method gets. Most methods look at it hardly ever:
// what it takes to end one is made when somebody asks.
type jobContext struct {
	deadline time.Time // zero: none

	mu    sync.Mutex // guards the fields below
	ctx   context.Context
	stop  context.CancelCauseFunc // of ctx
	free  context.CancelFunc      // of the deadline; nil: there is none
	over  bool
	cause error // why, if it is over
}

// end ends it, with a cause; the first one counts. nil: the method has returned.
func (c *jobContext) end(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.over, c.cause = true, cause
	if c.ctx != nil {
		c.endLocked()
	}
}

func (c *jobContext) endLocked() {
	c.stop(c.cause)
	if c.free != nil {
		c.free()
	}
}

// made is the context behind it.
func (c *jobContext) made() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx != nil {
		return c.ctx
	}
	c.ctx, c.stop = context.WithCancelCause(context.Background())
	if !c.deadline.IsZero() {
		c.ctx, c.free = context.WithDeadline(c.ctx, c.deadline)
	}
	if c.over {
		c.endLocked()
	}
	return c.ctx
}

func (c *jobContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }
func (c *jobContext) Done() <-chan struct{}       { return c.made().Done() }
func (c *jobContext) Err() error                  { return c.made().Err() }
func (c *jobContext) Value(key any) any           { return c.made().Value(key) }

var _ context.Context = (*jobContext)(nil)
