package queue

import (
	"time"

	"github.com/reeveq/reeve"
)

// Stats returns the queue's numbers; all are counted as things happen.
func (q *Queue) Stats() reeve.QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := &q.stats
	now := q.engine.now()
	s := reeve.QueueStats{
		Name:        q.name,
		Ready:       q.n[ready],
		Delayed:     q.n[delayed],
		Leased:      q.n[leased],
		Dead:        q.n[dead],
		Bytes:       q.used(),
		MaxLen:      q.cfg.MaxLen,
		MaxBytes:    q.maxBytes(),
		WaitingPuts: q.parked.n,
		Consumers:   q.consumers + q.gets,
		FreeSlots:   q.freeSlots,
		Shutdown:    q.shutdown,
		Put:         c.put,
		Done:        c.done,
		Redelivered: c.redelivered,
		Failed:      c.failed,
		TimedOut:    c.timedOut,
		Lost:        c.lost,
		Returned:    c.returned,
		Buried:      c.buried,
		Refused:     c.refused,
		Dropped:     c.dropped,
		LateAcks:    c.lateAcks,

		Snoozed:    c.snoozed,
		Skipped:    c.skipped,
		Discarded:  c.discarded,
		Cancelled:  c.cancelled,
		Expired:    c.expired,
		Duplicates: c.duplicates,
		Revived:    c.revived,
		Purged:     c.purged,
		MovedIn:    c.movedIn,
		MovedOut:   c.movedOut,

		Paused:      q.gates.paused,
		PauseReason: q.gates.reason,
		Closed:      len(q.cfg.Windows) > 0 && q.outside(now),
		Held:        q.heldBy(now),
		Blocked:     q.blocked,
		Keys:        len(q.lines),
		Uniques:     q.uniques.len(),

		Results:      q.results.len(),
		ResultBytes:  q.results.bytes(),
		ResultsEarly: q.results.early,

		Wait: c.wait.export(),
		Run:  c.run.export(),
	}
	var oldest *task
	if oldest, s.NoWorker = q.survey(); oldest != nil {
		s.OldestReady = time.Duration(now - oldest.readyAt)
	}
	return s
}

// survey finds the task that has stood ready longest, of the next ones of all
// lanes and priorities, and counts the tasks that nobody takes; of very many
// lanes and priorities it looks at some.
func (q *Queue) survey() (oldest *task, noWorker int) {
	const most = 1024
	looked := 0
	for l := range q.lanes {
		if l.n > 0 && !l.wanted() {
			noWorker += l.n
		}
		for _, v := range l.levels {
			if t := v.tasks.head; t != nil && (oldest == nil || t.readyAt < oldest.readyAt) {
				oldest = t
			}
			if t := v.tasks.tail; q.cfg.LIFO && t != nil && t.readyAt < oldest.readyAt {
				oldest = t
			}
			if looked++; looked >= most {
				return oldest, noWorker
			}
		}
	}
	return oldest, noWorker
}

// wanted reports whether there is anybody who takes the lane's tasks.
func (l *lane) wanted() bool {
	for _, s := range l.seats {
		if s.profile.users > 0 {
			return true
		}
	}
	return false
}

// Dead returns up to max dead tasks, oldest first, after the first skip ones.
func (q *Queue) Dead(skip, max int) ([]reeve.DeadTask, error) {
	out := q.listDead(skip, max)
	for i := range out {
		if t := &out[i].Task; t.Payload == nil {
			payload, err := q.payloadOf(t.ID)
			if err != nil {
				return nil, err
			}
			t.Payload = payload
		}
	}
	return out, nil
}

func (q *Queue) listDead(skip, max int) []reeve.DeadTask {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []reeve.DeadTask
	for t := q.dead.head; t != nil && len(out) < max; t = t.next {
		if skip > 0 {
			skip--
			continue
		}
		f := &t.past.fate
		out = append(out, reeve.DeadTask{
			Task:   q.delivery(t),
			Reason: f.line(),
			Error:  f.err,
			Stack:  t.stack(),
			Counts: t.past.counts,
			DiedAt: time.Unix(0, f.diedAt),
		})
	}
	return out
}
