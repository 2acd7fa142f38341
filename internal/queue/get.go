package queue

import "github.com/reeveq/reeve"

// getBytes is when the answer to one Get is large enough: a task more may make
// it larger than that, but no second one.
const getBytes = 1 << 20

// GetOp is a request for up to Max leases at once, as soon as there is one. Its
// exported fields are set by the caller.
type GetOp struct {
	Max    int
	NoWait bool
	Tag    uint64 // for Sink.Got
	Want   reeve.GetOptions

	group *getGroup // its parts in other queues; nil: none

	taker taker
}

// Get answers op through h's sink: before it returns, or when there is a task.
func (q *Queue) Get(h *Holder, op *GetOp) {
	k := q.ask(h)
	if k == nil {
		return
	}
	defer q.unlock()
	op.taker = taker{get: op, hold: k}
	err := op.Want.Validate()
	switch {
	case err != nil:
		q.got(&op.taker, err)
		return
	case op.Max < 1 || op.Max > reeve.MaxBatch:
		q.got(&op.taker, &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "tasks of one Get", Value: int64(op.Max), Max: reeve.MaxBatch})
		return
	case q.stopped:
		q.got(&op.taker, q.stoppedError())
		return
	}
	op.taker.profile = q.profileOf(&op.Want)
	op.taker.profile.takers.add(&op.taker)
	q.dispatch(q.engine.now())
	switch {
	case op.taker.list == nil: // served
	case q.ended(), op.Want.UntilEmpty && q.drained():
		op.taker.leave()
		q.got(&op.taker, q.shutdownError())
	case op.NoWait:
		op.taker.leave()
		q.got(&op.taker, reeve.ErrEmpty)
	default:
		k.waits(op.Tag, &op.taker)
	}
}

// got answers a Get with an error.
func (q *Queue) got(t *taker, err error) {
	q.dropGet(t)
	if g := t.get.group; g != nil {
		if err = g.failed(err); err == nil {
			return
		}
		q.later(g)
	}
	t.hold.holder.sink.Got(t.get.Tag, q.name, nil, err)
	q.tell(t.hold)
}

// gotTasks answers a Get with tasks that were leased for it.
func (q *Queue) gotTasks(t *taker, ts []*task) {
	q.dropGet(t)
	if g := t.get.group; g != nil {
		q.later(g)
	}
	q.deliverAll(t, ts)
}

// serveGet answers a Get with t and what else there is for it.
func (q *Queue) serveGet(k *taker, t *task, now int64) {
	p := k.profile
	if g := k.get.group; g != nil && !g.claim() {
		k.leave() // answered by another queue
		q.dropGet(k)
		return
	}
	ts := make([]*task, 0, min(k.get.Max, q.offered))
	var size int64
	for {
		q.lease(q.take(t, now), k.hold, nil, now)
		size += t.size()
		ts = append(ts, t)
		if len(ts) == k.get.Max || size >= getBytes || q.shut(now) {
			break
		}
		for t = q.choose(p, k); t != nil && q.tooLate(t, now); t = q.choose(p, k) {
			q.expireTask(t, now)
		}
		if t == nil {
			break
		}
	}
	k.leave()
	q.gotTasks(k, ts)
}
