package queue

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
)

// Sink is how a holder hears from the engine. All but Wake are called with a
// queue locked: they must only note what they are told, neither block nor call
// the engine. What is told for one holder comes in order per queue.
type Sink interface {
	// Deliver hands over one task to the consumer tag. The record is the queue's
	// again when Deliver has returned.
	Deliver(tag uint64, queue string, t *reeve.Task)
	// Got answers the Get tag.
	Got(tag uint64, queue string, ts []reeve.Task, err error)
	// End tells that the consumer tag will get nothing more.
	End(tag uint64, queue string, err error)
	// Lost tells that a lease does not stand any more.
	Lost(t reeve.Token, cause error)
	// Wake is called, with nothing locked, after some of the above.
	Wake()
}

// Replier takes the results of requests: count requests from tag on have the
// result (first, err), where first is the id of the first task they put, ids
// being consecutive. It is called with a queue locked, as [Sink]'s methods are;
// one who needs a wake-up after it is also the requesting holder's sink.
type Replier interface {
	Reply(tag uint64, count int, first reeve.ID, err error)
}

// Holder is one who can hold leases: a session, or the master's own process.
type Holder struct {
	engine *Engine
	sink   Sink
	always bool         // never silent: lives in this process
	heard  atomic.Int64 // when it was last heard of
	// patience is how long it may be silent at least, whatever a queue's lease.
	patience atomic.Int64
	silent   atomic.Bool  // some queue has set its takers aside until it is heard of
	parked   atomic.Int64 // bytes of its requests that wait for room

	gone   atomic.Bool // set with mu held
	who    string      // for people; constant once it has any leases
	client *Client     // whose session it is; nil: nobody's. As constant.

	mu    sync.Mutex // guards holds; taken with no queue locked
	holds map[*Queue]*hold
}

// hold is what one holder has in one queue. Guarded by the queue's mutex.
type hold struct {
	holder   *Holder
	queue    *Queue
	leases   taskList // in the order of hand-over
	suspects int      // of its leases
	expiry   int64    // when to look at the holder's silence; never: nothing leased
	closed   bool
	woken    bool   // stands in queue.woken
	aside    takers // that get nothing because the holder is silent

	consumers map[*Consumer]struct{}
	waiters   map[uint64]waiter // by tag; of several with one tag the last
	crowd     int               // the most of them there were in that map
}

// waiter is a request that waits: a *taker of a Get, a *JoinOp or a *parking.
type waiter any

// waits notes a request that begins to wait, for Cancel to find it.
func (k *hold) waits(tag uint64, w waiter) {
	if k.waiters == nil {
		k.waiters = map[uint64]waiter{}
	}
	k.waiters[tag] = w
	k.crowd = max(k.crowd, len(k.waiters))
}

func (k *hold) waitsNoMore(tag uint64, w waiter) {
	if k.waiters[tag] == w {
		delete(k.waiters, tag)
	}
	if len(k.waiters) == 0 && k.crowd > 64 {
		k.waiters, k.crowd = nil, 0 // a map keeps the memory of the most it ever held
	}
}

// NewHolder makes a holder that hears through sink. always: it lives in this
// process, so its silence means nothing.
func (e *Engine) NewHolder(sink Sink, always bool) *Holder {
	h := &Holder{engine: e, sink: sink, always: always, holds: map[*Queue]*hold{}}
	h.Touch()
	return h
}

// SetPatience says that the holder may be silent for d although it lives: its
// leases outlast that even in a queue with a shorter lease, which was declared
// after the holder's signs of life were agreed upon. Call it before it has any.
func (h *Holder) SetPatience(d time.Duration) { h.patience.Store(int64(d)) }

// SetName says who the holder is, for people. Call it before it has any leases.
func (h *Holder) SetName(name string) { h.who = name }

// SetClient says whose session the holder is: what its client held when an older
// session was lost is its own, too. Call it before it has any leases.
func (h *Holder) SetClient(c *Client) { h.client = c }

// clientNo stands for the holder's client in records; 0: it has none.
func (h *Holder) clientNo() uint32 {
	if h.client == nil {
		return 0
	}
	return h.client.no
}

// name is who the holder is, for people.
func (h *Holder) name() string {
	if h.who == "" && h.always {
		return "master"
	}
	return h.who
}

// Heard is how long ago the holder was heard of last.
func (h *Holder) Heard() time.Duration {
	if h.always {
		return 0
	}
	return time.Duration(max(0, h.engine.now()-h.heard.Load()))
}

// Engine is the engine the holder is of.
func (h *Holder) Engine() *Engine { return h.engine }

// Touch notes that the holder is alive. One that was silent for as long as a
// queue's lease is given nothing more of that queue until it is heard of.
func (h *Holder) Touch() {
	h.heard.Store(h.engine.now())
	if h.silent.Load() && h.silent.CompareAndSwap(true, false) {
		for _, k := range h.all() {
			k.queue.heardOf(k)
		}
	}
}

// all returns what the holder has, in whatever queue.
func (h *Holder) all() []*hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	holds := make([]*hold, 0, len(h.holds))
	for _, k := range h.holds {
		holds = append(holds, k)
	}
	return holds
}

// in returns what h has in q, or nil when the holder was released.
func (h *Holder) in(q *Queue) *hold {
	k := h.hold(q)
	if k != nil {
		h.Touch() // who asks is alive
	}
	return k
}

// ask locks q for a request of h, whose sink is woken when the mutex is given
// up: it is answered before that, or waits. nil, and nothing is locked: h was
// released, and there is nobody to answer.
func (q *Queue) ask(h *Holder) *hold {
	k := h.in(q)
	if k == nil {
		return nil
	}
	q.mu.Lock()
	if k.closed {
		q.unlock()
		return nil
	}
	q.tell(k)
	q.idle = never
	return k
}

func (h *Holder) hold(q *Queue) *hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone.Load() {
		return nil
	}
	k := h.holds[q]
	if k == nil {
		k = &hold{holder: h, queue: q, expiry: never}
		if q.adopt(k) {
			h.holds[q] = k
		}
	}
	return k
}

// Release ends the holder: its consumers and waiting requests end without an
// answer, its leases go back, each as one that lost its holder or, with
// returned, as one that was given back unstarted. After it returns nothing more
// is told to the holder's sink or for its requests; requests made after it are
// neither carried out nor answered.
func (h *Holder) Release(returned bool) {
	for q, k := range h.leave() {
		q.release(k, returned)
	}
}

// Leave ends a holder that fell silent: as Release, but its leases stand until
// their time is over, for the same client to claim them.
func (h *Holder) Leave() {
	if h.always { // nothing would end its leases
		h.Release(false)
		return
	}
	for q, k := range h.leave() {
		q.leave(k)
	}
}

func (h *Holder) leave() map[*Queue]*hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone.Store(true)
	holds := h.holds
	h.holds = nil
	return holds
}
