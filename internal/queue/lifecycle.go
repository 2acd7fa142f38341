package queue

import "github.com/reeveq/reeve"

// tick does what is due: delays that are over, attempts that ran out of time,
// holders that fell silent. It sets when to come again.
func (q *Queue) tick(now int64) {
	const most = 1024 // tasks at a time, so that nobody waits long for the mutex
	q.mu.Lock()
	for n := 0; n < most && len(q.due) > 0 && q.due[0].due <= now; n++ {
		t := q.due[0]
		if t.state == delayed {
			q.unlist(t)
			q.makeReady(t, now, false)
			continue
		}
		q.timeOut(t, now)
	}
	next := int64(never)
	if len(q.due) > 0 {
		next = q.due[0].due
	}
	if q.silent <= now {
		q.silent = never
		for k := range q.holds {
			if k.expiry <= now {
				q.expire(k, now)
			}
			if k.closed && k.leases.n == 0 {
				delete(q.holds, k)
			}
			q.silent = min(q.silent, k.expiry)
		}
	}
	q.nextDue.Store(min(next, q.silent))
	q.after(now)
	q.unlock()
}

// timeOut ends an attempt that ran out of time and that its worker did not end.
func (q *Queue) timeOut(t *task, now int64) {
	k := t.hold
	q.unlease(t)
	q.tellLost(k, t, reeve.ErrTimeout)
	q.giveBack(t, &NackOp{TimedOut: true, Error: reeve.ErrTimeout.Error()}, now)
}

// tellLost tells k's holder, unless it is gone, that its lease of t is over.
func (q *Queue) tellLost(k *hold, t *task, cause error) {
	if !k.closed {
		k.holder.sink.Lost(reeve.Token{Queue: q.name, ID: t.id, Attempt: t.attempt}, cause)
		q.tell(k)
	}
}

// expire takes back the leases of k whose holder was silent for too long, and
// sets when to look again.
func (q *Queue) expire(k *hold, now int64) {
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
		end := max(max(t.leasedAt, heard)+lease, t.keep)
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
		q.unlease(t)
		q.tellLost(k, t, reeve.ErrLeaseLost)
		q.lose(t, !innocent || t.suspect(), now)
	}
}

// release ends k: see Holder.Release.
func (q *Queue) release(k *hold, returned bool) {
	q.mu.Lock()
	now := q.engine.now()
	q.closeHold(k)
	ts := make([]*task, 0, k.leases.n)
	for t := k.leases.head; t != nil; t = t.next {
		ts = append(ts, t)
	}
	if returned {
		for i := len(ts) - 1; i >= 0; i-- {
			q.unlease(ts[i])
			q.giveBack(ts[i], &NackOp{Returned: true}, now)
		}
	} else {
		q.loseAll(k, ts, now)
	}
	delete(q.holds, k)
	k.expiry = never
	q.after(now)
	q.unlock()
}

// leave ends k, but for its leases: see Holder.Leave.
func (q *Queue) leave(k *hold) {
	q.mu.Lock()
	q.closeHold(k)
	if k.leases.n == 0 {
		delete(q.holds, k)
	}
	q.unlock()
}

// closeHold ends k's consumers and its requests that wait.
func (q *Queue) closeHold(k *hold) {
	k.closed = true
	for c := range k.consumers {
		q.dropConsumer(c)
	}
	for _, l := range []*takers{&q.takers, &k.aside} {
		for t := l.head; t != nil; {
			next := t.next
			if t.hold == k {
				t.leave()
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
	q.shutdown = true
	refused := q.endParked(q.shutdownError())
	if immediate && !q.immediate {
		q.immediate = true
		q.dropWaiting()
		q.endTakers(q.shutdownError())
	}
	q.after(q.engine.now())
	q.unlock()
	startTimers(refused)
}

// dropWaiting forgets every task that is ready or delayed.
func (q *Queue) dropWaiting() {
	for t := range q.tasks.all() {
		if t.state == ready || t.state == delayed {
			q.unlist(t)
			q.forget(t)
			q.stats.dropped++
		}
	}
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

// endTakers tells all who wait for a task or, consumers, for a free slot that nothing more will come.
func (q *Queue) endTakers(err error) {
	for t := q.takers.head; t != nil; t = q.takers.head {
		if t.get != nil {
			t.leave()
			q.got(t, nil, err)
		} else {
			q.endConsumer(t.consumer, err)
		}
	}
	for k := range q.holds {
		for t := k.aside.head; t != nil; {
			next := t.next
			if t.get != nil {
				t.leave()
				q.got(t, nil, err)
			}
			t = next
		}
		for c := range k.consumers {
			q.endConsumer(c, err)
		}
	}
}
