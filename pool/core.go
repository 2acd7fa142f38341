package pool

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/reeveq/reeve"
)

// core is a pool without its types: inputs come in feeds, are put as tasks, are
// watched until they end, and their receivers are told. Every goroutine of it
// ends when there is nothing for it to do.
type core struct {
	master Master
	queue  reeve.Queue
	cfg    Config
	option reeve.PutOption

	life    context.Context // ends with Terminate; of what watches
	kill    context.CancelFunc
	putting context.Context // ends soon after; of puts
	stopPut context.CancelFunc

	room   chan struct{} // has as many elements as calls of Go have inputs in feeds
	closed chan struct{} // closed when no more work is taken
	done   chan struct{} // closed when, after that, nothing is left

	relieve chan struct{} // cap 1: the patrol may have nothing to do

	mu       sync.Mutex // guards the fields below; taken before any receiver's
	feeds    []*feed
	live     map[receiver]*item // taken out of feeds, and not over: the first of each receiver's
	held     int                // taken out of feeds, and not ended at the master as far as is known
	unseen   line               // put, and nobody watches them
	watchers int
	sending  bool // send runs
	patrols  bool // patrol runs
	begun    int  // calls that may still add feeds
	running  int  // goroutines
	shut     bool // closed is closed
	ended    bool // Terminate was called
}

// receiver is who gave inputs and is told how they end.
type receiver interface {
	// over is told the end of input i: once for each, from any goroutine, with
	// nothing locked. It must not block.
	over(i int, payload []byte, err error)
}

// feed is the inputs of one call that were not taken yet: next to n-1.
type feed struct {
	to      receiver
	next, n int
	chunk   int // so many are taken together
	encode  func(i int) ([]byte, error)
	single  bool // has a place in core.room
}

// turn is how many inputs are taken next, together.
func (f *feed) turn() int { return min(f.chunk, f.n-f.next) }

// item is one input from when it is taken until its task has ended.
type item struct {
	to      receiver
	at      int
	encode  func(i int) ([]byte, error) // until it is put
	payload []byte

	// Guarded by core.mu.
	id         reeve.ID // 0: not put yet
	over       bool     // its receiver was told
	prev, next *item    // in the list of its receiver in core.live
}

func newCore(m Master, q reeve.Queue, cfg Config, option reeve.PutOption) *core {
	c := &core{
		master: m, queue: q, cfg: cfg, option: option,
		room: make(chan struct{}, cfg.MaxPending), closed: make(chan struct{}), done: make(chan struct{}),
		relieve: make(chan struct{}, 1), live: map[receiver]*item{},
	}
	c.life, c.kill = context.WithCancel(context.Background())
	c.putting, c.stopPut = context.WithCancel(context.Background())
	return c
}

// begin lets a call in that adds feeds until end.
func (c *core) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		return errClosed
	}
	c.begun++
	return nil
}

func (c *core) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun--
	c.quietLocked()
}

// add has the inputs of f put, by a call that has begun.
func (c *core) add(f *feed) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return errTerminated
	}
	c.feeds = append(c.feeds, f)
	c.sendLocked()
	return nil
}

// goLocked starts a goroutine that Join waits for.
func (c *core) goLocked(f func()) {
	c.running++
	go func() { // Join waits for it
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.running--
			c.quietLocked()
		}()
		f()
	}()
}

func (c *core) spawn(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.goLocked(f)
}

// quietLocked looks whether this was the last of all.
func (c *core) quietLocked() {
	if !c.shut || c.begun > 0 || c.running > 0 || c.held > 0 || len(c.feeds) > 0 {
		return
	}
	select {
	case <-c.done:
	default:
		close(c.done)
	}
}

// finish tells how it ended, unless it is over already, and makes room for
// another.
func (c *core) finish(it *item, payload []byte, err error) {
	c.mu.Lock()
	was := it.over
	c.overLocked(it)
	c.held--
	c.sendLocked()
	c.mu.Unlock()
	if !was {
		it.to.over(it.at, payload, err)
	}
}

// liveLocked notes an input that was taken out of its feed. Those of each receiver
// are a list of their own: of thousands of calls that are given up together none
// looks at the inputs of the others.
func (c *core) liveLocked(it *item) {
	if it.next = c.live[it.to]; it.next != nil {
		it.next.prev = it
	}
	c.live[it.to] = it
}

// overLocked notes that the receiver of an input is told its end now, if it was
// not told before.
func (c *core) overLocked(it *item) {
	if it.over {
		return
	}
	it.over = true
	switch {
	case it.prev != nil:
		it.prev.next = it.next
	case it.next != nil:
		c.live[it.to] = it.next
	default:
		delete(c.live, it.to)
	}
	if it.next != nil {
		it.next.prev = it.prev
	}
	it.prev, it.next = nil, nil
}

// abandon ends all inputs of to that have not ended, with err, and returns the
// tasks that they are. A nil to stands for all.
func (c *core) abandon(to receiver, err error) []reeve.ID {
	type end struct {
		to receiver
		at int
	}
	var ends []end
	var ids []reeve.ID
	c.mu.Lock()
	kept := c.feeds[:0]
	for _, f := range c.feeds {
		if to != nil && f.to != to {
			kept = append(kept, f)
			continue
		}
		for i := f.next; i < f.n; i++ {
			ends = append(ends, end{f.to, i})
		}
		c.leaveLocked(f)
	}
	clear(c.feeds[len(kept):])
	c.feeds = kept
	whose := []receiver{to}
	if to == nil {
		whose = slices.Collect(maps.Keys(c.live))
	}
	for _, to := range whose {
		for it := c.live[to]; it != nil; it = c.live[to] {
			c.overLocked(it)
			ends = append(ends, end{it.to, it.at})
			if it.id != 0 {
				ids = append(ids, it.id)
			}
		}
	}
	c.sendLocked() // others may be first now
	c.running++    // until the receivers have been told
	c.mu.Unlock()
	for _, e := range ends {
		e.to.over(e.at, nil, err)
	}
	c.mu.Lock()
	c.running--
	c.quietLocked()
	c.mu.Unlock()
	return ids
}

// leaveLocked gives the place of a feed back that is one no more.
func (c *core) leaveLocked(f *feed) {
	if f.single {
		<-c.room
	}
}

// shutdown refuses further work.
func (c *core) shutdown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.shut {
		c.shut = true
		close(c.closed)
	}
	c.quietLocked()
}
