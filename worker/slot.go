package worker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/reeveq/reeve"
)

// slot is one goroutine that takes tasks and runs their handlers, one after
// the other. When a handler does not return, a new slot takes its place and
// this one ends as soon as the handler does.
type slot struct {
	w   *Worker
	cur atomic.Pointer[attempt] // what it runs; written by its goroutine only

	// Written by the slot's goroutine with Worker.mu held, and read by it.
	taking context.Context // ends when this slot is to take nothing more, with Worker.taking at the latest

	// Guarded by Worker.mu.
	leave    context.CancelFunc // ends taking
	counted  bool               // it is one of Worker.counted
	forsaken bool               // a new slot has this one's place

	// Owned by the slot's goroutine.
	returned bool // run came to its end: no handler has ended the goroutine
	gaveUp   bool // forsaken, as its goroutine has seen
}

func (s *slot) run() {
	defer s.exit()
	w := s.w
	for w.stays(s) && w.permit() {
		l, err := s.next()
		switch {
		case err == nil:
		case s.taking.Err() != nil && w.taking.Err() == nil: // this slot alone is to leave
			w.refund()
			continue
		default:
			w.supplyEnded(err)
		}
		if err != nil || !s.serve(l) {
			break
		}
	}
	s.returned = true
}

// next waits for a lease, and before it for room for its end.
func (s *slot) next() (*reeve.Lease, error) {
	if !s.w.ledger.waitRoom(s.taking) {
		return nil, s.taking.Err()
	}
	return s.w.consumer.Next(s.taking)
}

// exit is the last thing the slot's goroutine does, also when a handler has
// called runtime.Goexit.
func (s *slot) exit() {
	if a := s.cur.Load(); !s.returned && a != nil {
		s.finish(a)
	}
	s.w.remove(s)
	if !s.gaveUp {
		s.w.ledger.leave()
	}
}

// serve runs the handler for l and ends the lease. False when the slot was
// given up meanwhile.
func (s *slot) serve(l *reeve.Lease) bool {
	w := s.w
	a := newAttempt(s, l)
	// In this order: who stops the worker ends taking, then looks at cur.
	s.cur.Store(a)
	a.out.Verb = reeve.Return
	if w.taking.Err() != nil {
		return s.finish(a)
	}
	h := w.handlerFor(l.Type)
	if h == nil {
		a.out = w.noHandler(l)
		return s.finish(a)
	}
	if a.begin() {
		a.invoke(h)
	}
	return s.finish(a)
}

// finish ends the attempt as its outcome says. False when it was given up.
func (s *slot) finish(a *attempt) bool {
	mine := a.claim(finished)
	s.cur.Store(nil)
	a.release()
	if !mine {
		s.gaveUp = true
		s.w.counts.stuck.Add(-1)
		s.w.counts.late.Add(1)
		return false
	}
	if a.out.Error != "" {
		s.w.cfg.Logger.Debug("attempt failed", "queue", a.lease.Queue(), "task", a.lease.ID,
			"type", a.lease.Type, "attempt", a.lease.Attempt, "err", a.out.Error)
	}
	s.w.countTask()
	a.settle(&a.out)
	return true
}

// countTask counts a task that has ended here, before its end is sent: the end
// would free a slot for a task that is not wanted any more.
func (w *Worker) countTask() {
	n := w.counts.ended.Add(1)
	if w.cfg.MaxTasks == 0 {
		return
	}
	w.supply.limit(w.cfg.MaxTasks - min(n, w.cfg.MaxTasks))
	if n >= w.cfg.MaxTasks {
		w.stop(nil, patient)
	}
}

// supplyEnded says what err, from the consumer, means for the worker.
func (w *Worker) supplyEnded(err error) {
	switch {
	case w.taking.Err() != nil: // it ended because we stop
	case errors.Is(err, reeve.ErrShutdown):
		w.stop(nil, patient)
	default:
		w.stop(fmt.Errorf("worker: take from %s: %w", w.name, err), urgent)
	}
}

func (w *Worker) noHandler(l *reeve.Lease) reeve.Outcome {
	w.counts.noHandler.Add(1)
	if n, ok := w.unheard.allow(); ok {
		w.cfg.Logger.Warn("no handler for a task", "queue", l.Queue(), "task", l.ID, "type", l.Type, "not_logged", n)
	}
	text := fmt.Sprintf("%v: %q; the worker has only: %s", reeve.ErrNoHandler, l.Type, w.knownTypes())
	return reeve.Outcome{Verb: reeve.Nack, Error: cut(text)}
}

// attempts lists what the slots run, given up or not.
func (w *Worker) attempts() []*attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]*attempt, 0, len(w.slots))
	for s := range w.slots {
		if a := s.cur.Load(); a != nil {
			list = append(list, a)
		}
	}
	return list
}
