package queue

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// chunk is how many tasks are looked at before the mutex is given up for
// others.
const chunk = 1024

// each calls do for the tasks that m means, in the order of their ids. The
// mutex is held while do is called, and given up between chunks; tasks that
// come or go meanwhile may be seen or not. It returns how many they were.
func (q *Queue) each(m *matcher, do func(t *task, now int64)) int {
	n, after := 0, reeve.ID(0)
	for more := true; more; {
		more = false
		q.mu.Lock()
		now := q.engine.now()
		looked := 0
		for t := range q.candidates(m, after) {
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
	if x := t.x; x != nil {
		look.key, look.unique, look.err = x.key, x.unique, x.fate.err
		if t.state == dead {
			look.reason = x.fate.line()
		}
	}
	return m.match(&look)
}

// Cancel ends the task id in whatever state it is. [reeve.ErrNoSuchTask].
func (e *Engine) Cancel(id reeve.ID, reason string) error {
	if err := checkReason(reason); err != nil {
		return err
	}
	for _, q := range e.all() {
		if q.cancelID(id, reason) {
			return nil
		}
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
	defer q.unlock()
	now := q.engine.now()
	t := q.tasks.get(id)
	if t == nil {
		r, kept := q.results.get(id, now)
		return kept && r.State == reeve.StateCancelled
	}
	q.cancelTask(t, reason, now)
	q.after(now)
	return true
}

// cancelTask ends t. Its holder, if it has one, is told.
func (q *Queue) cancelTask(t *task, reason string, now int64) {
	worker := ""
	if t.state == leased {
		k := t.hold
		worker = k.holder.name()
		q.unlease(t, now)
		q.tellLost(k, t, reeve.ErrCancelled)
	} else {
		q.detach(t)
	}
	q.stats.cancelled++
	q.emit(reeve.EventCancelled, t, worker, reason)
	q.end(t, reeve.StateCancelled, reason, nil, now)
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
	return q.each(m, func(t *task, now int64) { q.cancelTask(t, reason, now) }), nil
}

// Revive makes the dead tasks that f means ready again, with nothing counted
// against them, and returns how many.
func (q *Queue) Revive(f *reeve.Filter) (int, error) {
	m, err := newMatcher(f, reeve.StateDead)
	if err != nil {
		return 0, err
	}
	m.without(reeve.StateReady)
	m.without(reeve.StateDelayed)
	m.without(reeve.StateLeased)
	return q.each(m, func(t *task, now int64) {
		q.dead.remove(t)
		q.grow(t, func(x *extra) {
			x.counts = reeve.Counts{}
			x.fate = fate{}
			x.expireAt = 0 // it is wanted after that
		})
		q.reclaimUnique(t, now)
		q.joinLine(t)
		q.stats.revived++
		q.makeReady(t, now, asPut)
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
	return q.each(m, func(t *task, now int64) { q.purge(t, "purged", now) }), nil
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
	n, after := 0, reeve.ID(0)
	for more := true; more; {
		more = false
		lockPair(q, to)
		now := q.engine.now()
		looked := 0
		var waiting rewait
		for t := range q.candidates(m, after) {
			after = t.id
			if q.means(m, t) {
				if err = to.moveError(t); err != nil {
					break
				}
				waiting.take(q, t.id)
				q.moveTo(to, t, now)
				n++
			}
			if looked++; looked == chunk {
				more = true
				break
			}
		}
		q.after(now)
		to.after(now)
		unlockPair(q, to)
		waiting.again(q.engine)
	}
	return n, err
}

// moveError tells why t cannot come to q.
func (q *Queue) moveError(t *task) error {
	switch {
	case q.stopped:
		return reeve.ErrClosed
	case q.shutdown:
		return q.shutdownError()
	case q.used()+t.size() > q.cfg.MaxBytes, t.state != dead && q.cfg.MaxLen > 0 && q.waiting() >= q.cfg.MaxLen:
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
	t.kind = to.kindOf(t.kind.name)
	to.reclaimUnique(t, now)
	to.tasks.add(t)
	to.bytes += t.size()
	to.stats.movedIn++
	if was != dead {
		to.joinLine(t)
	}
	switch {
	case was == dead:
		to.move(t, dead)
		to.dead.pushBack(t)
		to.boundDead(now)
	case was == delayed && t.wall:
		to.makeDelayedUntil(t, t.due)
	case was == delayed:
		to.makeDelayed(t, t.due)
	default:
		to.makeReady(t, now, asPut)
	}
	to.emit(reeve.EventMoved, t, "", "from "+q.name)
}

// rewait is Waits for tasks that went to another queue.
type rewait struct {
	ops   []*WaitOp
	holds []*hold
}

func (r *rewait) take(q *Queue, id reeve.ID) {
	for w := range q.waits.take(id) {
		w.hold.waitsNoMore(w.op.Tag, w)
		r.ops, r.holds = append(r.ops, w.op), append(r.holds, w.hold)
	}
}

// again has them wait where their tasks are. Nothing is locked.
func (r *rewait) again(e *Engine) {
	for i, op := range r.ops {
		e.Wait(r.holds[i].holder, op)
	}
}

// Info is what the holder has: its standing supplies, up to 256 of its leases,
// the oldest first, and how many it has in all.
func (h *Holder) Info() (queues []reeve.WorkerQueue, running []reeve.WorkerTask, leases int) {
	const most = 256
	for _, k := range h.all() {
		q := k.queue
		q.mu.Lock()
		now := q.engine.now()
		for c := range k.consumers {
			want := &c.taker.profile.want
			queues = append(queues, reeve.WorkerQueue{Queue: q.name, Types: want.Types, Labels: want.Labels, Slots: c.slots, Used: c.used})
		}
		leases += k.leases.n
		i := 0
		for t := k.leases.head; t != nil && i < most; t, i = t.next, i+1 {
			running = append(running, reeve.WorkerTask{Queue: q.name, ID: t.id, Type: t.kind.name, Attempt: t.attempt, Age: time.Duration(now - t.leasedAt)})
		}
		q.mu.Unlock()
	}
	slices.SortFunc(queues, func(a, b reeve.WorkerQueue) int { return strings.Compare(a.Queue, b.Queue) })
	slices.SortFunc(running, func(a, b reeve.WorkerTask) int { return cmp.Compare(b.Age, a.Age) })
	return queues, running[:min(len(running), most)], leases
}
