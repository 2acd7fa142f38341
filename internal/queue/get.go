package queue

import (
	"fmt"

	"github.com/reeveq/reeve"
)

// getBytes is when the answer to one Get is large enough: a task more may make
// it larger than that, but no second one.
const getBytes = 1 << 20

// GetOp is a request for up to Max leases at once, as soon as there is one. Its
// exported fields are set by the caller.
type GetOp struct {
	Max    int
	NoWait bool
	Tag    uint64 // for Sink.Got
	Want   reeve.GetOptions

	group *getGroup // its parts in other queues; nil: none

	taker taker
}

// Get answers op through h's sink: before it returns, or when there is a task.
func (q *Queue) Get(h *Holder, op *GetOp) {
	k := h.in(q)
	if k == nil {
		return // the holder is gone: nobody to answer
	}
	q.mu.Lock()
	defer q.unlock()
	q.tell(k)
	op.taker = taker{get: op, hold: k}
	if k.closed {
		return
	}
	err := op.Want.Validate()
	switch {
	case err != nil:
		q.got(&op.taker, nil, err)
		return
	case op.Max < 1 || op.Max > reeve.MaxBatch:
		q.got(&op.taker, nil, &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "tasks of one Get", Value: int64(op.Max), Max: reeve.MaxBatch})
		return
	case q.stopped:
		q.got(&op.taker, nil, reeve.ErrClosed)
		return
	}
	op.taker.profile = q.profileOf(&op.Want)
	op.taker.profile.takers.add(&op.taker)
	q.dispatch(q.engine.now())
	switch {
	case op.taker.list == nil: // served
	case q.ended():
		op.taker.leave()
		q.got(&op.taker, nil, q.shutdownError())
	case op.NoWait:
		op.taker.leave()
		q.got(&op.taker, nil, reeve.ErrEmpty)
	default:
		k.waits(op.Tag, &op.taker)
	}
}

func (q *Queue) got(t *taker, ts []reeve.Task, err error) {
	q.dropGet(t)
	if g := t.get.group; g != nil {
		if err != nil {
			if err = g.failed(err); err == nil {
				return
			}
		}
		q.later(g)
	}
	t.hold.holder.sink.Got(t.get.Tag, q.name, ts, err)
	q.tell(t.hold)
}

// Consume starts a standing supply: the engine hands over to tag, of what want
// says, whenever fewer than slots tasks it handed over there are unsettled. It
// returns nil when the holder was released or the engine stopped. want is
// valid.
func (q *Queue) Consume(h *Holder, tag uint64, slots int, want reeve.GetOptions) *Consumer {
	return q.consume(h, tag, slots, want, nil)
}

func (q *Queue) consume(h *Holder, tag uint64, slots int, want reeve.GetOptions, g *Group) *Consumer {
	k := h.in(q)
	if k == nil {
		return nil
	}
	q.mu.Lock()
	defer q.unlock()
	if k.closed || q.stopped {
		return nil
	}
	c := &Consumer{hold: k, tag: tag, group: g}
	c.taker = taker{consumer: c, hold: k, profile: q.profileOf(&want)}
	if k.consumers == nil {
		k.consumers = map[*Consumer]struct{}{}
	}
	k.consumers[c] = struct{}{}
	q.consumers++
	c.setSlots(slots)
	return c
}

// SetSlots changes how many unsettled tasks the consumer may have; 0 pauses it.
func (c *Consumer) SetSlots(n int) {
	q := c.hold.queue
	q.mu.Lock()
	_, open := c.hold.consumers[c]
	if open {
		if c.group != nil { // of several calls at once the last one holds for all members
			n = int(c.group.slots.Load())
		}
		c.setSlots(n)
	}
	q.unlock()
	if open {
		c.hold.holder.Touch() // who asks is alive
	}
}

func (c *Consumer) setSlots(n int) {
	q := c.hold.queue
	if q.ended() {
		q.endConsumer(c, q.shutdownError())
		return
	}
	c.set(min(max(n, 0), reeve.MaxSlots), c.used)
	q.dispatch(q.engine.now())
}

// set changes c's numbers and with them its place among those who can take.
func (c *Consumer) set(slots, used int) {
	q := c.hold.queue
	q.freeSlots += max(0, slots-used) - max(0, c.slots-c.used)
	q.gates.slots += slots - c.slots
	c.slots, c.used = slots, used
	if used >= slots {
		c.taker.leave()
	} else if c.taker.list == nil && c.group == nil { // a group decides who waits
		c.taker.profile.takers.add(&c.taker)
	}
}

// Close ends the supply. What was handed over stays with the holder.
func (c *Consumer) Close() {
	q := c.hold.queue
	q.mu.Lock()
	defer q.unlock()
	q.dropConsumer(c)
	q.dispatch(q.engine.now()) // its tasks of low priority count for others no more
}

// dropConsumer forgets c; its leases take no slot any more.
func (q *Queue) dropConsumer(c *Consumer) {
	if _, ok := c.hold.consumers[c]; ok {
		q.countLow(c, -c.low)
		c.set(0, c.used)
		delete(c.hold.consumers, c)
		q.consumers--
		q.leaveProfile(c.taker.profile)
	}
}

// endConsumer tells c that nothing more will come, if it does not wait for
// other queues, too.
func (q *Queue) endConsumer(c *Consumer, err error) {
	if c.gone() {
		return
	}
	q.dropConsumer(c)
	if c.group != nil && c.group.left.Add(-1) > 0 {
		return
	}
	c.hold.holder.sink.End(c.tag, q.name, err)
	q.tell(c.hold)
}

func (q *Queue) shutdownError() error { return fmt.Errorf("%w: %q", reeve.ErrShutdown, q.name) }

// dispatch hands over ready tasks to those who can take them.
func (q *Queue) dispatch(now int64) {
	if q.stopped || q.immediate || q.offered == 0 {
		return
	}
	expired := q.stats.expired
	for !q.shut(now) {
		k, t := q.nextPair()
		if t == nil {
			break
		}
		q.handOver(k, t, now)
	}
	if q.stats.expired != expired {
		q.settled()
	}
}

// nextPair is who takes the next task, and that task; nil: nobody, or none. Those
// who want the same take in turn, and those who want different things do. But
// where a limit lets only some go, the next is the first of all tasks that
// somebody can take.
func (q *Queue) nextPair() (k *taker, t *task) {
	n, turn := len(q.able), q.turn
	for i := range n {
		at := (turn + 1 + i) % n
		who, what := q.pair(q.able[at])
		if what == nil || t != nil && !q.before(what, t) {
			continue
		}
		k, t, q.turn = who, what, at
		if !q.gates.scarce {
			break
		}
	}
	return k, t
}

// pair is who takes the next task of p's lanes, and that task; nil: nobody, or
// none.
func (q *Queue) pair(p *profile) (*taker, *task) {
	k := p.takers.head
	if k == nil {
		return nil, nil
	}
	t := q.choose(p, k)
	if t != nil || q.best(p, 0, true) == nil && q.best(p, suspect, true) == nil {
		return k, t
	}
	// What there is is not for the first: it has a suspect, or would take a
	// slot that is reserved.
	for k = k.next; k != nil; k = k.next {
		if t = q.choose(p, k); t != nil {
			break
		}
	}
	return k, t
}

// choose is the task that k, of p, may have next; nil: none.
func (q *Queue) choose(p *profile, k *taker) *task {
	low := k.get != nil || q.lowMay()
	t := q.best(p, 0, low)
	if k.hold.suspects == 0 {
		if sus := q.best(p, suspect, low); sus != nil && (t == nil || q.before(sus, t)) {
			t = sus
		}
	}
	return t
}

// handOver hands t over to k, and if k is a Get what else there is for it; or
// it gets out of the way which of the two is in it.
func (q *Queue) handOver(k *taker, t *task, now int64) {
	switch {
	case q.isSilent(k.hold, now):
		q.setAside(k)
	case q.tooLate(t, now):
		q.expireTask(t, now)
	case k.get != nil:
		q.serveGet(k, t, now)
	default:
		c := k.consumer
		if c.group != nil && !c.group.acquire() {
			c.taker.leave() // its slots are used in other queues
			return
		}
		q.lease(q.take(t, now), k.hold, c, now)
		if k.list != nil {
			k.list.rotate(k)
		}
		k.hold.holder.sink.Deliver(c.tag, q.name, q.delivery(t))
		q.tell(k.hold)
	}
}

// serveGet answers a Get with t and what else there is for it.
func (q *Queue) serveGet(k *taker, t *task, now int64) {
	p := k.profile
	if g := k.get.group; g != nil && !g.claim() {
		k.leave() // answered by another queue
		q.dropGet(k)
		return
	}
	ts := make([]reeve.Task, 0, min(k.get.Max, q.offered))
	var size int64
	for {
		q.lease(q.take(t, now), k.hold, nil, now)
		size += t.size()
		ts = append(ts, q.delivery(t))
		if len(ts) == k.get.Max || size >= getBytes || q.shut(now) {
			break
		}
		for t = q.choose(p, k); t != nil && q.tooLate(t, now); t = q.choose(p, k) {
			q.expireTask(t, now)
		}
		if t == nil {
			break
		}
	}
	k.leave()
	q.got(k, ts, nil)
}

// take takes t, which is in a lane, for an attempt: it is this that rates bound,
// not the return of a holder to the attempt that it had.
func (q *Queue) take(t *task, now int64) *task {
	q.unlist(t)
	q.pass(now)
	q.passLine(t, now)
	q.stats.wait.add(now - t.readyAt)
	t.attempt++
	if t.attempt > 1 {
		q.stats.redelivered++
	}
	return t
}

// lease gives t, which is in no list, to k, and to c if it takes a slot.
func (q *Queue) lease(t *task, k *hold, c *Consumer, now int64) {
	q.move(t, leased)
	q.startLine(t, now)
	q.startUnique(t)
	t.claimable = false
	t.hold, t.leasedAt = k, now
	if t.past != nil {
		t.past.extended = 0
	}
	k.leases.pushBack(t)
	if t.suspect() {
		k.suspects++
	}
	q.seatWith(t, c)
	q.startTimer(t, now)
	if end := q.lookAt(now + q.silence(k)); end < k.expiry && !k.holder.always {
		k.expiry = end
		q.silent = min(q.silent, end)
		q.setDue(end)
	}
	q.emit(reeve.EventStarted, t, k.holder.name(), "")
}

// seatWith has t, which is leased, take a slot of c; nil: it takes none.
func (q *Queue) seatWith(t *task, c *Consumer) {
	if c == nil {
		return
	}
	t.consumer = c
	if q.low(t) {
		q.countLow(c, 1)
	}
	c.set(c.slots, c.used+1)
}

// countLow counts n tasks more of low priority that take slots of c. Those of a
// consumer that has ended take none.
func (q *Queue) countLow(c *Consumer, n int) {
	if !c.gone() {
		c.low += n
		q.gates.lowLeased += n
	}
}

// unlease takes t from its holder; it is in no list then. What follows from
// the end of the attempt is seen to by who takes it.
func (q *Queue) unlease(t *task, now int64) {
	k := t.hold
	k.leases.remove(t)
	if t.heap >= 0 {
		q.due.remove(t)
	}
	if t.suspect() {
		k.suspects--
	}
	q.stats.run.add(now - t.leasedAt)
	t.hold = nil
	if t.past != nil {
		t.past.result = nil
		if t.past.progress != nil {
			q.grow(t, func(p *past) { p.progress = nil })
		}
	}
	if c := t.consumer; c != nil {
		t.consumer = nil
		if q.low(t) {
			q.countLow(c, -1)
		}
		c.set(c.slots, c.used-1)
		if c.group != nil {
			q.freed(c.group)
		}
	}
}
