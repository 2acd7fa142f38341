package manager

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/wire"
)

// requests carries out the requests that one reader reads. The frames are kept
// for reuse; what goes into the engine from them is copied, unless keep says
// otherwise.
type requests struct {
	s *session

	put      wire.PutFrame
	complete wire.CompleteFrame
	ack      wire.AckFrame
	acks     []queue.AckOp
	ends     []queue.CompleteOp
	busy     bool
	whole    int // the length of the frame, if it has memory of its own
}

// rest gives up what is kept for reuse; the reader is about to wait.
func (r *requests) rest() {
	if r.busy {
		r.busy = false
		r.put.Clear()
		r.complete.Clear()
		r.ack.Clear()
		clear(r.ends)
		if cap(r.ends) > 256 {
			r.ends = nil
		}
		if cap(r.acks) > 256 {
			r.acks = nil
		}
	}
}

// handle carries out one message. An error ends the session; the error of a
// request is answered to it instead. owned: the frame's memory may be kept.
func (r *requests) handle(frame []byte, owned bool) error {
	t, body, err := wire.ParseType(frame)
	if err != nil {
		return err
	}
	r.whole = 0
	if owned {
		r.whole = len(frame)
	}
	switch t {
	case wire.TypePut:
		r.busy = true
		if err := r.put.Decode(body); err != nil {
			return err
		}
		count := 1
		if r.put.Flags&wire.FlagEach != 0 {
			count = len(r.put.Tasks)
		}
		return r.s.guarded(t, r.put.Req, count, r.doPut)
	case wire.TypeComplete:
		r.busy = true
		if err := r.complete.Decode(body); err != nil {
			return err
		}
		return r.s.guarded(t, r.complete.Req, len(r.complete.Entries), r.doComplete)
	case wire.TypeAck:
		r.busy = true
		if err := r.ack.Decode(body); err != nil {
			return err
		}
		return r.s.guarded(t, r.ack.Req, len(r.ack.Entries), r.doAck)
	}
	return r.handleRare(t, body)
}

// keep is payload as the engine may have it: itself when it is most of a frame
// with memory of its own, else a copy. Of several that share a frame the last
// one would keep the memory of all, which nobody counts.
func (r *requests) keep(payload []byte) []byte {
	if 2*len(payload) >= r.whole && r.whole > 0 {
		return payload
	}
	return append([]byte(nil), payload...) // nil for an empty one, which would keep the frame too
}

// lookup finds the queue of requests req to req+count-1, or answers them.
func (r *requests) lookup(name string, req uint64, count int) (*queue.Queue, bool) {
	q, err := r.s.m.engine.Lookup(name)
	if err != nil {
		r.s.Reply(req, count, 0, err)
		return nil, false
	}
	return q, true
}

// begin notes that requests arrived. Those that were seen before are answered
// or left to the answer that is under way, and each that is to be carried out
// after all is passed to one.
func (r *requests) begin(req uint64, count int, low uint64, one func(i int)) (fresh bool, err error) {
	c := r.s.client
	fresh, err = c.Begin(req, count, low)
	if fresh || err != nil {
		return fresh, err
	}
	for i := range count {
		run, done, first, err := c.Seen(req + uint64(i))
		switch {
		case run:
			one(i)
		case done:
			r.s.answer(req+uint64(i), 1, first, err)
		}
	}
	return false, nil
}

func (r *requests) doPut() error {
	f := &r.put
	for i := range f.Tasks {
		f.Tasks[i].Payload = r.keep(f.Tasks[i].Payload)
	}
	each := f.Flags&wire.FlagEach != 0
	count := 1
	if each {
		count = len(f.Tasks)
	}
	op := queue.PutOp{Tasks: f.Tasks, NoWait: f.Flags&wire.FlagNoWait != 0, Each: each, Tag: f.Req, By: r.s}
	fresh, err := r.begin(f.Req, count, f.Low, func(i int) {
		again := op
		if each {
			again.Tasks, again.Each, again.Tag = f.Tasks[i:i+1], false, f.Req+uint64(i)
		}
		r.putOne(f.Queue, &again)
	})
	if fresh {
		r.putOne(f.Queue, &op)
	}
	return err
}

func (r *requests) putOne(name string, op *queue.PutOp) {
	count := 1
	if op.Each {
		count = len(op.Tasks)
	}
	if q, ok := r.lookup(name, op.Tag, count); ok {
		q.Put(r.s.holder, op)
	}
}

func (r *requests) doComplete() error {
	f := &r.complete
	r.ends = r.ends[:0]
	for i := range f.Entries {
		e := &f.Entries[i]
		e.Result.Payload = r.keep(e.Result.Payload)
		r.ends = append(r.ends, queue.CompleteOp{ID: e.ID, Attempt: e.Attempt, Result: e.Result, Tag: f.Req + uint64(i), By: r.s})
	}
	fresh, err := r.begin(f.Req, len(f.Entries), f.Low, func(i int) { r.completeSome(f.Req+uint64(i), r.ends[i:i+1]) })
	if fresh {
		r.completeSome(f.Req, r.ends)
	}
	return err
}

func (r *requests) completeSome(req uint64, ops []queue.CompleteOp) {
	from, ok := r.lookup(r.complete.Queue, req, len(ops))
	if !ok {
		return
	}
	if r.complete.To == "" { // the result is kept by the task's id
		from.Complete(r.s.holder, nil, ops)
	} else if to, ok := r.lookup(r.complete.To, req, len(ops)); ok {
		from.Complete(r.s.holder, to, ops)
	}
}

func (r *requests) doAck() error {
	f := &r.ack
	r.acks = r.acks[:0]
	for _, e := range f.Entries {
		r.acks = append(r.acks, queue.AckOp{ID: e.ID, Attempt: e.Attempt})
	}
	fresh, err := r.begin(f.Req, len(r.acks), f.Low, func(i int) { r.ackSome(f.Req+uint64(i), r.acks[i:i+1]) })
	if fresh {
		r.ackSome(f.Req, r.acks)
	}
	return err
}

func (r *requests) ackSome(req uint64, ops []queue.AckOp) {
	if q, ok := r.lookup(r.ack.Queue, req, len(ops)); ok {
		q.Ack(r.s.holder, ops, req, r.s)
	}
}

// handleRare carries out the requests that are not many per second.
func (r *requests) handleRare(t wire.Type, body []byte) error {
	switch t {
	case wire.TypeNack:
		return handle(r, t, body, func(m *wire.Nack) error {
			return r.once(m.Req, m.Low, m.Queue, func(q *queue.Queue) {
				q.Nack(r.s.holder, &queue.NackOp{
					ID: m.ID, Attempt: m.Attempt, Delay: m.Delay, TimedOut: m.Cause == wire.CauseTimedOut,
					Returned: m.Cause == wire.CauseReturned, Snooze: m.Cause == wire.CauseSnoozed,
					Skip: m.Cause == wire.CauseSkipped, Discard: m.Cause == wire.CauseDiscarded, Error: m.Error, Stack: m.Stack,
				}, m.Req, r.s)
			})
		})
	case wire.TypeBury:
		return handle(r, t, body, func(m *wire.Bury) error {
			return r.once(m.Req, m.Low, m.Queue, func(q *queue.Queue) {
				q.Nack(r.s.holder, &queue.NackOp{ID: m.ID, Attempt: m.Attempt, Bury: true, Error: m.Error, Stack: m.Stack}, m.Req, r.s)
			})
		})
	case wire.TypeExtend:
		return handle(r, t, body, func(m *wire.Extend) error {
			return r.once(m.Req, m.Low, m.Queue, func(q *queue.Queue) {
				q.Extend(r.s.holder, m.ID, m.Attempt, m.Duration, m.Req, r.s)
			})
		})
	case wire.TypeShutdown:
		return handle(r, t, body, func(m *wire.ShutdownRequest) error {
			return r.once(m.Req, m.Low, m.Queue, func(q *queue.Queue) {
				q.Shutdown(m.Immediate)
				r.s.Reply(m.Req, 1, 0, nil)
			})
		})
	case wire.TypeClaim:
		return handle(r, t, body, func(m *wire.Claim) error { return r.claim(m) })
	case wire.TypeGet:
		return handle(r, t, body, func(m *wire.Get) error { return r.get(m) })
	case wire.TypeConsume:
		return handle(r, t, body, func(m *wire.Consume) error { return r.consume(m) })
	case wire.TypeUnconsume:
		return handle(r, t, body, func(m *wire.Unconsume) error {
			if c := r.s.consumers.remove(m.Consumer); c != nil {
				c.Close()
			}
			r.s.out.confirm(m.Req, 1, 0)
			return nil
		})
	case wire.TypeCancel:
		return handle(r, t, body, func(m *wire.Cancel) error {
			if !r.s.cancelCommand(m.Req) {
				r.s.holder.Cancel(m.Req, context.Canceled)
			}
			return nil
		})
	case wire.TypeStats:
		return handle(r, t, body, func(m *wire.StatsRequest) error { return r.stats(m) })
	case wire.TypeJoin:
		return handle(r, t, body, func(m *wire.Join) error {
			if q, ok := r.find(m.Queue, m.Req); ok && r.mayWait(m.Req) {
				q.Join(r.s.holder, &queue.JoinOp{Tag: m.Req, By: joiner{r.s}})
			}
			return nil
		})
	case wire.TypeDead:
		return handle(r, t, body, func(m *wire.DeadRequest) error { return r.dead(m) })
	case wire.TypeResult:
		return handle(r, t, body, func(m *wire.ResultRequest) error { return r.result(m) })
	case wire.TypeProgress:
		return handle(r, t, body, func(m *wire.Progress) error { return r.progress(m) })
	}
	return r.handleOperator(t, body)
}

// handleOperator carries out the requests of operators.
func (r *requests) handleOperator(t wire.Type, body []byte) error {
	switch t {
	case wire.TypeTask:
		return handle(r, t, body, func(m *wire.TaskRequest) error { return r.task(m) })
	case wire.TypeList:
		return handle(r, t, body, func(m *wire.List) error { return r.list(m) })
	case wire.TypePeek:
		return handle(r, t, body, func(m *wire.Peek) error { return r.peek(m) })
	case wire.TypeExplain:
		return handle(r, t, body, func(m *wire.Explain) error { return r.explain(m) })
	case wire.TypeTypes:
		return handle(r, t, body, func(m *wire.TypesRequest) error { return r.types(m) })
	case wire.TypeWorkers:
		return handle(r, t, body, func(m *wire.WorkersRequest) error { return r.workers(m) })
	case wire.TypeCancelTask:
		return handle(r, t, body, func(m *wire.CancelTask) error { return r.cancelTask(m) })
	case wire.TypeAct:
		return handle(r, t, body, func(m *wire.Act) error { return r.act(m) })
	case wire.TypePause:
		return handle(r, t, body, func(m *wire.Pause) error { return r.pause(m) })
	case wire.TypeCommandRequest:
		return handle(r, t, body, func(m *wire.CommandRequest) error { return r.command(m) })
	case wire.TypeEvents:
		return handle(r, t, body, func(m *wire.Events) error { return r.events(m) })
	case wire.TypeUnevents:
		return handle(r, t, body, func(m *wire.Unevents) error { return r.unevents(m) })
	}
	return r.unknown(t, body)
}

// progress notes how far the work of a lease is. Nobody waits for an answer.
func (r *requests) progress(m *wire.Progress) error {
	if q, err := r.s.m.engine.Lookup(m.Queue); err == nil {
		q.Progress(r.s.holder, m.ID, m.Attempt, m.Percent, m.Text)
	}
	return nil
}

// handle decodes a message and carries it out with do.
func handle[M any](r *requests, t wire.Type, body []byte, do func(*M) error) error {
	m := new(M)
	if err := wire.Decode(t, body, m); err != nil {
		return err
	}
	req, _, err := wire.RequestID(body)
	if err != nil {
		return err
	}
	return r.s.guarded(t, req, 1, func() error { return do(m) })
}

// once carries out a request that changes something, unless it was carried out
// before.
func (r *requests) once(req, low uint64, name string, do func(*queue.Queue)) error {
	return r.onceAnywhere(req, low, func() {
		if q, ok := r.lookup(name, req, 1); ok {
			do(q)
		}
	})
}

// onceAnywhere is once for a request that names no queue.
func (r *requests) onceAnywhere(req, low uint64, do func()) error {
	fresh, err := r.begin(req, 1, low, func(int) { do() })
	if fresh {
		do()
	}
	return err
}

// find finds the queue of a request that changes nothing, or answers it.
func (r *requests) find(name string, req uint64) (*queue.Queue, bool) {
	q, err := r.s.m.engine.Lookup(name)
	if err != nil {
		r.s.out.message(wire.ErrorFor(req, err, ""))
	}
	return q, err == nil
}

// mayWait counts a request that may wait for long and is not bounded by room in
// a queue, as Get and Join, or answers that too many do.
// Nothing else bounds them: they leave no outcome to be remembered, so they are
// not in the window.
func (r *requests) mayWait(req uint64) bool {
	if n := r.s.waiting.Add(1); n > queue.Window {
		r.s.waiting.Add(-1)
		r.s.out.message(wire.ErrorFor(req, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "waiting requests of one client", Value: n, Max: queue.Window}, ""))
		return false
	}
	return true
}

func (r *requests) stats(m *wire.StatsRequest) error {
	a := &wire.Answer{Req: m.Req}
	if m.Queue != "" {
		q, ok := r.find(m.Queue, m.Req)
		if !ok {
			return nil
		}
		a.Queues = []wire.Stats{wire.StatsOf(q.Stats())}
	} else {
		for _, s := range r.s.m.engine.Stats() {
			a.Queues = append(a.Queues, wire.StatsOf(s))
		}
	}
	r.s.out.message(a)
	return nil
}

// deadBytes is when an answer with dead tasks is large enough.
const deadBytes = 1 << 20

func (r *requests) dead(m *wire.DeadRequest) error {
	q, ok := r.find(m.Queue, m.Req)
	if !ok {
		return nil
	}
	if m.Max < 1 || m.Max > reeve.MaxBatch || m.Skip > 1<<40 {
		r.s.out.message(wire.ErrorFor(m.Req, fmt.Errorf("%w: %d dead tasks after %d, want 1 to %d", reeve.ErrInvalid, m.Max, m.Skip, reeve.MaxBatch), ""))
		return nil
	}
	a := &wire.Answer{Req: m.Req}
	size := 0
	for _, d := range q.Dead(int(m.Skip), int(m.Max)) {
		if size += len(d.Payload) + len(d.Error) + len(d.Stack) + 256; size > deadBytes && len(a.Dead) > 0 {
			break
		}
		a.Dead = append(a.Dead, wire.DeadOf(&d))
	}
	r.s.out.message(a)
	return nil
}

// unknown answers a message of a type that this version does not have.
func (r *requests) unknown(t wire.Type, body []byte) error {
	req, ok, err := wire.RequestID(body)
	if err != nil {
		return err
	}
	r.s.m.counts.unsupported.Add(1)
	if ok {
		r.s.out.message(wire.ErrorFor(req, fmt.Errorf("%w: %v", reeve.ErrUnsupported, t), ""))
	}
	return nil
}
