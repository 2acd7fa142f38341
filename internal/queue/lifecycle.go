package queue

import (
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
)

// tick does what is due: delays that are over, attempts that ran out of time,
// tasks that expired, holders that fell silent, limits that let something
// through again. It sets when to come again.
func (q *Queue) tick(now int64) {
	const most = 1024 // of each at a time, so that nobody waits long for the mutex
	wall := q.engine.wallNow().UnixNano()
	q.mu.Lock()
	if q.uprooted || q.deleted { // while the clock waited for the mutex
		q.mu.Unlock()
		return
	}
	for n := 0; n < most && len(q.due) > 0 && q.due[0].due <= now; n++ {
		t := q.due[0].t
		if t.state == delayed {
			q.arrive(t, now)
			continue
		}
		q.timeOut(t, now)
	}
	for n := 0; n < most && len(q.etas) > 0 && q.etas[0].due <= wall; n++ {
		q.arrive(q.etas[0].t, now)
	}
	q.expireTasks(now, wall, most)
	q.refill(now, most)
	if q.uniques.expire(now, most) > 0 {
		q.roomy = true
	}
	q.results.expire(now, most)
	if q.cfg.DeadFor > 0 {
		q.boundDead(now)
	}
	if q.silent <= now {
		q.silent = never
		for k := range q.holds {
			if k.expiry <= now {
				q.expireHold(k, now)
			}
			if k.closed && k.leases.n == 0 {
				q.forgetHold(k)
			}
			q.silent = min(q.silent, k.expiry)
		}
	}
	if q.look <= now {
		q.look = never
	}
	q.nextDue.Store(q.next(wall, now))
	q.after(now)
	over := q.idleOver(now)
	q.unlock()
	if over {
		q.engine.deleteIdle(q, now)
	}
}

// arrive makes t, whose delay is over, ready.
func (q *Queue) arrive(t *task, now int64) {
	q.unlist(t)
	t.readyAt = 0 // it could not be handed over meanwhile
	q.makeReady(t, now, asPut)
	q.noteStand(t) // its place is that of this moment
	q.emit(reeve.EventReady, t, "", "")
}

// next is when tick has something to do.
func (q *Queue) next(wall, now int64) int64 {
	next := min(q.silent, q.expire.next(), q.refills.next(), q.uniques.nextDue(), q.results.nextDue(), q.look)
	if len(q.due) > 0 {
		next = min(next, q.due[0].due)
	}
	byWall := q.expireW.next()
	if len(q.etas) > 0 {
		byWall = min(byWall, q.etas[0].due)
	}
	if byWall != never {
		next = min(next, now+min(max(byWall-wall, 0), lookEvery))
	}
	if t := q.dead.head; t != nil && q.cfg.DeadFor > 0 {
		next = min(next, t.due+int64(q.cfg.DeadFor))
	}
	return min(next, q.idleEnd())
}

// timeOut ends an attempt that ran out of time and that its worker did not end.
func (q *Queue) timeOut(t *task, now int64) {
	k, start := t.hold, t.leasedAt
	q.unlease(t, now)
	q.tellLost(k, t, reeve.ErrTimeout)
	q.giveBack(t, &NackOp{TimedOut: true, Error: reeve.ErrTimeout.Error()}, k.holder.name(), start, now)
}

// tellLost tells k's holder, unless it is gone, that its lease of t is over.
func (q *Queue) tellLost(k *hold, t *task, cause error) {
	if !k.closed && !t.untold {
		k.holder.sink.Lost(reeve.Token{Queue: q.name, ID: t.id, Attempt: t.attempt}, cause)
		q.tell(k)
	}
}

// expireHold takes back the leases of k whose holder was silent for too long, and
// sets when to look again.
func (q *Queue) expireHold(k *hold, now int64) {
	lease := q.silence(k)
	if k.leases.n == 0 {
		k.expiry = never
		return
	}
	heard := k.holder.heard.Load()
	if heard+lease > now { // alive: no lease can be over before this
		k.expiry = q.lookAt(heard + lease)
		return
	}
	next := int64(never)
	var over []*task
	for t := k.leases.head; t != nil; t = t.next {
		end := max(max(t.leasedAt, heard)+lease, t.extended())
		if end <= now {
			over = append(over, t)
		} else {
			next = min(next, q.lookAt(end))
		}
	}
	k.expiry = next
	q.loseAll(k, over, now)
}

// loseAll takes ts, in the order of their hand-over, from a holder that died or
// fell silent. When it had a suspect, that is to blame and the others are not.
func (q *Queue) loseAll(k *hold, ts []*task, now int64) {
	innocent := k.suspects > 0          // those that are not suspects
	for i := len(ts) - 1; i >= 0; i-- { // the last first: each goes to the front
		t := ts[i]
		start := t.leasedAt
		q.unlease(t, now)
		q.tellLost(k, t, reeve.ErrLeaseLost)
		q.lose(t, !innocent || t.suspect(), k.holder.name(), start, now)
	}
}

// release ends k: see Holder.Release.
func (q *Queue) release(k *hold, returned bool) {
	q.mu.Lock()
	now := q.engine.now()
	q.closeHold(k)
	ts := k.leases.all()
	if returned {
		for _, t := range slices.Backward(ts) { // the last first: each goes to the front
			q.returnTask(t, now)
		}
	} else {
		q.loseAll(k, ts, now)
	}
	delete(q.holds, k)
	k.expiry = never
	q.after(now)
	q.unlock()
}

// returnTask takes t from its holder, as one that it gives back unstarted.
func (q *Queue) returnTask(t *task, now int64) {
	worker, start := t.hold.holder.name(), t.leasedAt
	q.unlease(t, now)
	q.giveBack(t, &NackOp{Returned: true}, worker, start, now)
}

// leave ends k, but for its leases: see Holder.Leave.
func (q *Queue) leave(k *hold) {
	q.mu.Lock()
	q.closeHold(k)
	if k.leases.n == 0 {
		delete(q.holds, k)
	} else {
		q.engine.left.add(k)
	}
	q.dispatch(q.engine.now()) // what its slots counted for may be free
	q.unlock()
}

// allTakers are the lists of all profiles.
func (q *Queue) allTakers() []*takers {
	ls := make([]*takers, len(q.profiles), len(q.profiles)+1)
	for i, p := range q.profiles {
		ls[i] = &p.takers
	}
	return ls
}

// closeHold ends k's consumers and its requests that wait.
func (q *Queue) closeHold(k *hold) {
	k.closed = true
	for c := range k.consumers {
		q.dropConsumer(c)
	}
	for _, l := range append(q.allTakers(), &k.aside) {
		for t := l.head; t != nil; {
			next := t.next
			if t.hold == k {
				t.leave()
				if t.get != nil {
					q.leaveProfile(t.profile)
				}
			}
			t = next
		}
	}
	for p := q.parked.head; p != nil; {
		next := p.next
		if p.hold == k {
			q.unpark(p)
		}
		p = next
	}
	for i := len(q.joins) - 1; i >= 0; i-- {
		if q.joins[i].hold == k {
			q.dropJoin(q.joins[i])
		}
	}
	for range q.waits.takeOf(k) {
		// Nobody is there to be answered.
	}
	k.waiters = nil
}

// stop ends hand-overs and everything that waits.
func (q *Queue) stop() {
	q.mu.Lock()
	q.stopped = true
	for p := q.parked.head; p != nil; {
		next := p.next
		if p.put != nil {
			q.unpark(p)
			p.answer(reeve.ErrClosed)
		}
		p = next
	}
	q.endTakers(reeve.ErrClosed)
	q.endJoins(reeve.ErrClosed)
	q.endWaits(reeve.ErrClosed)
	q.roomy = false // until every queue is stopped: see admitResults
	q.unlock()
}

// admitResults lets in the Completes that wait for room in a stopped queue,
// whatever its bounds: nobody will ever make room, and their tasks are done.
func (q *Queue) admitResults() {
	q.mu.Lock()
	q.roomy = true
	q.unlock()
}

// Shutdown ends the queue for producers. Without immediate, what is there is
// still handed over; with it, it is dropped. Leases stand either way.
func (q *Queue) Shutdown(immediate bool) {
	q.mu.Lock()
	q.shutdown, q.idle = true, never
	refused := q.endParked(q.shutdownError())
	drop := immediate && !q.immediate
	if drop {
		q.immediate = true // nothing more is handed over
		q.endTakers(q.shutdownError())
	}
	q.after(q.engine.now())
	q.unlock()
	startTimers(refused)
	if drop {
		q.dropWaiting()
	}
}

func (q *Queue) shutdownError() error { return fmt.Errorf("%w: %q", reeve.ErrShutdown, q.name) }

// dropWaiting forgets every task that is ready or delayed, in chunks.
func (q *Queue) dropWaiting() {
	m, _ := newMatcher(&reeve.Filter{States: []reeve.State{reeve.StateReady, reeve.StateDelayed}}) // which is right
	q.each(m, func(t *task, now int64) {
		q.unlist(t)
		q.drop(t, now)
	})
}

// endParked answers all who wait for room with err, and returns the Completes
// among them, for startTimers.
func (q *Queue) endParked(err error) (refused []*completing) {
	for p := q.parked.head; p != nil; p = q.parked.head {
		q.unpark(p)
		p.answer(err)
		if p.complete != nil {
			refused = append(refused, p.complete)
		}
	}
	return refused
}

// endDrained answers the Gets that do not wait for tasks to come back.
func (q *Queue) endDrained() {
	var over []*taker
	for l := range q.takerLists() {
		for t := l.head; t != nil; t = t.next {
			if t.get != nil && t.get.Want.UntilEmpty {
				over = append(over, t)
			}
		}
	}
	for _, t := range over {
		t.leave()
		q.got(t, q.shutdownError())
	}
}

// endTakers tells all who wait for a task or, consumers, for a free slot that nothing more will come.
func (q *Queue) endTakers(err error) {
	for _, l := range q.allTakers() {
		for t := l.head; t != nil; t = l.head {
			t.leave()
			if t.get != nil {
				q.got(t, err)
			} else {
				q.endConsumer(t.consumer, err)
			}
		}
	}
	for k := range q.holds {
		for t := k.aside.head; t != nil; {
			next := t.next
			if t.get != nil {
				t.leave()
				q.got(t, err)
			}
			t = next
		}
		for c := range k.consumers {
			q.endConsumer(c, err)
		}
	}
}
