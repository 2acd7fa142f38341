package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// quick are the tests with faults: the loss of a connection without a sign
// must be noticed in their (fake) time.
var quick = manager.Config{Heartbeat: time.Second}

// dialWatched connects a client whose connections the test can break.
func dialWatched(t *testing.T, m *managertest.Master) (*proxy.Client, func() *memnet.Conn) {
	t.Helper()
	var mu sync.Mutex
	var last *memnet.Conn
	cfg := m.ClientConfig()
	dial := cfg.Dialer
	cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := dial(ctx, addr)
		if err == nil {
			mu.Lock()
			last = conn.(*memnet.Conn)
			mu.Unlock()
		}
		return conn, err
	}
	c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, func() *memnet.Conn {
		mu.Lock()
		defer mu.Unlock()
		return last
	}
}

func TestMaster_QueueIsTheSameFromAfar(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{MaxLen: 2, Attempts: 1})
		m.Declare(t, "results", reeve.QueueConfig{})
		c := m.Dial(t)
		ctx := t.Context()
		tasks, results := proxy.QueueOf[int](c, "tasks"), proxy.QueueOf[string](c, "results", codec.JSON)

		id, err := tasks.Put(ctx, 7)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tasks.PutMany(ctx, []int{1, 2}, reeve.NoWait()); !errors.Is(err, reeve.ErrQueueFull) {
			t.Errorf("Put into a full queue = %v", err)
		}
		item, err := tasks.Get(ctx)
		if err != nil || item.Value != 7 || item.ID != id || item.Attempt != 1 {
			t.Fatalf("Get = %+v, %v", item, err)
		}
		if err := item.Extend(ctx, time.Minute); err != nil {
			t.Errorf("Extend = %v", err)
		}
		if err := item.Complete(ctx, proxy.QueueOf[string](c, "nowhere"), "x"); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("Complete to nowhere = %v", err)
		}
		if err := item.Complete(ctx, results, "seven"); err != nil {
			t.Errorf("Complete = %v", err)
		}
		if err := item.Ack(ctx); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("a second end = %v", err)
		}
		got, err := results.Get(ctx)
		if err != nil || got.Value != "seven" || got.Source != id {
			t.Errorf("result = %+v, %v", got, err)
		}
		if err := got.Ack(ctx); err != nil {
			t.Errorf("Ack = %v", err)
		}
		if _, err := tasks.TryGet(ctx); !errors.Is(err, reeve.ErrEmpty) {
			t.Errorf("TryGet of an empty queue = %v", err)
		}
		if err := tasks.Join(ctx); err != nil {
			t.Errorf("Join = %v", err)
		}
		tasks.Put(ctx, 8)
		item, _ = tasks.Get(ctx)
		if err := item.Nack(ctx, 0, errors.New("why")); err != nil {
			t.Errorf("Nack = %v", err)
		}
		dead, err := tasks.Raw().Dead(ctx, 0, 10)
		if err != nil || len(dead) != 1 || dead[0].Error != "why" {
			t.Errorf("Dead = %+v, %v", dead, err)
		}
		all, err := c.Queues(ctx)
		if err != nil || len(all) != 2 || all[0].Name != "tasks" || all[0].Done != 1 {
			t.Errorf("Queues = %+v, %v", all, err)
		}
		if err := tasks.Shutdown(ctx, false); err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		if _, err := tasks.Put(ctx, 9); !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("Put after Shutdown = %v", err)
		}
	})
}

func TestMaster_LargePayloadsGoThere_AndBack(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		q := c.Queue("tasks")
		for _, size := range []int{0, 1, 48 << 10, 64<<10 - 100, 64 << 10, 64<<10 + 1, 5 << 20, 16 << 20} {
			payload := make([]byte, size)
			for i := range payload {
				payload[i] = byte(i * 7)
			}
			if _, err := q.Put(t.Context(), []reeve.Task{{Payload: payload}}); err != nil {
				t.Fatalf("Put of %d bytes: %v", size, err)
			}
			leases, err := q.Get(t.Context(), 1)
			if err != nil || !slices.Equal(leases[0].Payload, payload) {
				t.Fatalf("Get of %d bytes: %v", size, err)
			}
			if err := leases[0].Complete(t.Context(), "tasks", reeve.Task{Payload: payload}); err != nil {
				t.Fatalf("Complete with %d bytes: %v", size, err)
			}
			leases, err = q.Get(t.Context(), 1)
			if err != nil || !slices.Equal(leases[0].Payload, payload) {
				t.Fatalf("Get of %d bytes: %v", size, err)
			}
			if err := leases[0].Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A client parked in Get dies without a word: what is put then goes to others.
// And it dies while its answer is on its way, at every byte of it.
func TestMaster_DeadClientsGetTakesNothingAway(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1000})
		other := m.Dial(t)
		q := other.Queue("tasks")
		for n := 0; ; n += 3 {
			victim, conn := dialWatched(t, m)
			ctx, cancel := context.WithCancel(t.Context())
			g := async(func() ([]*reeve.Lease, error) { return victim.Queue("tasks").Get(ctx, 1) })
			synctest.Wait()
			conn().Peer().CutAfter(n)
			if _, err := q.Put(t.Context(), []reeve.Task{{Payload: []byte("x")}}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			arrived := len(g) > 0
			cancel() // as a process that is gone, it does not get again
			if !arrived {
				await(t, "Get", g)
			}
			victim.Close()
			tctx, stop := context.WithTimeout(t.Context(), time.Second)
			leases, err := q.Get(tctx, 1)
			stop()
			if err != nil {
				t.Fatalf("cut after %d bytes: the task is with nobody: %v", n, err)
			}
			if err := leases[0].Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
			if arrived {
				if n == 0 {
					t.Error("nothing was cut")
				}
				return
			}
		}
	})
}

func TestMaster_CancelledCallsHarmNothing(t *testing.T) {
	const rounds = 10_000
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		tasks := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1})
		c := m.Dial(t)
		q := c.Queue("tasks")
		synctest.Wait()
		before := runtime.NumGoroutine()
		put, got := 0, 0
		for i := range rounds {
			ctx, cancel := context.WithCancel(t.Context())
			g := async(func() ([]*reeve.Lease, error) { return q.Get(ctx, 1) })
			if i%2 == 0 {
				synctest.Wait() // it waits at the master
			}
			if i%3 == 0 {
				if _, err := tasks.Put(t.Context(), []reeve.Task{{}}); err != nil {
					t.Fatal(err)
				}
				put++
			}
			for range i % 50 { // the hand-over is somewhere on its way
				runtime.Gosched()
			}
			cancel()
			leases, err := await(t, "Get", g)
			switch {
			case err == nil:
				got++
				if err := leases[0].Ack(t.Context()); err != nil {
					t.Fatal(err)
				}
			case !errors.Is(err, context.Canceled):
				t.Fatal(err)
			}
		}
		synctest.Wait()
		s, err := tasks.Stats(t.Context())
		if err != nil || s.Leased != 0 || s.Ready != put-got || s.Dead != 0 || s.Consumers != 0 {
			t.Errorf("%d put and %d got: %+v, %v", put, got, s, err)
		}
		if got == 0 || s.Returned == 0 {
			t.Errorf("%d got, %d given back: the cancellations met no hand-over", got, s.Returned)
		}
		if s := c.Stats(); s.Connects != 1 || s.Unanswered != 0 || s.Waiting != 0 || s.Leases != 0 {
			t.Errorf("client: %+v", s)
		}
		if n := runtime.NumGoroutine(); n > before+5 {
			t.Errorf("%d goroutines, %d before", n, before)
		}
	})
}

func TestMaster_Restart_EveryoneGoesOn(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{MaxLen: 1})
		m.Declare(t, "results", reeve.QueueConfig{})
		if _, err := m.Manager().Queue("temporary", reeve.QueueConfig{}); err != nil {
			t.Fatal(err)
		}
		c := m.Dial(t)
		epoch := c.Epoch()
		tasks := c.Queue("tasks")
		temporary := c.Queue("temporary")
		if _, err := temporary.Stats(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := tasks.Put(t.Context(), []reeve.Task{{Payload: []byte("running")}}); err != nil {
			t.Fatal(err)
		}
		running, err := tasks.Get(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tasks.Put(t.Context(), []reeve.Task{{Payload: []byte("lost with the master's memory")}}); err != nil {
			t.Fatal(err)
		}
		blocked := put(t.Context(), c, "tasks", "waits for room")
		parked := get(t.Context(), c, "results")
		cs, err := c.Queue("results").Consume(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()

		m.Kill()
		ended := async(func() (int, error) {
			return 0, running[0].Complete(t.Context(), "results", reeve.Task{Payload: make([]byte, 10<<20)})
		})
		time.Sleep(time.Minute)
		back := time.Now()
		m.Restart(t)
		if _, err := await(t, "the blocked Put", blocked); err != nil {
			t.Errorf("the blocked Put = %v", err)
		}
		if took := time.Since(back); took > 5*time.Second {
			t.Errorf("it took %v to be back", took)
		}
		if _, err := await(t, "Complete", ended); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("Complete of a task that the master has lost = %v, want ErrLeaseLost", err)
		}
		if _, err := c.Queue("results").Put(t.Context(), []reeve.Task{{Payload: []byte("1")}, {Payload: []byte("2")}}); err != nil {
			t.Fatal(err)
		}
		if _, err := await(t, "the parked Get", parked); err != nil {
			t.Errorf("the parked Get = %v", err)
		}
		next(t, cs)
		if c.Epoch() == epoch {
			t.Error("the epoch did not change")
		}
		if _, err := temporary.Stats(t.Context()); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("a queue that is no more: %v, want ErrNoSuchQueue", err)
		}
	})
}

func TestMaster_ConsumerNeverHoldsMoreThanItsSlots(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		tasks := m.Declare(t, "tasks", reeve.QueueConfig{})
		if _, err := tasks.Put(t.Context(), make([]reeve.Task, 100)); err != nil {
			t.Fatal(err)
		}
		c := m.Dial(t)
		cs, err := c.Queue("tasks").Consume(t.Context(), 4)
		if err != nil {
			t.Fatal(err)
		}
		running := []*reeve.Lease{next(t, cs), next(t, cs), next(t, cs)} // and one in the buffer
		for range 5 {
			m.Disconnect()
			time.Sleep(10 * time.Second)
			s, err := tasks.Stats(t.Context())
			if err != nil || s.Leased != 4 {
				t.Fatalf("after a reconnect %d are leased, want 4 (%v)", s.Leased, err)
			}
		}
		for _, l := range running {
			if err := l.Ack(t.Context()); err != nil {
				t.Errorf("Ack after reconnects = %v", err)
			}
		}
		synctest.Wait()
		if s, _ := tasks.Stats(t.Context()); s.Leased != 4 || s.Done != 3 {
			t.Errorf("%d leased and %d done, want 4 and 3", s.Leased, s.Done)
		}
		if err := cs.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s, _ := tasks.Stats(t.Context()); s.Leased != 0 || s.Ready != 97 {
			t.Errorf("after Close: %+v", s)
		}
	})
}

// Connections break, stall and are cut in the midst of frames while producers
// put and workers complete. Whatever was put has exactly one result.
func TestMaster_FaultsLoseAndDoubleNothing(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{MaxLen: 50, Attempts: 1_000_000, Lease: 5 * time.Second})
		results := m.Declare(t, "results", reeve.QueueConfig{})
		const producers, workers, each = 4, 3, 400
		ctx, cancel := context.WithCancel(t.Context())
		var clients []*proxy.Client
		var conns []func() *memnet.Conn
		var producing, working sync.WaitGroup
		for p := range producers {
			c, conn := dialWatched(t, m)
			clients, conns = append(clients, c), append(conns, conn)
			producing.Go(func() {
				q := c.Queue("tasks")
				for i := range each {
					if _, err := q.Put(ctx, []reeve.Task{{Payload: fmt.Appendf(nil, "%d/%d", p, i)}}); err != nil {
						t.Errorf("Put = %v", err)
						return
					}
				}
			})
		}
		for range workers {
			c, conn := dialWatched(t, m)
			clients, conns = append(clients, c), append(conns, conn)
			cs, err := c.Queue("tasks").Consume(ctx, 5)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				working.Go(func() {
					for {
						l, err := cs.Next(ctx)
						if err != nil {
							return
						}
						time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
						err = l.Complete(ctx, "results", reeve.Task{Payload: l.Payload})
						if err != nil && ctx.Err() == nil && !errors.Is(err, reeve.ErrLeaseLost) {
							t.Errorf("Complete = %v", err)
						}
					}
				})
			}
		}
		stop := make(chan struct{})
		var breaking sync.WaitGroup
		breaking.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(rand.IntN(500)) * time.Millisecond):
				}
				conn := conns[rand.IntN(len(conns))]()
				switch rand.IntN(4) {
				case 0:
					conn.Reset()
				case 1:
					conn.CutAfter(rand.IntN(300))
				case 2:
					conn.Peer().CutAfter(rand.IntN(300))
				case 3:
					conn.BlackHole()
				}
			}
		})
		producing.Wait()
		close(stop)
		breaking.Wait()
		seen := map[string]int{}
		for len(seen) < producers*each {
			tctx, end := context.WithTimeout(ctx, 10*time.Minute)
			leases, err := results.Get(tctx, 100)
			end()
			if err != nil {
				t.Errorf("%d results came, want %d: %v", len(seen), producers*each, err)
				break
			}
			for _, l := range leases {
				seen[string(l.Payload)]++
				l.Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
			}
		}
		time.Sleep(time.Minute)
		if more, err := results.TryGet(ctx, 100); !errors.Is(err, reeve.ErrEmpty) {
			t.Errorf("%d results too many (%v)", len(more), err)
		}
		for payload, n := range seen {
			if n != 1 {
				t.Errorf("%s has %d results", payload, n)
			}
		}
		var connects uint64
		for _, c := range clients {
			connects += c.Stats().Connects
		}
		if connects < 30 {
			t.Errorf("%d clients connected %d times: there were hardly any faults", len(clients), connects)
		}
		cancel()
		working.Wait()
	}, quick)
}

// Queues at a client are names: ten thousand of them cost the master nothing.
func TestMaster_ManyQueueHandlesCostNoConnectionAndNoGoroutine(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		synctest.Wait()
		before := runtime.NumGoroutine()
		for range 10_000 {
			q := proxy.QueueOf[int](c, "tasks")
			if _, err := q.Put(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > before+5 {
			t.Errorf("%d goroutines, %d before", n, before)
		}
		if s := c.Stats(); s.Connects != 1 {
			t.Errorf("%d connections", s.Connects)
		}
	})
}
