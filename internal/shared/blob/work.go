package blob

import "sync"

// workers carry out what takes time: reading, writing, counting. The zero value
// is ready.
type workers struct {
	mu      sync.Mutex // guards the fields below; taken last of all
	jobs    []func()
	running int
	gone    sync.WaitGroup
}

// do has a worker call f, when it is f's turn.
func (w *workers) do(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = append(w.jobs, f)
	if w.running < maxWorkers {
		w.running++
		w.gone.Go(w.work) // ends when there is nothing to do; wait waits for it
	}
}

func (w *workers) work() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.jobs) > 0 {
		f := w.jobs[0]
		w.jobs[0] = nil
		w.jobs = w.jobs[1:]
		w.mu.Unlock()
		f()
		w.mu.Lock()
	}
	w.jobs = nil
	w.running--
}

// wait waits until all is done. Nobody calls do any more but jobs.
func (w *workers) wait() { w.gone.Wait() }
