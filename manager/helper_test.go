package manager_test

import (
	"context"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
	"go.uber.org/goleak"
)

// TestMain checks that the tests leave no goroutine behind. The test binary is
// also the clients of a benchmark: see BenchmarkIdleWorkers.
func TestMain(m *testing.M) {
	if n := os.Getenv(crowdEnv); n != "" {
		os.Exit(crowd(n))
	}
	goleak.VerifyTestMain(m)
}

// usual is the configuration of a master with the heartbeat it has by default
// in earnest; managertest.Run has next to none.
var usual = manager.Config{Heartbeat: manager.DefaultHeartbeat}

func newCable(m *managertest.Master) *memnet.Cable { return memnet.NewCable(m.ClientConfig().Dialer) }

// plug connects a client with a cable of its own.
func plug(t testing.TB, m *managertest.Master) (*proxy.Client, *memnet.Cable) {
	t.Helper()
	c := newCable(m)
	cfg := m.ClientConfig()
	cfg.Dialer = c.Dial
	client, err := proxy.Dial(t.Context(), m.Addr(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, c
}

// put puts tasks with the payloads "0", "1", ... and returns their ids.
func put(t testing.TB, q reeve.Queue, n int) []reeve.ID {
	t.Helper()
	tasks := make([]reeve.Task, n)
	for i := range tasks {
		tasks[i].Payload = strconv.AppendInt(nil, int64(i), 10)
	}
	ids, err := q.Put(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func putOne(t testing.TB, q reeve.Queue, payload string, opts ...reeve.PutOption) reeve.ID {
	t.Helper()
	ids, err := q.Put(t.Context(), []reeve.Task{{Payload: []byte(payload)}}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

// get waits for exactly one task.
func get(t testing.TB, q reeve.Queue) *reeve.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	ls, err := q.Get(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	return ls[0]
}

func consume(t testing.TB, q reeve.Queue, slots int) reeve.Consumer {
	t.Helper()
	c, err := q.Consume(t.Context(), slots)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func next(t testing.TB, c reeve.Consumer) *reeve.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	l, err := c.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func statsOf(t testing.TB, q reeve.Queue) reeve.QueueStats {
	t.Helper()
	s, err := q.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// running is a worker that runs.
type running struct {
	*worker.Worker
	stop context.CancelFunc // as a signal to its process
	err  chan error         // gets Run's
}

// runWorker runs a worker until the test is over, or until stop.
func runWorker(t testing.TB, w *worker.Worker) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{Worker: w, stop: cancel, err: make(chan error, 1)}
	over := make(chan struct{})
	go func() { // waited for by the cleanup
		defer close(over)
		r.err <- w.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		w.Close()
		<-over
	})
	return r
}

// soon waits, in a bubble, until everything has come to rest, and requires
// that this took less than d of fake time from since.
func soon(t testing.TB, since time.Time, d time.Duration, what string) {
	t.Helper()
	if took := time.Since(since); took > d {
		t.Errorf("%s took %v, want at most %v", what, took, d)
	}
}

// settle waits until everything in the bubble has come to rest.
func settle() { synctest.Wait() }

// listenTCP serves a master with the queues on loopback TCP until the end of
// the test.
func listenTCP(t testing.TB, cfg manager.Config, queues ...string) (m *manager.Master, addr string, client proxy.Config) {
	t.Helper()
	cfg.AuthKey = testKey(t)
	m, addr, client = listenWith(t, cfg, queues...)
	client.AuthKey = cfg.AuthKey
	return m, addr, client
}

// listenWith is listenTCP with cfg's own keys.
func listenWith(t testing.TB, cfg manager.Config, queues ...string) (m *manager.Master, addr string, client proxy.Config) {
	t.Helper()
	m, err := manager.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range queues {
		if _, err := m.Queue(name, reeve.QueueConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(context.Background(), ln) }() // received by the cleanup
	t.Cleanup(func() {
		m.Close()
		<-served
	})
	return m, ln.Addr().String(), proxy.Config{}
}

// heap is the memory in use, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools hold is let go with the second
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
