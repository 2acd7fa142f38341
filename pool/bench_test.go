package pool_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// bench is a pool of squares with one worker, each with its own connection.
func bench(b *testing.B) (*pool.Pool[int, int], *proxy.Client) {
	m := managertest.Start(b)
	m.Declare(b, "tasks", reeve.QueueConfig{})
	c, wc := m.Dial(b), m.Dial(b)
	w := worker.New(wc.Queue("tasks"), worker.Config{Concurrency: 64, Prefetch: 512})
	worker.Handle(w, "square", func(_ context.Context, n int) (int, error) { return n * n, nil })
	done := make(chan error, 1)
	go func() { done <- w.Run(context.Background()) }() // received below
	b.Cleanup(func() { w.Close(); <-done })
	p, err := pool.New[int, int](c, c.Queue("tasks"), "square", pool.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Terminate(context.Background()); p.Join(context.Background()) })
	return p, c
}

func BenchmarkApply(b *testing.B) {
	p, _ := bench(b)
	for b.Loop() {
		if _, err := p.Apply(b.Context(), 3); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMap tells the time of one input.
func BenchmarkMap(b *testing.B) {
	p, _ := bench(b)
	ins := make([]int, 100_000)
	n := 0
	for b.Loop() {
		if _, err := p.Map(b.Context(), ins); err != nil {
			b.Fatal(err)
		}
		n += len(ins)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/input")
}

func BenchmarkImap(b *testing.B) {
	p, _ := bench(b)
	n := 0
	for _, err := range p.Imap(b.Context(), func(yield func(int) bool) {
		for b.Loop() {
			if !yield(n) {
				return
			}
			n++
		}
	}, 64) {
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFutures tells what 10,000 futures cost whose tasks have not ended,
// their tasks at the master included, which is in this process.
func BenchmarkFutures(b *testing.B) {
	_, c := bench(b)
	const n = 10_000
	var before, after runtime.MemStats
	for b.Loop() {
		b.StopTimer()
		p, err := pool.New[int, int](c, c.Queue("tasks"), "nobody has it", pool.Config{})
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&before)
		goroutines := runtime.NumGoroutine()
		b.StartTimer()
		futures := make([]*pool.Future[int], n)
		for i := range futures {
			futures[i] = p.Go(b.Context(), i)
		}
		for s := (reeve.QueueStats{}); s.Ready < n; {
			if s, err = c.Queue("tasks").Stats(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")
		b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/n, "bytes/future")
		if err := p.Terminate(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := p.Join(b.Context()); err != nil {
			b.Fatal(err)
		}
		runtime.KeepAlive(futures)
		b.StartTimer()
	}
}

// BenchmarkPutGetAck is a task without a pool, to compare with.
func BenchmarkPutGetAck(b *testing.B) {
	_, c := bench(b)
	q := proxy.QueueOf[int](c, "tasks")
	for b.Loop() {
		if _, err := q.Put(b.Context(), 3, reeve.WithType("mine")); err != nil {
			b.Fatal(err)
		}
		it, err := q.Get(b.Context(), reeve.ForTypes("mine"))
		if err != nil {
			b.Fatal(err)
		}
		if err := it.Ack(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
