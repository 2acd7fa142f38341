package queue

import (
	"cmp"
	"slices"
	"sync"
)

// left are the holds whose leases stand although their sessions are over, by
// client: those of sessions that fell silent, and ghosts. The zero value is ready.
type left struct {
	mu sync.Mutex // taken last of all
	of map[ClientID]map[*hold]struct{}
}

// add takes note of k, which is closed; not if no client can come back for it.
func (l *left) add(k *hold) {
	c := k.holder.client
	if c == nil || c.id == (ClientID{}) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[ClientID]map[*hold]struct{}{}
	}
	if l.of[c.id] == nil {
		l.of[c.id] = map[*hold]struct{}{}
	}
	l.of[c.id][k] = struct{}{}
}

// remove forgets k, which may not be there.
func (l *left) remove(k *hold) {
	c := k.holder.client
	if c == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.of[c.id], k)
	if len(l.of[c.id]) == 0 {
		delete(l.of, c.id)
	}
}

// byQueue returns what c left, in whatever queue.
func (l *left) byQueue(c *Client) map[*Queue][]*hold {
	l.mu.Lock()
	defer l.mu.Unlock()
	ks := map[*Queue][]*hold{}
	for k := range l.of[c.id] {
		ks[k.queue] = append(ks[k.queue], k)
	}
	return ks
}

// leftBy returns what c left, in queues that have their place.
func (e *Engine) leftBy(c *Client) map[*Queue][]*hold {
	e.mu.RLock() // while a queue is configured anew, what is left there is in neither
	defer e.mu.RUnlock()
	return e.left.byQueue(c)
}

// ClaimsComplete says that the holder's client has claimed, in every queue, all
// leases that it has: what else it held in older sessions, or when a master
// ended, never reached it or is forgotten there. Those tasks go back to where
// they were, before all that were not handed over yet, with nothing counted
// against them. A task whose result waits for room stays.
func (h *Holder) ClaimsComplete() {
	if h.client == nil {
		return
	}
	for again := true; again; {
		again = false
		for q, ks := range h.engine.leftBy(h.client) {
			if !q.returnLeft(h, ks) {
				again = true
			}
		}
	}
}

// returnLeft gives back what ks, which h's client left, have leased still. It
// reports whether q has its place.
func (q *Queue) returnLeft(h *Holder, ks []*hold) bool {
	q.mu.Lock()
	if q.uprooted {
		q.mu.Unlock()
		return false
	}
	if h.gone.Load() { // a session after it may have claimed meanwhile, and left
		q.mu.Unlock()
		return true
	}
	now := q.engine.now()
	// The last first, as each goes to the front.
	slices.SortFunc(ks, func(a, b *hold) int { return cmp.Compare(b.since(), a.since()) })
	for _, k := range ks {
		var next *task
		for t := k.leases.tail; t != nil; t = next {
			next = t.prev
			if t.parked() != nil { // it is done
				continue
			}
			q.returnTask(t, now)
		}
		if k.leases.n == 0 {
			k.expiry = never
			q.forgetHold(k)
		}
	}
	q.after(now)
	q.unlock()
	return true
}

// since is when the oldest of k's leases began.
func (k *hold) since() int64 {
	if k.leases.head == nil {
		return never
	}
	return k.leases.head.leasedAt
}

// forgetHold forgets k, which is closed and has no leases.
func (q *Queue) forgetHold(k *hold) {
	delete(q.holds, k)
	q.engine.left.remove(k)
}
