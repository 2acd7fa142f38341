package manager

import (
	"context"
	"fmt"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// localConsumer is a standing supply to this process.
type localConsumer struct {
	local    *local
	standing queue.Standing
	tag      uint64
	more     chan struct{} // cap 1: something changed, and one who waits should look

	mu     sync.Mutex // guards the fields below; taken after local's
	leases []*reeve.Lease
	err    error
	closed bool
}

func (c *localConsumer) add(l *reeve.Lease) {
	c.mu.Lock()
	c.leases = append(c.leases, l)
	c.mu.Unlock()
	c.signal()
}

func (c *localConsumer) end(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.mu.Unlock()
	c.signal()
}

func (c *localConsumer) signal() {
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (c *localConsumer) Next(ctx context.Context) (*reeve.Lease, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if l, err := c.take(); l != nil || err != nil {
			return l, err
		}
		select {
		case <-c.more:
		case <-ctx.Done():
		}
	}
}

// take returns the next lease that is there. Whoever takes one, or learns the
// end, passes the signal on while there is more to see.
func (c *localConsumer) take() (*reeve.Lease, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.leases) == 0 {
		if c.err != nil {
			c.signal()
		}
		return nil, c.err
	}
	l := c.leases[0]
	c.leases[0] = nil
	c.leases = c.leases[1:]
	if len(c.leases) > 0 || c.err != nil {
		c.signal()
	}
	return l, nil
}

func (c *localConsumer) SetSlots(n int) error {
	if n < 0 || n > reeve.MaxSlots {
		return fmt.Errorf("%w: %d slots, want 0 to %d", reeve.ErrInvalid, n, reeve.MaxSlots)
	}
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return reeve.ErrClosed
	}
	c.standing.SetSlots(n)
	return nil
}

func (c *localConsumer) Close() error {
	c.standing.Close()
	c.local.mu.Lock()
	delete(c.local.consumers, c.tag)
	c.local.mu.Unlock()
	c.mu.Lock()
	rest := c.leases
	c.leases = nil
	c.err, c.closed = reeve.ErrClosed, true
	c.mu.Unlock()
	c.signal()
	for i := len(rest) - 1; i >= 0; i-- { // each goes to the front
		rest[i].Settle(&reeve.Outcome{Verb: reeve.Return}, nil)
	}
	return nil
}

var _ reeve.Consumer = (*localConsumer)(nil)
