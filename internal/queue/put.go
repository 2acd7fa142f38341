package queue

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

const noBytesLimit = math.MaxInt64

// PutOp is a request to put tasks. Its exported fields are set by the caller.
// The tasks' payloads belong to the queue from then on; the slice itself is
// the caller's again when Put has returned.
type PutOp struct {
	Tasks []reeve.Task
	// NoWait: answer with ErrQueueFull instead of waiting for room.
	NoWait bool
	// Each: every task is a request of its own, with tag Tag+i. Without it all
	// tasks are one request, put all or none.
	Each bool
	Tag  uint64
	By   Replier

	done int // Each: how many have been answered
	park parking
}

// Put puts op's tasks and answers through op.By, before it returns or, when it
// has to wait for room, later. h is who asks.
func (q *Queue) Put(h *Holder, op *PutOp) {
	k := h.in(q)
	q.mu.Lock()
	if k != nil {
		q.tell(k)
	}
	if err := q.putError(k, op); err != nil {
		if op.Each && len(op.Tasks) > 1 && k != nil {
			q.unlock()
			q.putApart(h, op)
			return
		}
		q.refusePut(op, err)
	} else if !q.tryPut(op) {
		switch {
		case op.NoWait || q.cfg.Refuse:
			q.refusePut(op, q.fullError())
		case op.Each:
			// From here on they are requests of their own: each is let in, or
			// cancelled, apart from the others.
			for i := op.done; i < len(op.Tasks); i++ {
				q.parkPut(k, &PutOp{Tasks: op.Tasks[i : i+1 : i+1], Tag: op.Tag + uint64(i), By: op.By})
			}
		default:
			q.parkPut(k, op)
		}
	}
	q.unlock()
}

// parkPut makes op wait for room.
func (q *Queue) parkPut(k *hold, op *PutOp) {
	var size int64
	for i := range op.Tasks {
		size += sizeOf(&op.Tasks[i])
	}
	op.Tasks = slices.Clone(op.Tasks)
	op.park = parking{put: op, hold: k, queue: q, size: size}
	if err := q.park(&op.park); err != nil {
		q.refusePut(op, err)
	}
}

// putApart puts the tasks of op one by one, so that a bad one fails alone.
func (q *Queue) putApart(h *Holder, op *PutOp) {
	for i := range op.Tasks {
		q.Put(h, &PutOp{Tasks: op.Tasks[i : i+1], NoWait: op.NoWait, Tag: op.Tag + uint64(i), By: op.By})
	}
}

func (q *Queue) putError(k *hold, op *PutOp) error {
	if k == nil || k.closed || q.stopped {
		return reeve.ErrClosed
	}
	if q.shutdown {
		return fmt.Errorf("%w: %q", reeve.ErrShutdown, q.name)
	}
	if len(op.Tasks) == 0 || len(op.Tasks) > reeve.MaxBatch {
		return &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "tasks of one Put", Value: int64(len(op.Tasks)), Max: reeve.MaxBatch}
	}
	var size int64
	for i := range op.Tasks {
		t := &op.Tasks[i]
		if err := q.engine.checkTask(t); err != nil {
			return err
		}
		if op.Each {
			size = max(size, sizeOf(t))
		} else {
			size += sizeOf(t)
		}
	}
	return q.neverFits(len(op.Tasks), size, op.Each)
}

// neverFits tells when no emptying of the queue would make room.
func (q *Queue) neverFits(n int, size int64, each bool) error {
	if size > q.cfg.MaxBytes {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: fmt.Sprintf("bytes of one Put to queue %q", q.name), Value: size, Max: q.cfg.MaxBytes, Set: "max-bytes"}
	}
	if q.cfg.MaxLen > 0 && n > q.cfg.MaxLen && !each {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: fmt.Sprintf("tasks of one Put to queue %q", q.name), Value: int64(n), Max: int64(q.cfg.MaxLen), Set: "max-len"}
	}
	return nil
}

// maxTime bounds delays and run times: what the clock can add without overflow.
const maxTime = 100 * 365 * 24 * time.Hour

func (e *Engine) checkTask(t *reeve.Task) error {
	switch {
	case e.cfg.MaxPayload > 0 && int64(len(t.Payload)) > e.cfg.MaxPayload:
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "payload bytes", Value: int64(len(t.Payload)), Max: e.cfg.MaxPayload, Set: "max-payload"}
	case t.Delay < 0 || t.Delay > maxTime:
		return fmt.Errorf("%w: delay of %v, want 0 to 100 years", reeve.ErrInvalid, t.Delay)
	case t.Timeout < 0 || t.Timeout > maxTime:
		return fmt.Errorf("%w: timeout of %v, want 0 to 100 years", reeve.ErrInvalid, t.Timeout)
	case len(t.Type) > maxNameLen:
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "task type bytes", Value: int64(len(t.Type)), Max: maxNameLen}
	}
	return nil
}

func (q *Queue) fullError() error {
	if q.cfg.MaxLen > 0 && q.waiting() >= q.cfg.MaxLen {
		return &reeve.LimitError{Kind: reeve.ErrQueueFull, Limit: fmt.Sprintf("tasks waiting in queue %q", q.name), Value: int64(q.waiting()), Max: int64(q.cfg.MaxLen), Set: "max-len"}
	}
	return &reeve.LimitError{Kind: reeve.ErrQueueFull, Limit: fmt.Sprintf("bytes in queue %q", q.name), Value: q.bytes, Max: q.maxBytes(), Set: "max-bytes"}
}

// refusePut answers what is left of op with err.
func (q *Queue) refusePut(op *PutOp, err error) {
	n := len(op.Tasks) - op.done
	if isFull(err) {
		q.stats.refused += uint64(n)
	}
	q.answerPut(op, n, 0, err)
}

// answerPut answers the next n tasks of op.
func (q *Queue) answerPut(op *PutOp, n int, first reeve.ID, err error) {
	if !op.Each {
		op.done = len(op.Tasks)
		op.By.Reply(op.Tag, 1, first, err)
		return
	}
	op.By.Reply(op.Tag+uint64(op.done), n, first, err)
	op.done += n
}

// tryPut puts and answers what there is room for and reports whether that was
// all. Who came first is served first: while others wait there is no room.
func (q *Queue) tryPut(op *PutOp) bool {
	if q.parked.head != nil && q.parked.head != &op.park {
		return false
	}
	rest := op.Tasks[op.done:]
	n := q.room(rest)
	if n < len(rest) && !op.Each || n == 0 {
		return false
	}
	first := q.engine.newIDs(n)
	now := q.engine.now()
	for i := range rest[:n] {
		q.insert(&rest[i], first+reeve.ID(i), now)
	}
	q.answerPut(op, n, first, nil)
	q.dispatch(now)
	return n == len(rest)
}

// room is how many of ts, from the first on, can be put now.
func (q *Queue) room(ts []reeve.Task) int {
	n := len(ts)
	if q.cfg.MaxLen > 0 {
		n = min(n, max(0, q.cfg.MaxLen-q.waiting()))
	}
	free := q.cfg.MaxBytes - q.bytes
	for i := range ts[:n] {
		if free -= sizeOf(&ts[i]); free < 0 {
			return i
		}
	}
	return n
}

// insert makes the record of a new task.
func (q *Queue) insert(src *reeve.Task, id reeve.ID, now int64) {
	t := &task{
		id: id, payload: src.Payload, typ: src.Type, source: src.Source,
		putAt: q.engine.wall(now), heap: -1, timeout: int64(src.Timeout),
	}
	if t.timeout == 0 {
		t.timeout = int64(q.cfg.Timeout)
	}
	q.tasks[id] = t
	q.bytes += t.size()
	q.stats.put++
	if src.Delay > 0 {
		q.makeDelayed(t, now+int64(src.Delay))
	} else {
		q.makeReady(t, now, false)
	}
}
