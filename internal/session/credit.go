package session

import "sync"

// credit is what may still be sent on one stream: the peer's window. yamux keeps
// such an account as well, which it does not use, see Stream.Write.
type credit struct {
	mu    sync.Mutex // guards the fields below
	bytes int64
	over  error         // why nothing more may be sent
	more  chan struct{} // closed when there is more, or over is set; nil: nobody waits
}

// take takes up to n bytes, and waits while there are none.
func (c *credit) take(n int) (int, error) {
	for {
		c.mu.Lock()
		switch {
		case c.over != nil:
			err := c.over
			c.mu.Unlock()
			return 0, err
		case c.bytes > 0:
			n = int(min(int64(n), c.bytes))
			c.bytes -= int64(n)
			c.mu.Unlock()
			return n, nil
		}
		if c.more == nil {
			c.more = make(chan struct{})
		}
		more := c.more
		c.mu.Unlock()
		<-more
	}
}

// now is how much may be sent without a wait.
func (c *credit) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// grant adds what the peer allows.
func (c *credit) grant(n uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += int64(n)
	c.wakeLocked()
}

// end has every take fail from now on, with the first cause given.
func (c *credit) end(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over == nil {
		c.over = cause
	}
	c.wakeLocked()
}

func (c *credit) wakeLocked() {
	if c.more != nil {
		close(c.more)
		c.more = nil
	}
}
