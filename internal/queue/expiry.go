package queue

import "github.com/reeveq/reeve"

// watchExpiry has t, which begins to wait, expire in time.
func (q *Queue) watchExpiry(t *task) {
	x := t.extra
	if x == nil || x.expireAt == 0 || x.expiry.in() {
		return
	}
	x.expiry.of = t
	if x.expireWall {
		q.expireW.add(&x.expiry, x.expireAt)
		q.lookAtWall(x.expireAt)
		return
	}
	q.expire.add(&x.expiry, x.expireAt)
	q.setDue(x.expireAt)
}

// forgetExpiry ends that: t does not wait any more.
func (q *Queue) forgetExpiry(t *task) {
	if t.extra == nil || !t.extra.expiry.in() {
		return
	}
	if t.extra.expireWall {
		q.expireW.remove(&t.extra.expiry)
	} else {
		q.expire.remove(&t.extra.expiry)
	}
}

// tooLate reports whether no attempt at t may begin any more.
func (q *Queue) tooLate(t *task, now int64) bool {
	if t.extra == nil || t.extra.expireAt == 0 {
		return false
	}
	if t.extra.expireWall {
		return t.extra.expireAt <= q.engine.wallNow().UnixNano()
	}
	return t.extra.expireAt <= now
}

// expireTask ends t, which waits and whose time is over.
func (q *Queue) expireTask(t *task, now int64) {
	reason := "no attempt had begun in time"
	if t.attempt > 0 {
		reason = "no further attempt had begun in time"
	}
	q.unlist(t)
	q.stats.expired++
	q.emit(reeve.EventExpired, t, "", reason)
	q.end(t, reeve.StateExpired, reason, nil, now)
}

// expireTasks ends the tasks that expired by now, up to most.
func (q *Queue) expireTasks(now, wall int64, most int) {
	for ; most > 0 && q.expire.next() <= now; most-- {
		q.expireTask(q.expire.head().of, now)
	}
	for ; most > 0 && q.expireW.next() <= wall; most-- {
		q.expireTask(q.expireW.head().of, now)
	}
}

// lookAtWall has the wall clock looked at when it is to show at, in Unix
// nanoseconds, and before that often enough to notice that it was set.
func (q *Queue) lookAtWall(at int64) {
	left := at - q.engine.wallNow().UnixNano()
	q.lookBy(q.engine.now() + min(max(left, 0), lookEvery))
}
