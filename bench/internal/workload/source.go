package workload

import (
	"context"
	"sync"
)

// source is tasks with ascending numbers, for several goroutines that put them.
type source struct {
	batch  int
	window *window // nil: no bound

	mu    sync.Mutex // guards the fields below
	first int
	left  int
}

// next returns the numbers of the next batch; n is 0 at the end.
func (s *source) next() (first, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, first = min(s.batch, s.left), s.first
	s.left -= n
	s.first += n
	return first, n
}

// end lets put return when it has put what it is at.
func (s *source) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = 0
}

// put has one batch after the other put, by one goroutine, until all are.
func (s *source) put(ctx context.Context, batch func(first, n int) error) error {
	for {
		first, n := s.next()
		if n == 0 {
			return nil
		}
		if s.window != nil && !s.window.take(n) {
			return context.Cause(ctx)
		}
		if err := batch(first, n); err != nil {
			return err
		}
	}
}

// window bounds how much is under way.
type window struct {
	size   int
	mu     sync.Mutex // guards the fields below
	room   *sync.Cond
	free   int
	closed bool
}

func newWindow(n int) *window {
	w := &window{size: n, free: n}
	w.room = sync.NewCond(&w.mu)
	return w
}

// take waits for room for n, and reports false when the window was closed.
func (w *window) take(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.free < n && !w.closed {
		w.room.Wait()
	}
	w.free -= n
	return !w.closed
}

func (w *window) give(n int) {
	w.mu.Lock()
	w.free += n
	w.mu.Unlock()
	w.room.Broadcast()
}

// drained waits until nothing is under way, or the window was closed.
func (w *window) drained() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.free < w.size && !w.closed {
		w.room.Wait()
	}
}

func (w *window) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.room.Broadcast()
}
