package manager

import (
	"cmp"
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
	called   wire.CallFrame
	acks     []queue.AckOp
	ends     []queue.CompleteOp
	busy     bool
	whole    int // the length of the frame, if it has memory of its own
}

// keptOps is how many operations of one frame a table keeps memory for.
const keptOps = 1 << 10

// rest gives up what is kept for reuse; the reader is about to wait.
func (r *requests) rest() {
	if r.busy {
		r.busy = false
		r.put.Clear()
		r.complete.Clear()
		r.ack.Clear()
		r.called.Clear()
		clear(r.ends)
		if cap(r.ends) > keptOps {
			r.ends = nil
		}
		if cap(r.acks) > keptOps {
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
	case wire.TypeCall:
		r.busy = true
		if err := r.called.Decode(body); err != nil {
			return err
		}
		return r.s.guarded(t, r.called.Req, 1, r.doCall)
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
		r.s.settle(req, count, 0, err)
		return nil, false
	}
	return q, true
}

// leased is lookup for requests about leases. Who has one of a queue that is not
// there had it of one that was deleted.
func (r *requests) leased(name string, req uint64, count int) (*queue.Queue, bool) {
	q, err := leasedIn(r.s.m.engine, name)
	if err != nil {
		r.s.settle(req, count, 0, err)
		return nil, false
	}
	return q, true
}

// leasedIn finds the queue of a lease. [reeve.ErrLeaseLost].
func leasedIn(e *queue.Engine, name string) (*queue.Queue, error) {
	q, err := e.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", reeve.ErrLeaseLost, err)
	}
	return q, nil
}

// begin notes that requests arrived. Those that were seen before are answered
// or left to the answer that is under way, and each that is to be carried out
// after all is passed to one.
func (r *requests) begin(req uint64, count int, low uint64, one func(i int)) (fresh bool, err error) {
	s, c := r.s, r.s.client // r is another session's when an answer has to wait
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
			// It was carried out, but that may not be durable yet.
			s.m.engine.After(func(failed error) {
				s.Reply(req+uint64(i), 1, first, cmp.Or(err, failed))
				s.Wake()
			})
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
	from, ok := r.leased(r.complete.Queue, req, len(ops))
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
	if q, ok := r.leased(r.ack.Queue, req, len(ops)); ok {
		q.Ack(r.s.holder, ops, req, r.s)
	}
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

// onceLeased is once for a request about a lease.
func (r *requests) onceLeased(req, low uint64, name string, do func(*queue.Queue)) error {
	return r.onceAnywhere(req, low, func() {
		if q, ok := r.leased(name, req, 1); ok {
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
		r.s.out.refuse(req, err)
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
		r.s.out.refuse(req, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "waiting requests of one client", Value: n, Max: queue.Window})
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

func (r *requests) dead(m *wire.DeadRequest) error {
	q, ok := r.find(m.Queue, m.Req)
	if !ok {
		return nil
	}
	if m.Max < 1 || m.Max > reeve.MaxBatch || m.Skip > 1<<40 {
		r.s.out.refuse(m.Req, fmt.Errorf("%w: %d dead tasks after %d, want 1 to %d", reeve.ErrInvalid, m.Max, m.Skip, reeve.MaxBatch))
		return nil
	}
	a := &wire.Answer{Req: m.Req}
	size := 0
	dead, err := q.Dead(int(m.Skip), int(m.Max))
	if err != nil {
		r.s.out.refuse(m.Req, err)
		return nil
	}
	for _, d := range dead {
		if size += len(d.Payload) + len(d.Error) + len(d.Stack) + 256; size > answerBytes && len(a.Dead) > 0 {
			break
		}
		a.Dead = append(a.Dead, wire.DeadOf(&d))
	}
	r.s.out.message(a)
	return nil
}
