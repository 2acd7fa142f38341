package proxy

import (
	"cmp"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// detach takes note that l is lost. What was asked stays, to be asked again;
// what meant something to that session only is forgotten.
func (c *Client) detach(l *link) {
	c.mu.Lock()
	defer c.unlock()
	c.link = nil
	for _, k := range c.pending.all() {
		if !k.large && k.id < l.taken && l.askedLocked(k) {
			k.sent = true
		}
		if k.phase == abandoned || k.is(sessional) {
			c.pending.remove(k)
			k.phase = done
		}
	}
	c.detachObjectsLocked(l)
	for k := c.lanes[laneSession].pop(); k != nil; k = c.lanes[laneSession].pop() {
		k.phase = done
	}
	for k := c.again.tail; k != nil; k = c.again.tail { // before those that have not had a turn
		c.again.remove(k)
		c.lanes[k.lane()].pushFront(k)
		c.queued = true
	}
	for _, cs := range c.consumers {
		cs.asking, cs.told = false, untold
	}
	c.progressLostLocked()
}

// attach makes l the connection that calls go to: first the leases that still
// stand are claimed, then what has no answer is asked again, in its order.
func (c *Client) attach(l *link) {
	c.mu.Lock()
	defer c.unlock()
	if c.closed != nil {
		return // run sees ctx's end next
	}
	if !l.resumed && c.epoch != 0 && c.epoch == l.epoch {
		c.forgottenLocked()
	}
	back := c.epoch != 0
	c.epoch, c.lastErr = l.epoch, nil
	c.link = l
	c.maxPayload.Store(l.maxPayload)
	l.resent, l.resendTo = c.pending.low, c.pending.next
	c.queued = true
	if back { // who was never there has left nothing
		c.claimLocked(l)
	}
	c.resumeObjectsLocked(l)
	for _, cs := range c.consumers {
		cs.err = nil
		cs.syncLocked()
		cs.wakeLocked()
	}
	for _, sub := range c.subs {
		sub.tellLocked()
	}
	c.tellProgressLocked()
}

// forgottenLocked deals with a master that lives on but has forgotten this
// client: nobody can say any more whether what was sent was carried out.
func (c *Client) forgottenLocked() {
	for _, k := range c.pending.all() {
		switch {
		case !k.sent || !k.is(mutating):
		case k.is(fenced):
			k.doubtful = true
		default:
			c.pending.remove(k)
			c.finishLocked(k, reeve.ErrOutcomeUnknown)
		}
	}
}

// source is where leases are from: a queue, and the consumer they were
// delivered to, or 0 for a Get.
type source struct {
	queue    string
	consumer *consumer
}

// claimLocked claims every lease that still stands, and those whose end is on
// its way, so that nobody else gets the task meanwhile. When that is answered,
// the master is told that there is nothing else: what it knows of besides was
// on its way here when the connection was lost, and nobody works on it.
//
// The master counts claimed leases against the slots of their consumer, which
// it must know by then without having filled its slots: it is told of the
// consumer with no slots first, and of the slots it has after that.
func (c *Client) claimLocked(l *link) {
	leases := map[source]wire.Pairs{}
	for h := range c.leases.all() {
		from := source{h.lease.Queue(), h.consumer}
		leases[from] = append(leases[from], wire.Pair{ID: h.lease.ID, Attempt: h.lease.Attempt})
	}
	ends := c.pending.all()
	for _, lane := range []int{laneEnd, laneComplete} {
		for k := c.lanes[lane].head; k != nil; k = k.next {
			ends = append(ends, k)
		}
	}
	for _, k := range ends {
		s, ok := k.req.(*settle)
		if ok {
			from := source{s.lease.Queue(), s.consumer}
			leases[from] = append(leases[from], wire.Pair{ID: s.lease.ID, Attempt: s.lease.Attempt})
		}
	}
	l.claiming++ // until all have been asked
	for from, pairs := range leases {
		var tag uint64
		if cs := from.consumer; cs != nil && cs.closed == nil {
			tag = cs.tag
			cs.tellLocked(0)
		}
		slices.SortFunc(pairs, func(a, b wire.Pair) int { return cmp.Compare(a.ID, b.ID) })
		for part := range slices.Chunk(pairs, maxClaim) {
			l.claiming++
			r := &claim{link: l, queue: from.queue, consumer: tag, pairs: part}
			if tag > 0 {
				r.least = from.consumer.size() // it goes the way its Consume went
			}
			c.submitLocked(&call{req: r, traits: sessional | answered, then: claimed})
		}
	}
	c.claimAnsweredLocked(l)
}

// maxClaim bounds the leases of one Claim, so that it is a small frame.
const maxClaim = 2048

// claim tells a new session which leases the client still holds.
type claim struct {
	link     *link
	queue    string
	consumer uint64
	pairs    wire.Pairs
	least    int
}

func (r *claim) size() int { return max(r.least, 64+len(r.queue)+14*len(r.pairs)) }

func (r *claim) encode(b *wire.Builder, id, low uint64) error {
	return b.Message(wire.Claim{Req: id, Low: low, Queue: r.queue, Entries: r.pairs, Consumer: r.consumer})
}

// claimed takes the answer: what was not kept is lost. For a lease whose end
// is on its way it says nothing: that end has an answer of its own.
func claimed(c *Client, k *call) {
	r := k.req.(*claim)
	for i, p := range r.pairs {
		if k.err == nil && i < len(k.answer.Kept) && k.answer.Kept[i] {
			continue
		}
		c.loseLocked(p.ID, p.Attempt, errNotKept)
	}
	c.claimAnsweredLocked(r.link)
}

// claimAnsweredLocked goes on when no Claim of l is without an answer. Only
// then it can say that there are no more: a large one goes another way.
func (c *Client) claimAnsweredLocked(l *link) {
	if l.claiming--; l.claiming > 0 {
		return
	}
	c.submitLocked(&call{traits: sessional, req: &plain{message: func(id, low uint64) wire.Message {
		return wire.Claimed{Req: id, Low: low} // a master that does not know it waits for the leases to end
	}}})
	for _, cs := range c.consumers {
		cs.wakeLocked()
	}
	c.tellProgressLocked()
}
