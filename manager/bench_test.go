package manager_test

// What the whole stack costs, over loopback TCP with the real handshake. The
// echo of the same kind of connection stands beside the round trips, so that
// one run tells how much is ours.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

func benchDial(b *testing.B, addr string, cfg proxy.Config) *proxy.Client {
	b.Helper()
	c, err := proxy.Dial(b.Context(), addr, cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// quantiles runs f b.N times and reports the median and the 99th percentile.
func quantiles(b *testing.B, f func()) {
	took := make([]time.Duration, 0, 1<<16)
	for b.Loop() {
		at := time.Now()
		f()
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-µs")
}

// BenchmarkRoundTrip is one client that does nothing else.
func BenchmarkRoundTrip(b *testing.B) {
	m, addr, cfg := listenTCP(b, manager.Config{}, "tasks")
	if _, err := m.Queue("sink", reeve.QueueConfig{MaxBytes: reeve.NoLimit}); err != nil {
		b.Fatal(err)
	}
	c := benchDial(b, addr, cfg)
	q, sink := c.Queue("tasks"), c.Queue("sink")
	ctx := b.Context()
	task := []reeve.Task{{Payload: make([]byte, 100)}}
	check := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("echo", func(b *testing.B) { benchEcho(b) })
	b.Run("put", func(b *testing.B) {
		quantiles(b, func() {
			_, err := sink.Put(ctx, task)
			check(err)
		})
	})
	b.Run("put+get", func(b *testing.B) {
		quantiles(b, func() {
			_, err := q.Put(ctx, task)
			check(err)
			ls, err := q.Get(ctx, 1)
			check(err)
			ls[0].Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
		})
	})
	b.Run("put+next", func(b *testing.B) {
		c, err := q.Consume(ctx, 2)
		check(err)
		defer c.Close()
		quantiles(b, func() {
			_, err := q.Put(ctx, task)
			check(err)
			l, err := c.Next(ctx)
			check(err)
			l.Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
		})
	})
	b.Run("put→parked-worker", func(b *testing.B) {
		worker := benchDial(b, addr, cfg)
		c, err := worker.Queue("tasks").Consume(ctx, 1)
		check(err)
		defer c.Close()
		quantiles(b, func() {
			_, err := q.Put(ctx, task)
			check(err)
			l, err := c.Next(ctx)
			check(err)
			check(l.Ack(ctx))
		})
	})
}

// benchEcho is the round trip of 100 bytes and a length over a stream of a
// session, with nothing of the protocol.
func benchEcho(b *testing.B) {
	key := testKey(b)
	ring, err := auth.Keys(key)
	if err != nil {
		b.Fatal(err)
	}
	server, err := auth.NewServer(auth.ServerConfig{Keys: ring})
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	var far sync.WaitGroup
	far.Go(func() {
		raw, err := ln.Accept()
		if err != nil {
			return
		}
		conn, _, err := server.Handshake(context.Background(), raw)
		if err != nil {
			b.Error(err)
			return
		}
		s, err := session.Server(conn, session.Config{})
		if err != nil {
			b.Error(err)
			return
		}
		defer s.Close()
		st, err := s.Accept(context.Background())
		if err != nil {
			b.Error(err)
			return
		}
		r := bufio.NewReader(st)
		for p := make([]byte, 104); ; {
			if _, err := io.ReadFull(r, p); err != nil {
				return
			}
			if _, err := st.Write(p); err != nil {
				return
			}
		}
	})
	defer far.Wait()
	raw, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	handshake := auth.ClientConfig{Key: key}
	conn, _, err := handshake.Handshake(b.Context(), raw, "")
	if err != nil {
		b.Fatal(err)
	}
	s, err := session.Client(conn, session.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	st, err := s.Open(b.Context(), session.Calls)
	if err != nil {
		b.Fatal(err)
	}
	r := bufio.NewReader(st)
	p := make([]byte, 104)
	quantiles(b, func() {
		if _, err := st.Write(p); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(r, p); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkPutGetAck is 64 goroutines, each of which puts a task, gets one and
// acks it, on as many connections as the name says.
func BenchmarkPutGetAck(b *testing.B) {
	const goroutines = 64
	for _, conns := range []int{1, goroutines} {
		b.Run(fmt.Sprintf("%dgoroutines/%dconnections", goroutines, conns), func(b *testing.B) {
			_, addr, cfg := listenTCP(b, manager.Config{}, "tasks")
			queues := make([]reeve.Queue, conns)
			for i := range queues {
				queues[i] = benchDial(b, addr, cfg).Queue("tasks")
			}
			ctx := b.Context()
			task := []reeve.Task{{Payload: make([]byte, 100)}}
			b.ResetTimer()
			var all sync.WaitGroup
			for i := range goroutines {
				n := b.N / goroutines
				if i < b.N%goroutines {
					n++
				}
				all.Go(func() {
					q := queues[i%conns]
					for range n {
						if _, err := q.Put(ctx, task); err != nil {
							b.Error(err)
							return
						}
						ls, err := q.Get(ctx, 1)
						if err != nil {
							b.Error(err)
							return
						}
						if err := ls[0].Ack(ctx); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// BenchmarkPutMany is a thousand tasks in one request, and in as many, one
// after another.
func BenchmarkPutMany(b *testing.B) {
	const n = 1000
	_, addr, cfg := listenTCP(b, manager.Config{}, "tasks")
	q := benchDial(b, addr, cfg).Queue("tasks")
	ctx := b.Context()
	tasks := make([]reeve.Task, n)
	for i := range tasks {
		tasks[i].Payload = make([]byte, 100)
	}
	empty := func() {
		b.StopTimer()
		defer b.StartTimer()
		for got := 0; got < n; {
			ls, err := q.Get(ctx, n)
			if err != nil {
				b.Fatal(err)
			}
			for _, l := range ls {
				l.Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
			}
			got += len(ls)
		}
	}
	bench := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if err := f(); err != nil {
					b.Fatal(err)
				}
				empty()
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
	bench("together", func() error { _, err := q.Put(ctx, tasks); return err })
	bench("one-by-one", func() error {
		for i := range tasks {
			if _, err := q.Put(ctx, tasks[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkIdleWorkers is what connected workers that have nothing to do cost
// the master, which is this process; they live in another one.
func BenchmarkIdleWorkers(b *testing.B) {
	for _, n := range []int{1000, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				benchIdle(b, n)
			}
		})
	}
}

func benchIdle(b *testing.B, n int) {
	key, text, err := auth.GenerateKey("test")
	if err != nil {
		b.Fatal(err)
	}
	m, addr, _ := listenWith(b, manager.Config{AuthKey: key, Heartbeat: 2 * time.Second}, "tasks")
	before := footprint()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", crowdEnv, n, addr))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Fprintln(in, text); err != nil {
		b.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.Fatalf("the clients: %q, %v", line, err)
	}
	connected := time.Since(began)
	if s := m.Stats(); s.Sessions != n {
		b.Fatalf("%d sessions", s.Sessions)
	}
	time.Sleep(7 * time.Second) // heartbeats, and the sweep that trims
	after := footprint()
	b.ReportMetric(float64(after.heap-before.heap)/float64(n), "heap-B/worker")
	b.ReportMetric(float64(after.stacks-before.stacks)/float64(n), "stack-B/worker")
	b.ReportMetric(float64(after.resident-before.resident)/float64(n), "resident-B/worker")
	b.ReportMetric(float64(after.goroutines-before.goroutines)/float64(n), "goroutines/worker")
	b.ReportMetric(float64(n)/connected.Seconds(), "logins/s")
	in.Close()
	if err := cmd.Wait(); err != nil {
		b.Errorf("the clients: %v", err)
	}
	m.Close()
}

// usage is what this process takes.
type usage struct{ heap, stacks, resident, goroutines int64 }

func footprint() usage {
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	u := usage{heap: int64(s.HeapAlloc), stacks: int64(s.StackInuse), goroutines: int64(runtime.NumGoroutine())}
	if b, err := os.ReadFile("/proc/self/statm"); err == nil { // elsewhere it stays 0
		var size, pages int64
		fmt.Sscan(string(b), &size, &pages)
		u.resident = pages * int64(os.Getpagesize())
	}
	return u
}

// crowdEnv makes the test binary the clients of a benchmark: how many, and the
// master's address.
const crowdEnv = "REEVE_TEST_CROWD"

// crowd connects the clients with the key that is the first line of standard
// input, says so on standard output, and waits for the end of standard input.
// It returns the exit code.
func crowd(args string) int {
	if err := runCrowd(args); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		return 1
	}
	return 0
}

func runCrowd(args string) error {
	var n int
	var addr string
	if _, err := fmt.Sscan(args, &n, &addr); err != nil {
		return err
	}
	in := bufio.NewReader(os.Stdin)
	text, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	key, err := auth.ParseKey([]byte(strings.TrimSpace(text)))
	if err != nil {
		return err
	}
	errs := make(chan error, n)
	at := make(chan struct{}, 32) // logins at a time
	for range n {
		go func() { // ends with the process
			at <- struct{}{}
			c, err := proxy.Dial(context.Background(), addr, proxy.Config{AuthKey: key})
			<-at
			if err == nil {
				_, err = c.Queue("tasks").Consume(context.Background(), 1)
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			return err
		}
	}
	fmt.Println("connected")
	_, err = io.Copy(io.Discard, in)
	return err
}
