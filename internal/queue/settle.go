package queue

import (
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// timeoutGrace is how much longer than its run time an attempt may take before
// the master ends it: the worker ends it at the time, and knows why.
const timeoutGrace = 500 * time.Millisecond

// held returns the task whose lease the token is for. A holder that was taken
// for lost still counts when nobody else got the task since.
func (q *Queue) held(id reeve.ID, attempt uint32) (*task, error) {
	t := q.tasks.get(id)
	if t != nil && t.attempt == attempt && (t.state == leased || t.claimable) {
		return t, nil
	}
	q.stats.lateAcks++
	switch {
	case t == nil:
		return nil, fmt.Errorf("%w: task %v is not in queue %q any more", reeve.ErrLeaseLost, id, q.name)
	case t.state == dead:
		return nil, fmt.Errorf("%w: task %v is dead: %s", reeve.ErrLeaseLost, id, t.fate.line())
	}
	return nil, fmt.Errorf("%w: task %v is at attempt %d, not %d", reeve.ErrLeaseLost, id, t.attempt, attempt)
}

// free takes a held task out of wherever it is.
func (q *Queue) free(t *task) {
	if t.state == leased {
		q.unlease(t)
	} else {
		q.unlist(t)
		q.unlose(t)
	}
}

// after does what may follow when tasks left their place: hand-overs to the
// freed slots, the end of Joins and of a shut down queue.
func (q *Queue) after(now int64) {
	q.dispatch(now)
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
	k := h.in(q)
	if k == nil {
		return
	}
	q.mu.Lock()
	defer q.unlock()
	if k.closed {
		return
	}
	q.tell(k)
	run := 0 // acks since the last reply
	for i, op := range ops {
		t, err := q.held(op.ID, op.Attempt)
		if err == nil {
			q.free(t)
			q.forget(t)
			q.stats.done++
			run++
			continue
		}
		if run > 0 {
			by.Reply(tag+uint64(i-run), run, 0, nil)
			run = 0
		}
		by.Reply(tag+uint64(i), 1, 0, err)
	}
	if run > 0 {
		by.Reply(tag+uint64(len(ops)-run), run, 0, nil)
	}
	q.after(q.engine.now())
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
	k := h.in(q)
	if k == nil {
		return
	}
	q.mu.Lock()
	defer q.unlock()
	if k.closed {
		return
	}
	q.tell(k)
	var err error
	if op.Delay < 0 || op.Delay > reeve.MaxTime {
		err = fmt.Errorf("%w: delay of %v, want 0 to 100 years", reeve.ErrInvalid, op.Delay)
	}
	var t *task
	if err == nil {
		t, err = q.held(op.ID, op.Attempt)
	}
	if err == nil {
		q.free(t)
		q.giveBack(t, op, q.engine.now())
	}
	by.Reply(tag, 1, 0, err)
	q.after(q.engine.now())
}

// giveBack decides where a task goes whose attempt ended without success. It
// is in no list.
func (q *Queue) giveBack(t *task, op *NackOp, now int64) {
	t.claimable = false
	if q.immediate { // nobody will take it any more
		q.stats.dropped++
		q.forget(t)
		return
	}
	q.blame(t, op.Error, op.Stack)
	switch {
	case op.Bury:
		reason := ""
		if t.fate == nil || t.fate.err == "" || op.Error == "" {
			reason = "buried by its worker"
		}
		q.bury(t, reason, false)
		return
	case op.Returned:
		t.counts.Returned++
		q.stats.returned++
		q.makeReady(t, now, true)
		return
	case op.TimedOut:
		t.counts.TimedOut++
		q.stats.timedOut++
	default:
		t.counts.Failed++
		q.stats.failed++
	}
	if n := t.counts.Failed + t.counts.TimedOut; n >= uint32(q.cfg.Attempts) {
		q.bury(t, attemptsReason(t.counts), op.Error != "")
		return
	}
	if op.Delay > 0 {
		q.makeDelayed(t, now+int64(op.Delay))
	} else {
		q.makeReady(t, now, false)
	}
}

// lose gives back a task whose holder died or fell silent. blamed: the loss
// may be the task's own fault.
func (q *Queue) lose(t *task, blamed bool, now int64) {
	q.stats.lost++
	if q.immediate {
		q.stats.dropped++
		q.forget(t)
		return
	}
	t.blamed = blamed
	if blamed {
		t.counts.Lost++
	} else {
		t.counts.Returned++
	}
	if t.counts.Lost >= uint32(q.cfg.Attempts) {
		q.bury(t, fmt.Sprintf("worker lost ×%d", t.counts.Lost), false)
		return
	}
	t.claimable = true
	q.makeReady(t, now, true)
}

// unlose takes the loss of t, which is in no list, back: its holder is there.
func (q *Queue) unlose(t *task) {
	t.claimable = false
	q.stats.lost--
	if t.blamed {
		t.counts.Lost--
	} else {
		t.counts.Returned--
	}
}

func attemptsReason(c reeve.Counts) string {
	var s string
	switch {
	case c.TimedOut == 0:
		s = fmt.Sprintf("%d attempts failed", c.Failed)
	case c.Failed == 0:
		s = fmt.Sprintf("%d attempts timed out", c.TimedOut)
	default:
		s = fmt.Sprintf("%d attempts failed, %d timed out", c.Failed, c.TimedOut)
	}
	if c.Failed+c.TimedOut == 1 {
		s = "the only attempt " + map[bool]string{true: "timed out", false: "failed"}[c.TimedOut == 1]
	}
	return s
}

// blame notes why an attempt of t failed, as far as the queue has room for it:
// the error first.
func (q *Queue) blame(t *task, err, stack string) {
	if err == "" && stack == "" {
		return
	}
	if t.fate == nil {
		t.fate = &fate{}
	}
	q.bytes -= t.size()
	t.fate.err, t.fate.stack = "", ""
	free := max(0, q.cfg.MaxBytes-q.bytes-t.size())
	t.fate.err = cut(err, min(reeve.MaxErrorText, free))
	t.fate.stack = cut(stack, min(reeve.MaxErrorText, free-int64(len(t.fate.err))))
	q.bytes += t.size()
	q.roomy = true
}

// Extend makes the lease outlast d of silence from now on, and answers to tag.
func (q *Queue) Extend(h *Holder, id reeve.ID, attempt uint32, d time.Duration, tag uint64, by Replier) {
	k := h.in(q)
	if k == nil {
		return
	}
	q.mu.Lock()
	defer q.unlock()
	if k.closed {
		return
	}
	q.tell(k)
	var err error
	if d <= 0 || d > 24*time.Hour {
		err = fmt.Errorf("%w: extend by %v, want more than 0 and at most 24h", reeve.ErrInvalid, d)
	}
	var t *task
	if err == nil {
		t, err = q.held(id, attempt)
	}
	if err == nil && t.state != leased {
		q.reclaim(t, k)
	}
	if err == nil {
		t.keep = max(t.keep, q.engine.now()+int64(d))
	}
	by.Reply(tag, 1, 0, err)
}

// reclaim gives a task back to the holder that was taken for lost.
func (q *Queue) reclaim(t *task, k *hold) {
	q.free(t)
	q.lease(t, k, q.engine.now())
}

// Claim leases again, to h, those tasks that h's client held when its last
// session was lost and that nobody else got since. It reports which. With c,
// which is h's, they take slots of that consumer, even beyond what it has.
func (q *Queue) Claim(h *Holder, c *Consumer, ops []AckOp) []bool {
	k := h.in(q)
	kept := make([]bool, len(ops))
	if k == nil {
		return kept
	}
	q.mu.Lock()
	defer q.unlock()
	if k.closed {
		return kept
	}
	for i, op := range ops {
		t := q.tasks.get(op.ID)
		if t == nil || t.attempt != op.Attempt {
			continue
		}
		switch {
		case t.state == leased && t.hold == k:
			kept[i] = true
		case t.state == leased && t.hold.closed:
			q.unlease(t)
			q.lease(t, k, q.engine.now())
			kept[i] = true
		case t.claimable:
			q.reclaim(t, k)
			kept[i] = true
		}
		if kept[i] && c != nil && c.hold == k && t.consumer == nil {
			t.consumer = c
			c.set(c.slots, c.used+1)
		}
	}
	return kept
}
