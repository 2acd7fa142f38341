package queue

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// timeoutGrace is how much longer than its run time an attempt may take before
// the master ends it: the worker ends it at the time, and knows why.
const timeoutGrace = 500 * time.Millisecond

// held returns the task whose lease k's token is for. A holder that was taken
// for lost still counts when nobody else got the task since. Numbers of attempts
// do not do to tell holders apart: a hand-over of which a crash left no record
// has the number of the one after it.
func (q *Queue) held(k *hold, id reeve.ID, attempt uint32) (*task, error) {
	t := q.tasks.get(id)
	if t != nil && t.attempt == attempt && (t.state == leased && t.hold.sameClient(k) || t.claimable) {
		return t, nil
	}
	q.stats.lateAcks++
	switch {
	case t == nil:
		if r, kept := q.results.get(id, q.engine.now()); kept && r.State == reeve.StateCancelled {
			return nil, fmt.Errorf("%w: %w: %v", reeve.ErrLeaseLost, reeve.ErrCancelled, id)
		}
		return nil, fmt.Errorf("%w: task %v is not in queue %q any more", reeve.ErrLeaseLost, id, q.name)
	case t.state == dead:
		return nil, fmt.Errorf("%w: task %v is dead: %s", reeve.ErrLeaseLost, id, t.past.fate.line())
	}
	return nil, fmt.Errorf("%w: task %v is at attempt %d, not %d", reeve.ErrLeaseLost, id, t.attempt, attempt)
}

// free takes a held task out of wherever it is. It returns who held it.
func (q *Queue) free(t *task, now int64) (worker string) {
	if t.state == leased {
		worker = t.hold.holder.name()
		q.unlease(t, now)
	} else {
		q.unlist(t)
		worker = q.unlose(t)
		t.keepTurn()
	}
	return worker
}

// after does what may follow when tasks left their place: hand-overs to the
// freed slots, the end of Joins and of a shut down queue.
func (q *Queue) after(now int64) {
	q.dispatch(now)
	q.settled()
}

// settled does what follows when the queue has nothing left to do.
func (q *Queue) settled() {
	if q.unsettled() == 0 {
		q.endJoins(nil)
	}
	if q.shutdown && q.consumers+q.gets > 0 && q.ended() {
		q.endTakers(q.shutdownError())
	}
}

// AckOp ends one lease: done.
type AckOp struct {
	ID      reeve.ID
	Attempt uint32
}

// Ack ends the leases in order; op i answers to tag+i.
func (q *Queue) Ack(h *Holder, ops []AckOp, tag uint64, by Replier) {
	k := q.ask(h)
	if k == nil {
		return
	}
	defer q.unlock()
	now := q.engine.now()
	run := 0 // acks since the last reply
	for i, op := range ops {
		t, err := q.held(k, op.ID, op.Attempt)
		if err == nil {
			q.done(t, q.free(t, now), nil, now)
			run++
			continue
		}
		if run > 0 {
			q.reply(k, by, tag+uint64(i-run), run, 0, nil)
			run = 0
		}
		q.reply(k, by, tag+uint64(i), 1, 0, err)
	}
	if run > 0 {
		q.reply(k, by, tag+uint64(len(ops)-run), run, 0, nil)
	}
	q.after(now)
}

// done ends t, which is in no list, with success.
func (q *Queue) done(t *task, worker string, result []byte, now int64) {
	q.stats.done++
	q.emit(reeve.EventDone, t, worker, "")
	q.end(t, reeve.StateDone, "", result, now)
}

// NackOp gives one task back.
type NackOp struct {
	ID           reeve.ID
	Attempt      uint32
	Delay        time.Duration
	TimedOut     bool // the attempt ran out of time
	Returned     bool // it was never started: to the front, nothing counted against it
	Bury         bool // dead at once
	Snooze       bool // to be handed over again later; nothing failed
	Skip         bool // done, without a result
	Discard      bool // ended without success and without a dead letter
	Error, Stack string
}

// Nack gives one task back, or makes it dead, and answers to tag.
func (q *Queue) Nack(h *Holder, op *NackOp, tag uint64, by Replier) {
	k := q.ask(h)
	if k == nil {
		return
	}
	defer q.unlock()
	var err error
	if op.Delay < 0 || op.Delay > reeve.MaxTime {
		err = fmt.Errorf("%w: delay of %v, want 0 to 100 years", reeve.ErrInvalid, op.Delay)
	}
	var t *task
	if err == nil {
		t, err = q.held(k, op.ID, op.Attempt)
	}
	now := q.engine.now()
	if err == nil {
		start := t.leasedAt
		q.giveBack(t, op, q.free(t, now), start, now)
	}
	q.reply(k, by, tag, 1, 0, err)
	q.after(now)
}

// giveBack decides where a task goes whose attempt, which worker began at
// start, ended without success. It is in no list.
func (q *Queue) giveBack(t *task, op *NackOp, worker string, start, now int64) {
	t.claimable = false
	switch {
	case op.Skip:
		q.stats.skipped++
		q.done(t, worker, nil, now)
		return
	case op.Discard:
		q.stats.discarded++
		reason := cut(op.Error, reeve.MaxErrorText)
		q.emit(reeve.EventDiscarded, t, worker, reason)
		q.end(t, reeve.StateDiscarded, reason, nil, now)
		return
	case q.immediate: // nobody will take it any more
		q.drop(t, now)
		return
	}
	q.blame(t, op.Error, op.Stack)
	kind, failed := q.count(t, op)
	q.remember(t, kind, worker, start, now, op.Error, op.Stack)
	switch {
	case op.Bury:
		reason := ""
		if t.err() == "" || op.Error == "" {
			reason = "buried by its worker"
		}
		q.bury(t, reason, false, now)
		return
	case op.Returned:
		q.emit(reeve.EventReturned, t, worker, "")
		q.makeReady(t, now, inFront)
		q.noteStand(t)
		return
	}
	q.emit(reeve.EventKind(kind), t, worker, firstLine(op.Error)) // failed, timed_out or snoozed
	if n := q.spent(t); failed && n >= q.attempts(t) {
		q.bury(t, q.attemptsReason(t.counts()), op.Error != "", now)
		return
	}
	delay := int64(op.Delay)
	if delay == 0 && !op.Snooze {
		delay = int64(q.backoff(t).Wait(int(q.spent(t)), rand.Float64()))
	}
	if delay > 0 {
		q.makeDelayed(t, now+delay)
		if t.extra != nil && t.extra.line != nil { // in which it may have been the next
			q.releaseLine(t.extra.line, now)
		}
	} else {
		q.makeReady(t, now, atEnd)
	}
	q.noteStand(t)
}

// count counts how an attempt at t ended, and reports whether it was one of
// those that make it dead when there are too many.
func (q *Queue) count(t *task, op *NackOp) (kind string, failed bool) {
	if op.Bury {
		return "buried", false
	}
	c := &t.more().counts
	switch {
	case op.Returned:
		c.Returned++
		q.stats.returned++
		return "returned", false
	case op.Snooze:
		c.Snoozed++
		q.stats.snoozed++
		return "snoozed", q.cfg.CountSnoozed
	case op.TimedOut:
		c.TimedOut++
		q.stats.timedOut++
		return "timed_out", true
	}
	c.Failed++
	q.stats.failed++
	return "failed", true
}

// spent is how many of its attempts t has used up.
func (q *Queue) spent(t *task) uint32 {
	c := t.counts()
	n := c.Failed + c.TimedOut
	if q.cfg.CountSnoozed {
		n += c.Snoozed
	}
	return n
}

// backoff is the wait between attempts at t.
func (q *Queue) backoff(t *task) reeve.Backoff {
	if t.extra != nil && t.extra.backoff != nil {
		return *t.extra.backoff
	}
	return q.cfg.Backoff
}

// remember adds an attempt to the history of t, as far as the queue has room
// for it.
func (q *Queue) remember(t *task, outcome, worker string, start, now int64, err, stack string) {
	q.grow(t, func(p *past) {
		room := q.cfg.MaxBytes - q.used() - p.size()
		had := len(p.history)
		p.history = appendHistory(p.history, reeve.AttemptRecord{
			Attempt: t.attempt, Worker: worker, Start: q.engine.wallAt(start), End: q.engine.wallAt(now),
			Outcome: outcome, Error: err, Stack: stack,
		}, q.cfg.History, room)
		n := len(p.history)
		p.fresh = n > 0 && p.history[n-1].Attempt == t.attempt
		// Who reads the journal knows how many there may be, not what there was
		// room for.
		p.rewrite = p.rewrite || !p.fresh || n <= had && n < q.cfg.History
	})
}

// lose gives back a task whose holder, worker, died or fell silent. blamed: the
// loss may be the task's own fault.
func (q *Queue) lose(t *task, blamed bool, worker string, start, now int64) {
	q.stats.lost++
	q.emit(reeve.EventLost, t, worker, "")
	if q.immediate {
		q.drop(t, now)
		return
	}
	t.blamed = blamed
	c := &t.more().counts
	if blamed {
		c.Lost++
	} else {
		c.Returned++
	}
	q.remember(t, "lost", worker, start, now, "", "")
	if c.Lost >= q.attempts(t) {
		q.bury(t, fmt.Sprintf("worker lost ×%d", c.Lost), false, now)
		return
	}
	t.claimable = true
	q.makeReady(t, now, inFront)
	q.noteStand(t)
}

// unlose takes the loss of t, which is in no list, back: its holder is there.
// It returns who that is.
func (q *Queue) unlose(t *task) (worker string) {
	t.claimable = false
	q.stats.lost--
	t.past.rewrite = true
	q.grow(t, func(*past) { worker = t.unlost() })
	return worker
}

// unlost takes it out of what has happened to t that its last attempt was lost,
// and returns with whom that was.
func (t *task) unlost() (worker string) {
	p := t.past
	if t.blamed {
		p.counts.Lost--
	} else {
		p.counts.Returned--
	}
	if n := len(p.history); n > 0 && p.history[n-1].Attempt == t.attempt && p.history[n-1].Outcome == "lost" {
		worker = p.history[n-1].Worker
		p.history[n-1] = reeve.AttemptRecord{}
		p.history = p.history[:n-1]
	}
	return worker
}

// bury makes t, which is in no list, dead.
// last: the error of its last attempt is part of the reason.
func (q *Queue) bury(t *task, reason string, last bool, now int64) {
	q.endUnique(t)
	f := &t.more().fate
	f.reason, f.last = reason, last
	f.diedAt = q.engine.wallNow().UnixNano()
	t.due = now // since when it is dead
	q.move(t, dead)
	q.leaveLine(t, now)
	q.dead.pushBack(t)
	q.stats.buried++
	q.emit(reeve.EventDead, t, "", f.line())
	q.noteStand(t)
	q.tellEnd(t, q.outcome(t, reeve.StateDead, f.line(), nil))
	q.boundDead(now)
}

// boundDead purges dead tasks that are too many or too old, some at
// a time; the clock comes for the others.
func (q *Queue) boundDead(now int64) {
	const most = 1024
	for n := 0; n < most && q.dead.n > 0; n++ {
		t := q.dead.head
		over := q.cfg.MaxDead > 0 && q.dead.n > q.cfg.MaxDead
		if !over && (q.cfg.DeadFor == 0 || t.due+int64(q.cfg.DeadFor) > now) {
			break
		}
		q.purge(t, "kept for long enough", now)
	}
	if t := q.dead.head; t != nil && q.cfg.DeadFor > 0 {
		q.lookBy(t.due + int64(q.cfg.DeadFor))
	}
}

// purge removes t, which is dead or waits.
func (q *Queue) purge(t *task, reason string, now int64) {
	q.detach(t)
	q.stats.purged++
	q.emit(reeve.EventPurged, t, "", reason)
	q.end(t, reeve.StatePurged, reason, nil, now)
}

// drop removes t, which is in no list, after an immediate shutdown.
func (q *Queue) drop(t *task, now int64) {
	q.stats.dropped++
	q.emit(reeve.EventPurged, t, "", "the queue was shut down")
	q.end(t, reeve.StatePurged, "the queue was shut down", nil, now)
}

// detach takes t, which is not leased, out of whatever it stands in.
func (q *Queue) detach(t *task) {
	if t.state == dead {
		q.dead.remove(t)
		return
	}
	q.unlist(t)
}

// end ends t, which is in no list, for good: its outcome is told to who waits
// for it and kept as long as it asked for, its keys are free.
func (q *Queue) end(t *task, s reeve.State, reason string, result []byte, now int64) {
	q.endUnique(t)
	q.endResult(t, s, reason, result, now)
	q.endBlobs(t.blobs())
	q.forget(t)
	q.leaveLine(t, now)
}

// attemptsReason tells how the attempts at t were used up.
func (q *Queue) attemptsReason(c reeve.Counts) string {
	var parts []string
	add := func(n uint32, how string) {
		switch {
		case n == 0:
		case len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%d attempts %s", n, how))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, how))
		}
	}
	if !q.cfg.CountSnoozed {
		c.Snoozed = 0
	}
	if c.Failed+c.TimedOut+c.Snoozed == 1 {
		switch {
		case c.TimedOut == 1:
			return "the only attempt timed out"
		case c.Snoozed == 1:
			return "the only attempt was put off"
		}
		return "the only attempt failed"
	}
	add(c.Failed, "failed")
	add(c.TimedOut, "timed out")
	add(c.Snoozed, "put off")
	return strings.Join(parts, ", ")
}

// blame notes why an attempt of t failed, as far as the queue has room for it.
// Its stack is kept with the attempt.
func (q *Queue) blame(t *task, err, stack string) {
	if err == "" && stack == "" {
		return
	}
	q.grow(t, func(p *past) {
		p.fate.err = ""
		p.fate.err = cut(err, min(reeve.MaxErrorText, max(0, q.cfg.MaxBytes-q.used()-p.size())))
	})
}
