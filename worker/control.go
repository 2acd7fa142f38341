package worker

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/reeveq/reeve"
)

// Control carries out a command that came from afar and returns how the worker
// is then. It is made for the Control field of a client's config, does not
// wait, and may be called from any goroutine, a handler's too:
//
//   - [reeve.CommandReport] changes nothing;
//   - [reeve.CommandDrain] has the worker take nothing more and Run return nil
//     when what runs has ended, which is not hurried;
//   - [reeve.CommandConcurrency] changes how many handlers run at a time, as if
//     Config.Concurrency had said so. Those beyond a smaller number finish what
//     they run.
//
// [reeve.ErrInvalid] for a number out of range, [reeve.ErrUnsupported] for a
// command it does not know, [reeve.ErrClosed] when the worker does not run
// (report is answered nevertheless) or cannot take more handlers because it
// drains.
func (w *Worker) Control(_ context.Context, c reeve.Command) (*reeve.WorkerStatus, error) {
	var err error
	switch c.Do {
	case reeve.CommandReport:
	case reeve.CommandDrain:
		err = w.askedToDrain()
	case reeve.CommandConcurrency:
		err = w.setConcurrency(c.Concurrency)
	default:
		err = fmt.Errorf("worker: command %.100q: %w", c.Do, reeve.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	return w.status(), nil
}

func (w *Worker) askedToDrain() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.started {
		return errNotRunning
	}
	if !w.stopping.Load() {
		w.cfg.Logger.Info("worker drains, as it was told to")
	}
	w.stopLocked(nil, patient)
	return nil
}

var errNotRunning = fmt.Errorf("worker: it does not run yet: %w", reeve.ErrClosed)

func (w *Worker) setConcurrency(n int) error {
	if most := reeve.MaxSlots - w.cfg.Prefetch; n < 1 || n > most {
		return invalid("concurrency of %d, want 1 to %d", n, most)
	}
	old, err := w.resize(n)
	if err != nil {
		return err
	}
	w.cfg.Logger.Info("concurrency changed, as it was told to", "from", old, "to", n)
	return nil
}

func (w *Worker) status() *reeve.WorkerStatus {
	s := w.Stats()
	status := &reeve.WorkerStatus{
		Running: s.Running, Stuck: s.Stuck, Draining: s.Draining,
		Done: s.Done, Failed: s.Failed + s.TimedOut,
		Goroutines: runtime.NumGoroutine(), HeapBytes: heapBytes(),
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	status.Concurrency = w.concurrency
	if w.started {
		status.Uptime = time.Since(w.since)
	}
	return status
}

// heapBytes is what the process's objects take, without stopping the world.
func heapBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return s[0].Value.Uint64()
}
