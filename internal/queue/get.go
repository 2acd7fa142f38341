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
	switch {
	case k.closed:
		return
	case op.Max < 1 || op.Max > reeve.MaxBatch:
		q.got(&op.taker, nil, &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "tasks of one Get", Value: int64(op.Max), Max: reeve.MaxBatch})
		return
	case q.stopped:
		q.got(&op.taker, nil, reeve.ErrClosed)
		return
	}
	q.takers.add(&op.taker)
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
	t.hold.waitsNoMore(t.get.Tag, t)
	t.hold.holder.sink.Got(t.get.Tag, q.name, ts, err)
	q.tell(t.hold)
}

// Consume starts a standing supply: the engine hands over to tag whenever
// fewer than slots tasks it handed over there are unsettled. It returns nil
// when the holder was released or the engine stopped.
func (q *Queue) Consume(h *Holder, tag uint64, slots int, want reeve.GetOptions) *Consumer {
	k := h.in(q)
	if k == nil {
		return nil
	}
	q.mu.Lock()
	defer q.unlock()
	if k.closed || q.stopped {
		return nil
	}
	c := &Consumer{hold: k, tag: tag}
	c.taker = taker{consumer: c, hold: k}
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
	c.slots, c.used = slots, used
	if used >= slots {
		c.taker.leave()
	} else {
		q.takers.add(&c.taker)
	}
}

// Close ends the supply. What was handed over stays with the holder.
func (c *Consumer) Close() {
	q := c.hold.queue
	q.mu.Lock()
	defer q.unlock()
	q.dropConsumer(c)
}

// dropConsumer forgets c; its leases take no slot any more.
func (q *Queue) dropConsumer(c *Consumer) {
	if _, ok := c.hold.consumers[c]; ok {
		c.set(0, c.used)
		delete(c.hold.consumers, c)
		q.consumers--
	}
}

// endConsumer tells c that nothing more will come.
func (q *Queue) endConsumer(c *Consumer, err error) {
	q.dropConsumer(c)
	c.hold.holder.sink.End(c.tag, q.name, err)
	q.tell(c.hold)
}

func (q *Queue) shutdownError() error { return fmt.Errorf("%w: %q", reeve.ErrShutdown, q.name) }

// dispatch hands over ready tasks to those who can take them, in turn.
func (q *Queue) dispatch(now int64) {
	if q.stopped {
		return
	}
	for q.takers.head != nil && q.ready.n+q.suspects.n > 0 {
		k := q.takers.head
		if q.ready.n == 0 {
			// Only suspects are left: look for one who holds none.
			for k != nil && k.hold.suspects > 0 {
				k = k.next
			}
			if k == nil {
				return
			}
		}
		if q.isSilent(k.hold, now) {
			q.setAside(k)
			continue
		}
		if k.get != nil {
			q.serveGet(k, now)
			continue
		}
		c := k.consumer
		t := q.take(k.hold, now)
		t.consumer = c
		c.set(c.slots, c.used+1)
		if k.list != nil {
			q.takers.rotate(k)
		}
		k.hold.holder.sink.Deliver(c.tag, q.name, t.delivery())
		q.tell(k.hold)
	}
}

func (q *Queue) serveGet(k *taker, now int64) {
	n := min(k.get.Max, q.ready.n+q.suspects.n)
	ts := make([]reeve.Task, 0, n)
	var size int64
	for len(ts) < n && size < getBytes && (q.ready.n > 0 || q.suspects.n > 0 && k.hold.suspects == 0) {
		t := q.take(k.hold, now)
		size += t.size()
		ts = append(ts, t.delivery())
	}
	k.leave()
	q.got(k, ts, nil)
}

// take leases the next task to k. There is one: a ready task, or a suspect
// and k holds none.
func (q *Queue) take(k *hold, now int64) *task {
	t := q.ready.head
	if q.suspects.n > 0 && k.suspects == 0 {
		t = q.suspects.head
	}
	q.unlist(t)
	t.attempt++
	if t.attempt > 1 {
		q.stats.redelivered++
	}
	q.lease(t, k, now)
	return t
}

// lease gives t, which is in no list, to k.
func (q *Queue) lease(t *task, k *hold, now int64) {
	t.move(leased)
	t.claimable = false
	t.hold, t.leasedAt, t.keep = k, now, 0
	k.leases.pushBack(t)
	q.leasedN++
	if t.suspect() {
		k.suspects++
	}
	q.startTimer(t, now)
	if end := q.lookAt(now + q.silence(k)); end < k.expiry && !k.holder.always {
		k.expiry = end
		q.silent = min(q.silent, end)
		q.setDue(end)
	}
}

// unlease takes t from its holder; it is in no list then.
func (q *Queue) unlease(t *task) {
	k := t.hold
	k.leases.remove(t)
	q.leasedN--
	if t.heap >= 0 {
		q.due.remove(t)
	}
	if t.suspect() {
		k.suspects--
	}
	t.hold, t.result = nil, nil
	if c := t.consumer; c != nil {
		t.consumer = nil
		c.set(c.slots, c.used-1)
	}
}
