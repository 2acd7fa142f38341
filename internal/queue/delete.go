package queue

import (
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
)

// deletedReason is how the tasks end that are in a queue when it is deleted.
const deletedReason = "its queue was deleted"

// Delete ends the queue name, for good: its tasks, dead letters, results and
// keys are gone, its leases are lost, and whatever waits in it ends with
// [reeve.ErrNoSuchQueue], but for Waits for the ends of its tasks, which are
// purged. Who has it by a pointer finds nothing in it, and what it is asked for
// ends in the same way. A queue of the name may be declared again at once: it is
// another one.
//
// Without force a queue that has tasks, dead ones included, is left alone:
// [reeve.ErrNotEmpty]. [reeve.ErrNoSuchQueue], [reeve.ErrClosed].
func (e *Engine) Delete(name string, force bool) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return reeve.ErrClosed
	}
	q, ok := e.names[name]
	if !ok {
		known := e.known
		e.mu.Unlock()
		return &reeve.NoSuchQueueError{Name: name, Known: known}
	}
	q.mu.Lock()
	if n := q.tasks.n; n > 0 && !force {
		err := fmt.Errorf("%w: %q has %d, of which %d are leased and %d dead", reeve.ErrNotEmpty, name, n, q.n[leased], q.n[dead])
		q.mu.Unlock()
		e.mu.Unlock()
		return err
	}
	e.remove(q)
	e.mu.Unlock()
	e.finishDelete(q, "")
	return nil
}

// Deletes is how many queues were deleted since the start, and how many of them
// because nobody used them.
func (e *Engine) Deletes() (all, idle uint64) { return e.deletes.Load(), e.idled.Load() }

// remove makes q unknown, and records that. Both mutexes are held; finishDelete
// is next.
func (e *Engine) remove(q *Queue) {
	if s := q.changes(); s != nil {
		s.recs = record.AppendDelete(s.recs, &record.Delete{Queue: q.no})
		s.synced = true // whatever became of tasks before: it is gone for good
		if q.sent {
			e.senders[q.no] = struct{}{}
		}
	}
	delete(e.names, q.name)
	delete(e.numbered, q.no)
	i := slices.Index(e.queues, q)
	e.known = slices.Delete(slices.Clone(e.known), i, i+1)
	e.queues = slices.Delete(slices.Clone(e.queues), i, i+1)
	q.deleted, q.stopped = true, true
}

// finishDelete ends what there is in q, whose mutex is held and is given up.
// why, if it is not empty, is told to who follows the queue's events.
func (e *Engine) finishDelete(q *Queue, why string) {
	e.deletes.Add(1)
	now := e.now()
	gone := q.goneError()
	refused := q.endParked(gone)
	q.endTakers(gone)
	q.endJoins(gone)
	q.purgeWaits()
	late := q.clearTasks(now)
	q.emit(reeve.EventDeleted, nil, "", why)
	q.roomy = false
	q.nextDue.Store(never)
	holds := make([]*hold, 0, len(q.holds))
	for k := range q.holds {
		e.left.remove(k)
		holds = append(holds, k)
	}
	q.unlock()
	startTimers(refused) // their tasks are in other queues, and stand
	for _, c := range late {
		c.end()
	}
	// The holders must know of it until the last of them was told what it was
	// about to be told, or was released.
	e.After(func(error) {
		for _, k := range holds {
			k.holder.forget(k)
		}
	})
}

// purgeWaits answers those who wait for the ends of tasks.
func (q *Queue) purgeWaits() {
	for w := range q.waits.takeAll() {
		if t := q.tasks.get(w.op.ID); t != nil {
			q.answerWait(w, q.outcome(t, reeve.StatePurged, deletedReason, nil), nil)
		} else {
			q.answerWait(w, reeve.Result{}, noSuchTask(w.op.ID))
		}
	}
}

// clearTasks takes all tasks out of the queue, and tells their holders. It
// returns the Completes that wait for room in other queues.
func (q *Queue) clearTasks(now int64) (late []*completing) {
	for t := range q.tasks.all() {
		if c := t.parked(); c != nil {
			late = append(late, c)
		}
		if t.state == leased {
			k := t.hold
			q.unlease(t, now)
			q.tellLost(k, t, reeve.ErrLeaseLost)
		}
		q.leavePayload(t)
		if q.engine.log != nil {
			q.engine.cleaner.freed.Add(t.size())
		}
		t.state, t.claimable = absent, false
	}
	q.forgetBlobs()
	q.tasks, q.n = table{}, [states]int{}
	q.bytes, q.results, q.uniques = 0, results{}, uniques{}
	return late
}

// goneError is why a queue that was deleted does nothing more.
func (q *Queue) goneError() error {
	return fmt.Errorf("%w: %q was deleted", reeve.ErrNoSuchQueue, q.name)
}

// stoppedError is why a stopped queue hands out nothing more.
func (q *Queue) stoppedError() error {
	if q.deleted {
		return q.goneError()
	}
	return reeve.ErrClosed
}

// forget gives up what h has in a queue that is deleted.
func (h *Holder) forget(k *hold) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holds[k.queue] == k {
		delete(h.holds, k.queue)
	}
}
