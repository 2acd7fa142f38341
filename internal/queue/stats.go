package queue

import (
	"time"

	"github.com/reeveq/reeve"
)

// Stats returns the queue's numbers; all are counted as things happen.
func (q *Queue) Stats() reeve.QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := reeve.QueueStats{
		Name:        q.name,
		Ready:       q.ready.n + q.suspects.n,
		Delayed:     q.delayedN,
		Leased:      q.leasedN,
		Dead:        q.dead.n,
		Bytes:       q.bytes,
		MaxLen:      q.cfg.MaxLen,
		MaxBytes:    q.maxBytes(),
		WaitingPuts: q.parked.n,
		Consumers:   q.consumers + q.gets,
		FreeSlots:   q.freeSlots,
		Shutdown:    q.shutdown,
		Put:         q.stats.put,
		Done:        q.stats.done,
		Redelivered: q.stats.redelivered,
		Failed:      q.stats.failed,
		TimedOut:    q.stats.timedOut,
		Lost:        q.stats.lost,
		Returned:    q.stats.returned,
		Buried:      q.stats.buried,
		Refused:     q.stats.refused,
		Dropped:     q.stats.dropped,
		LateAcks:    q.stats.lateAcks,
	}
	if t := q.oldestReady(); t != nil {
		s.OldestReady = time.Duration(q.engine.now() - t.readyAt)
	}
	return s
}

func (q *Queue) oldestReady() *task {
	a, b := q.ready.head, q.suspects.head
	if a == nil || b != nil && b.readyAt < a.readyAt {
		return b
	}
	return a
}

// Dead returns up to max dead tasks, oldest first, after the first skip ones.
func (q *Queue) Dead(skip, max int) []reeve.DeadTask {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []reeve.DeadTask
	for t := q.dead.head; t != nil && len(out) < max; t = t.next {
		if skip > 0 {
			skip--
			continue
		}
		out = append(out, reeve.DeadTask{
			Task:   t.delivery(),
			Reason: t.fate.line(),
			Error:  t.fate.err,
			Stack:  t.fate.stack,
			Counts: t.counts,
			DiedAt: t.fate.diedAt,
		})
	}
	return out
}
