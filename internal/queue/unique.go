package queue

import (
	"github.com/reeveq/reeve"
)

// taken tells which task has the unique key of one that is to be put, if one
// has.
func (q *Queue) taken(t *reeve.Task, now int64) (id reeve.ID, taken bool) {
	if t.Rules == nil || t.Rules.Unique == "" {
		return 0, false
	}
	return q.uniques.find(t.Rules.Unique, now)
}

// duplicate answers p, which is one task, when its unique key is taken.
func (q *Queue) duplicate(p *putting) bool {
	if len(p.Tasks) != 1 || p.Tasks[0].Rules == nil {
		return false
	}
	id, taken := q.taken(&p.Tasks[0], q.engine.now())
	if taken {
		q.stats.duplicates++
		q.answerPut(p, 1, id, reeve.ErrDuplicate)
	}
	return taken
}

// claimUnique takes the unique key of a task that is put.
func (q *Queue) claimUnique(src *reeve.Task, id reeve.ID, now int64) {
	r := src.Rules
	if r == nil || r.Unique == "" {
		return
	}
	until := int64(never)
	if r.UniqueMode == reeve.UniqueForTime && r.UniqueFor > 0 {
		until = now + int64(r.UniqueFor)
		q.setDue(until)
	}
	q.uniques.claim(r.Unique, id, r.UniqueMode, until)
}

// startUnique gives the key of t back when its first attempt begins, if that
// is its end.
func (q *Queue) startUnique(t *task) {
	if t.extra != nil && t.extra.claimed && t.extra.mode == reeve.UniqueUntilStart {
		q.uniques.release(t.extra.unique, t.id)
		t.extra.claimed = false
	}
}

// endUnique gives the key of t back, which is done, dead or gone, unless it
// outlives the task.
func (q *Queue) endUnique(t *task) {
	if t.extra != nil && t.extra.claimed {
		q.uniques.release(t.extra.unique, t.id)
		t.extra.claimed = false
	}
}

// reclaimUnique takes the key of t, which comes back into a queue, if it is
// free.
func (q *Queue) reclaimUnique(t *task, now int64) {
	if t.extra == nil || t.extra.unique == "" || t.extra.claimed || t.extra.mode == reeve.UniqueForTime || t.attempt > 0 && t.extra.mode == reeve.UniqueUntilStart {
		return
	}
	if _, taken := q.uniques.find(t.extra.unique, now); !taken {
		q.uniques.claim(t.extra.unique, t.id, t.extra.mode, never)
		t.extra.claimed = true
	}
}
