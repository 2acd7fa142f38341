package manager

import "sync"

// crew runs what sessions have to do when something came, or is to be sent. Each
// piece of work has a goroutine while it lasts; a few of those that are done are
// kept for the next, because their stacks have grown already to what is needed,
// which takes as long as a short piece of work itself.
type crew struct {
	mu     sync.Mutex // guards the fields below
	idle   []chan func()
	closed bool
	gone   sync.WaitGroup
}

// maxIdle is how many goroutines are kept, over all sessions.
const maxIdle = 4

// do runs f in a goroutine. It does not block.
func (c *crew) do(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := len(c.idle) - 1; last >= 0 {
		c.idle[last] <- f
		c.idle[last] = nil
		c.idle = c.idle[:last]
		return
	}
	c.gone.Go(func() { c.work(f) }) // waited for by close
}

func (c *crew) work(f func()) {
	next := make(chan func(), 1) // whoever takes it out of idle sends once, or closes it
	for f != nil {
		f()
		c.mu.Lock()
		if c.closed || len(c.idle) >= maxIdle {
			c.mu.Unlock()
			return
		}
		c.idle = append(c.idle, next)
		c.mu.Unlock()
		f = <-next
	}
}

// close waits until all goroutines have ended. Nothing begins any more.
func (c *crew) close() {
	c.mu.Lock()
	c.closed = true
	for _, next := range c.idle {
		close(next)
	}
	c.idle = nil
	c.mu.Unlock()
	c.gone.Wait()
}
