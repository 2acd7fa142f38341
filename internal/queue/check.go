package queue

import (
	"fmt"
	"iter"
)

// check panics when the queue's structures disagree. It looks at everything,
// so only tests switch it on (verify). Called with the mutex held.
func (q *Queue) check() {
	var n [5]int
	var bytes int64
	tasks := 0
	for t := range q.tasks.all() {
		tasks++
		id := t.id
		if q.tasks.get(id) != t {
			q.broken("task %v is not found under its id", id)
		}
		n[t.state]++
		bytes += t.size()
		inHeap := t.heap >= 0 && int(t.heap) < len(q.due) && q.due[t.heap] == t
		switch {
		case t.state == absent:
			q.broken("task %v is in the table, but settled", id)
		case t.state == delayed && !inHeap:
			q.broken("task %v is delayed, but not in the heap", id)
		case (t.state == ready || t.state == dead) && inHeap:
			q.broken("task %v is %v, but in the heap", id, t.state)
		case (t.state == leased) != (t.hold != nil):
			q.broken("task %v is %v with hold %v", id, t.state, t.hold)
		case t.claimable && t.state != ready:
			q.broken("task %v is claimable and %v", id, t.state)
		}
	}
	if q.ready.n+q.suspects.n != n[ready] || q.delayedN != n[delayed] || q.leasedN != n[leased] || q.dead.n != n[dead] {
		q.broken("counts %d+%d %d %d %d, states %v", q.ready.n, q.suspects.n, q.delayedN, q.leasedN, q.dead.n, n)
	}
	if tasks != q.tasks.n {
		q.broken("%d tasks counted, %d there", q.tasks.n, tasks)
	}
	if bytes != q.bytes {
		q.broken("%d bytes counted, %d there", q.bytes, bytes)
	}
	held, consumers, gets, free, noted := 0, 0, 0, 0, 0
	for l := range q.takerLists() {
		n := 0
		for t := l.head; t != nil; t = t.next {
			if n++; t.list != l || t.hold.closed {
				q.broken("a taker is in a list that it does not know, or its holder is gone")
			}
			if t.get != nil {
				gets++
				free += t.get.Max
			}
		}
		if n != l.n {
			q.broken("a list of takers counts %d, has %d", l.n, n)
		}
	}
	next := q.nextDue.Load()
	if len(q.due) > 0 && q.due[0].due < next {
		q.broken("something is due before the clock looks")
	}
	for k := range q.holds {
		consumers += len(k.consumers)
		held += walk(q, &k.leases, leased)
		used, suspects := map[*Consumer]int{}, 0
		for t := k.leases.head; t != nil; t = t.next {
			if t.hold != k {
				q.broken("task %v is in the list of another holder", t.id)
			}
			if t.consumer != nil {
				used[t.consumer]++
			}
			if end := max(t.leasedAt+q.silence(k), t.keep); !k.holder.always && k.expiry > q.lookAt(max(end, k.holder.heard.Load()+q.silence(k))) {
				q.broken("a lease ends before anybody looks at its holder")
			}
			if t.suspect() {
				suspects++
			}
		}
		if suspects != k.suspects {
			q.broken("a holder has %d suspects and counts %d", suspects, k.suspects)
		}
		for c := range k.consumers {
			if c.used != used[c] {
				q.broken("a consumer has %d tasks and counts %d", used[c], c.used)
			}
			free += max(0, c.slots-c.used)
			if listed := c.taker.list != nil; listed != (c.used < c.slots) {
				q.broken("a consumer with %d of %d slots used, listed %v", c.used, c.slots, listed)
			}
		}
		for tag, w := range k.waiters {
			if !q.stillWaits(w) {
				q.broken("request %d is noted as waiting, and does not", tag)
			}
			noted++
		}
		if k.expiry < q.silent || k.expiry < next {
			q.broken("a holder's silence ends before the clock looks")
		}
	}
	if consumers != q.consumers || gets != q.gets || free != q.freeSlots {
		q.broken("%d consumers, %d gets, %d free slots counted; there are %d, %d, %d", q.consumers, q.gets, q.freeSlots, consumers, gets, free)
	}
	if noted > gets+q.parked.n+len(q.joins) {
		q.broken("%d requests noted as waiting, of %d", noted, gets+q.parked.n+len(q.joins))
	}
	if held != n[leased] {
		q.broken("%d tasks leased, %d in holders' lists", n[leased], held)
	}
	if walk(q, &q.ready, ready)+walk(q, &q.suspects, ready) != n[ready] || walk(q, &q.dead, dead) != n[dead] {
		q.broken("lists and states disagree")
	}
	if q.takers.head != nil && q.ready.n > 0 && !q.stopped {
		q.broken("%d ready tasks and %d who could take them", q.ready.n, q.takers.n)
	}
}

func (q *Queue) stillWaits(w waiter) bool {
	switch w := w.(type) {
	case *taker:
		return w.list != nil
	case *JoinOp:
		return w.at < len(q.joins) && q.joins[w.at] == w
	case *parking:
		return w.listed
	}
	return false
}

// takerLists are all lists a taker may stand in.
func (q *Queue) takerLists() iter.Seq[*takers] {
	return func(yield func(*takers) bool) {
		if !yield(&q.takers) {
			return
		}
		for k := range q.holds {
			if !yield(&k.aside) {
				return
			}
		}
	}
}

func walk(q *Queue, l *taskList, s state) int {
	n := 0
	for t := l.head; t != nil; t = t.next {
		if t.state != s {
			q.broken("task %v in the list of %v is %v", t.id, s, t.state)
		}
		n++
	}
	if n != l.n {
		q.broken("list of %v counts %d, has %d", s, l.n, n)
	}
	return n
}

func (q *Queue) broken(format string, args ...any) {
	panic("queue: " + q.name + ": " + fmt.Sprintf(format, args...))
}
