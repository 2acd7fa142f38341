package queue

import (
	"fmt"
	"strings"

	"github.com/reeveq/reeve"
)

// gates are the reasons that hold up the whole queue.
func (x *explaining) gates() {
	q, g := x.q, &x.q.gates
	if q.stopped {
		x.add(reeve.Reason{Code: reeve.ReasonStopped, Text: "the master is stopping, and hands nothing over any more"})
	}
	if g.paused {
		text := fmt.Sprintf("queue %q is paused, until it is resumed", q.name)
		if g.reason != "" {
			text += ": " + g.reason
		}
		x.add(reeve.Reason{Code: reeve.ReasonPaused, Text: text})
	}
	if len(q.cfg.Windows) > 0 && q.outside(x.now) {
		opens := q.opens(x.Now)
		var times []string
		for _, w := range q.cfg.Windows {
			times = append(times, w.String())
		}
		x.add(reeve.Reason{Code: reeve.ReasonWindow, Until: opens, Text: fmt.Sprintf("queue %q is open at %s only, and opens in %s", q.name, strings.Join(times, " and "), readable(opens.Sub(x.Now)))})
	}
	if most := q.cfg.Concurrency; most > 0 && q.n[leased] >= most {
		r := reeve.Reason{Code: reeve.ReasonConcurrency, Have: q.n[leased], Limit: most}
		by := x.held(&r, r.Have, func(*task) bool { return true })
		r.Text = fmt.Sprintf("the concurrency of queue %q is used up: %d of %d, by %s", q.name, r.Have, most, by)
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
	r := reeve.Reason{Code: reeve.ReasonTypeConcurrency, Have: k.n[leased], Limit: k.limit}
	by := x.held(&r, r.Have, func(o *task) bool { return o.kind == k })
	if by == "" {
		by = "others"
	}
	r.Text = fmt.Sprintf("the concurrency of type %q in queue %q is used up: %d of %d, by %s", k.name, x.q.name, r.Have, k.limit, by)
	x.add(r)
}

// line are the reasons that lie in the task's key.
func (x *explaining) line(t *task) {
	if t.extra == nil || t.extra.line == nil || t.extra.released || t.state != ready {
		return
	}
	q, l := x.q, t.extra.line
	rated := !q.cfg.KeyRate.IsZero()
	before := 0
	for o := t.prev; o != nil && before < manyLooked; o = o.prev {
		before++
	}
	full := q.cfg.KeyConcurrency != reeve.NoLimit && l.released >= q.cfg.KeyConcurrency
	if before > 0 || full || l.inLane > 0 {
		x.key(l, before, full)
	}
	if rated && !l.tokens.ready(x.now) {
		next := l.tokens.next(x.now)
		x.add(reeve.Reason{Code: reeve.ReasonKeyRate, Until: q.engine.wallAt(next), Limit: q.cfg.KeyRate.Tasks, Text: fmt.Sprintf("the rate of key %q, %v, lets its next task go in %s", l.key, q.cfg.KeyRate, x.in(next))})
	}
}

// key tells who comes before a task that stands in the line of its key behind
// before others. full: as many as may are on their way.
func (x *explaining) key(l *line, before int, full bool) {
	r := reeve.Reason{Code: reeve.ReasonKey, Have: l.released, Limit: max(x.q.cfg.KeyConcurrency, 0)}
	var texts []string
	if full || before == 0 {
		if by := x.held(&r, 0, func(o *task) bool { return o.extra != nil && o.extra.line == l }); by != "" {
			texts = append(texts, fmt.Sprintf("key %q is held by %s", l.key, by))
		} else {
			texts = append(texts, x.onItsWay(&r, l))
		}
	}
	switch {
	case before >= manyLooked:
		texts = append(texts, fmt.Sprintf("at least %d tasks wait for key %q before it", before, l.key))
	case before > 0:
		texts = append(texts, fmt.Sprintf("%s for key %q before it", count(before, "task waits", "tasks wait"), l.key))
	}
	r.Text = strings.Join(texts, "; ")
	x.add(r)
}

// onItsWay names the task that holds its key although it is not leased: it
// waits for its next attempt, or for its hand-over.
func (x *explaining) onItsWay(r *reeve.Reason, l *line) string {
	looked := 0
	for i := range x.q.due {
		o := x.q.due[i].t
		if o.state == delayed && o.extra != nil && o.extra.line == l && o.extra.released {
			r.Tasks = append(r.Tasks, o.id)
			r.Until = x.q.engine.wallAt(o.due)
			return fmt.Sprintf("key %q is held by task %v, which is tried again in %s", l.key, o.id, x.in(o.due))
		}
		if looked++; looked == manyLooked {
			break
		}
	}
	looked = 0
	for lane := range x.q.lanes {
		for _, v := range lane.levels {
			for o := v.tasks.head; o != nil; o = o.next {
				if o.extra != nil && o.extra.line == l {
					r.Tasks = append(r.Tasks, o.id)
					return fmt.Sprintf("key %q is held by task %v, which is to be handed over first", l.key, o.id)
				}
				if looked++; looked >= manyLooked {
					return fmt.Sprintf("another task of key %q goes first", l.key)
				}
			}
		}
	}
	return fmt.Sprintf("another task of key %q goes first", l.key)
}
