package manager

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/wire"
)

// handleRare carries out the requests that are not many per second.
func (r *requests) handleRare(t wire.Type, body []byte) error {
	switch t {
	case wire.TypeNack:
		return handle(r, t, body, func(m *wire.Nack) error {
			return r.onceLeased(m.Req, m.Low, m.Queue, func(q *queue.Queue) {
				q.Nack(r.s.holder, &queue.NackOp{
					ID: m.ID, Attempt: m.Attempt, Delay: m.Delay, TimedOut: m.Cause == wire.CauseTimedOut,
					Returned: m.Cause == wire.CauseReturned, Snooze: m.Cause == wire.CauseSnoozed,
					Skip: m.Cause == wire.CauseSkipped, Discard: m.Cause == wire.CauseDiscarded, Error: m.Error, Stack: m.Stack,
				}, m.Req, r.s)
			})
		})
	case wire.TypeBury:
		return handle(r, t, body, func(m *wire.Bury) error {
			return r.onceLeased(m.Req, m.Low, m.Queue, func(q *queue.Queue) {
				q.Nack(r.s.holder, &queue.NackOp{ID: m.ID, Attempt: m.Attempt, Bury: true, Error: m.Error, Stack: m.Stack}, m.Req, r.s)
			})
		})
	case wire.TypeExtend:
		return handle(r, t, body, func(m *wire.Extend) error {
			return r.onceLeased(m.Req, m.Low, m.Queue, func(q *queue.Queue) {
				q.Extend(r.s.holder, m.ID, m.Attempt, m.Duration, m.Req, r.s)
			})
		})
	case wire.TypeShutdown:
		return handle(r, t, body, func(m *wire.ShutdownRequest) error {
			return r.once(m.Req, m.Low, m.Queue, func(q *queue.Queue) {
				q.Shutdown(m.Immediate)
				r.s.settle(m.Req, 1, 0, nil)
			})
		})
	case wire.TypeClaim:
		return handle(r, t, body, func(m *wire.Claim) error { return r.claim(m) })
	case wire.TypeClaimed:
		return handle(r, t, body, func(m *wire.Claimed) error { return r.claimed(m) })
	case wire.TypeGet:
		return handle(r, t, body, func(m *wire.Get) error { return r.get(m) })
	case wire.TypeConsume:
		return handle(r, t, body, func(m *wire.Consume) error { return r.consume(m) })
	case wire.TypeUnconsume:
		return handle(r, t, body, func(m *wire.Unconsume) error {
			if c := r.s.endConsumer(m.Consumer); c != nil {
				c.Close()
			}
			r.s.out.confirm(m.Req, 1, 0)
			return nil
		})
	case wire.TypeCancel:
		return handle(r, t, body, func(m *wire.Cancel) error {
			r.s.objects.Cancel(m.Req)
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
	case wire.TypeBackup:
		return handle(r, t, body, func(m *wire.Backup) error { return r.backup(m) })
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

// unknown answers a message of a type that this version does not have.
func (r *requests) unknown(t wire.Type, body []byte) error {
	req, ok, err := wire.RequestID(body)
	if err != nil {
		return err
	}
	r.s.m.counts.unsupported.Add(1)
	if ok {
		r.s.out.refuse(req, fmt.Errorf("%w: %v", reeve.ErrUnsupported, t))
	}
	return nil
}
