package queue

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/reeveq/reeve"
)

// Standing is a standing supply of one consumer: a [*Consumer] of one queue,
// or a [*Group] of several.
type Standing interface {
	// SetSlots changes how many unsettled tasks it may have; 0 pauses it.
	SetSlots(n int)
	// Close ends it. What was handed over stays with the holder.
	Close()
	// In is the part of it that takes from q; nil: none.
	In(q *Queue) *Consumer
}

// In is c, if it takes from q.
func (c *Consumer) In(q *Queue) *Consumer {
	if c.hold.queue != q {
		return nil
	}
	return c
}

// Group is a standing supply from several queues whose tasks share its slots.
//
// It has a consumer in each queue. While there is a free slot and no task for
// it anywhere these stand among those who can take, and the first task that
// comes takes the slot. As long as tasks wait they do not: then a slot that is
// freed goes to the queue whose turn it is.
type Group struct {
	members []*Consumer // in the order of the sources
	weights []int       // nil: the first that has tasks goes first

	slots atomic.Int64
	used  atomic.Int64
	left  atomic.Int64 // members whose queue has not ended
	again atomic.Bool  // there may be something to do

	mu    sync.Mutex // guards the field below and who balances; taken with nothing locked
	turns []int      // of smooth weighted round robin
}

// ConsumeFrom is [Queue.Consume] for several queues at once. An error says what
// is wrong with the sources; nil and no error: the holder was released or the
// engine stopped. o is valid.
func (e *Engine) ConsumeFrom(h *Holder, tag uint64, slots int, sources []reeve.Source, o reeve.GetOptions) (*Group, error) {
	qs, err := e.sources(sources)
	if err != nil {
		return nil, err
	}
	g := &Group{}
	g.left.Store(int64(len(qs)))
	if sources[0].Weight > 0 {
		g.turns = make([]int, len(qs))
		for _, s := range sources {
			g.weights = append(g.weights, s.Weight)
		}
	}
	for _, q := range qs {
		c := q.consume(h, tag, 0, o, g)
		if c == nil {
			for _, m := range g.members {
				m.Close()
			}
			return nil, nil
		}
		g.members = append(g.members, c)
	}
	g.SetSlots(slots)
	return g, nil
}

func (e *Engine) sources(sources []reeve.Source) ([]*Queue, error) {
	if err := reeve.CheckSources(sources); err != nil {
		return nil, err
	}
	qs := make([]*Queue, len(sources))
	for i, s := range sources {
		q, err := e.Lookup(s.Queue)
		if err != nil {
			return nil, err
		}
		qs[i] = q
	}
	return qs, nil
}

// SetSlots changes how many unsettled tasks there may be, over all queues.
func (g *Group) SetSlots(n int) {
	n = min(max(n, 0), reeve.MaxSlots)
	g.slots.Store(int64(n))
	for _, c := range g.members {
		c.SetSlots(n)
	}
	g.Wake()
}

// Close ends the supply.
func (g *Group) Close() {
	for _, c := range g.members {
		c.Close()
	}
}

// In is the part of the group that takes from q.
func (g *Group) In(q *Queue) *Consumer {
	for _, c := range g.members {
		if c.hold.queue == q {
			return c
		}
	}
	return nil
}

// acquire takes a free slot, if there is one.
func (g *Group) acquire() bool {
	for {
		used := g.used.Load()
		if used >= g.slots.Load() {
			return false
		}
		if g.used.CompareAndSwap(used, used+1) {
			return true
		}
	}
}

// freed notes, with the queue locked, that a slot of g is free again.
func (q *Queue) freed(g *Group) {
	g.used.Add(-1)
	q.later(g)
}

// Wake fills the free slots. It is called with nothing locked; what happens
// meanwhile makes who is at it go on.
func (g *Group) Wake() {
	g.again.Store(true)
	for g.again.Load() && g.mu.TryLock() {
		for g.again.Swap(false) {
			g.balance()
		}
		g.mu.Unlock()
	}
}

// balance gives the free slots to the queues whose turn it is, and when there
// are more than tasks has the members wait for the next ones.
func (g *Group) balance() {
	for g.used.Load() < g.slots.Load() {
		if !g.serve() {
			for _, c := range g.members {
				c.await()
			}
			return
		}
	}
}

// serve has one task handed over, if there is any: by the queue whose turn it
// is, or the next one that has some.
func (g *Group) serve() bool {
	if g.weights == nil {
		for _, c := range g.members {
			if c.serve() {
				return true
			}
		}
		return false
	}
	// Smooth weighted round robin among the queues that have tasks: one that has
	// none does not save up turns.
	tried := make([]bool, len(g.members))
	for range g.members {
		best := -1
		for i := range g.members {
			if !tried[i] && (best < 0 || g.turns[i]+g.weights[i] > g.turns[best]+g.weights[best]) {
				best = i
			}
		}
		tried[best] = true
		if !g.members[best].serve() {
			g.turns[best] = 0
			continue
		}
		total := 0
		for i, w := range g.weights {
			if i == best || !tried[i] {
				g.turns[i] += w
				total += w
			}
		}
		g.turns[best] -= total
		return true
	}
	return false
}

// serve has one task handed over to c, which is a member of a group, before
// all others who wait.
func (c *Consumer) serve() bool {
	q := c.hold.queue
	q.mu.Lock()
	defer q.unlock()
	if c.gone() || q.stopped || q.immediate || q.offered == 0 {
		return false
	}
	had, expired := c.used, q.stats.expired
	p := c.taker.profile
	c.taker.leave()
	p.takers.addFirst(&c.taker)
	now := q.engine.now()
	for c.taker.list == &p.takers && p.takers.head == &c.taker && c.used == had && !q.shut(now) {
		k, t := q.pair(p)
		if t == nil {
			break
		}
		q.handOver(k, t, now) // and again, if an expired task was in the way
	}
	if c.taker.list == &p.takers {
		c.taker.leave()
	}
	served := c.used > had
	if q.stats.expired != expired {
		q.settled()
	}
	return served
}

// await makes c, which is a member of a group, one of those who can take.
func (c *Consumer) await() {
	q := c.hold.queue
	q.mu.Lock()
	defer q.unlock()
	if c.gone() || c.used >= c.slots || c.taker.list != nil {
		return
	}
	c.taker.profile.takers.add(&c.taker)
	q.dispatch(q.engine.now())
}

// getGroup is a Get from several queues: the first that has a task answers it.
type getGroup struct {
	won   atomic.Bool
	left  atomic.Int64 // queues that have not ended
	empty atomic.Bool  // one that had nothing has not been shut down
	parts []getPart
}

type getPart struct {
	q  *Queue
	op *GetOp
}

// claim is true for the one who may answer.
func (g *getGroup) claim() bool { return g.won.CompareAndSwap(false, true) }

// failed notes that a part ends with err, and returns the error of the whole,
// which then is to be answered: when its queues have all ended, or have nothing
// for who does not wait, or at once for any other error. nil: not yet.
func (g *getGroup) failed(err error) error {
	if empty := errors.Is(err, reeve.ErrEmpty); empty || errors.Is(err, reeve.ErrShutdown) {
		if empty {
			g.empty.Store(true)
		}
		if g.left.Add(-1) > 0 {
			return nil
		}
		if g.empty.Load() {
			err = reeve.ErrEmpty
		}
	}
	if !g.claim() {
		return nil
	}
	return err
}

// draw is the index of a source, at random by their weights.
func draw(sources []reeve.Source) int {
	total := 0
	for _, s := range sources {
		total += s.Weight
	}
	n := rand.IntN(total)
	for i, s := range sources {
		if n -= s.Weight; n < 0 {
			return i
		}
	}
	return 0
}

// Wake takes the parts that did not answer out of their queues. It is called
// with nothing locked.
func (g *getGroup) Wake() {
	for _, p := range g.parts {
		p.q.mu.Lock()
		if t := &p.op.taker; t.list != nil {
			t.leave()
			p.q.dropGet(t)
		}
		p.q.unlock()
	}
}

// dropGet forgets a Get that is answered, or a part of one that another queue
// answers.
func (q *Queue) dropGet(t *taker) {
	t.hold.waitsNoMore(t.get.Tag, t)
	if t.profile != nil {
		q.leaveProfile(t.profile)
		t.profile = nil
	}
}

// GetFrom is [Queue.Get] for several queues at once. An error says what is
// wrong with the sources: op is not answered then.
func (e *Engine) GetFrom(h *Holder, op *GetOp, sources []reeve.Source) error {
	qs, err := e.sources(sources)
	if err != nil {
		return err
	}
	g := &getGroup{}
	g.left.Store(int64(len(qs)))
	first := 0
	if sources[0].Weight > 0 {
		first = draw(sources)
	}
	for i := range qs {
		part := &GetOp{Max: op.Max, Tag: op.Tag, Want: op.Want, NoWait: op.NoWait, group: g}
		g.parts = append(g.parts, getPart{qs[(first+i)%len(qs)], part})
	}
	for _, p := range g.parts {
		p.q.Get(h, p.op)
		if g.won.Load() {
			break
		}
	}
	if g.won.Load() { // also by one that answered while others began to wait
		g.Wake()
	}
	return nil
}
