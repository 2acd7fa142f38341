package queue

import (
	"cmp"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// cancelMemory is how long it is remembered at least that a task was
// cancelled, where there is room.
const cancelMemory = 10 * time.Minute

// ResultReplier takes the answers to Waits, as [Replier] those to others.
type ResultReplier interface {
	Ended(tag uint64, r reeve.Result, err error)
}

// WaitOp is a request for the end of a task. Its exported fields are set by the
// caller.
type WaitOp struct {
	ID  reeve.ID
	Tag uint64
	By  ResultReplier
}

// outcome is how t ended.
func (q *Queue) outcome(t *task, s reeve.State, reason string, result []byte) reeve.Result {
	r := reeve.Result{
		ID: t.id, Queue: q.name, Type: t.kind.name, State: s, Payload: result,
		Reason: reason, Attempts: t.attempt, EndedAt: q.engine.wallNow(),
	}
	if s != reeve.StateDone {
		r.Error = t.err()
	}
	return r
}

// endResult tells who waits for t how it ended, and records and keeps that for
// as long as t or its queue says.
func (q *Queue) endResult(t *task, s reeve.State, reason string, result []byte, now int64) {
	keep := int64(q.cfg.KeepResult)
	if t.extra != nil && t.extra.keep != 0 {
		keep = max(t.extra.keep, 0)
	}
	asked := keep
	if s == reeve.StateCancelled {
		keep = max(keep, int64(cancelMemory))
	}
	if keep == 0 && q.waits.len() == 0 {
		q.noteEnd(t.id, nil, 0)
		return
	}
	r := q.outcome(t, s, reason, result)
	if keep > asked && !q.results.fits(&r) { // it takes no room from what was asked for
		keep = asked
	}
	if keep > 0 {
		q.results.add(r, now, now+keep)
		if asked > 0 {
			q.results.refer(t.id, t.blobs())
		}
		q.setDue(now + keep)
		q.noteEnd(t.id, &r, now+keep)
	} else {
		q.noteEnd(t.id, nil, 0)
	}
	q.tellEnd(t, r)
}

// tellEnd answers those who wait for the end of t.
func (q *Queue) tellEnd(t *task, r reeve.Result) {
	for w := range q.waits.take(t.id) {
		q.answerWait(w, r, nil)
	}
}

// answerWait answers w, which waits no more.
func (q *Queue) answerWait(w *wait, r reeve.Result, err error) {
	w.hold.waitsNoMore(w.op.Tag, w)
	q.replyEnded(w.hold, w.op, r, err)
}

// endWaits answers all Waits with err.
func (q *Queue) endWaits(err error) {
	for w := range q.waits.takeAll() {
		q.answerWait(w, reeve.Result{}, err)
	}
}

// result is how the task id ended; [reeve.ErrNotDone] while it has not, and
// found is false when the queue knows nothing of it.
func (q *Queue) result(id reeve.ID, now int64) (r reeve.Result, found bool, err error) {
	if t := q.tasks.get(id); t != nil {
		if t.state == dead {
			r := q.outcome(t, reeve.StateDead, t.past.fate.line(), nil)
			r.EndedAt = time.Unix(0, t.past.fate.diedAt)
			return r, true, nil
		}
		return r, true, fmt.Errorf("%w: %v is %v", reeve.ErrNotDone, id, t.state)
	}
	r, found = q.results.get(id, now)
	return r, found, nil
}

func noSuchTask(id reeve.ID) error { return fmt.Errorf("%w: %v", reeve.ErrNoSuchTask, id) }

// Result returns how a task ended. [reeve.ErrNotDone], [reeve.ErrNoSuchTask].
func (e *Engine) Result(id reeve.ID) (r reeve.Result, err error) {
	found := e.seek(func(q *Queue) (found bool) {
		q.mu.Lock()
		defer q.mu.Unlock()
		r, found, err = q.result(id, e.now())
		return found
	})
	if !found {
		return reeve.Result{}, noSuchTask(id)
	}
	return r, err
}

// Wait answers op when its task ends or becomes dead; at once if it has, or if
// it is not known.
func (e *Engine) Wait(h *Holder, op *WaitOp) {
	if e.seek(func(q *Queue) bool { return q.wait(h, op) }) {
		return
	}
	e.After(func(failed error) { // it may be that it has ended just now
		if !h.gone.Load() {
			op.By.Ended(op.Tag, reeve.Result{}, cmp.Or(failed, noSuchTask(op.ID)))
			h.sink.Wake() // no queue does it
		}
	})
}

// wait reports whether the queue knows op's task: then op is answered, or will
// be.
func (q *Queue) wait(h *Holder, op *WaitOp) bool {
	q.mu.Lock()
	t := q.tasks.get(op.ID)
	_, kept := q.results.get(op.ID, q.engine.now())
	q.mu.Unlock()
	if t == nil && !kept {
		return false
	}
	k := h.in(q)
	if k == nil {
		return true // nobody to answer
	}
	q.mu.Lock()
	defer q.unlock()
	if k.closed {
		return true
	}
	if q.uprooted {
		return false
	}
	r, found, err := q.result(op.ID, q.engine.now())
	switch {
	case found && err == nil:
		q.replyEnded(k, op, r, nil)
	case !found:
		return false
	case q.stopped:
		q.replyEnded(k, op, r, reeve.ErrClosed)
	default:
		q.claimed.Store(true) // as it is configured
		k.waits(op.Tag, q.waits.add(k, op))
	}
	return true
}

// Progress notes how far the work on a task is. [reeve.ErrLeaseLost].
func (q *Queue) Progress(h *Holder, id reeve.ID, attempt uint32, percent float64, text string) error {
	if h.in(q) == nil {
		return reeve.ErrClosed
	}
	if !(percent >= 0 && percent <= 100) || len(text) > reeve.MaxProgressText {
		return fmt.Errorf("%w: progress of %v %% with %d bytes of text", reeve.ErrInvalid, percent, len(text))
	}
	q.mu.Lock()
	defer q.unlock()
	t := q.tasks.get(id)
	if t == nil || t.state != leased || t.attempt != attempt {
		return reeve.ErrLeaseLost
	}
	p := &reeve.Progress{Percent: percent, Text: text, At: q.engine.wallNow()}
	q.grow(t, func(past *past) { past.progress = p })
	return nil
}
