package queue

import "time"

// A queue with an IdleTTL is deleted when nobody has used it for that long. It
// is in use as long as there is anything in it (tasks, results, unique keys) or
// anybody waits for something of it (consumers, requests); and each request, but
// for those that only look, begins the time anew.

// busy reports whether the queue is in use.
func (q *Queue) busy() bool {
	return q.tasks.n > 0 || q.results.len() > 0 || q.uniques.len() > 0 || q.lineBytes > 0 ||
		q.consumers+q.gets > 0 || q.parked.n > 0 || len(q.joins) > 0 || q.waits.len() > 0
}

// watchIdle notes since when nobody uses the queue.
func (q *Queue) watchIdle(now int64) {
	switch {
	case q.busy():
		q.idle = never
	case q.idle == never:
		q.idle = now
		if end := q.idleEnd(); end != never {
			q.setDue(end)
		}
	}
}

// touch notes a use that leaves nothing behind.
func (q *Queue) touch() {
	q.mu.Lock()
	q.idle = never
	q.unlock()
}

// idleEnd is when the queue will have been idle for long enough; never: it is
// not idle, or it stays.
func (q *Queue) idleEnd() int64 {
	if q.cfg.IdleTTL == 0 || q.idle == never || q.stopped {
		return never
	}
	return q.idle + int64(q.cfg.IdleTTL)
}

// idleOver reports whether nobody has used the queue for long enough.
func (q *Queue) idleOver(now int64) bool { return q.idleEnd() <= now && !q.busy() }

// deleteIdle deletes q, unless somebody has used it meanwhile.
func (e *Engine) deleteIdle(q *Queue, now int64) {
	e.mu.Lock()
	q.mu.Lock()
	if e.closed || q.uprooted || q.deleted || !q.idleOver(now) {
		q.mu.Unlock()
		e.mu.Unlock()
		return
	}
	e.remove(q)
	e.mu.Unlock()
	idle := time.Duration(now - q.idle)
	e.finishDelete(q, "nobody used it for "+q.cfg.IdleTTL.String())
	e.idled.Add(1)
	if log := e.cfg.Logger; log != nil {
		log.Info("queue deleted: nobody used it", "queue", q.name, "idle", idle)
	}
}
