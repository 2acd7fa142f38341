package queue

import (
	"iter"

	"github.com/reeveq/reeve"
)

// chunk is how many tasks are looked at before the mutex is given up for
// others.
const chunk = 1024

// each calls do for the tasks that m means, in the order of their ids. The
// mutex is held while do is called, and given up between chunks; tasks that go
// meanwhile may be seen or not, those that are put meanwhile are not. It
// returns how many they were.
func (q *Queue) each(m *matcher, do func(t *task, now int64)) int {
	n, after, newest := 0, reeve.ID(0), q.engine.newestID()
	for more := true; more; {
		more = false
		q.mu.Lock()
		now := q.engine.now()
		looked := 0
		for t := range q.candidates(m, after) {
			if t.id > newest {
				break
			}
			after = t.id
			if q.means(m, t) {
				n++
				do(t, now)
			}
			if looked++; looked == chunk {
				more = true
				break
			}
		}
		q.after(now)
		q.unlock()
	}
	return n
}

// candidates are the tasks after after, in the order of their ids, among which
// are those that m means.
func (q *Queue) candidates(m *matcher, after reeve.ID) iter.Seq[*task] {
	ids, named := m.after(after)
	if !named {
		return q.tasks.from(after)
	}
	return func(yield func(*task) bool) {
		for _, id := range ids {
			if t := q.tasks.get(id); t != nil && !yield(t) {
				return
			}
		}
	}
}

// means reports whether m means t.
func (q *Queue) means(m *matcher, t *task) bool {
	look := traits{id: t.id, state: t.state.public(), typ: t.kind.name, putAt: t.putAt}
	if x := t.extra; x != nil {
		look.key, look.unique = x.key, x.unique
	}
	if look.err = t.err(); t.state == dead {
		look.reason = t.past.fate.line()
	}
	return m.match(&look)
}

// Cancel ends the task id in whatever state it is. [reeve.ErrNoSuchTask].
func (e *Engine) Cancel(id reeve.ID, reason string) error {
	if err := checkReason(reason); err != nil {
		return err
	}
	if e.seek(func(q *Queue) bool { return q.cancelID(id, reason) }) {
		return nil
	}
	return noSuchTask(id)
}

func checkReason(reason string) error {
	if len(reason) > reeve.MaxErrorText {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of a reason", Value: int64(len(reason)), Max: reeve.MaxErrorText}
	}
	return nil
}

// cancelID reports whether the task was there, or is remembered as cancelled.
func (q *Queue) cancelID(id reeve.ID, reason string) bool {
	q.mu.Lock()
	now := q.engine.now()
	t := q.tasks.get(id)
	if t == nil {
		r, kept := q.results.get(id, now)
		q.unlock()
		return kept && r.State == reeve.StateCancelled
	}
	late := q.cancelTask(t, reason, now)
	q.after(now)
	q.unlock()
	late.end()
	return true
}

// cancelTask ends t. Its holder, if it has one, is told. It returns the
// Complete, if there is one, that waits for room with its result; nil: none.
func (q *Queue) cancelTask(t *task, reason string, now int64) (late *completing) {
	worker := ""
	if t.state == leased {
		k := t.hold
		worker = k.holder.name()
		late = t.parked()
		q.unlease(t, now)
		q.tellLost(k, t, reeve.ErrCancelled)
	} else {
		q.detach(t)
	}
	q.stats.cancelled++
	q.emit(reeve.EventCancelled, t, worker, reason)
	q.end(t, reeve.StateCancelled, reason, nil, now)
	return late
}

// end answers c, which may be nil, and whose lease is over: it waits for
// nothing any more. Nothing is locked.
func (c *completing) end() {
	if c == nil {
		return
	}
	from := c.park.from
	from.mu.Lock()
	_, err := from.held(c.park.held, c.ID, c.Attempt)
	from.mu.Unlock()
	q := c.park.queue
	q.mu.Lock()
	defer q.unlock()
	if err != nil && c.park.listed { // not answered meanwhile
		q.unpark(&c.park)
		c.park.answer(err)
	}
}

// CancelAll cancels the tasks that f means, in any state, and returns how many.
func (q *Queue) CancelAll(f *reeve.Filter, reason string) (int, error) {
	if err := checkReason(reason); err != nil {
		return 0, err
	}
	m, err := newMatcher(f)
	if err != nil {
		return 0, err
	}
	var late []*completing
	n := q.each(m, func(t *task, now int64) {
		if c := q.cancelTask(t, reason, now); c != nil {
			late = append(late, c)
		}
	})
	for _, c := range late {
		c.end()
	}
	return n, nil
}

// Revive makes the dead tasks that f means ready again, with nothing counted
// against them, and returns how many. A queue that takes no tasks any more
// revives none: [reeve.ErrShutdown], [reeve.ErrClosed].
func (q *Queue) Revive(f *reeve.Filter) (int, error) {
	m, err := newMatcher(f, reeve.StateDead)
	if err != nil {
		return 0, err
	}
	if err := q.open(); err != nil {
		return 0, err
	}
	m.without(reeve.StateReady)
	m.without(reeve.StateDelayed)
	m.without(reeve.StateLeased)
	return q.each(m, func(t *task, now int64) {
		q.dead.remove(t)
		q.grow(t, func(p *past) { p.counts, p.fate, p.rewrite = reeve.Counts{}, fate{}, true })
		if t.extra != nil {
			t.extra.expireAt = 0 // it is wanted after that
		}
		q.reclaimUnique(t, now)
		q.joinLine(t)
		q.stats.revived++
		q.makeReady(t, now, asPut)
		q.noteStand(t)
		q.emit(reeve.EventRevived, t, "", "")
	}), nil
}

// Purge removes the tasks that f means and returns how many: dead ones, or with
// states in f those that wait in these.
func (q *Queue) Purge(f *reeve.Filter) (int, error) {
	m, err := newMatcher(f, reeve.StateDead)
	if err != nil {
		return 0, err
	}
	m.without(reeve.StateLeased)
	return q.each(m, func(t *task, now int64) { q.purge(t, "by an operator", now) }), nil
}

// open tells why no tasks come into the queue any more.
func (q *Queue) open() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.openError()
}

func (q *Queue) openError() error {
	switch {
	case q.stopped:
		return q.stoppedError()
	case q.shutdown:
		return q.shutdownError()
	}
	return nil
}
