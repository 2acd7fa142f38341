package queue

import "github.com/reeveq/reeve"

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
		q.deliver(c, t)
	}
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
	t.claimable, t.untold = false, false
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
	q.noteLease(t)
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
