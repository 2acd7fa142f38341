package pool_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// way is a way to a master: the queue "tasks", and all of it.
type way struct {
	*managertest.Master
	op    reeve.Operator
	tasks reeve.Queue
}

// eachWay runs f with a master in the same process, and with one behind a
// connection, in fake time.
func eachWay(t *testing.T, cfg reeve.QueueConfig, f func(t *testing.T, w way)) {
	for _, name := range []string{"in process", "remote"} {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				w := way{Master: m, op: m.Manager(), tasks: m.Declare(t, "tasks", cfg)}
				if name == "remote" {
					c := m.Dial(t)
					w.op, w.tasks = c, c.Queue("tasks")
				}
				f(t, w)
			})
		})
	}
}

// remotely runs f with a master behind a connection, in fake time.
func remotely(t *testing.T, cfg reeve.QueueConfig, f func(t *testing.T, w way, c *proxy.Client)) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		tasks := m.Declare(t, "tasks", cfg)
		c := m.Dial(t)
		f(t, way{Master: m, op: c, tasks: tasks}, c)
	})
}

func newPool[In, Out any](t *testing.T, w way, typ string, cfg pool.Config) *pool.Pool[In, Out] {
	t.Helper()
	p, err := pool.New[In, Out](w.op, w.tasks, typ, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // a pool that is done with leaves nothing behind
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		p.Terminate(ctx) // the master may be gone
		if err := p.Join(ctx); err != nil {
			t.Errorf("join: %v", err)
		}
	})
	return p
}

var errOdd = errors.New("odd")

// functions are the handlers of every worker of these tests.
func functions(w *worker.Worker) {
	worker.Handle(w, "square", func(_ context.Context, n int) (int, error) { return n * n, nil })
	worker.Handle(w, "even", func(_ context.Context, n int) (int, error) {
		if n%2 != 0 {
			return 0, worker.Permanent(fmt.Errorf("%d is %w", n, errOdd))
		}
		return n, nil
	})
	worker.Handle(w, "sleep", func(ctx context.Context, ms int) (int, error) {
		select {
		case <-time.After(time.Duration(ms) * time.Millisecond):
			return ms, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	})
	worker.Handle(w, "panic", func(context.Context, int) (int, error) { panic("oh no") })
	worker.Handle(w, "fail", func(_ context.Context, n int) (int, error) { return 0, fmt.Errorf("failed with %d", n) })
	worker.Handle(w, "discard", func(context.Context, int) (int, error) { return 0, worker.Discard(errOdd) })
	worker.Handle(w, "chan", func(context.Context, int) (any, error) { return make(chan int), nil })
	worker.HandleAck(w, "ack", func(context.Context, int) error { return nil })
	worker.Handle(w, "pow", pool.Star2(pow))
	worker.Handle(w, "join", pool.Star3(func(_ context.Context, a string, b int, c bool) (string, error) { return fmt.Sprint(a, b, c), nil }))
}

func pow(_ context.Context, x, n int) (int, error) {
	v := 1
	for range n {
		v *= x
	}
	return v, nil
}

// work runs a worker until the end of the test.
func (w way) work(t *testing.T, concurrency int) {
	t.Helper()
	c := w.Dial(t)
	wk := worker.New(c.Queue("tasks"), worker.Config{Concurrency: concurrency, Grace: -1})
	functions(wk)
	done := make(chan error, 1)
	go func() { done <- wk.Run(context.Background()) }() // received below
	t.Cleanup(func() {
		wk.Close()
		if err := <-done; err != nil && !errors.Is(err, worker.ErrUnanswered) {
			t.Errorf("worker: %v", err)
		}
		c.Close()
	})
}

// victim is a worker that can be killed as a process is: without a goodbye.
type victim struct {
	worker *worker.Worker
	client *proxy.Client
	done   chan error

	mu   sync.Mutex // guards the fields below
	conn net.Conn
	dead bool
}

func (w way) victim(t *testing.T, concurrency int) *victim {
	t.Helper()
	v := &victim{done: make(chan error, 1)}
	cfg := w.ClientConfig()
	dial := cfg.Dialer
	cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.dead {
			return nil, errors.New("the process is dead")
		}
		c, err := dial(ctx, addr)
		v.conn = c
		return c, err
	}
	c, err := proxy.Dial(t.Context(), w.Addr(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	v.client = c
	v.worker = worker.New(c.Queue("tasks"), worker.Config{Concurrency: concurrency, Grace: -1})
	functions(v.worker)
	go func() { v.done <- v.worker.Run(context.Background()) }() // received by kill
	return v
}

func (v *victim) kill() {
	v.mu.Lock()
	v.dead = true
	v.conn.Close()
	v.mu.Unlock()
	v.worker.Close()
	<-v.done
	v.client.Close()
}

// settled waits until q has n leased tasks, in fake time.
func leased(t *testing.T, q reeve.Queue, n int) {
	t.Helper()
	for range 10_000 {
		s, err := q.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Leased == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("never had %d leased tasks", n)
}
