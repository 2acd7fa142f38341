package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

// The overhead of the worker for each task, with handlers that do nothing.
func BenchmarkOverhead(b *testing.B) {
	for name, timeout := range map[string]time.Duration{"plain": 0, "timeout": time.Hour} {
		b.Run(name, func(b *testing.B) {
			src := &firehose{timeout: timeout}
			src.n.Store(int64(b.N))
			w := worker.New(src, worker.Config{Concurrency: 8, Prefetch: 256})
			w.HandleFunc("", func(context.Context, *reeve.Task) ([]byte, error) { return nil, nil })
			b.ReportAllocs()
			b.ResetTimer()
			if err := w.Run(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// firehose has n tasks at once and accepts every end: what a benchmark
// measures beside it is the worker. Its own part is one lease a task.
type firehose struct {
	n       atomic.Int64
	timeout time.Duration
}

func (f *firehose) Name() string { return "firehose" }

func (f *firehose) Consume(context.Context, int, ...reeve.GetOption) (reeve.Consumer, error) {
	return f, nil
}

func (f *firehose) Next(context.Context) (*reeve.Lease, error) {
	n := f.n.Add(-1)
	if n < 0 {
		return nil, reeve.ErrShutdown
	}
	return reeve.NewLease("firehose", reeve.Task{ID: reeve.ID(n + 1), Attempt: 1, Timeout: f.timeout}, f), nil
}

func (f *firehose) SetSlots(int) error { return nil }
func (f *firehose) Close() error       { return nil }

func (f *firehose) Settle(_ *reeve.Lease, _ *reeve.Outcome, done func(error)) { done(nil) }

func (f *firehose) Progress(*reeve.Lease, float64, string) {}

func (f *firehose) Extend(context.Context, *reeve.Lease, time.Duration) error { return nil }
