package manager

import (
	"cmp"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/wire"
)

// What clients have done to tasks and queues. Each is carried out once, however
// often it is asked for.

func (r *requests) cancelTask(m *wire.CancelTask) error {
	return r.onceAnywhere(m.Req, m.Low, func() {
		r.s.settle(m.Req, 1, 0, r.s.m.engine.Cancel(m.ID, m.Reason))
	})
}

func (r *requests) pause(m *wire.Pause) error {
	return r.once(m.Req, m.Low, m.Queue, func(q *queue.Queue) {
		var err error
		if m.Paused {
			err = q.Pause(m.Reason)
		} else {
			q.Resume()
		}
		r.s.settle(m.Req, 1, 0, err)
	})
}

// act does something to all tasks that a filter means, apart from the reader.
func (r *requests) act(m *wire.Act) error {
	s := r.s
	a := &action{verb: m.Verb, queue: m.Queue, to: m.To, filter: m.Filter.Filter(), reason: m.Reason}
	run := func() {
		err := s.acting.add(func() {
			s.protected(m.Req, 1, func() error {
				n, err := s.m.carryOut(a)
				s.acted(m.Req, n, err)
				return nil
			})
			s.Wake()
		}, filterSize(&a.filter)+int64(len(a.reason)), s.m.cfg.MaxWaiting)
		if err != nil {
			s.acted(m.Req, 0, err)
		}
	}
	fresh, err := s.client.Begin(m.Req, 1, m.Low)
	if err != nil {
		return err
	}
	if fresh {
		run()
		return nil
	}
	again, done, n, err := s.client.Seen(m.Req)
	switch {
	case again:
		run()
	case done:
		s.answerActed(m.Req, uint64(n), err)
	}
	return nil
}

// acted notes and answers that something was done to n tasks, and how it ended.
func (s *session) acted(req uint64, n int, err error) {
	if s.goesOn(err) {
		return
	}
	s.client.Finish(req, 1, reeve.ID(n), err)
	if err == nil {
		s.m.engine.Remember(s.client, req, reeve.ID(n))
	}
	s.answerActed(req, uint64(n), err)
}

// answerActed answers when what was done is durable.
func (s *session) answerActed(req, n uint64, err error) {
	s.m.engine.After(func(failed error) {
		if !s.goesOn(failed) {
			s.answerCount(req, n, cmp.Or(err, failed))
			s.Wake()
		}
	})
}

func (s *session) answerCount(req, n uint64, err error) {
	if err == nil {
		s.out.confirmCount(req, n)
		return
	}
	s.answer(req, 1, reeve.ID(n), err)
}
