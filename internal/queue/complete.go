package queue

import (
	"fmt"

	"github.com/reeveq/reeve"
)

// CompleteOp ends one lease and puts Result on another queue, in one step. Its
// answer tells no id. The record is the caller's again when Complete has
// returned; the result's payload belongs to the queue.
type CompleteOp struct {
	ID      reeve.ID
	Attempt uint32
	Result  reeve.Task
	Tag     uint64
	By      Replier

	park parking
}

// clone makes the record of an operation that waits.
func (op *CompleteOp) clone() *CompleteOp {
	c := *op
	return &c
}

// Complete carries out ops in order: each acks a task of from and puts its
// result on to, both or neither. One for which to has no room waits; its lease
// stands meanwhile.
func (from *Queue) Complete(h *Holder, to *Queue, ops []CompleteOp) {
	kf, kt := h.in(from), h.in(to)
	lockPair(from, to)
	if kf != nil {
		from.tell(kf)
	}
	now := from.engine.now()
	waits := false
	for i := range ops {
		op := &ops[i]
		if err := to.completeError(kt, op); err != nil {
			op.By.Reply(op.Tag, 1, 0, err)
			continue
		}
		if !waits && to.parked.head == nil && to.tryComplete(from, op) {
			continue
		}
		if to.cfg.Refuse {
			err := to.fullError()
			to.stats.refused++
			op.By.Reply(op.Tag, 1, 0, err)
			continue
		}
		op = op.clone()
		op.park = parking{complete: op, from: from, hold: kt, queue: to, size: sizeOf(&op.Result)}
		if err := to.park(&op.park); err != nil {
			op.By.Reply(op.Tag, 1, 0, err)
			continue
		}
		waits = true
		from.stopTimer(op)
	}
	admit := from.after(now)
	unlockPair(from, to)
	if admit {
		from.admit()
	}
}

func (q *Queue) completeError(k *hold, op *CompleteOp) error {
	switch {
	case k == nil || k.closed:
		return reeve.ErrClosed
	case q.shutdown:
		return fmt.Errorf("%w: %q", reeve.ErrShutdown, q.name)
	}
	if err := q.engine.checkTask(&op.Result); err != nil {
		return err
	}
	return q.neverFits(1, sizeOf(&op.Result), false)
}

// tryComplete carries out op, with both queues locked, unless q has no room; it
// reports whether op was answered.
func (q *Queue) tryComplete(from *Queue, op *CompleteOp) bool {
	t, err := from.held(op.ID, op.Attempt)
	if err != nil {
		op.By.Reply(op.Tag, 1, 0, err)
		return true
	}
	size := sizeOf(&op.Result)
	if from == q {
		size -= t.size() // the task makes room for its result
	}
	if q.bytes+size > q.cfg.MaxBytes || q.cfg.MaxLen > 0 && q.waiting() >= q.cfg.MaxLen {
		return false
	}
	now := q.engine.now()
	from.free(t)
	from.forget(t)
	from.stats.done++
	op.Result.Source = t.id
	q.insert(&op.Result, q.engine.newIDs(1), now)
	op.By.Reply(op.Tag, 1, 0, nil)
	q.dispatch(now)
	return true
}

// stopTimer ends the run time of an attempt whose result waits for room: the
// attempt is over.
func (q *Queue) stopTimer(op *CompleteOp) {
	if t := q.tasks[op.ID]; t != nil && t.attempt == op.Attempt && t.state == leased && t.heap >= 0 {
		q.due.remove(t)
	}
}
