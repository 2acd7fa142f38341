package record

import "github.com/reeveq/reeve"

func (c *cursor) standing(r *Standing) {
	state := State(c.byte())
	bits := c.uvarint()
	*r = Standing{
		State: state, Attempt: c.uint32(),
		Wall: bits&nowWall != 0, Claimable: bits&nowClaimable != 0,
		Blamed: bits&nowBlamed != 0, Claimed: bits&nowClaimed != 0, Last: bits&nowLast != 0, Append: bits&nowAppend != 0,
		Turn:  bits&nowTurn != 0,
		Error: r.Error, Reason: r.Reason, // for text to compare with
	}
	r.Due = c.nanos(bits&nowDue != 0)
	r.Order = c.nanos(bits&nowOrder != 0)
	if bits&nowClient != 0 {
		r.Client = c.uint32()
	}
	if bits&nowCounts != 0 {
		r.Counts = reeve.Counts{Failed: c.uint32(), TimedOut: c.uint32(), Lost: c.uint32(), Returned: c.uint32(), Snoozed: c.uint32()}
	}
	r.ReadyAt = c.nanos(bits&nowReadyAt != 0)
	r.Error = c.text(bits&nowError != 0, r.Error)
	if bits&nowHistory != 0 {
		r.History = c.history()
	}
	r.Until = c.nanos(bits&nowUntil != 0)
	r.Reason = c.text(bits&nowReason != 0, r.Reason)
	r.DiedAt = c.nanos(bits&nowDiedAt != 0)
}

// attemptLen is what an entry of a history takes at least: bits, attempt,
// worker, outcome.
const attemptLen = 4

func (c *cursor) history() []reeve.AttemptRecord {
	n := c.count(attemptLen)
	if n == 0 {
		return nil
	}
	history := make([]reeve.AttemptRecord, 0, min(n, 16)) // more as they turn out to be there
	var last reeve.AttemptRecord
	for range n {
		if c.bad {
			return nil
		}
		c.attempt(&last)
		history = append(history, last)
	}
	return history
}

// attempt reads over the entry before, whose texts it shares if it can.
func (c *cursor) attempt(r *reeve.AttemptRecord) {
	bits := c.byte()
	r.Attempt = c.uint32()
	r.Worker = c.text(true, r.Worker)
	r.Outcome = c.text(true, r.Outcome)
	r.Start = c.time(bits&attemptStart != 0)
	r.End = c.time(bits&attemptEnd != 0)
	r.Error = c.text(bits&attemptError != 0, r.Error)
	r.Stack = c.text(bits&attemptStack != 0, r.Stack)
}
