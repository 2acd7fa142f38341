package queue

import "github.com/reeveq/reeve"

// Consumer is a standing request for tasks of one queue.
type Consumer struct {
	hold  *hold
	tag   uint64
	slots int // how many unsettled leases it may have
	used  int // how many it has
	low   int // of these of low priority

	group *Group // of several queues it is a part of; nil: none
	taker taker  // its place among those who can take
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

// gone reports whether c has ended.
func (c *Consumer) gone() bool {
	_, open := c.hold.consumers[c]
	return !open
}
