package proxy_test

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

// benchMaster is a real master on a loopback socket, with one queue.
func benchMaster(b *testing.B) (dial func() *proxy.Client, tasks reeve.Queue) {
	b.Helper()
	m, err := manager.New(manager.Config{AuthKey: testKey()})
	if err != nil {
		b.Fatal(err)
	}
	tasks, err = m.Queue("tasks", reeve.QueueConfig{MaxBytes: reeve.NoLimit})
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(context.Background(), ln) }()
	b.Cleanup(func() {
		m.Close()
		<-served
	})
	return func() *proxy.Client {
		c, err := proxy.Dial(b.Context(), ln.Addr().String(), proxy.Config{AuthKey: testKey()})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		return c
	}, tasks
}

var benchTask = []reeve.Task{{Payload: make([]byte, 100)}}

// One caller, one Put after another: the latency of a call.
func BenchmarkPut(b *testing.B) {
	dial, _ := benchMaster(b)
	q := dial().Queue("tasks")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Put(b.Context(), benchTask); err != nil {
			b.Fatal(err)
		}
	}
}

// 64 callers with one connection between them, and with one each.
func BenchmarkPut64(b *testing.B) {
	for name, conns := range map[string]int{"1conn": 1, "64conns": 64} {
		b.Run(name, func(b *testing.B) {
			dial, _ := benchMaster(b)
			queues := make([]reeve.Queue, conns)
			for i := range queues {
				queues[i] = dial().Queue("tasks")
			}
			var next atomic.Int64
			var callers sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for i := range 64 {
				callers.Go(func() {
					for next.Add(1) <= int64(b.N) {
						if _, err := queues[i%conns].Put(b.Context(), benchTask); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			callers.Wait()
		})
	}
}

// One caller, 1000 tasks a Put.
func BenchmarkPutMany(b *testing.B) {
	dial, _ := benchMaster(b)
	q := dial().Queue("tasks")
	tasks := make([]reeve.Task, 1000)
	for i := range tasks {
		tasks[i].Payload = benchTask[0].Payload
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Put(b.Context(), tasks); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/task")
}

// The same into a queue that is emptied in between, with and without unique
// keys: with them each task is a request of its own.
func BenchmarkPutManyUnique(b *testing.B) {
	for _, unique := range []bool{false, true} {
		b.Run("unique="+strconv.FormatBool(unique), func(b *testing.B) {
			dial, _ := benchMaster(b)
			c := dial()
			q := c.Queue("tasks")
			tasks, rules := make([]reeve.Task, 1000), make([]reeve.Rules, 1000)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				if _, err := c.Purge(b.Context(), "tasks", reeve.Filter{States: []reeve.State{reeve.StateReady}}); err != nil {
					b.Fatal(err)
				}
				for i := range tasks {
					n++
					tasks[i] = reeve.Task{Payload: benchTask[0].Payload}
					if unique {
						rules[i].Unique = strconv.Itoa(n)
						tasks[i].Rules = &rules[i]
					}
				}
				b.StartTimer()
				if _, err := q.Put(b.Context(), tasks); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/task")
		})
	}
}

// One caller, one Put of a task with a unique key after another.
func BenchmarkPutUnique(b *testing.B) {
	dial, _ := benchMaster(b)
	q := dial().Queue("tasks")
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		if _, err := q.Put(b.Context(), benchTask, reeve.WithUnique(strconv.Itoa(n), reeve.UniqueUntilDone)); err != nil {
			b.Fatal(err)
		}
	}
}

// Put, Get and Ack, each waited for.
func BenchmarkRoundTrip(b *testing.B) {
	dial, _ := benchMaster(b)
	producer, worker := dial().Queue("tasks"), dial().Queue("tasks")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := producer.Put(b.Context(), benchTask); err != nil {
			b.Fatal(err)
		}
		leases, err := worker.Get(b.Context(), 1)
		if err != nil {
			b.Fatal(err)
		}
		if err := leases[0].Ack(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// What a worker does: tasks into slots, acks that nobody waits for.
func BenchmarkConsume(b *testing.B) {
	dial, tasks := benchMaster(b)
	consumer, err := dial().Queue("tasks").Consume(b.Context(), 256)
	if err != nil {
		b.Fatal(err)
	}
	go func() { // ends with the benchmark's ctx
		many := make([]reeve.Task, 256)
		for i := range many {
			many[i].Payload = benchTask[0].Payload
		}
		for put := 0; put < b.N; put += len(many) {
			if _, err := tasks.Put(b.Context(), many); err != nil {
				return
			}
		}
	}()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		l, err := consumer.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		l.Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
	}
}
