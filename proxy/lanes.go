package proxy

// The lanes in which calls wait to be asked. In each it is first come, first
// served; a call that may not be asked now holds up its own lane only.
const (
	laneSession  = iota // what the session itself needs
	laneEnd             // ends of leases, apart from Completes
	laneComplete        // Completes
	lanePut             // Puts
	laneOther           // Gets, questions, what operators have done
	laneObject          // calls of shared objects
	laneWaiting         // such that may wait long, apart from those that may end the wait
	lanes
)

func (k *call) lane() int {
	switch {
	case k.is(sessional):
		return laneSession
	case k.is(onObject) && k.is(parks):
		return laneWaiting
	case k.is(onObject):
		return laneObject
	case k.is(fenced) && k.is(parks):
		return laneComplete
	case k.is(fenced):
		return laneEnd
	case k.is(mutating) && k.weight > 0:
		return lanePut
	}
	return laneOther
}

// submitLocked asks k now, or as soon as there is a connection, a place in the
// master's window and room for its bytes. The caller holds mu.
func (c *Client) submitLocked(k *call) {
	if c.closed != nil {
		c.finishLocked(k, c.closed)
		return
	}
	lane := &c.lanes[k.lane()]
	if lane.n == 0 && c.admitsLocked(k) {
		c.askLocked(k)
		return
	}
	k.phase = queued
	lane.push(k)
	c.queued = true
}

// maxUnsent bounds the bytes that wait to be written to the calls stream.
const maxUnsent = 2 << 20

// admitsLocked reports whether k may be asked now.
func (c *Client) admitsLocked(k *call) bool {
	l, lane := c.link, k.lane()
	if l == nil || l.out.Len() > maxUnsent {
		return false
	}
	if lane == laneObject || lane == laneWaiting {
		return len(c.seriesOf(k).byID) < maxObjectCalls && !l.leaving
	}
	if lane == laneSession {
		return c.pending.span() < l.window
	}
	// A quarter of the window is kept for what the session itself needs.
	if l.resent < l.resendTo || c.pending.span() >= l.window-l.window/4 {
		return false
	}
	// Only ends of leases are of use to a master that is going away. And what
	// it may have to keep until there is room in a queue is bounded: Puts and
	// Completes have half of it each, so that neither waits for the other.
	switch lane {
	case lanePut, laneComplete:
		asked := c.pending.bytes[lane]
		if l.maxWaiting > 0 && asked > 0 && asked+k.weight > l.maxWaiting/2 {
			return false
		}
	}
	return !l.leaving || lane == laneEnd || lane == laneComplete
}

// askLocked gives k its id and hands it to the connection.
func (c *Client) askLocked(k *call) {
	k.phase = asked
	c.register(k)
	c.link.writeLocked(k)
}

// pumpLocked asks what waits, as far as it may be asked now. What the session
// itself needs comes first (claims before the ends of those leases), then what
// is to be asked again, in its order.
func (c *Client) pumpLocked() {
	l := c.link
	if l == nil {
		return
	}
	c.pumpLaneLocked(laneSession)
	for l.resent < l.resendTo && l.out.Len() <= maxUnsent && l.resent < c.pending.low+l.window {
		if k := c.pending.get(l.resent); k != nil {
			l.resent++ // first: from here on it is asked
			l.writeLocked(k)
		} else {
			l.resent = max(l.resent+1, min(c.pending.low, l.resendTo))
		}
	}
	c.queued = l.resent < l.resendTo
	for lane := range c.lanes {
		c.pumpLaneLocked(lane)
		c.queued = c.queued || c.lanes[lane].n > 0
	}
	if c.queued && l.resent >= l.resendTo {
		c.renewLocked(l)
	}
}

func (c *Client) pumpLaneLocked(lane int) {
	list := &c.lanes[lane]
	for list.head != nil && c.admitsLocked(list.head) {
		c.askLocked(list.pop())
	}
}

// renewLocked is called when calls wait. If it is the window they wait for,
// held up by calls that park, those that have had half of it pass by are
// cancelled, to be asked again under a new id.
func (c *Client) renewLocked(l *link) {
	if c.pending.span() < l.window-l.window/4 {
		return
	}
	l.renewed = max(l.renewed, c.pending.low)
	for ; l.renewed+l.window/2 < c.pending.next; l.renewed++ {
		if k := c.pending.get(l.renewed); k != nil && k.phase == asked && k.is(parks) {
			k.renewing = true
			l.cancelLocked(k)
		}
	}
}
