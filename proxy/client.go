package proxy

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/wire"
)

// Client is a process's connection to a master. It is made by [Dial], keeps
// itself connected until Close, and may be used by any number of goroutines.
type Client struct {
	cfg   Config
	addrs []string
	id    wire.ClientID

	life   context.Context // ends with Close
	cancel context.CancelFunc
	done   chan struct{} // closed when the connection's goroutines have ended
	at     int           // the address that worked last; owned by run

	maxPayload atomic.Int64 // of the last welcome
	traffic    traffic
	readies    sync.Pool // of chan struct{}, empty: call.ready of calls that were answered

	mu      sync.Mutex      // guards the fields below; released by unlock wherever something was asked or answered
	link    *link           // nil: not connected
	closed  error           // why nothing more is asked
	lastErr error           // why there is no connection
	epoch   uint64          // of the last welcome
	pending pending         // asked
	lanes   [lanes]callList // to be asked
	queued  bool            // there may be something in the lanes, or to be asked again
	again   callList        // refused by a master that is going away; to be asked by the next session

	calling, waiting series   // calls of shared objects that were asked
	strays           []uint64 // of these, those that were given up without a connection
	masterLife       uint64   // of the last welcome

	consumers    map[uint64]*consumer
	lastConsumer uint64
	leases       leases // that stand, as far as this client knows
	progress     progresses
	subs         map[uint64]*subscription
	lastSub      uint64

	commands   []command      // that wait for their turn
	commanded  bool           // carryOut runs
	carried    chan struct{}  // closed when the last carryOut has returned; nil before the first
	commanding sync.WaitGroup // for carryOut

	// To be done by unlock, with nothing locked.
	finished []*call
	lost     []lostLease
}

// traffic counts what goes over all of a client's connections.
type traffic struct {
	in, out  atomic.Uint64 // bytes
	batches  atomic.Uint64 // writes of small requests
	connects atomic.Uint64
}

// Dial connects to the master at addrs, "host:port", "unix:/path" for a Unix
// socket, or several of these with commas between them: masters that take over
// from each other, tried in turn. Masters of which each has queues of its own
// need a Client each; any number of them may be in a process.
//
// It returns when a master has welcomed this client. Until then it tries
// again until ctx ends, except for errors that trying again cannot mend (of
// package auth: the key is wrong, what answers is no master; or
// reeve.ErrVersion), which it returns at once, and except with
// Config.DialOnce. So it does what Config.Require names and the master does not
// have. ctx is for Dial only: the client lives until Close.
func Dial(ctx context.Context, addrs string, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	list, err := parseAddrs(addrs)
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &Client{
		cfg: cfg, addrs: list, life: life, cancel: cancel, done: make(chan struct{}),
		pending: newPending(), consumers: map[uint64]*consumer{},
		subs:    map[uint64]*subscription{},
		calling: series{byID: map[uint64]*call{}, next: firstObjectCall},
		waiting: series{byID: map[uint64]*call{}, next: firstWaitingCall},
	}
	rand.Read(c.id[:]) // never fails
	started := make(chan error, 1)
	go func() { // Close waits for it
		defer close(c.done)
		c.run(life, started)
	}()
	select {
	case err = <-started:
	case <-ctx.Done():
		c.mu.Lock()
		err = &offlineError{ctx: ctxError(ctx), last: c.lastErr}
		c.mu.Unlock()
	}
	if err == nil {
		err = c.require(ctx)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Queue is the queue of that name. It costs nothing and asks nobody: whether
// there is one shows at the first call ([reeve.ErrNoSuchQueue]).
func (c *Client) Queue(name string) reeve.Queue {
	return &queue{supply{c: c, name: name}}
}

// QueueOf is the queue of that name for values of type T, which cd turns into
// payloads: codec.CBOR unless another one is given.
func QueueOf[T any](c *Client, name string, cd ...reeve.Codec) *reeve.TypedQueue[T] {
	use := codec.CBOR
	for _, x := range cd {
		use = x
	}
	return reeve.NewTypedQueue[T](c.Queue(name), use)
}

// Epoch names the life of the master that the client was connected to last. It
// changes when the master was started again without its memory.
func (c *Client) Epoch() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch
}

// Close ends the connection: the master takes back at once what this client
// holds. Calls that wait end with [reeve.ErrClosed]; what was asked before may
// take effect. It waits for no answer, and not longer than about a second, but
// for [Config.Control] to return.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.closed == nil {
		c.closeLocked(reeve.ErrClosed)
	}
	c.unlock()
	c.cancel()
	<-c.done
	c.commanding.Wait()
	return nil
}

// closeLocked ends everything that waits.
func (c *Client) closeLocked(err error) {
	c.closed = err
	for _, cs := range c.consumers {
		cs.endLocked(err)
	}
	clear(c.consumers)
	for _, sub := range c.subs {
		sub.endLocked(err)
	}
	if c.progress.timer != nil {
		c.progress.timer.Stop()
	}
	for _, k := range c.allAsked() {
		c.unregister(k)
		if k.phase == asked {
			c.finishLocked(k, err)
		}
	}
	for k := c.again.pop(); k != nil; k = c.again.pop() {
		c.finishLocked(k, err)
	}
	for lane := range c.lanes {
		for k := c.lanes[lane].pop(); k != nil; k = c.lanes[lane].pop() {
			c.finishLocked(k, err)
		}
	}
	for h := range c.leases.all() {
		c.loseLocked(h.lease.ID, h.lease.Attempt, errGivenUp)
	}
}

// Done is closed when the client has been closed and its goroutines have ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is nil until the client is closed, and [reeve.ErrClosed] from then on.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}
