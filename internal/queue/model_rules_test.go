package queue_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// What follows says, apart from the engine, which task may go to whom.

// stream names the tasks among which t's place is that of its put.
func (t *mTask) stream() string {
	return fmt.Sprintf("%s/%d/%s", t.typ, t.priority, strings.Join(t.labels, ","))
}

// later is a task of t's stream that was put after t and waits; nil: none.
func (m *model) later(t *mTask) *mTask {
	for _, u := range m.tasks {
		if u != t && u.q == t.q && u.state == queued && u.plain && u.key == "" && u.id > t.id && u.stream() == t.stream() {
			return u
		}
	}
	return nil
}

// suits reports whether one with these wishes may have t.
func suits(t *mTask, want *reeve.GetOptions) bool {
	if want.Types != nil && !slices.Contains(want.Types, t.typ) {
		return false
	}
	for _, l := range t.labels {
		if !slices.Contains(want.Labels, l) {
			return false
		}
	}
	return true
}

// leasedOf counts the leases of q that is says.
func (m *model) leasedOf(q *mQueue, is func(*mTask) bool) int {
	n := 0
	for _, t := range m.tasks {
		if t.q == q && t.state == leased && is(t) {
			n++
		}
	}
	return n
}

// crowded reports whether the limits of the queue and of t's type are reached.
func (m *model) crowded(t *mTask) bool {
	return t.q.cfg.Concurrency > 0 && m.leasedOf(t.q, func(*mTask) bool { return true }) >= t.q.cfg.Concurrency || m.typeFull(t)
}

func (m *model) typeFull(t *mTask) bool {
	most := t.q.cfg.TypeConcurrency[t.typ]
	return most > 0 && m.leasedOf(t.q, func(u *mTask) bool { return u.typ == t.typ }) >= most
}

// lowFull reports whether no consumer of q may take a task of low priority.
func (m *model) lowFull(q *mQueue) bool {
	if q.cfg.Reserve.Slots == 0 {
		return false
	}
	slots := 0
	for _, c := range m.clients {
		for _, k := range c.consumers {
			if k.q == q && !k.over && !c.gone {
				slots += k.slots
			}
		}
	}
	low := m.leasedOf(q, func(t *mTask) bool {
		return t.consumer != nil && !t.consumer.over && t.priority < q.cfg.Reserve.Priority
	})
	return low >= slots-q.cfg.Reserve.Slots
}

// holders is how many other tasks of t's key it lets run.
func (m *model) holders(t *mTask) int {
	n := 0
	for _, u := range m.tasks {
		if u != t && u.q == t.q && u.key == t.key && u.holds {
			n++
		}
	}
	return n
}

// allowed checks that t, which is handed over, may be.
func (m *model) allowed(t *mTask, to *mConsumer, want reeve.GetOptions, at time.Duration) {
	q := t.q
	switch {
	case !suits(t, &want):
		m.fail("task %d of %q with labels %q went to one who wants %+v", t.n, t.typ, t.labels, want)
	case q.paused:
		m.fail("task %d of a paused queue was handed over", t.n)
	case m.crowded(t):
		m.fail("task %d was handed over beyond a limit", t.n)
	case t.expire != 0 && t.expire <= at:
		m.fail("task %d was handed over at %v, after it expired", t.n, at)
	case to != nil && t.priority < q.cfg.Reserve.Priority && m.lowFull(q):
		m.fail("task %d took a slot that is reserved", t.n)
	}
	if t.plain && t.key == "" && q.cfg.LIFO {
		if u := m.later(t); u != nil {
			m.fail("task %d was handed over before task %d, which was put after it", t.n, u.n)
		}
	}
	if most := q.cfg.KeyConcurrency; t.key != "" && most != reeve.NoLimit && m.holders(t) >= most {
		m.fail("task %d was handed over beside others of key %s", t.n, t.key)
	}
	for _, u := range m.tasks {
		if u == t || u.q != q || u.state != queued || !u.plain {
			continue
		}
		switch {
		case t.key != "" && u.key == t.key && q.cfg.KeyConcurrency == 1 && t.plain && u.id < t.id && u.id != 0 && t.id != 0:
			m.fail("task %d was handed over before task %d of its key", t.n, u.n)
		case u.key == "" && u.priority > t.priority && q.cfg.Ageing == 0 && suits(u, &want) && !m.typeFull(u):
			m.fail("task %d of priority %d was handed over before task %d of %d", t.n, t.priority, u.n, u.priority)
		}
	}
	if rate := q.cfg.Rate; !rate.IsZero() {
		q.starts = append(q.starts, at)
		for i, from := range q.starts {
			if n := len(q.starts) - i; float64(n) > float64(rate.Burst)+float64(at-from)/rate.Interval()+1e-6 {
				m.fail("%d tasks of %s were handed over in %v", n, q.Name(), at-from)
			}
		}
	}
}

// couldRun reports whether t, which is ready, is one that somebody who wants it
// is to get at once: it cannot wait for others of its key, nor for a rate.
func (m *model) couldRun(t *mTask, now time.Duration) bool {
	q := t.q
	if t.state != queued || t.due > now || t.losses >= 2 || q.paused || !q.cfg.Rate.IsZero() || m.crowded(t) {
		return false
	}
	if t.key == "" || q.cfg.KeyConcurrency == reeve.NoLimit || t.holds {
		return true
	}
	for _, u := range m.tasks {
		if u != t && u.q == q && u.key == t.key && (u.holds || u.state == queued && u.due <= now) {
			return false
		}
	}
	return true
}
