package queue

import "time"

// lookAt is when to look at a holder whose lease may end at at: a little later,
// at a moment shared with other holders, so that one look at all does for many.
func (q *Queue) lookAt(at int64) int64 {
	step := min(int64(q.cfg.Lease)/16, int64(250*time.Millisecond))
	return (at + step - 1) / step * step
}

// silence is how long k's holder may be silent before its leases end.
func (q *Queue) silence(k *hold) int64 { return max(int64(q.cfg.Lease), k.holder.patience.Load()) }

// isSilent reports whether k's holder is gone, or has not been heard of for so
// long that its leases end. What it were given now would only be lost with them.
func (q *Queue) isSilent(k *hold, now int64) bool {
	h := k.holder
	return h.gone.Load() || !h.always && h.heard.Load()+q.silence(k) <= now
}

// setAside takes t, whose holder is silent, out of the round until the holder
// is heard of.
func (q *Queue) setAside(t *taker) {
	t.leave()
	t.hold.aside.add(t)
	h := t.hold.holder
	h.silent.Store(true)
	// A Touch that came before the line above did not see it: look again.
	if now := q.engine.now(); !q.isSilent(t.hold, now) {
		q.bringBack(t.hold)
	}
}

// bringBack puts what was set aside into the round again.
func (q *Queue) bringBack(k *hold) {
	for t := k.aside.head; t != nil; t = k.aside.head {
		t.leave()
		t.profile.takers.add(t)
	}
}

// heardOf is called when k's holder, that was silent, was heard of.
func (q *Queue) heardOf(k *hold) {
	q.mu.Lock()
	defer q.unlock()
	if !k.closed && k.aside.head != nil {
		q.bringBack(k)
		q.dispatch(q.engine.now())
	}
}
