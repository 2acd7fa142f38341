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
func (e *Engine) Explain(id reeve.ID) (reeve.Explanation, error) {
	for _, q := range e.all() {
		if x, ok := q.explain(id); ok {
			return x, nil
		}
	}
	return reeve.Explanation{}, noSuchTask(id)
}

func (q *Queue) explain(id reeve.ID) (reeve.Explanation, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.engine.now()
	x := explaining{q: q, now: now, Explanation: reeve.Explanation{ID: id, Queue: q.name, Now: q.engine.wallAt(now)}}
	t := q.tasks.get(id)
	if t == nil {
		r, kept := q.results.get(id, now)
		if !kept {
			return x.Explanation, false
		}
		x.State = r.State
		text := fmt.Sprintf("it is %v", r.State)
		if r.Reason != "" {
			text += ": " + r.Reason
		}
		x.add(reeve.Reason{Code: reeve.ReasonEnded, Text: text})
		return x.Explanation, true
	}
	x.State = t.state.public()
	switch t.state {
	case leased:
		x.leased(t)
		return x.Explanation, true
	case dead:
		x.add(reeve.Reason{Code: reeve.ReasonDead, Text: "it is dead: " + t.x.fate.line() + "; revive it to have it run again"})
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
	case d < 10*time.Second:
		return max(d, 0).Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

func (x *explaining) leased(t *task) {
	q := x.q
	r := reeve.Reason{Code: reeve.ReasonLeased, Worker: t.hold.holder.name(), Tasks: []reeve.ID{t.id}}
	if t.x != nil && t.x.result != nil {
		r.Code = reeve.ReasonResult
		r.Text = fmt.Sprintf("it has run on %s, and its result waits for room in queue %q", r.Worker, t.x.result.park.queue.name)
		x.add(r)
		return
	}
	r.Text = fmt.Sprintf("it runs: attempt %d, on %s for %s", t.attempt, r.Worker, readable(time.Duration(x.now-t.leasedAt)))
	if !t.hold.holder.always {
		end := max(max(t.leasedAt, t.hold.holder.heard.Load())+q.silence(t.hold), t.extended())
		r.Until = q.engine.wallAt(end)
		r.Text += fmt.Sprintf("; if nothing more is heard of it, the lease ends in %s", x.in(end))
	}
	x.add(r)
}

func (x *explaining) delayed(t *task) {
	until := x.q.dueTime(t)
	left := readable(until.Sub(x.Now))
	r := reeve.Reason{Code: reeve.ReasonDelayed, Until: until, Text: "it is delayed, and due in " + left}
	switch h := t.history(); {
	case len(h) == 0:
	case h[len(h)-1].Outcome == "snoozed":
		r.Text = fmt.Sprintf("its handler asked to be called again later, at attempt %d: in %s", t.attempt, left)
	default:
		r.Code = reeve.ReasonBackoff
		r.Text = fmt.Sprintf("attempt %d %s; the next may begin in %s", t.attempt, h[len(h)-1].Outcome, left)
	}
	x.add(r)
}

// gates are the reasons that hold up the whole queue.
func (x *explaining) gates() {
	q, g := x.q, &x.q.gates
	if q.stopped {
		x.add(reeve.Reason{Code: reeve.ReasonStopped, Text: "the master is stopping"})
	}
	if g.paused {
		text := fmt.Sprintf("queue %q is paused", q.name)
		if g.reason != "" {
			text += ": " + g.reason
		}
		x.add(reeve.Reason{Code: reeve.ReasonPaused, Text: text})
	}
	if len(q.cfg.Windows) > 0 && q.outside(x.now) {
		opens := q.opens(x.Now)
		x.add(reeve.Reason{Code: reeve.ReasonWindow, Until: opens, Text: fmt.Sprintf("queue %q is closed at this time of day, and opens in %s", q.name, readable(opens.Sub(x.Now)))})
	}
	if n := q.cfg.Concurrency; n > 0 && q.n[leased] >= n {
		r := reeve.Reason{Code: reeve.ReasonConcurrency, Have: q.n[leased], Limit: n, Text: fmt.Sprintf("the concurrency of queue %q is used up: %d of %d", q.name, q.n[leased], n)}
		x.held(&r, func(*task) bool { return true })
		x.add(r)
	}
	if !q.cfg.Rate.IsZero() && !g.tokens.ready(x.now) {
		next := g.tokens.next(x.now)
		x.add(reeve.Reason{Code: reeve.ReasonRate, Until: q.engine.wallAt(next), Limit: q.cfg.Rate.Tasks, Text: fmt.Sprintf("the rate of queue %q, %v, lets the next task go in %s", q.name, q.cfg.Rate, x.in(next))})
	}
}

func (x *explaining) kind(t *task) {
	k := t.kind
	if !k.full() {
		return
	}
	r := reeve.Reason{Code: reeve.ReasonTypeConcurrency, Have: k.n[leased], Limit: k.limit, Text: fmt.Sprintf("the concurrency of type %q is used up: %d of %d", k.name, k.n[leased], k.limit)}
	x.held(&r, func(o *task) bool { return o.kind == k })
	x.add(r)
}

// held names the leased tasks that is says.
func (x *explaining) held(r *reeve.Reason, is func(*task) bool) {
	looked := 0
	for k := range x.q.holds {
		for t := k.leases.head; t != nil; t = t.next {
			if is(t) {
				if r.Worker == "" {
					r.Worker = k.holder.name()
				}
				r.Tasks = append(r.Tasks, t.id)
			}
			if looked++; looked >= manyLooked || len(r.Tasks) >= manyTasks {
				return
			}
		}
	}
}

func (x *explaining) line(t *task) {
	if t.x == nil || t.x.line == nil || t.x.released || t.state != ready {
		return
	}
	q, l := x.q, t.x.line
	before := 0
	for o := t.prev; o != nil && before < manyLooked; o = o.prev {
		before++
	}
	if before > 0 || l.released > 0 {
		r := reeve.Reason{Code: reeve.ReasonKey, Have: l.released, Limit: max(q.cfg.KeyConcurrency, 0)}
		x.held(&r, func(o *task) bool { return o.x != nil && o.x.line == l })
		switch {
		case len(r.Tasks) > 0:
			r.Text = fmt.Sprintf("key %q is held by task %v on %s", l.key, r.Tasks[0], r.Worker)
		case l.released > 0:
			x.retrying(&r, l)
		default:
			r.Text = fmt.Sprintf("others of key %q come first", l.key)
		}
		if before > 0 {
			r.Text += fmt.Sprintf("; %d before it wait for the key, too", before)
		}
		x.add(r)
	}
	if !q.cfg.KeyRate.IsZero() && !l.tokens.ready(x.now) {
		next := l.tokens.next(x.now)
		x.add(reeve.Reason{Code: reeve.ReasonKeyRate, Until: q.engine.wallAt(next), Limit: q.cfg.KeyRate.Tasks, Text: fmt.Sprintf("the rate of key %q, %v, lets its next task go in %s", l.key, q.cfg.KeyRate, x.in(next))})
	}
}

// retrying names the task that holds its key although it is not leased.
func (x *explaining) retrying(r *reeve.Reason, l *line) {
	r.Text = fmt.Sprintf("another task of key %q goes first", l.key)
	for i, o := range x.q.due {
		if i == manyLooked {
			return
		}
		if o.state == delayed && o.x != nil && o.x.line == l && o.x.released {
			r.Tasks = append(r.Tasks, o.id)
			r.Until = x.q.engine.wallAt(o.due)
			r.Text = fmt.Sprintf("key %q is held by task %v, which is tried again in %s", l.key, o.id, x.in(o.due))
			return
		}
	}
}

// takers are the reasons that lie in who could take the task.
func (x *explaining) takers(t *task) {
	q := x.q
	var users, byType, fit, free, freeForLow int
	innocent := false // somebody who could take it has no suspect
	l := lane{kind: t.kind}
	if t.x != nil {
		l.labels = t.x.labels
	}
	for _, p := range q.profiles {
		users += p.users
		if _, ok := p.types[t.kind.name]; !ok && p.want.Types != nil {
			continue
		}
		byType += p.users
		if !l.suits(&p.want, p.types) {
			continue
		}
		fit += p.users
		free += p.takers.n
		for k := p.takers.head; k != nil && !innocent; k = k.next {
			innocent = k.hold.suspects == 0
		}
		for k := p.takers.head; k != nil && freeForLow == 0; k = k.next {
			if k.get != nil || q.lowMay() {
				freeForLow++
			}
		}
	}
	switch {
	case users == 0:
		x.add(reeve.Reason{Code: reeve.ReasonNoWorker, Text: fmt.Sprintf("no worker takes tasks from queue %q", q.name)})
	case byType == 0:
		x.add(reeve.Reason{Code: reeve.ReasonNoHandler, Text: fmt.Sprintf("no worker with a handler for type %q is connected", t.kind.name)})
	case fit == 0:
		x.add(reeve.Reason{Code: reeve.ReasonLabels, Text: fmt.Sprintf("no worker for type %q has the labels %q", t.kind.name, l.labels)})
	case free == 0 && t.state == ready:
		slots, used := q.slotsFor(&l)
		r := reeve.Reason{Code: reeve.ReasonBusy, Have: used, Limit: slots, Text: fmt.Sprintf("all workers that could take it are busy: %d of %d slots are used", used, slots)}
		x.held(&r, func(*task) bool { return true })
		x.add(r)
	case q.low(t) && freeForLow == 0:
		x.add(reeve.Reason{Code: reeve.ReasonReserve, Have: q.gates.lowLeased, Limit: max(0, q.gates.slots-q.cfg.Reserve.Slots), Text: fmt.Sprintf("the free slots are reserved for priority %d and above", q.cfg.Reserve.Priority)})
	case t.suspect() && t.state == ready && !innocent:
		x.add(reeve.Reason{Code: reeve.ReasonSuspect, Text: fmt.Sprintf("its workers were lost %d times: it waits for one that holds no other such task", t.counts().Lost)})
	}
}

// slotsFor are the slots, and the used ones, of the consumers that could take
// tasks of l.
func (q *Queue) slotsFor(l *lane) (slots, used int) {
	for k := range q.holds {
		for c := range k.consumers {
			if l.suits(&c.taker.profile.want, c.taker.profile.types) {
				slots += c.slots
				used += c.used
			}
		}
	}
	return slots, used
}

// order tells how many go before t in its lane.
func (x *explaining) order(t *task) {
	if t.level == nil {
		return
	}
	before := 0
	for _, v := range t.level.lane.levels {
		if v.priority > t.priority {
			before += v.tasks.n
		}
	}
	walked := 0
	for o := t.prev; o != nil && walked < manyLooked; o = o.prev {
		walked++
	}
	before += walked
	if before == 0 {
		return
	}
	least := ""
	if walked == manyLooked {
		least = "at least "
	}
	x.add(reeve.Reason{Code: reeve.ReasonOrder, Have: before, Text: fmt.Sprintf("%s%d tasks go before it", least, before)})
}

// history are the attempts at t that did not succeed.
func (t *task) history() []reeve.AttemptRecord {
	if t.x == nil {
		return nil
	}
	return t.x.history
}
