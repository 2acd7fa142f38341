package queue

import "github.com/reeveq/reeve"

// CompleteOp ends one lease and puts Result on another queue, in one step. Its
// answer tells no id. The record is the caller's again when Complete has
// returned; the result's payload belongs to the queue.
type CompleteOp struct {
	ID      reeve.ID
	Attempt uint32
	Result  reeve.Task
	Tag     uint64
	By      Replier
}

// completing is a CompleteOp that waits for room.
type completing struct {
	CompleteOp
	park parking
}

// Complete carries out ops in order: each acks a task of from and puts its
// result on to, both or neither. One for which to has no room waits; its lease
// stands meanwhile. The results of tasks that ask for it are kept by their ids;
// without to (nil) that is all that is done with them.
func (from *Queue) Complete(h *Holder, to *Queue, ops []CompleteOp) {
	if to == nil {
		from.finish(h, ops)
		return
	}
	kf, kt := h.in(from), h.in(to)
	if kf == nil || kt == nil {
		return
	}
	lockPair(from, to)
	defer unlockPair(from, to)
	if kf.closed || kt.closed {
		return
	}
	now := from.engine.now()
	for i := range ops {
		op := &ops[i]
		if err := to.complete(from, op, kf, kt, now); err != nil {
			to.reply(kt, op.By, op.Tag, 1, 0, err)
		}
	}
	from.after(now)
}

// finish is Complete without a queue for the results.
func (from *Queue) finish(h *Holder, ops []CompleteOp) {
	k := from.ask(h)
	if k == nil {
		return
	}
	defer from.unlock()
	now := from.engine.now()
	for i := range ops {
		op := &ops[i]
		err := from.engine.checkTask(&op.Result)
		var t *task
		if err == nil {
			t, err = from.held(k, op.ID, op.Attempt)
		}
		if err == nil {
			err = from.takeBlobsOf(&op.Result)
		}
		if err == nil {
			from.nameToo(t, blobsOf(&op.Result))
			from.done(t, from.free(t, now), op.Result.Payload, now)
		}
		from.reply(k, op.By, op.Tag, 1, 0, err)
	}
	from.after(now)
}

// complete carries out op, or makes it wait; otherwise it tells why not. q is
// the queue of the result, k what who asks has in it, kf in the other one.
func (q *Queue) complete(from *Queue, op *CompleteOp, kf, k *hold, now int64) error {
	if err := q.completeError(op); err != nil {
		return err
	}
	t, err := from.held(kf, op.ID, op.Attempt)
	if err != nil {
		return err
	}
	switch {
	case (q.parked.head == nil || q.stopped) && q.tryComplete(from, t, op, k, now):
		return nil
	case q.cfg.Refuse:
		q.stats.refused++
		return q.fullError(1)
	}
	c := &completing{CompleteOp: *op}
	c.park = parking{complete: c, from: from, held: kf, hold: k, queue: q, size: sizeOf(&op.Result)}
	if err := q.park(&c.park); err != nil {
		return err
	}
	from.stopTimer(t, c)
	return nil
}

func (q *Queue) completeError(op *CompleteOp) error {
	if q.deleted {
		return q.goneError()
	}
	if q.shutdown {
		return q.shutdownError()
	}
	if err := q.engine.checkTask(&op.Result); err != nil {
		return err
	}
	return q.neverFits(1, sizeOf(&op.Result), false)
}

// tryComplete carries out op, which ends t's lease, with both queues locked,
// unless q has no room, and answers k; it reports whether it did.
func (q *Queue) tryComplete(from *Queue, t *task, op *CompleteOp, k *hold, now int64) bool {
	size, n := sizeOf(&op.Result), 1
	if from == q { // the task makes room for its result
		size -= t.size()
		if t.state == ready {
			n = 0
		}
	}
	full := q.used()+size > q.cfg.MaxBytes || q.cfg.MaxLen > 0 && q.waiting()+n > q.cfg.MaxLen
	if full && !q.stopped { // a stopped queue has room for results: there will never be more
		return false
	}
	if err := q.takeBlobsOf(&op.Result); err != nil {
		if c := t.parked(); c != nil && &c.CompleteOp == op {
			from.resumeTimer(t, now)
		}
		q.reply(k, op.By, op.Tag, 1, 0, err)
		return true
	}
	id, refs := t.id, blobsOf(&op.Result)
	if len(refs) > 0 {
		q.engine.cfg.Blobs.Keep(refs) // for the result that may be kept
		from.nameToo(t, refs)
	}
	from.done(t, from.free(t, now), op.Result.Payload, now)
	op.Result.Source = id
	if !q.knownResult(&op.Result, now) {
		id := q.engine.newIDs(1)
		q.claimUnique(&op.Result, id, now)
		q.insert(&op.Result, id, now)
	} else {
		q.dropBlobs(refs)
	}
	q.reply(k, op.By, op.Tag, 1, 0, nil)
	q.dispatch(now)
	return true
}

// knownResult reports whether a result is not put because its unique key is
// taken: its task is done all the same.
func (q *Queue) knownResult(r *reeve.Task, now int64) bool {
	_, taken := q.taken(r, now)
	if taken {
		q.stats.duplicates++
	}
	return taken
}

// stopTimer ends the run time of an attempt whose result waits for room: the
// attempt is over.
func (q *Queue) stopTimer(t *task, c *completing) {
	if t.state != leased { // its holder was taken for lost
		return
	}
	t.more().result = c
	if t.heap >= 0 {
		q.due.remove(t)
	}
}

// startTimers gives those attempts their run time again whose result will not
// be put: their holder has to end them in another way. Nothing is locked.
func startTimers(refused []*completing) {
	for _, c := range refused {
		q := c.park.from
		q.mu.Lock()
		if t := q.tasks.get(c.ID); t != nil && t.parked() == c {
			q.resumeTimer(t, q.engine.now())
		}
		q.unlock()
	}
}

// resumeTimer does so for one.
func (q *Queue) resumeTimer(t *task, now int64) {
	t.past.result = nil
	q.startTimer(t, now)
}

// startTimer sets the end of the run time, if any, of an attempt that begins.
func (q *Queue) startTimer(t *task, now int64) {
	if d := q.timeout(t); d > 0 {
		q.schedule(t, now+d+int64(timeoutGrace))
	}
}
