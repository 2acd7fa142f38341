package queue

import (
	"fmt"
	"iter"
)

// check panics when the queue's structures disagree. It looks at everything,
// so only tests switch it on (verify). Called with the mutex held.
func (q *Queue) check() {
	if q.uprooted || q.deleted {
		return // there is nothing in order any more, and nobody looks
	}
	q.over = q.over && q.overLimits()
	var n [states]int
	kinds := map[*kind][states]int{}
	var bytes int64
	tasks, offered, blocked, low := 0, 0, 0, 0
	lines := map[*line][4]int{} // tasks, released, in a lane, waiting
	for t := range q.tasks.all() {
		tasks++
		id := t.id
		if q.tasks.get(id) != t {
			q.broken("task %v is not found under its id", id)
		}
		n[t.state]++
		of := kinds[t.kind]
		of[t.state]++
		kinds[t.kind] = of
		bytes += t.size()
		inDue := t.heap >= 0 && int(t.heap) < len(q.due) && q.due[t.heap].t == t
		inEtas := t.heap >= 0 && int(t.heap) < len(q.etas) && q.etas[t.heap].t == t
		switch {
		case t.state == absent:
			q.broken("task %v is in the table, but settled", id)
		case t.state == delayed && (inDue == inEtas || inEtas != t.wall):
			q.broken("task %v is delayed, in the heap %v, in that of the wall clock %v, wall %v", id, inDue, inEtas, t.wall)
		case (t.state == ready || t.state == dead) && (inDue || inEtas):
			q.broken("task %v is %v, but in a heap", id, t.state)
		case (t.state == leased) != (t.hold != nil):
			q.broken("task %v is %v with hold %v", id, t.state, t.hold)
		case t.claimable && t.state != ready:
			q.broken("task %v is claimable and %v", id, t.state)
		case q.kinds[t.kind.name] != t.kind:
			q.broken("the type of task %v is not known", id)
		case t.level != nil && t.state != ready:
			q.broken("task %v is %v and in a lane", id, t.state)
		case t.state == leased && t.consumer != nil && !t.consumer.gone() && q.low(t):
			low++
		}
		waits := t.state == ready || t.state == delayed
		if x := t.extra; x != nil && x.expiry.in() != (waits && x.expireAt != 0) {
			q.broken("task %v is %v, expires at %d, and waits for that %v", id, t.state, x.expireAt, x.expiry.in())
		}
		if t.extra != nil && t.extra.line != nil {
			l := t.extra.line
			of := lines[l]
			of[0]++
			switch {
			case t.state == dead:
				q.broken("task %v is dead and has its key", id)
			case t.state == leased && !t.extra.released:
				q.broken("task %v is leased, and its key did not let it", id)
			case t.level != nil && !t.extra.released:
				q.broken("task %v is in a lane, and its key did not let it", id)
			}
			if t.extra.released {
				of[1]++
			}
			if t.level != nil {
				of[2]++
			} else if t.state == ready {
				of[3]++
				blocked++
			}
			lines[l] = of
		} else if t.state == ready && t.level == nil {
			q.broken("task %v is ready and in no lane", id)
		}
		if t.level != nil {
			offered++
		}
	}
	if n != q.n {
		q.broken("states %v, counted %v", n, q.n)
	}
	for name, k := range q.kinds {
		if k.n != kinds[k] {
			q.broken("type %q has %v, counted %v", name, kinds[k], k.n)
		}
		if k.limit > 0 && k.n[leased] > k.limit && !q.stopped && !q.over {
			q.broken("type %q has %d leased of %d", name, k.n[leased], k.limit)
		}
	}
	if tasks != q.tasks.n {
		q.broken("%d tasks counted, %d there", q.tasks.n, tasks)
	}
	if bytes != q.bytes {
		q.broken("%d bytes counted, %d there", q.bytes, bytes)
	}
	if low != q.gates.lowLeased {
		q.broken("%d tasks of low priority in slots, %d there", q.gates.lowLeased, low)
	}
	if offered != q.offered || blocked != q.blocked {
		q.broken("%d in lanes, %d in lines counted, %d and %d there", q.offered, q.blocked, offered, blocked)
	}
	q.checkLines(lines)
	inLanes := q.checkLanes()
	if inLanes != offered {
		q.broken("%d tasks say that they are in lanes, %d are", offered, inLanes)
	}
	held, consumers, gets, free, noted := 0, 0, 0, 0, 0
	for l := range q.takerLists() {
		n := 0
		for t := l.head; t != nil; t = t.next {
			if n++; t.list != l || t.hold.closed {
				q.broken("a taker is in a list that it does not know, or its holder is gone")
			}
			if t.get != nil {
				gets++
				free += t.get.Max
			}
		}
		if n != l.n {
			q.broken("a list of takers counts %d, has %d", l.n, n)
		}
	}
	next := q.nextDue.Load()
	if len(q.due) > 0 && q.due[0].due < next || min(q.expire.next(), q.refills.next(), q.uniques.nextDue(), q.results.nextDue(), q.look) < next {
		q.broken("something is due before the clock looks")
	}
	for k := range q.holds {
		consumers += len(k.consumers)
		held += walk(q, &k.leases, leased)
		used, suspects := map[*Consumer]int{}, 0
		for t := k.leases.head; t != nil; t = t.next {
			if t.hold != k {
				q.broken("task %v is in the list of another holder", t.id)
			}
			if t.consumer != nil {
				used[t.consumer]++
			}
			if end := max(t.leasedAt+q.silence(k), t.extended()); !k.holder.always && k.expiry > q.lookAt(max(end, k.holder.heard.Load()+q.silence(k))) {
				q.broken("a lease ends before anybody looks at its holder")
			}
			if t.suspect() {
				suspects++
			}
		}
		if suspects != k.suspects {
			q.broken("a holder has %d suspects and counts %d", suspects, k.suspects)
		}
		for c := range k.consumers {
			if c.used != used[c] {
				q.broken("a consumer has %d tasks and counts %d", used[c], c.used)
			}
			free += max(0, c.slots-c.used)
			if listed := c.taker.list != nil; listed != (c.used < c.slots) && c.group == nil {
				q.broken("a consumer with %d of %d slots used, listed %v", c.used, c.slots, listed)
			}
		}
		for tag, w := range k.waiters {
			if !q.stillWaits(w) {
				q.broken("request %d is noted as waiting, and does not", tag)
			}
			noted++
		}
		if k.expiry < q.silent || k.expiry < next {
			q.broken("a holder's silence ends before the clock looks")
		}
	}
	if consumers != q.consumers || gets != q.gets || free != q.freeSlots {
		q.broken("%d consumers, %d gets, %d free slots counted; there are %d, %d, %d", q.consumers, q.gets, q.freeSlots, consumers, gets, free)
	}
	waits := q.waits.len()
	if noted > gets+q.parked.n+len(q.joins)+waits {
		q.broken("%d requests noted as waiting, of %d", noted, gets+q.parked.n+len(q.joins)+waits)
	}
	if held != n[leased] {
		q.broken("%d tasks leased, %d in holders' lists", n[leased], held)
	}
	if walk(q, &q.dead, dead) != n[dead] {
		q.broken("lists and states disagree")
	}
	if !q.stopped && !q.over && q.n[leased] > q.cfg.Concurrency && q.cfg.Concurrency > 0 {
		q.broken("%d leased of %d", q.n[leased], q.cfg.Concurrency)
	}
	q.checkDispatched()
}

// overLimits reports whether more tasks run than may.
func (q *Queue) overLimits() bool {
	over := q.cfg.Concurrency > 0 && q.n[leased] > q.cfg.Concurrency
	for _, k := range q.kinds {
		over = over || k.limit > 0 && k.n[leased] > k.limit
	}
	for _, l := range q.lines {
		over = over || q.cfg.KeyConcurrency > 0 && l.released > q.cfg.KeyConcurrency
	}
	return over
}

// checkLines compares what the keys count with what there is.
func (q *Queue) checkLines(found map[*line][4]int) {
	var kept int64
	for key, l := range q.lines {
		if c := [4]int{l.tasks, l.released, l.inLane, l.waiting.n}; c != found[l] {
			q.broken("key %q counts %v, has %v", key, c, found[l])
		}
		walk(q, &l.waiting, ready)
		if l.kept {
			kept += lineCost(key)
		}
		if l.kept != (l.tasks == 0) {
			q.broken("key %q has %d tasks, and is kept without any: %v", key, l.tasks, l.kept)
		}
		if q.cfg.KeyConcurrency > 0 && l.released > q.cfg.KeyConcurrency && !q.over {
			q.broken("key %q lets %d run", key, l.released)
		}
		if l.tasks == 0 && !l.refill.in() {
			q.broken("key %q is kept for nothing", key)
		}
		if l.waiting.n > 0 && !l.refill.in() && l.inLane == 0 && (q.cfg.KeyConcurrency < 0 || l.released < q.cfg.KeyConcurrency) {
			q.broken("key %q could let a task run and does not", key)
		}
	}
	if kept != q.lineBytes {
		q.broken("%d bytes of keys counted, %d there", q.lineBytes, kept)
	}
	for l := range found {
		if q.lines[l.key] != l {
			q.broken("key %q is not known", l.key)
		}
	}
}

// checkLanes checks the order of the lanes, and returns how many tasks are in
// them.
func (q *Queue) checkLanes() int {
	total := 0
	for l := range q.lanes {
		n := 0
		for i, v := range l.levels {
			if v.at != i || v.lane != l {
				q.broken("a level is not in its place")
			}
			n += walk(q, &v.tasks, ready)
			for t := v.tasks.head; t != nil; t = t.next {
				if t.level != v || t.priority != v.priority || t.kind != l.kind {
					q.broken("task %v is in the lane of others", t.id)
				}
			}
			if up := l.levels[(i-1+btoi(i == 0))/2]; i > 0 && v.tasks.head != nil && (up.tasks.head == nil || q.before(v.tasks.head, up.tasks.head)) {
				q.broken("a level stands behind one that is after it")
			}
		}
		if n != l.n {
			q.broken("a lane counts %d, has %d", l.n, n)
		}
		total += n
		for _, s := range l.seats {
			if gives := l.n > 0 && !l.kind.blocked; gives != (s.at >= 0) {
				q.broken("a lane with %d tasks is in a profile: %v", l.n, s.at >= 0)
			}
		}
	}
	for i, p := range q.able {
		if p.at != i+1 {
			q.broken("a profile is not in its place")
		}
	}
	for _, p := range q.profiles {
		filled := 0
		for c := range p.seats {
			filled += len(p.seats[c])
		}
		if able := filled > 0 && p.takers.head != nil; filled != p.filled || able != (p.at > 0) {
			q.broken("a profile with %d lanes and %d takers counts %d, and is able: %v", filled, p.takers.n, p.filled, p.at > 0)
		}
		for c := range p.seats {
			for i, s := range p.seats[c] {
				if s.at != i || s.profile != p || s.lane.key.class != class(c) {
					q.broken("a lane is not in its place in a profile")
				}
				if up := p.seats[c][(i-1+btoi(i == 0))/2]; i > 0 && q.before(s.lane.head(), up.lane.head()) {
					q.broken("a lane stands behind one that is after it")
				}
			}
		}
	}
	return total
}

// checkDispatched panics when there is a task and somebody who can take it, but
// for what the clock is about to see to at this very moment.
func (q *Queue) checkDispatched() {
	now := q.engine.now()
	if q.stopped || q.immediate || q.shut(now) || q.nextDue.Load() <= now {
		return
	}
	for _, p := range q.profiles {
		for k := p.takers.head; k != nil; k = k.next {
			if t := q.choose(p, k); t != nil && (k.consumer == nil || k.consumer.group == nil) && !q.tooLate(t, now) {
				q.broken("task %v is ready and somebody could take it", t.id)
			}
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (q *Queue) stillWaits(w waiter) bool {
	switch w := w.(type) {
	case *taker:
		return w.list != nil
	case *JoinOp:
		return w.at < len(q.joins) && q.joins[w.at] == w
	case *wait:
		return w.listed
	case *parking:
		return w.listed
	}
	return false
}

// takerLists are all lists a taker may stand in.
func (q *Queue) takerLists() iter.Seq[*takers] {
	return func(yield func(*takers) bool) {
		for _, p := range q.profiles {
			if !yield(&p.takers) {
				return
			}
		}
		for k := range q.holds {
			if !yield(&k.aside) {
				return
			}
		}
	}
}

func walk(q *Queue, l *taskList, s state) int {
	n := 0
	for t := l.head; t != nil; t = t.next {
		if t.state != s {
			q.broken("task %v in the list of %v is %v", t.id, s, t.state)
		}
		n++
	}
	if n != l.n {
		q.broken("list of %v counts %d, has %d", s, l.n, n)
	}
	return n
}

func (q *Queue) broken(format string, args ...any) {
	panic("queue: " + q.name + ": " + fmt.Sprintf(format, args...))
}
