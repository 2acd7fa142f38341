package queue

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

// Task returns what is known of a task, with its whole payload.
// [reeve.ErrNoSuchTask].
func (e *Engine) Task(id reeve.ID) (i reeve.TaskInfo, err error) {
	var in *Queue
	if !e.seek(func(q *Queue) (found bool) { in = q; i, found = q.taskInfo(id); return found }) {
		return reeve.TaskInfo{}, noSuchTask(id)
	}
	one := []reeve.TaskInfo{i}
	err = in.fill(one, reeve.NoLimit)
	return one[0], err
}

func (q *Queue) taskInfo(id reeve.ID) (reeve.TaskInfo, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t := q.tasks.get(id); t != nil {
		return q.info(t, reeve.NoLimit), true
	}
	r, kept := q.results.get(id, q.engine.now())
	if !kept {
		return reeve.TaskInfo{}, false
	}
	return reeve.TaskInfo{
		Task:  reeve.Task{ID: r.ID, Type: r.Type, Attempt: r.Attempts},
		Queue: r.Queue, State: r.State, Reason: r.Reason, Error: r.Error, EndedAt: r.EndedAt, Since: r.EndedAt,
	}, true
}

// info is what is known of t, with at most payload bytes of its payload;
// NoLimit: all.
func (q *Queue) info(t *task, payload int) reeve.TaskInfo {
	i := reeve.TaskInfo{Task: q.delivery(t), Queue: q.name, State: t.state.public(), Size: int(t.length)}
	if payload != reeve.NoLimit && len(i.Payload) > payload {
		i.Payload = i.Payload[:payload:payload]
	}
	switch t.state {
	case ready:
		i.Since = q.engine.wallAt(t.readyAt)
	case delayed:
		i.Due = q.dueTime(t)
	case leased:
		i.Since = q.engine.wallAt(t.leasedAt)
		i.Worker = t.hold.holder.name()
		if end, ends := q.leaseEnd(t); ends {
			i.LeaseUntil = q.engine.wallAt(end)
		}
		if d := q.timeout(t); d > 0 {
			i.TimeoutAt = q.engine.wallAt(t.leasedAt + d)
		}
	}
	if t.state == delayed && t.wall {
		i.Rules = &reeve.Rules{At: i.Due}
	}
	if t.extra != nil && t.extra.asked {
		i.Rules = q.rules(t)
	}
	p := t.past
	if p == nil {
		return i
	}
	i.Counts, i.Error, i.Stack = p.counts, p.fate.err, t.stack()
	i.History = slices.Clone(p.history)
	i.Progress = p.progress
	if t.state == dead {
		i.Reason = p.fate.line()
		i.EndedAt = time.Unix(0, p.fate.diedAt)
		i.Since = i.EndedAt
	}
	return i
}

// rules are what the put of t asked for, as far as it still holds.
func (q *Queue) rules(t *task) *reeve.Rules {
	x := t.extra
	r := &reeve.Rules{
		Attempts: int(x.attempts), Key: x.key,
		Unique: x.unique, UniqueMode: x.mode, Labels: x.labelNames(), KeepResult: time.Duration(x.keep),
		Blobs: x.blobs,
	}
	if x.backoff != nil {
		r.Backoff = *x.backoff
	}
	switch {
	case x.expireAt == 0:
	case x.expireWall:
		r.ExpireAt = time.Unix(0, x.expireAt)
	default:
		r.ExpireAt = q.engine.wallAt(x.expireAt)
	}
	if t.state == delayed && t.wall {
		r.At = time.Unix(0, t.due)
	}
	return r
}

// dueTime is when t, which is delayed, becomes ready.
func (q *Queue) dueTime(t *task) time.Time {
	if t.wall {
		return time.Unix(0, t.due)
	}
	return q.engine.wallAt(t.due)
}

// List returns a page of the tasks that f means, in the order of their ids.
func (q *Queue) List(f *reeve.Filter, o reeve.ListOptions) (reeve.Page, error) {
	const look = 64 * chunk // tasks a page looks at, so that it comes soon
	o.Max = cmp.Or(o.Max, 100)
	if o.Max < 1 || o.Max > reeve.MaxBatch || o.Payload < reeve.NoLimit {
		return reeve.Page{}, fmt.Errorf("%w: a page of %d tasks with %d bytes of each payload, want 1 to %d tasks", reeve.ErrInvalid, o.Max, o.Payload, reeve.MaxBatch)
	}
	m, err := newMatcher(f)
	if err != nil {
		return reeve.Page{}, err
	}
	var page reeve.Page
	after, looked := o.After, 0
	for more := true; more; {
		more = false
		q.mu.Lock()
		for t := range q.candidates(m, after) {
			if len(page.Tasks) == o.Max || looked >= look {
				page.Next = after
				break
			}
			after = t.id
			if q.means(m, t) {
				page.Tasks = append(page.Tasks, q.info(t, o.Payload))
			}
			if looked++; looked%chunk == 0 {
				more = true
				break
			}
		}
		q.mu.Unlock()
	}
	return page, q.fill(page.Tasks, o.Payload)
}
