package queue

import (
	"cmp"
	"maps"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
)

// grow makes a queue of g, with everything in its place. now is the engine's
// time when the wall clock shows wall.
func (e *Engine) grow(g *plant, order int, now, wall int64) *Queue {
	q := newQueue(e, g.name, g.cfg, order)
	q.no, q.sent, q.tasks, q.said, q.pausedAt = g.no, g.sent, g.tasks, g.said, g.pausedAt
	for name, k := range g.kinds {
		k.limit = g.cfg.TypeConcurrency[name]
		q.kinds[name] = k
	}
	if g.paused {
		q.gates.paused, q.gates.any, q.gates.reason = true, true, g.reason
	}
	here := func(at int64) int64 { return now + (at - wall) } // the engine's time of a time of the wall clock
	for key, u := range g.uniques {
		until := int64(never)
		if u.Until != 0 {
			if until = here(u.Until); until <= now {
				continue
			}
			q.setDue(until)
		}
		q.uniques.claim(key, u.ID, u.Mode, until)
	}
	// Where there is too little room, those go whose time is over first.
	for _, r := range slices.SortedFunc(maps.Values(g.results), func(a, b record.Result) int {
		return cmp.Or(cmp.Compare(a.Until, b.Until), cmp.Compare(a.ID, b.ID))
	}) {
		q.results.add(reeve.Result{
			ID: r.ID, Queue: q.name, Type: r.Type, State: r.State, Payload: r.Payload,
			Reason: r.Reason, Error: r.Error, Attempts: r.Attempts, EndedAt: r.EndedAt,
		}, now, here(r.Until))
		q.results.refer(r.ID, r.Blobs)
		q.setDue(here(r.Until))
	}
	q.growing = true
	q.placeAll(g, here, now)
	q.growing = false
	q.over = true                  // until check sees that it is not so
	for name, k := range q.kinds { // of those that have ended
		if k.n == ([states]int{}) {
			delete(q.kinds, name)
		}
	}
	q.watchIdle(now)
	q.nextDue.Store(min(q.nextDue.Load(), q.next(wall, now)))
	if verify {
		q.check()
	}
	return q
}

// placeAll puts the tasks, which are in the table, where they stand.
func (q *Queue) placeAll(g *plant, here func(int64) int64, now int64) {
	waiting := make([]*task, 0, q.tasks.n)
	var buried []*task
	ghosts := map[*Client]*hold{}
	for t := range q.tasks.all() {
		t.trimHistory(q.cfg.History)
		q.bytes += t.size()
		turn := false
		if x := t.extra; x != nil {
			turn, x.released = x.released, false
			if x.expireAt != 0 && !x.expireWall {
				x.expireAt = orOne(here(x.expireAt))
			}
			if x.claimed && x.mode != reeve.UniqueForTime {
				q.uniques.claim(x.unique, t.id, x.mode, never)
			}
		}
		if t.state != dead {
			q.joinLine(t)
			if turn {
				t.keepTurn()
			}
		}
		was := t.state
		t.state = absent
		switch was {
		case leased:
			c := g.clients[t.id]
			if ghosts[c] == nil {
				ghosts[c] = q.ghost(c)
			}
			extended := t.extended()
			q.lease(t, ghosts[c], nil, now)
			t.leasedAt = now
			t.readyAt = orOne(here(t.readyAt))
			if extended != 0 {
				t.past.extended = here(extended)
			}
		case dead:
			buried = append(buried, t)
		case delayed:
			t.readyAt = 0
			if t.wall {
				q.makeDelayedUntil(t, t.due)
			} else {
				q.makeDelayed(t, here(t.due))
			}
		default:
			waiting = append(waiting, t)
		}
	}
	q.placeWaiting(waiting, here, now)
	slices.SortStableFunc(buried, func(a, b *task) int { return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.id, b.id)) })
	for _, t := range buried {
		t.due = here(t.due)
		q.move(t, dead)
		q.dead.pushBack(t)
	}
	if q.dead.n > 0 && q.cfg.DeadFor > 0 {
		q.lookBy(now)
	}
}

// orOne is a time that is not 0, which has a meaning of its own.
func orOne(at int64) int64 { return cmp.Or(at, 1) }

// rank is the place of t among those that wait in its queue.
func (t *task) rank() int64 {
	if t.order != 0 {
		return t.order
	}
	return int64(t.id)
}

// waitsInLine reports whether t, when it is ready, stands in the line of its
// key.
func (t *task) waitsInLine() bool { return t.extra != nil && t.extra.line != nil && !t.extra.released }

// placeWaiting puts ready tasks into their lanes and lines, in their order.
func (q *Queue) placeWaiting(ts []*task, here func(int64) int64, now int64) {
	byRank := func(a, b *task) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.id, b.id))
	}
	if !slices.IsSortedFunc(ts, byRank) {
		slices.SortFunc(ts, byRank)
	}
	for _, t := range ts {
		q.firstOrder, q.lastOrder = min(q.firstOrder, t.order), max(q.lastOrder, t.order)
		if t.extra != nil && t.extra.line != nil && t.extra.released {
			t.extra.line.inLane++
		}
	}
	q.turnSuspects(ts)
	for _, t := range ts {
		q.move(t, ready)
		t.readyAt = orOne(here(t.readyAt))
		q.watchExpiry(t)
		if t.waitsInLine() {
			l := t.extra.line
			// The first of a key went to a lane as it was put; one that has to wait
			// for its rate again goes behind all others then.
			if l.waiting.n > 0 || t.attempt > 0 || !l.lets(now) {
				l.waiting.pushBack(t)
				q.blocked++
				continue
			}
			t.keepTurn()
			l.inLane++
		}
		q.enterBehind(t)
	}
	for _, t := range ts {
		if t.waitsInLine() && t.prev == nil {
			q.releaseLine(t.extra.line, now)
		}
	}
	for _, l := range q.lines {
		q.releaseLine(l, now) // has those looked at again that wait for their rate
	}
}

// turnSuspects turns the order of those suspects round that came back: the
// first of them is the next.
func (q *Queue) turnSuspects(ts []*task) {
	if q.cfg.LIFO {
		return
	}
	var at []int
	for i, t := range ts {
		if t.order < 0 && t.suspect() {
			at = append(at, i)
		}
	}
	for i, k := 0, len(at)-1; i < k; i, k = i+1, k-1 {
		ts[at[i]], ts[at[k]] = ts[at[k]], ts[at[i]]
	}
}

// enterBehind puts t into its lane, behind those that are there, with the order
// that it has.
func (q *Queue) enterBehind(t *task) {
	v := q.laneOf(t).level(t.priority)
	was := v.tasks.head
	v.tasks.pushBack(t)
	q.entered(t, v, was)
}

// ghost holds the leases that a client had when the master ended, until it has
// been silent for as long as a lease stands, or comes back and claims them; nil:
// those of the master itself.
func (q *Queue) ghost(c *Client) *hold {
	h := q.engine.NewHolder(nil, false)
	h.SetName("a client of the master before this one")
	if c == nil {
		h.SetName("the master before this one")
	}
	h.client = c
	h.gone.Store(true)
	k := &hold{holder: h, queue: q, expiry: never, closed: true}
	q.holds[k] = struct{}{}
	q.engine.left.add(k)
	return k
}

// loseOwn gives back what the master before this one held itself: it has ended.
func (q *Queue) loseOwn() {
	q.mu.Lock()
	now := q.engine.now()
	for k := range q.holds {
		if k.closed && k.holder.client == nil {
			q.loseAll(k, k.leases.all(), now)
			delete(q.holds, k)
			k.expiry = never
		}
	}
	if q.cfg.DeadFor > 0 || q.cfg.MaxDead > 0 {
		q.boundDead(now)
	}
	q.after(now)
	q.unlock()
}

// replant configures q anew, which nobody has used since the start: it grows
// again from what it has; nil: somebody has. Engine.mu is held.
func (e *Engine) replant(q *Queue, cfg reeve.QueueConfig) *Queue {
	q.mu.Lock()
	if q.claimed.Load() {
		q.mu.Unlock()
		return nil
	}
	now, wall := e.now(), e.wallNow().UnixNano()
	g := q.uproot(now, wall)
	q.mu.Unlock()
	g.cfg = cfg
	grown := e.grow(g, q.order, now, wall)
	q.mu.Lock()             // some still look at it
	q.results.forgetBlobs() // its own results have counted theirs
	q.mu.Unlock()
	e.queues = slices.Clone(e.queues)
	e.queues[slices.Index(e.queues, q)] = grown
	e.names[q.name], e.numbered[q.no] = grown, grown
	e.moves.Add(1) // who looks for a task has not seen those of q
	grown.mu.Lock()
	grown.noteQueue()
	grown.after(now)
	grown.unlock()
	return grown
}

// uproot takes all that q has out of it, which is of no use then.
func (q *Queue) uproot(now, wall int64) *plant {
	there := func(at int64) int64 { return wall + (at - now) } // the wall clock's time of a time of the engine
	g := newPlant(q.no)
	g.name, g.paused, g.reason, g.sent = q.name, q.gates.paused, q.gates.reason, q.sent
	g.said, g.pausedAt = q.said, q.pausedAt
	for key, u := range q.uniques.keys {
		if u.mode == reeve.UniqueForTime {
			r := record.Unique{Key: key, ID: u.id, Mode: u.mode}
			if u.end != nil {
				r.Until = there(q.uniques.ends.when(u.end))
			}
			g.uniques[key] = r
		}
	}
	for id, x := range q.results.ids {
		r := x.of
		g.results[id] = record.Result{
			ID: id, Type: r.Type, State: r.State, Payload: r.Payload, Reason: r.Reason, Error: r.Error,
			Attempts: r.Attempts, EndedAt: r.EndedAt, Until: there(q.results.ends.when(x)), Blobs: q.results.blobs[id],
		}
	}
	for t := range q.tasks.all() {
		t.kind = g.kindOf(t.kind.name)
		t.prev, t.next, t.level, t.heap, t.consumer = nil, nil, nil, -1, nil
		if x := t.extra; x != nil {
			x.line, x.released, x.expiry = nil, false, timed[*task]{}
			if x.expireAt != 0 && !x.expireWall {
				x.expireAt = there(x.expireAt)
			}
		}
		switch t.state {
		case dead:
			t.due = there(t.due)
		case ready:
			t.readyAt = there(t.readyAt)
		case delayed:
			if !t.wall {
				t.due = there(t.due)
			}
		case leased:
			t.readyAt = there(t.readyAt)
			g.clients[t.id] = t.hold.holder.client
			t.hold = nil
			if t.past != nil && t.past.extended != 0 {
				t.past.extended = there(t.past.extended)
			}
		}
	}
	for k := range q.holds {
		q.engine.left.remove(k)
	}
	g.tasks, q.tasks = q.tasks, table{}
	q.stopped, q.uprooted = true, true
	q.nextDue.Store(never)
	return g
}
