package queue

import (
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// manyTasks bounds the tasks that one reason names, manyLooked those that are
// looked at to find them.
const (
	manyTasks  = 16
	manyLooked = 4096
)

// Explain returns every reason for which a task is not running now.
// [reeve.ErrNoSuchTask].
func (e *Engine) Explain(id reeve.ID) (x reeve.Explanation, err error) {
	if !e.seek(func(q *Queue) (found bool) { x, found = q.explain(id); return found }) {
		return reeve.Explanation{}, noSuchTask(id)
	}
	return x, nil
}

func (q *Queue) explain(id reeve.ID) (reeve.Explanation, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.engine.now()
	x := explaining{q: q, now: now, Explanation: reeve.Explanation{ID: id, Queue: q.name, Now: q.engine.wallAt(now)}}
	t := q.tasks.get(id)
	if t == nil {
		r, kept := q.results.get(id, now)
		if kept {
			x.ended(&r)
		}
		return x.Explanation, kept
	}
	x.State = t.state.public()
	switch t.state {
	case leased:
		x.leased(t)
		return x.Explanation, true
	case dead:
		x.add(reeve.Reason{Code: reeve.ReasonDead, Text: "it is dead: " + t.past.fate.line() + "; revive it to have it run again"})
		return x.Explanation, true
	case delayed:
		x.delayed(t)
	}
	x.gates()
	x.kind(t)
	x.line(t)
	x.takers(t)
	x.order(t)
	return x.Explanation, true
}

// explaining gathers the reasons. The queue is locked.
type explaining struct {
	reeve.Explanation
	q   *Queue
	now int64
}

func (x *explaining) add(r reeve.Reason) { x.Reasons = append(x.Reasons, r) }

// in tells how long it is until a time of the engine.
func (x *explaining) in(at int64) string { return readable(time.Duration(at - x.now)) }

// readable rounds a time to what people want to know of it.
func readable(d time.Duration) string {
	switch {
	case d < time.Second:
		return max(d, 0).Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// count tells how many of something there are.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// ended is the reason of a task that is in no queue any more.
func (x *explaining) ended(r *reeve.Result) {
	x.State = r.State
	text := map[reeve.State]string{
		reeve.StateDone: "it is done", reeve.StateCancelled: "it was cancelled", reeve.StateExpired: "it has expired",
		reeve.StateDiscarded: "its handler discarded it", reeve.StatePurged: "it was purged",
	}[r.State]
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	x.add(reeve.Reason{Code: reeve.ReasonEnded, Text: text})
}

func (x *explaining) leased(t *task) {
	r := reeve.Reason{Code: reeve.ReasonLeased, Worker: t.hold.holder.name(), Tasks: []reeve.ID{t.id}}
	if t.parked() != nil {
		r.Code = reeve.ReasonResult
		r.Text = fmt.Sprintf("it has run on %s, and its result waits for room in queue %q", r.Worker, t.parked().park.queue.name)
		x.add(r)
		return
	}
	r.Text = fmt.Sprintf("it runs: attempt %d, on %s for %s", t.attempt, r.Worker, readable(time.Duration(x.now-t.leasedAt)))
	if end, ends := x.q.leaseEnd(t); ends {
		r.Until = x.q.engine.wallAt(end)
		if t.hold.closed {
			r.Text += fmt.Sprintf("; the worker is not connected, and if it does not come back the lease ends in %s", x.in(end))
		} else {
			r.Text += fmt.Sprintf("; if nothing more is heard of it, the lease ends in %s", x.in(end))
		}
	}
	x.add(r)
}

// leaseEnd is when the lease of t, which is leased, ends if nothing more is
// heard of its holder, if it ends at all then.
func (q *Queue) leaseEnd(t *task) (end int64, ends bool) {
	h := t.hold.holder
	if h.always {
		return 0, false
	}
	return q.lookAt(max(max(t.leasedAt, h.heard.Load())+q.silence(t.hold), t.extended())), true
}

func (x *explaining) delayed(t *task) {
	until := x.q.dueTime(t)
	left := readable(until.Sub(x.Now))
	r := reeve.Reason{Code: reeve.ReasonDelayed, Until: until, Text: "it is delayed, and due in " + left}
	if t.attempt > 0 {
		how, last := "did not succeed", reeve.AttemptRecord{}
		if h := t.history(); len(h) > 0 {
			last = h[len(h)-1]
		}
		switch last.Outcome {
		case "snoozed":
			r.Text = fmt.Sprintf("at attempt %d its handler asked to be called again later: in %s", t.attempt, left)
			x.add(r)
			return
		case "failed":
			how = "failed"
		case "timed_out":
			how = "timed out"
		}
		r.Code = reeve.ReasonBackoff
		r.Text = fmt.Sprintf("attempt %d %s", t.attempt, how)
		if why := firstLine(last.Error); why != "" {
			r.Text += " (" + why + ")"
		}
		r.Text += "; the next may begin in " + left
	}
	x.add(r)
}

// held names the leased tasks that is says, of which there are n, and tells
// that in its text: "held by task X on W and 3 more".
func (x *explaining) held(r *reeve.Reason, n int, is func(*task) bool) (by string) {
	looked := 0
holds:
	for k := range x.q.holds {
		for t := k.leases.head; t != nil; t = t.next {
			if is(t) {
				if r.Worker == "" {
					r.Worker = k.holder.name()
				}
				r.Tasks = append(r.Tasks, t.id)
			}
			if looked++; looked >= manyLooked || len(r.Tasks) >= manyTasks {
				break holds
			}
		}
	}
	if len(r.Tasks) == 0 {
		return ""
	}
	by = fmt.Sprintf("task %v on %s", r.Tasks[0], r.Worker)
	if n = max(n, len(r.Tasks)); n > 1 {
		by += fmt.Sprintf(" and %d more", n-1)
	}
	return by
}
