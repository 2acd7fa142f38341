package manager

import (
	"cmp"
	"context"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/wire"
)

// Result returns how a task ended; see [reeve.Operator].
func (m *Master) Result(ctx context.Context, id reeve.ID) (reeve.Result, error) {
	if err := m.usable(ctx); err != nil {
		return reeve.Result{}, err
	}
	r, err := m.engine.Result(id)
	if failed := m.local.durable(ctx); failed != nil { // a result that may yet be lost is none
		return reeve.Result{}, failed
	}
	return r, err
}

// Wait waits for the end of a task; see [reeve.Operator].
func (m *Master) Wait(ctx context.Context, id reeve.ID) (reeve.Result, error) {
	if err := m.usable(ctx); err != nil {
		return reeve.Result{}, err
	}
	a := m.local.do(ctx, func(tag uint64) {
		m.engine.Wait(m.local.holder, &queue.WaitOp{ID: id, Tag: tag, By: m.local})
	})
	return a.result, a.err
}

// Ended takes the answer to a Wait; see [queue.ResultReplier].
func (l *local) Ended(tag uint64, r reeve.Result, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answerLocked(tag, answer{result: r, err: err})
}

// result answers a question for the end of a task: now, or when it has come.
func (r *requests) result(m *wire.ResultRequest) error {
	s := r.s
	if m.Wait {
		if r.mayWait(m.Req) {
			s.m.engine.Wait(s.holder, &queue.WaitOp{ID: m.ID, Tag: m.Req, By: s})
		}
		return nil
	}
	res, err := s.m.engine.Result(m.ID)
	req := m.Req
	s.m.engine.After(func(failed error) { // a result that may yet be lost is none
		if !s.goesOn(failed) {
			s.answerResult(req, res, cmp.Or(err, failed))
			s.Wake()
		}
	})
	return nil
}

// Ended takes the answer to a Wait; see [queue.ResultReplier].
func (s *session) Ended(tag uint64, r reeve.Result, err error) {
	s.waiting.Add(-1)
	if !s.goesOn(err) {
		s.answerResult(tag, r, err)
	}
}

// answerResult may be called with a queue locked: a payload is only noted.
func (s *session) answerResult(req uint64, r reeve.Result, err error) {
	if err != nil {
		s.out.refuse(req, err)
		return
	}
	s.out.answer(delivery{req: req, result: &r})
}

var (
	_ queue.ResultReplier = (*local)(nil)
	_ queue.ResultReplier = (*session)(nil)
)
