package queue_test

import (
	"errors"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// What follows are the random operations on tasks without a lease.

// known picks a task whose id is known; nil: there is none.
func (r *round) known() *mTask {
	var known, there []*mTask
	for _, t := range r.tasks {
		if t.id != 0 {
			known = append(known, t)
			if t.state == queued || t.state == leased || t.state == dead {
				there = append(there, t)
			}
		}
	}
	switch {
	case len(there) > 0 && r.chance(85):
		return pick(r, there)
	case len(known) > 0:
		return pick(r, known)
	}
	return nil
}

// learn reads the ids of all tasks of q, and holds their states against the
// model.
func (r *round) learn(q *mQueue) {
	r.absorb()
	page, err := q.List(nil, reeve.ListOptions{Max: reeve.MaxBatch, Payload: reeve.NoLimit})
	if err != nil || page.Next != 0 {
		r.fail("%v, %v", page.Next, err)
	}
	now, seen := r.now(), 0
	for _, info := range page.Tasks {
		t := r.task(q, info.Payload)
		if t.id != 0 && t.id != info.ID {
			r.fail("task %d has id %v and is listed with %v", t.n, t.id, info.ID)
		}
		t.id = info.ID
		seen++
		want := map[mState]reeve.State{queued: reeve.StateReady, leased: reeve.StateLeased, dead: reeve.StateDead}[t.state]
		if t.state == queued && t.due > now {
			want = reeve.StateDelayed
			if !info.Due.Equal(r.start.Add(t.due)) {
				r.fail("task %d is due at %v, want %v", t.n, info.Due.Sub(r.start), t.due)
			}
		}
		if info.State != want || info.Type != t.typ || info.Priority != t.priority || info.Attempt != t.attempt {
			r.fail("task %d is listed as %+v, want %v", t.n, info, want)
		}
	}
	there := 0
	for _, t := range r.tasks {
		if t.q == q && (t.state == queued || t.state == leased || t.state == dead) {
			there++
		}
	}
	if there != seen {
		r.fail("%d of %d tasks of %s are listed", seen, there, q.Name())
	}
}

// of are q's tasks that is says, in the order of their ids, which are known.
func (r *round) of(q *mQueue, is func(*mTask) bool) []*mTask {
	r.learn(q)
	var ts []*mTask
	for _, t := range r.tasks {
		if t.q == q && (t.state == queued || t.state == leased || t.state == dead) && is(t) {
			ts = append(ts, t)
		}
	}
	slices.SortFunc(ts, func(a, b *mTask) int { return int(int64(a.id) - int64(b.id)) })
	return ts
}

func (r *round) doWait() {
	t := r.known()
	if t == nil {
		return
	}
	c, tag := r.asks(), r.newTag(1)
	c.Touch()
	r.absorb()
	r.request(c, tag, mRequest{kind: mWait, t: t})
	r.note("client %d waits for task %d, tag %d", c.name, t.n, tag)
	r.e.Wait(c.Holder, &queue.WaitOp{ID: t.id, Tag: tag, By: c})
}

// cancelled notes that t was.
func (r *round) cancelled(t *mTask) {
	if t.state == leased {
		if !t.by.gone {
			t.tellLost = t.by
		}
		t.unlease()
	}
	t.q.counts.cancelled++
	r.model.finish(t, reeve.StateCancelled)
}

func (r *round) doCancelTask() {
	t := r.known()
	if t == nil {
		return
	}
	r.note("task %d is cancelled", t.n)
	was := t.state
	if was == queued || was == leased || was == dead {
		r.cancelled(t)
	}
	err := r.e.Cancel(t.id, "by the test")
	if was >= settled && was != dead && t.end != reeve.StateCancelled {
		if !errors.Is(err, reeve.ErrNoSuchTask) {
			r.fail("task %d, which has ended, was cancelled: %v", t.n, err)
		}
	} else if err != nil {
		r.fail("%v", err)
	}
}

func (r *round) doCancelAll() {
	q, typ := pick(r, r.queues), pick(r, []string{"", "a", "b"})
	ts := r.of(q, func(t *mTask) bool { return t.typ == typ })
	r.note("all of type %q in %s are cancelled", typ, q.Name())
	for _, t := range ts {
		r.cancelled(t)
	}
	if n, err := q.CancelAll(&reeve.Filter{Types: []string{typ}}, ""); n != len(ts) || err != nil {
		r.fail("%d of %d: %v", n, len(ts), err)
	}
}

func (r *round) doPause() {
	q := pick(r, r.queues)
	if q.paused {
		r.resume(q)
		return
	}
	r.note("%s is paused", q.Name())
	q.paused = true
	q.Pause("by the test")
}

func (r *round) resume(q *mQueue) {
	r.note("%s goes on", q.Name())
	q.paused = false
	q.Resume()
	r.absorb()
}

func (r *round) doRevive() {
	q := pick(r, r.queues)
	if q.shutdown {
		if n, err := q.Revive(nil); n != 0 || !errors.Is(err, reeve.ErrShutdown) {
			r.fail("%d tasks of %s, which was shut down, were revived: %v", n, q.Name(), err)
		}
		return
	}
	ts := r.of(q, func(t *mTask) bool { return t.state == dead })
	r.note("%d dead tasks of %s are revived", len(ts), q.Name())
	for _, t := range ts {
		t.state, t.due, t.failed, t.timedOut, t.snoozed, t.losses, t.expire, t.moved = queued, r.now(), 0, 0, 0, 0, 0, true
		r.reclaim(t)
		q.counts.revived++
	}
	if n, err := q.Revive(nil); n != len(ts) || err != nil {
		r.fail("%d of %d: %v", n, len(ts), err)
	}
}

// reclaim gives t its unique key again, if it may have it.
func (r *round) reclaim(t *mTask) {
	if t.mode != reeve.UniqueForTime && (t.attempt == 0 || t.mode != reeve.UniqueUntilStart) {
		r.takeUnique(t, r.now())
	}
}

func (r *round) doPurge() {
	q := pick(r, r.queues)
	states := pick(r, [][]reeve.State{nil, {reeve.StateReady}, {reeve.StateDelayed, reeve.StateDead}})
	now := r.now()
	ts := r.of(q, func(t *mTask) bool {
		switch {
		case t.state == dead:
			return states == nil || slices.Contains(states, reeve.StateDead)
		case t.state == queued && t.due > now:
			return slices.Contains(states, reeve.StateDelayed)
		case t.state == queued:
			return slices.Contains(states, reeve.StateReady)
		}
		return false
	})
	r.note("%d tasks of %s are purged: %v", len(ts), q.Name(), states)
	for _, t := range ts {
		q.counts.purged++
		r.model.finish(t, reeve.StatePurged)
	}
	if n, err := q.Purge(&reeve.Filter{States: states}); n != len(ts) || err != nil {
		r.fail("%d of %d: %v", n, len(ts), err)
	}
}

func (r *round) doMove() {
	q, to := pick(r, r.queues), pick(r, r.queues)
	if q == to || to.immediate {
		return
	}
	ts := r.of(q, func(t *mTask) bool { return t.state == queued || t.state == dead })
	r.learn(to)
	for _, c := range r.clients {
		for _, req := range c.requests {
			if req.kind == mWait && !req.answered && !c.gone && slices.Contains(ts, req.t) {
				return // then it is done in steps, and others come between
			}
			if req.kind == mComplete && !req.answered && req.q == q {
				return // what moves makes room, and ends a task that was lost
			}
		}
	}
	n, err := q.Move(to.Queue, &reeve.Filter{})
	r.note("%d of %d tasks of %s are moved to %s: %v", n, len(ts), q.Name(), to.Name(), err)
	if err != nil && !(errors.Is(err, reeve.ErrQueueFull) || errors.Is(err, reeve.ErrShutdown) && to.shutdown) {
		r.fail("%v", err)
	}
	var moved []*mTask
	for _, t := range ts {
		// One may be handed over meanwhile: what has moved makes room.
		switch info, gone := r.e.Task(t.id); {
		case gone != nil || info.Queue == to.Name():
			moved = append(moved, t)
		case err == nil && info.State != reeve.StateLeased:
			r.fail("task %d was left, and is %v", t.n, info.State)
		}
	}
	if len(moved) != n {
		r.fail("%d tasks were moved, %d are not there any more", n, len(moved))
	}
	for _, t := range moved {
		r.freeUnique(t, false)
		t.q, t.plain, t.holds, t.claimable, t.moved = to, false, false, false, true
		q.counts.movedOut++
		to.counts.movedIn++
		if t.state != dead {
			r.reclaim(t)
		}
	}
}

// doFinish completes a task without a queue for its result.
func (r *round) doFinish() {
	q := pick(r, r.queues)
	id, attempt, ok := r.token(q)
	if !ok {
		return
	}
	c, tag := r.asks(), r.newTag(1)
	r.request(c, tag, mRequest{kind: mComplete, q: q, id: id, attempt: attempt})
	r.note("client %d finishes %v/%d of %s, tag %d", c.name, id, attempt, q.Name(), tag)
	q.Complete(c.Holder, nil, []queue.CompleteOp{{ID: id, Attempt: attempt, Result: reeve.Task{Payload: make([]byte, r.rnd.IntN(100))}, Tag: tag, By: c}})
}
