// Package managertest runs a real master in memory, for tests of programs that
// use one, as httptest does for HTTP: the same engine, sessions, handshake and
// protocol, without a socket, and under a fake clock if wanted.
//
// It is no imitation and has no behaviour of its own; it only starts a
// [manager.Master] on a network in memory, connects clients to it, and can make
// that network fail.
//
//	func TestSquares(t *testing.T) {
//		managertest.Run(t, func(t *testing.T, m *managertest.Master) {
//			m.Declare(t, "tasks", reeve.QueueConfig{})
//			m.Declare(t, "results", reeve.QueueConfig{})
//			c := m.Dial(t)
//			tasks, results := proxy.QueueOf[int](c, "tasks"), proxy.QueueOf[int](c, "results")
//			tasks.Put(t.Context(), 7, reeve.WithDelay(30*24*time.Hour)) // a month, in no time
//			w := worker.New(tasks, worker.Config{Results: "results"})
//			worker.HandleDefault(w, func(_ context.Context, n int) (int, error) { return n * n, nil })
//			managertest.RunUntilIdle(t, tasks.Raw(), w.Run)
//			managertest.AssertReady(t, results.Raw(), 1)
//		})
//	}
package managertest

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/internal/session/sessiontest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

// address is where the master listens in its network.
const address = "master:5000"

// Master is a master in memory, with the network that leads to it. Its methods
// may be called from any goroutine, except those that take a testing.TB, which
// may fail the test and belong into the test's own.
type Master struct {
	net *memnet.Network
	key auth.Key

	lease time.Duration // of queues declared without one; 0: the engine's default

	mu     sync.Mutex // guards the fields below
	cfg    manager.Config
	master *manager.Master
	served chan error
	queues []declared
}

// calm is the default heartbeat where time is fake.
const calm = time.Hour

type declared struct {
	name string
	cfg  reeve.QueueConfig
}

// Start runs a master until the end of the test. cfg, of which at most one is
// used, needs no key.
func Start(t testing.TB, cfg ...manager.Config) *Master {
	t.Helper()
	m := &Master{net: &memnet.Network{}}
	if len(cfg) > 0 {
		m.cfg = cfg[0]
	}
	m.key = m.cfg.AuthKey
	if m.key.IsZero() {
		key, _, err := auth.GenerateKey("test")
		if err != nil {
			t.Fatal(err)
		}
		m.key, m.cfg.AuthKey = key, key
	}
	m.start(t)
	t.Cleanup(func() {
		m.end()
		if r := m.reopened(); r != nil {
			r.release() // of what the test killed
		}
	})
	return m
}

// Run is testing/synctest's Test with a master: f runs in a bubble of fake
// time, where a sleep of a month takes no time. The test must not be parallel.
// Everything that f starts must have ended when it returns; clients made by
// Dial and the master itself end by themselves.
//
// Every heartbeat costs real time, so by default there is one an hour, queues
// declared without a Lease have one of 12 hours, and the master has no Watchdog.
func Run(t *testing.T, f func(t *testing.T, m *Master), cfg ...manager.Config) {
	t.Helper()
	c := manager.Config{}
	if len(cfg) > 0 {
		c = cfg[0]
	}
	c.Heartbeat = cmp.Or(c.Heartbeat, calm)
	c.Watchdog = cmp.Or(c.Watchdog, -1) // as heartbeats
	sessiontest.Bubble(t, func(t *testing.T) {
		m := Start(t, c)
		m.lease = 12 * calm
		f(t, m)
	})
}

func (m *Master) start(t testing.TB) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	master, err := manager.New(m.cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := m.net.Listen(address)
	if err != nil {
		master.Close()
		t.Fatal(err)
	}
	for _, d := range m.queues {
		if _, err := master.Queue(d.name, d.cfg); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan error, 1)
	go func() { served <- master.Serve(context.Background(), ln) }() // received by Kill or Shutdown
	m.master, m.served = master, served
}

// Manager is the master that runs now.
func (m *Master) Manager() *manager.Master {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.master
}

// Declare makes a queue and returns the master's own handle of it. It is made
// again by Restart: empty, unless the master has a journal.
func (m *Master) Declare(t testing.TB, name string, cfg reeve.QueueConfig) reeve.Queue {
	t.Helper()
	cfg.Lease = cmp.Or(cfg.Lease, m.lease)
	q, err := m.Manager().Queue(name, cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	m.queues = append(m.queues, declared{name, cfg})
	m.mu.Unlock()
	return q
}

// Kill ends the master as the end of its process would: no goodbye, and nothing
// more reaches a journal made by [Reopen]. Further calls do no harm.
func (m *Master) Kill() {
	if r := m.reopened(); r != nil {
		r.kill()
	}
	m.end()
}

func (m *Master) reopened() *reopened {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, _ := m.cfg.Journal.(*reopened)
	return r
}

// end closes the master.
func (m *Master) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.served != nil {
		m.master.Close()
		<-m.served
		m.served = nil
	}
}

// Restart kills the master, unless it was ended before, and starts another one
// at the same address, with the same queues: empty, or as its journal has them,
// which must be made by [Reopen].
func (m *Master) Restart(t testing.TB) {
	t.Helper()
	m.Kill()
	m.start(t)
}

// Dial connects a client, which is closed at the end of the test.
func (m *Master) Dial(t testing.TB) *proxy.Client {
	t.Helper()
	c, err := proxy.Dial(t.Context(), address, m.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ClientConfig is what proxy.Dial needs to reach the master, at [Master.Addr].
func (m *Master) ClientConfig() proxy.Config {
	return proxy.Config{AuthKey: m.key, Dialer: func(ctx context.Context, addr string) (net.Conn, error) {
		return m.net.DialContext(ctx, "mem", addr)
	}}
}

// Addr is the master's address in its network.
func (m *Master) Addr() string { return address }

// BlackHole makes the network swallow everything in both directions, without a
// sign to either end, until Heal.
func (m *Master) BlackHole() { m.net.BlackHole() }

// Heal ends BlackHole; what was swallowed arrives late, as TCP would have it.
func (m *Master) Heal() { m.net.Heal() }

// Disconnect resets all connections that stand now.
func (m *Master) Disconnect() {
	for _, c := range m.net.Conns() {
		c.Reset()
	}
}

// RunUntilIdle calls run, for example a worker's Run, until every task of q is
// settled: done or dead. Then it ends run's ctx and waits for run to return,
// whose error other than that ctx's fails the test.
func RunUntilIdle(t testing.TB, q reeve.Queue, run func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- run(ctx) }()
	joined := q.Join(ctx)
	cancel()
	if err := <-ran; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("run until queue %q is idle: %v", q.Name(), err)
	}
	if joined != nil {
		t.Errorf("join queue %q: %v", q.Name(), joined)
	}
}

// AssertReady fails the test unless exactly n tasks of q may be handed over.
func AssertReady(t testing.TB, q reeve.Queue, n int) {
	t.Helper()
	if s := stats(t, q); s.Ready != n {
		t.Errorf("queue %q has %d ready tasks, want %d", q.Name(), s.Ready, n)
	}
}

// AssertDead fails the test unless exactly n tasks of q are dead.
func AssertDead(t testing.TB, q reeve.Queue, n int) {
	t.Helper()
	if s := stats(t, q); s.Dead != n {
		t.Errorf("queue %q has %d dead tasks, want %d", q.Name(), s.Dead, n)
	}
}

// AssertState fails the test unless the task is in that state, which may be one
// it ended in as long as its outcome is kept. op is a client, or
// [Master.Manager].
func AssertState(t testing.TB, op reeve.Operator, id reeve.ID, want reeve.State) {
	t.Helper()
	i, err := op.Task(t.Context(), id)
	if err != nil {
		t.Errorf("task %v, which should be %v: %v", id, want, err)
	} else if i.State != want {
		t.Errorf("task %v of queue %q is %v, want %v (reason %q, error %q)", id, i.Queue, i.State, want, i.Reason, i.Error)
	}
}

// AssertEnqueued fails the test unless a task with this payload was put into q
// and may be handed over. It looks by taking every task and giving all back, so
// no worker should be at the queue.
func AssertEnqueued(t testing.TB, q reeve.Queue, payload []byte) {
	t.Helper()
	leases, err := q.TryGet(t.Context(), reeve.MaxBatch)
	if err != nil && !errors.Is(err, reeve.ErrEmpty) {
		t.Fatal(err)
	}
	found := false
	for i := len(leases) - 1; i >= 0; i-- { // each goes to the front
		found = found || string(leases[i].Payload) == string(payload)
		if err := leases[i].Return(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !found {
		t.Errorf("queue %q has no ready task with payload %q among %d", q.Name(), payload, len(leases))
	}
}

func stats(t testing.TB, q reeve.Queue) reeve.QueueStats {
	t.Helper()
	s, err := q.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}
