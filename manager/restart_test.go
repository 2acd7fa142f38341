package manager_test

// A restart of the master needs no restart of anything else: whatever workers
// and clients were doing, they are back, and at work, within seconds, and their
// users see no error but that what the master remembered is gone.

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// freshWithin is how soon after the master is back a fresh task is done.
const freshWithin = 5 * time.Second

// checkFresh requires that a fresh task is done soon.
func checkFresh(t *testing.T, m *managertest.Master, back time.Time) {
	t.Helper()
	q := m.Dial(t).Queue("tasks")
	putOne(t, q, "fresh")
	if err := q.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	soon(t, back, freshWithin, "a fresh task")
}

// outage kills the master, and starts it again after d.
func outage(t *testing.T, m *managertest.Master, d time.Duration) (back time.Time) {
	t.Helper()
	m.Kill()
	time.Sleep(d)
	m.Restart(t)
	return time.Now()
}

func TestRestart_WhileAWorkerIsParked(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 2})
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) { return nil, nil })
		r := runWorker(t, w)
		for _, d := range []time.Duration{0, time.Second, 10 * time.Minute} {
			settle()
			checkFresh(t, m, outage(t, m, d))
		}
		r.stop()
		if err := <-r.err; err != nil {
			t.Error(err)
		}
	}, usual)
}

func TestRestart_WhileAGetIsParked(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		got := make(chan *reeve.Lease, 1)
		go func() { got <- get(t, c.Queue("tasks")) }()
		settle()
		back := outage(t, m, time.Minute)
		putOne(t, m.Dial(t).Queue("tasks"), "fresh")
		l := <-got
		soon(t, back, freshWithin, "a fresh task")
		if err := l.Ack(t.Context()); err != nil {
			t.Error(err)
		}
	}, usual)
}

func TestRestart_InTheMidstOfAHandshake(t *testing.T) {
	// At which byte of the client's side the handshake and the greeting stall:
	// in the hello of TLS, in the proof, after it.
	for _, at := range []int{0, 1, 100, 500, 700, 900, 1100} {
		managertest.Run(t, func(t *testing.T, m *managertest.Master) {
			m.Declare(t, "tasks", reeve.QueueConfig{})
			cable := newCable(m)
			cfg := m.ClientConfig()
			cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
				conn, err := cable.Dial(ctx, addr)
				if err == nil && cable.Made() == 1 {
					cable.Last().StallAfter(at)
				}
				return conn, err
			}
			dialed := make(chan *proxy.Client, 1)
			go func() {
				c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
				if err != nil {
					t.Error(err)
				}
				dialed <- c
			}()
			settle()
			back := outage(t, m, time.Second)
			c := <-dialed
			if c == nil {
				return
			}
			defer c.Close()
			w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1})
			w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) { return nil, nil })
			r := runWorker(t, w)
			checkFresh(t, m, back)
			r.stop()
			<-r.err
		}, usual)
	}
}

func TestRestart_WhileAWorkerExecutes(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 1})
		causes := make(chan error, 1)
		w.HandleDefaultFunc(func(ctx context.Context, task *reeve.Task) ([]byte, error) {
			if string(task.Payload) == "old" {
				<-ctx.Done()
				causes <- context.Cause(ctx)
			}
			return nil, nil
		})
		runWorker(t, w)
		putOne(t, q, "old")
		settle()
		checkFresh(t, m, outage(t, m, time.Second))
		if cause := <-causes; !errors.Is(cause, reeve.ErrLeaseLost) {
			t.Errorf("the handler of a task that the new master does not know was told %v", cause)
		}
	}, usual)
}

func TestRestart_WhileALargeResultIsOnItsWay(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		const size = 10 << 20
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		m.Declare(t, "results", reeve.QueueConfig{})
		c, cable := plug(t, m)
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1, Results: "results"})
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) {
			return bytes.Repeat([]byte{7}, size), nil
		})
		runWorker(t, w)
		cable.Last().StallAfter(size / 2)
		putOne(t, q, "old")
		settle()
		if n := cable.Made(); n != 1 || w.Stats().Unanswered != 1 {
			t.Fatalf("connection %d, %+v", n, w.Stats())
		}
		checkFresh(t, m, outage(t, m, time.Second))
		l := get(t, m.Dial(t).Queue("results"))
		if len(l.Payload) != size {
			t.Errorf("a result of %d bytes", len(l.Payload))
		}
		settle()
		if s := w.Stats(); s.Unanswered != 0 || s.Done != 1 || s.Lost != 1 {
			t.Errorf("%+v", s)
		}
	}, usual)
}

func TestRestart_WhileAWorkerDrains(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1, Grace: time.Minute})
		w.HandleDefaultFunc(func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		r := runWorker(t, w)
		putOne(t, q, "old")
		settle()
		r.stop()
		settle()
		back := outage(t, m, time.Second)
		if err := <-r.err; err != nil {
			t.Errorf("Run returned %v", err)
		}
		soon(t, back, freshWithin, "the rest of the drain")
		w = worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1})
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) { return nil, nil })
		runWorker(t, w)
		checkFresh(t, m, back)
	}, usual)
}

func TestShutdown_EndsWithTheLeasesAndClientsWaitForTheNextMaster(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1})
		done := 0
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) {
			time.Sleep(time.Minute)
			done++
			return nil, nil
		})
		r := runWorker(t, w)
		put(t, q, 2)
		settle()
		began := time.Now()
		if err := m.Manager().Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		soon(t, began, time.Minute+2*time.Second, "Shutdown with a task of a minute")
		if done != 1 {
			t.Errorf("%d tasks done, want the one that ran", done)
		}
		if _, err := q.Put(t.Context(), []reeve.Task{{}}); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("a Put of the master's own: %v", err)
		}
		m.Restart(t)
		fresh := m.Dial(t).Queue("tasks")
		putOne(t, fresh, "fresh")
		if err := fresh.Join(t.Context()); err != nil || done != 2 {
			t.Errorf("%d tasks done, %v", done, err)
		}
		r.stop()
		if err := <-r.err; err != nil {
			t.Error(err)
		}
	}, usual)
}

func TestShutdown_IsPromptWhateverTheClientsDo(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		for i := range 20 {
			c, cable := plug(t, m)
			consume(t, c.Queue("tasks"), 1)
			if i%2 == 0 {
				cable.BlackHole()
			}
		}
		put(t, q, 10)
		settle()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		if err := m.Manager().Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown with leases that stand: %v", err)
		}
		soon(t, began, 3*time.Second+2*time.Second, "Shutdown with half of the clients cut off")
	}, usual)
}

func TestClose_IsPromptInEveryState(t *testing.T) {
	harm := map[string]func(*memnet.Cable){
		"healthy":       func(*memnet.Cable) {},
		"black hole":    func(c *memnet.Cable) { c.Last().BlackHole() },
		"takes no more": func(c *memnet.Cable) { c.Last().Peer().StallAfter(0) },
		"dead":          func(c *memnet.Cable) { c.Kill() },
	}
	for name, f := range harm {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				q := m.Declare(t, "tasks", reeve.QueueConfig{MaxLen: 4})
				c, cable := plug(t, m)
				consume(t, c.Queue("tasks"), 1)
				var calls sync.WaitGroup
				calls.Go(func() { c.Queue("tasks").Get(t.Context(), 3) })
				calls.Go(func() { c.Queue("tasks").Join(t.Context()) })
				settle()
				f(cable)
				big := reeve.Task{Payload: make([]byte, 4<<20)}
				if _, err := q.Put(t.Context(), []reeve.Task{big, big, big, big}); err != nil {
					t.Fatal(err)
				}
				calls.Go(func() { c.Queue("tasks").Put(t.Context(), []reeve.Task{big}) })
				settle()
				began := time.Now()
				m.Manager().Close()
				soon(t, began, time.Second, "Close of the master")
				began = time.Now()
				c.Close()
				soon(t, began, time.Second, "Close of the client")
				calls.Wait()
			}, usual)
		})
	}
}

func TestReconnectionStorm_AllClientsAreBackAndNobodySeesAnError(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		const n = storm
		m.Declare(t, "tasks", reeve.QueueConfig{})
		var back atomic.Int64
		var rejected atomic.Int64
		cfg := m.ClientConfig()
		cfg.OnState = func(s proxy.State) {
			if s.Connected {
				back.Add(1)
			}
			if s.Rejected {
				rejected.Add(1)
			}
		}
		clients := make([]*proxy.Client, n)
		var dials sync.WaitGroup
		for i := range clients {
			dials.Go(func() {
				c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
				if err != nil {
					t.Error(err)
				}
				clients[i] = c
			})
		}
		dials.Wait()
		var calls sync.WaitGroup
		for _, c := range clients {
			if c == nil {
				t.FailNow()
			}
			defer c.Close()
			calls.Go(func() {
				l, err := c.Queue("tasks").Get(t.Context(), 1)
				if err != nil {
					t.Errorf("a Get across the restart: %v", err)
					return
				}
				if err := l[0].Ack(t.Context()); err != nil {
					t.Errorf("an Ack after it: %v", err)
				}
			})
		}
		settle()
		back.Store(0)
		restarted := outage(t, m, 5*time.Second)
		for back.Load() < n && time.Since(restarted) < time.Hour {
			time.Sleep(100 * time.Millisecond)
		}
		soon(t, restarted, 30*time.Second, "the return of all clients")
		if r := rejected.Load(); r != 0 {
			t.Errorf("%d logins were refused", r)
		}
		q, err := m.Manager().Lookup("tasks")
		if err != nil {
			t.Fatal(err)
		}
		for range n / 100 {
			put(t, q, 100)
		}
		calls.Wait()
		if s := m.Manager().Stats(); s.LoginFailed+s.Throttled+s.Evicted != 0 {
			t.Errorf("%+v", s)
		}
	})
}
