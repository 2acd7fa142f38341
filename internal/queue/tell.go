package queue

import (
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// telling is something to be told when what it follows from is durable: the
// answer to a request, a hand-over, the end of a task.
type telling struct {
	hold *hold // who is told; its queue is locked. nil: only call is called

	by    Replier // the answer to a request
	tag   uint64
	count int
	first reeve.ID
	err   error

	task    *task // the hand-over to a consumer, with the tag
	attempt uint32

	got   *getting // the answer to a Get
	ended *ending  // the end of a task

	call func(error)
}

// ending is the answer to a Wait.
type ending struct {
	by ResultReplier
	r  reeve.Result
}

// when has t told as soon as everything that was recorded of q is durable; false:
// it is, and the caller tells.
func (q *Queue) when(t telling) bool {
	switch {
	case q.engine.log == nil:
		return false
	case q.section.share != nil:
		q.section.tells = append(q.section.tells, t)
		return true
	}
	return q.follows(q.last, t)
}

// follows has t told as soon as frame p is durable; false: it is.
func (q *Queue) follows(p journal.Pos, t telling) bool {
	l := q.engine.log
	if p <= l.Told() {
		return false
	}
	if s := q.section; s.share != nil && s.share.Pos() == p {
		s.tells = append(s.tells, t)
		return true
	}
	return l.Follow(p, t)
}

// tellAll is called by the log: ts may be told now, or, with an error, their
// changes were lost.
func (e *Engine) tellAll(ts []telling, err error) {
	var few [8]waker
	told := few[:0]
	var roomy []*Queue
	var q *Queue
	leave := func() {
		if q == nil {
			return
		}
		var room bool
		if told, room = q.unlockOnly(told); room {
			roomy = append(roomy, q)
		}
		q = nil
	}
	for i := range ts {
		t := &ts[i]
		if t.hold == nil {
			leave()
			t.call(err)
			continue
		}
		if t.hold.queue != q {
			leave()
			q = t.hold.queue
			q.mu.Lock()
		}
		q.tellNow(t, err)
	}
	leave()
	wake(told)
	for _, q := range roomy {
		admit(q)
	}
}

// tellNow tells t, with the queue locked.
func (q *Queue) tellNow(t *telling, err error) {
	k := t.hold
	if k.closed {
		return // nobody is there any more
	}
	switch {
	case t.task != nil:
		if err == nil {
			q.deliverHeld(t)
		}
	case t.got != nil:
		q.tellGot(k, t.tag, t.got, err)
	case t.ended != nil:
		if err != nil {
			t.ended.by.Ended(t.tag, reeve.Result{}, err)
		} else {
			t.ended.by.Ended(t.tag, t.ended.r, t.err)
		}
		q.tell(k)
	default:
		if err != nil {
			t.by.Reply(t.tag, t.count, 0, err)
		} else {
			t.by.Reply(t.tag, t.count, t.first, t.err)
		}
		q.tell(k)
	}
}

// Decider is a [Replier] that keeps what became of requests: Decide is called as
// soon as that is certain, with the queue locked, and Reply when it may be told.
// It returns the client whose memory has it now; nil: nobody's.
type Decider interface {
	Decide(tag uint64, count int, first reeve.ID, err error) *Client
}

// reply answers requests of k, now or when what they changed is durable.
func (q *Queue) reply(k *hold, by Replier, tag uint64, count int, first reeve.ID, err error) {
	if d, ok := by.(Decider); ok {
		if c := d.Decide(tag, count, first, err); c != nil && err == nil {
			q.noteRequest(c, tag, count, first)
		}
	}
	if q.when(telling{hold: k, by: by, tag: tag, count: count, first: first, err: err}) {
		return
	}
	by.Reply(tag, count, first, err)
	q.tell(k)
}

// replyEnded answers a Wait.
func (q *Queue) replyEnded(k *hold, op *WaitOp, r reeve.Result, err error) {
	if q.when(telling{hold: k, tag: op.Tag, err: err, ended: &ending{op.By, r}}) {
		return
	}
	op.By.Ended(op.Tag, r, err)
	q.tell(k)
}

// After has f called when everything that has been recorded so far is durable,
// or with the reason why it never will be. It is called at once when nothing is
// under way.
func (e *Engine) After(f func(error)) {
	if e.log == nil || !e.log.Follow(e.log.Barrier(), telling{call: f}) {
		f(nil)
	}
}
