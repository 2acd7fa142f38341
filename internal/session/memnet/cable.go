package memnet

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// Cable is what connects one client, for a test to harm: it dials as it was
// made to, and knows the connections. Its methods may be called from any
// goroutine.
type Cable struct {
	dial func(ctx context.Context, addr string) (net.Conn, error)

	mu     sync.Mutex // guards the fields below
	last   *Conn
	made   int
	dead   bool
	healed chan struct{} // nil: not in the dark
}

// NewCable makes a cable that dials with dial, which makes connections of a
// Network.
func NewCable(dial func(ctx context.Context, addr string) (net.Conn, error)) *Cable {
	return &Cable{dial: dial}
}

// Dial makes a connection. It fails with syscall.ECONNREFUSED once the cable
// is dead, and waits until ctx ends while it is a black hole.
func (c *Cable) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c.mu.Lock()
	dead, healed := c.dead, c.healed
	c.mu.Unlock()
	if dead {
		return nil, syscall.ECONNREFUSED
	}
	if healed != nil {
		select {
		case <-healed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	conn, err := c.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = conn.(*Conn)
	c.made++
	return conn, nil
}

// Last returns the connection made last: nil if there was none.
func (c *Cable) Last() *Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// Made returns how many connections were made.
func (c *Cable) Made() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made
}

// Refuse lets no other connection be made. The one there is goes on.
func (c *Cable) Refuse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
}

// Kill is the end of the client's process: the connection is reset, and no
// other is made.
func (c *Cable) Kill() {
	c.Refuse()
	if last := c.Last(); last != nil {
		last.Reset()
	}
}

// BlackHole stalls the connection, as Conn.BlackHole does, and lets every dial
// wait, until Heal.
func (c *Cable) BlackHole() {
	c.mu.Lock()
	if c.healed == nil {
		c.healed = make(chan struct{})
	}
	last := c.last
	c.mu.Unlock()
	if last != nil {
		last.BlackHole()
	}
}

// Heal ends a stall of the connection, and what BlackHole began.
func (c *Cable) Heal() {
	c.mu.Lock()
	if c.healed != nil {
		close(c.healed)
		c.healed = nil
	}
	last := c.last
	c.mu.Unlock()
	if last != nil {
		last.Heal()
	}
}
