package queue

import (
	"fmt"

	"github.com/reeveq/reeve"
)

// seek calls look for every queue until it has found what it looks for, and
// reports whether it has. What goes from one queue to another meanwhile is not
// missed.
func (e *Engine) seek(look func(q *Queue) bool) bool { return seek(e, e.all, look) }

// seek does so for what all returns, each something of one queue.
func seek[T any](e *Engine, all func() []T, look func(T) bool) bool {
	const most = 32 // while tasks are moved all the time, and what is looked for is not there
	for range most {
		moves := e.moves.Load()
		for _, x := range all() {
			if look(x) {
				return true
			}
		}
		if e.moves.Load() == moves {
			break
		}
	}
	return false
}

// Move moves the tasks that f means and that are not leased to another queue,
// and returns how many. [reeve.ErrQueueFull] when that has no more room,
// [reeve.ErrShutdown].
func (q *Queue) Move(to *Queue, f *reeve.Filter) (int, error) {
	m, err := newMatcher(f)
	if err != nil {
		return 0, err
	}
	if q == to {
		return 0, fmt.Errorf("%w: tasks are moved from queue %q to itself", reeve.ErrInvalid, q.name)
	}
	m.without(reeve.StateLeased)
	n, after, newest := 0, reeve.ID(0), q.engine.newestID()
	there := hosts{}
	for more := true; more; {
		more = false
		var absent *Holder
		lockPair(q, to)
		now := q.engine.now()
		looked := 0
		for t := range q.candidates(m, after) {
			if t.id > newest {
				break
			}
			if q.means(m, t) {
				if absent = there.absent(q, t.id); absent != nil {
					more = true
					break
				}
				if err = to.moveError(t); err != nil {
					break
				}
				there.moveWaits(q, to, t.id)
				q.moveTo(to, t, now)
				n++
			}
			after = t.id
			if looked++; looked == chunk {
				more = true
				break
			}
		}
		q.engine.moves.Add(1) // before others see what has moved
		q.after(now)
		to.after(now)
		unlockPair(q, to)
		if absent != nil {
			there[absent] = absent.hold(to)
		}
	}
	return n, err
}

// moveError tells why t cannot come to q.
func (q *Queue) moveError(t *task) error {
	if err := q.openError(); err != nil {
		return err
	}
	if q.used()+t.size() > q.cfg.MaxBytes || t.state != dead && q.cfg.MaxLen > 0 && q.waiting() >= q.cfg.MaxLen {
		return q.fullError(1)
	}
	return nil
}

// moveTo makes t, which is not leased, a task of another queue, in the same
// state and with the same id. Both are locked.
func (q *Queue) moveTo(to *Queue, t *task, now int64) {
	was := t.state
	q.detach(t)
	q.endUnique(t)
	q.forget(t)
	q.leaveLine(t, now)
	q.stats.movedOut++
	q.emit(reeve.EventMoved, t, "", "to "+to.name)

	t.claimable = false
	t.trimHistory(to.cfg.History)
	t.kind = to.kindOf(t.kind.name)
	if was != dead {
		to.reclaimUnique(t, now)
		to.joinLine(t)
	}
	to.tasks.add(t)
	to.bytes += t.size()
	to.rejoinPayload(t)
	to.stats.movedIn++
	switch {
	case was == dead:
		to.move(t, dead)
		t.due = now // it is kept from now on: the list is in the order of these times
		to.dead.pushBack(t)
	case was == delayed && t.wall:
		to.makeDelayedUntil(t, t.due)
	case was == delayed:
		to.makeDelayed(t, t.due)
	default:
		to.makeReady(t, now, asPut)
	}
	to.emit(reeve.EventMoved, t, "", "from "+q.name)
	q.noteMove(to, t)
	q.sent = true
	if was == dead {
		to.boundDead(now)
	}
}

// hosts are those who wait for the ends of tasks that are moved, with what they
// have in the queue to which these go; nil: they are gone.
type hosts map[*Holder]*hold

// absent is one who waits for the task id and is not among the hosts yet; nil:
// nobody.
func (h hosts) absent(q *Queue, id reeve.ID) *Holder {
	for w := q.waits.ids[id]; w != nil; w = w.next {
		if _, known := h[w.hold.holder]; !known {
			return w.hold.holder
		}
	}
	return nil
}

// moveWaits has those who wait for the task id, all of them hosts, wait in the
// other queue. Both are locked.
func (h hosts) moveWaits(from, to *Queue, id reeve.ID) {
	for w := range from.waits.take(id) {
		w.hold.waitsNoMore(w.op.Tag, w)
		if k := h[w.hold.holder]; k != nil && !k.closed {
			k.waits(w.op.Tag, to.waits.add(k, w.op))
		}
	}
}
