package worker

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
)

// The slots are as many as Worker.concurrency says, which may change while the
// worker runs. One that is not needed any more takes no further task, and ends
// after the one it has.

// fillLocked starts slots until there are as many as there should be, unless
// the worker stops. The caller holds Worker.mu.
func (w *Worker) fillLocked() {
	for w.consuming && w.taking.Err() == nil && w.counted < w.concurrency {
		s := &slot{w: w, counted: true}
		s.taking, s.leave = context.WithCancel(w.taking)
		w.counted++
		w.slots[s] = struct{}{}
		w.ledger.enter()
		go s.run() // the ledger waits for it, until it is given up
	}
}

// resize changes how many slots there are and how many tasks the worker may
// hold, and returns how many slots there were.
func (w *Worker) resize(n int) (old int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.started:
		return 0, errNotRunning
	case w.stopping.Load():
		return 0, fmt.Errorf("worker: it drains: %w", reeve.ErrClosed)
	}
	old, w.concurrency = w.concurrency, n
	w.supply.resize(n + w.cfg.Prefetch)
	for _, busy := range []bool{false, true} { // the idle ones leave first
		for s := range w.slots {
			if w.counted > n && s.counted && (s.cur.Load() != nil) == busy {
				w.uncountLocked(s)
				s.leave()
			}
		}
	}
	for s := range w.slots { // one that has not left yet stays
		if w.counted < n && !s.counted && !s.forsaken {
			s.counted = true
			w.counted++
		}
	}
	w.fillLocked()
	return old, nil
}

func (w *Worker) uncountLocked(s *slot) {
	if s.counted {
		s.counted = false
		w.counted--
	}
}

// stays reports whether s is to take one more task; if not, it is out.
func (w *Worker) stays(s *slot) bool {
	if s.taking.Err() == nil {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.taking.Err() != nil || !s.counted {
		delete(w.slots, s)
		return false
	}
	s.taking, s.leave = context.WithCancel(w.taking) // it was to leave, and then was needed again
	return true
}

// replace gives the place of a slot whose handler does not return to another.
func (w *Worker) replace(s *slot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.forsaken = true
	w.uncountLocked(s)
	w.fillLocked()
}

// remove takes away a slot whose goroutine ends. Another takes its place if
// there is use for it, as after runtime.Goexit.
func (w *Worker) remove(s *slot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.leave()
	delete(w.slots, s)
	w.uncountLocked(s)
	if w.permitted() {
		w.fillLocked()
	}
}

// permit reports whether one more task may be taken, and counts it.
func (w *Worker) permit() bool {
	if w.cfg.MaxTasks == 0 {
		return true
	}
	for n := w.permits.Load(); n < w.cfg.MaxTasks; n = w.permits.Load() {
		if w.permits.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

func (w *Worker) permitted() bool { return w.cfg.MaxTasks == 0 || w.permits.Load() < w.cfg.MaxTasks }

// refund takes back a permit for which no task was taken. It is for this slot
// if it stays; if not, its end brings back one that ended for want of a permit.
func (w *Worker) refund() {
	if w.cfg.MaxTasks > 0 {
		w.permits.Add(^uint64(0))
	}
}
