package queue

import (
	"fmt"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// takers are the reasons that lie in who could take the task.
func (x *explaining) takers(t *task) {
	q := x.q
	var users, byType, fit, free, freeForLow int
	innocent := false // somebody who could take it has no suspect
	l := lane{kind: t.kind}
	if t.extra != nil {
		l.labels = t.extra.labelNames()
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
	ofType := fmt.Sprintf("tasks of type %q", t.kind.name)
	if t.kind.name == "" {
		ofType = "tasks without a type"
	}
	switch {
	case users == 0:
		x.add(reeve.Reason{Code: reeve.ReasonNoWorker, Text: fmt.Sprintf("no worker takes tasks from queue %q: start one", q.name)})
	case byType == 0:
		x.add(reeve.Reason{Code: reeve.ReasonNoHandler, Text: fmt.Sprintf("no worker of queue %q has a handler for %s: start one that has", q.name, ofType)})
	case fit == 0:
		x.add(reeve.Reason{Code: reeve.ReasonLabels, Text: fmt.Sprintf("no worker for %s has all the labels it asks for (%s): start one that has", ofType, strings.Join(l.labels, ", "))})
	case free == 0 && t.state == ready:
		x.add(x.busy(&l))
	case q.low(t) && freeForLow == 0:
		r := reeve.Reason{Code: reeve.ReasonReserve, Have: q.gates.lowLeased, Limit: max(0, q.gates.slots-q.cfg.Reserve.Slots)}
		r.Text = fmt.Sprintf("its priority is %d, and the free slots are reserved for %d and above: tasks below have %d of %s", t.priority, q.cfg.Reserve.Priority, r.Have, count(r.Limit, "slot", "slots"))
		x.add(r)
	case t.suspect() && t.state == ready && !innocent:
		x.add(reeve.Reason{Code: reeve.ReasonSuspect, Text: fmt.Sprintf("workers were lost with it %d times, so it waits for one that holds no other such task", t.counts().Lost)})
	}
}

// busy tells why nobody has a slot for tasks of l, although there are takers.
func (x *explaining) busy(l *lane) reeve.Reason {
	var slots, used, open int
	heard := time.Duration(-1) // the shortest silence of those that nothing is heard of
	for k := range x.q.holds {
		for w := k.aside.head; w != nil; w = w.next {
			if l.suits(&w.profile.want, w.profile.types) && (heard < 0 || k.holder.Heard() < heard) {
				heard = k.holder.Heard()
			}
		}
		for c := range k.consumers {
			if !l.suits(&c.taker.profile.want, c.taker.profile.types) {
				continue
			}
			if c.taker.list != &k.aside && c.slots > 0 {
				open++
			}
			slots += c.slots
			if c.group != nil { // its slots are used in other queues, too
				used += min(int(c.group.used.Load()), c.slots)
			} else {
				used += c.used
			}
		}
	}
	r := reeve.Reason{Code: reeve.ReasonBusy, Have: used, Limit: slots}
	switch {
	case open == 0 && heard >= 0:
		r.Code = reeve.ReasonNoWorker
		r.Text = fmt.Sprintf("nothing was heard for %s or longer of the workers that could take it", readable(heard))
	case open == 0:
		r.Text = "the workers that could take it take no tasks now: they are draining, or were told to run none"
	default:
		r.Text = fmt.Sprintf("all workers that could take it are busy: %d of %s used", used, count(slots, "slot is", "slots are"))
		by := x.held(&r, used, func(o *task) bool {
			return o.consumer != nil && l.suits(&o.consumer.taker.profile.want, o.consumer.taker.profile.types)
		})
		if by != "" {
			r.Text += ", by " + by
		}
	}
	return r
}

// order tells how many go before t among those that the same takers can take.
func (x *explaining) order(t *task) {
	if t.level == nil {
		return
	}
	before, looked := 0, 0
	for l := range x.q.lanes {
		if looked++; looked > manyLooked {
			break
		}
		if l != t.level.lane && !l.rivals(t.level.lane) {
			continue
		}
		for _, v := range l.levels {
			if looked++; looked > manyLooked {
				break
			}
			before += x.ahead(v, t, &looked)
		}
	}
	if before == 0 {
		return
	}
	text := count(before, "task goes", "tasks go") + " before it"
	if looked > manyLooked {
		text = "at least " + text
	}
	x.add(reeve.Reason{Code: reeve.ReasonOrder, Have: before, Text: text})
}

// ahead counts the tasks of v that go before t.
func (x *explaining) ahead(v *level, t *task, looked *int) int {
	if x.q.cfg.Ageing == 0 && v.priority != t.priority {
		if v.priority > t.priority {
			return v.tasks.n
		}
		return 0
	}
	n, o := 0, v.tasks.head
	if v == t.level { // from t to the head: the list says who goes first
		o = t.prev
	}
	for o != nil && *looked <= manyLooked {
		*looked++
		if v == t.level {
			n, o = n+1, o.prev
			continue
		}
		if !x.q.before(o, t) {
			break
		}
		n, o = n+1, o.next
	}
	return n
}

// rivals reports whether somebody takes tasks of both lanes.
func (l *lane) rivals(o *lane) bool {
	for _, a := range l.seats {
		for _, b := range o.seats {
			if a.profile == b.profile && a.profile.users > 0 {
				return true
			}
		}
	}
	return false
}
