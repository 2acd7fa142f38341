package manager_test

// What a worker held when it died comes back: at once when its connection
// broke, within the lease when it fell silent. Nothing is lost by a Get that
// waited in a dead client, and a task that kills its workers ends dead, alone.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

func TestDeadWorker_ItsThousandLeasesAreRedeliveredAtOnceInOrder(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		const n = 1000
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		a, cable := plug(t, m)
		consume(t, a.Queue("tasks"), n)
		ids := put(t, m.Dial(t).Queue("tasks"), n)
		settle()
		if s := statsOf(t, q); s.Leased != n {
			t.Fatalf("the worker holds %d", s.Leased)
		}
		heir := consume(t, m.Dial(t).Queue("tasks"), n)

		died := time.Now()
		cable.Kill()
		for i := range n {
			l := next(t, heir)
			if l.ID != ids[i] || string(l.Payload) != strconv.Itoa(i) || l.Attempt != 2 {
				t.Fatalf("redelivery %d is task %v, attempt %d, payload %q", i, l.ID, l.Attempt, l.Payload)
			}
			if err := l.Bury(t.Context(), "for its counts"); err != nil {
				t.Fatal(err)
			}
		}
		soon(t, died, 0, "the redelivery")
		checkLostOnce(t, q, n)
	})
}

func TestSilentWorker_ItsThousandLeasesAreRedeliveredWithinTheLeaseAndASecond(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		const n = 1000
		q := m.Declare(t, "tasks", reeve.QueueConfig{Lease: reeve.DefaultLease})
		a, cable := plug(t, m)
		consume(t, a.Queue("tasks"), n)
		ids := put(t, m.Dial(t).Queue("tasks"), n)
		settle()
		heir := consume(t, m.Dial(t).Queue("tasks"), n)
		time.Sleep(7 * time.Second) // so that the hole does not begin with a heartbeat

		gone := time.Now()
		cable.BlackHole()
		for i := range n {
			if l := next(t, heir); l.ID != ids[i] || l.Attempt != 2 {
				t.Fatalf("redelivery %d is task %v, attempt %d", i, l.ID, l.Attempt)
			} else if err := l.Bury(t.Context(), "for its counts"); err != nil {
				t.Fatal(err)
			}
		}
		soon(t, gone, reeve.DefaultLease+time.Second, "the redelivery")
		if took := time.Since(gone); took < reeve.DefaultLease/2 {
			t.Errorf("the leases of a worker that might be alive were taken after %v", took)
		}
		checkLostOnce(t, q, n)
		cable.Heal()
	}, usual)
}

// checkLostOnce requires that n tasks are dead, each after one lost holder.
func checkLostOnce(t *testing.T, q reeve.Queue, n int) {
	t.Helper()
	dead, err := q.Dead(t.Context(), 0, n)
	if err != nil || len(dead) != n {
		t.Fatalf("%d dead, %v", len(dead), err)
	}
	for _, d := range dead {
		if want := (reeve.Counts{Lost: 1}); d.Counts != want {
			t.Fatalf("task %v has %+v, want %+v", d.ID, d.Counts, want)
		}
	}
	if s := statsOf(t, q); s.Lost != uint64(n) || s.Redelivered != uint64(n) || s.Unsettled() != 0 {
		t.Errorf("%+v", s)
	}
}

func TestParkedGet_OfADeadClientSwallowsNothing(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		a, cable := plug(t, m)
		var parked sync.WaitGroup
		for range 10 {
			parked.Go(func() {
				if ls, err := a.Queue("tasks").Get(t.Context(), 10); !errors.Is(err, reeve.ErrClosed) {
					t.Errorf("a Get of the dead client: %d leases, %v", len(ls), err)
				}
			})
		}
		settle()
		if s := statsOf(t, q); s.Consumers != 10 {
			t.Fatalf("%d Gets wait", s.Consumers)
		}
		cable.Kill()
		collect(t, m.Dial(t).Queue("tasks"), put(t, q, 100))
		a.Close()
		parked.Wait()
	})
}

func TestParkedGet_OfADeadTCPClientSwallowsNothing(t *testing.T) {
	t.Parallel()
	for name, linger := range map[string]int{"reset": 0, "closed": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, addr, cfg := listenTCP(t, manager.Config{}, "tasks")
			q, err := m.Lookup("tasks")
			if err != nil {
				t.Fatal(err)
			}
			conns := make(chan *net.TCPConn, 1) // the first one; there is no second
			dying := cfg
			dying.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
				var d net.Dialer
				c, err := d.DialContext(ctx, "tcp", addr)
				if err != nil {
					return nil, err
				}
				select {
				case conns <- c.(*net.TCPConn):
					return c, nil
				default:
					c.Close()
					return nil, errors.New("the client is dead")
				}
			}
			a, err := proxy.Dial(t.Context(), addr, dying)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			b, err := proxy.Dial(t.Context(), addr, cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			parked := make(chan error, 1)
			go func() {
				_, err := a.Queue("tasks").Get(t.Context(), 100)
				parked <- err
			}()
			for statsOf(t, q).Consumers == 0 {
				time.Sleep(time.Millisecond)
			}
			c := <-conns
			conns <- c
			if err := c.SetLinger(linger); err != nil {
				t.Fatal(err)
			}
			c.Close()
			collect(t, b.Queue("tasks"), put(t, b.Queue("tasks"), 100))
			a.Close()
			if err := <-parked; !errors.Is(err, reeve.ErrClosed) {
				t.Errorf("the Get of the dead client: %v", err)
			}
		})
	}
}

// collect gets and acks the tasks ids, each of which must come once, and then
// no other.
func collect(t *testing.T, q reeve.Queue, ids []reeve.ID) {
	t.Helper()
	missing := map[reeve.ID]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	for len(missing) > 0 {
		ls, err := q.Get(t.Context(), 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range ls {
			if !missing[l.ID] {
				t.Fatalf("task %v came twice", l.ID)
			}
			delete(missing, l.ID)
			if err := l.Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := q.TryGet(t.Context(), 1); !errors.Is(err, reeve.ErrEmpty) {
		t.Errorf("after all of them: %v", err)
	}
}

func TestPoisonTask_EndsDeadAndTheTasksBesideItDoNot(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		const innocents = 30
		q := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 5})
		put(t, q, innocents/2)
		poison := putOne(t, q, "poison")
		put(t, q, innocents-innocents/2)
		died, done := 0, 0
		for statsOf(t, q).Unsettled() > 0 {
			if died > 20 {
				t.Fatalf("%d workers died, %d tasks are done", died, done)
			}
			n, killed := runMortal(t, m)
			done += n
			if killed {
				died++
			}
		}
		if died != 5 || done != innocents {
			t.Errorf("%d workers died and %d tasks were done, want as many deaths as the queue has attempts, and all tasks", died, done)
		}
		dead, err := q.Dead(t.Context(), 0, 10)
		if err != nil || len(dead) != 1 || dead[0].ID != poison {
			t.Fatalf("%d dead (%+v), %v", len(dead), dead, err)
		}
		if dead[0].Reason != "worker lost ×5" || dead[0].Counts.Lost != 5 {
			t.Errorf("the reason is %q, the counts are %+v", dead[0].Reason, dead[0].Counts)
		}
	})
}

// runMortal is a worker of 8 slots that dies, with all it holds, of the task
// "poison". It ends the others one by one and returns how many, when nothing
// more comes.
func runMortal(t *testing.T, m *managertest.Master) (done int, died bool) {
	t.Helper()
	c, cable := plug(t, m)
	defer c.Close()
	supply := consume(t, c.Queue("tasks"), 8)
	var held []*reeve.Lease
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		l, err := supply.Next(ctx)
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded) && len(held) == 0:
			return done, false
		case errors.Is(err, context.DeadlineExceeded):
			// All slots are taken and nobody died: these are harmless.
			if err := held[0].Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
			held = held[1:]
			done++
			continue
		case err != nil:
			t.Fatal(err)
		}
		if string(l.Payload) == "poison" {
			cable.Kill()
			return done, true
		}
		held = append(held, l)
	}
}

func TestCompleteOfADeadWorker_HappensOnceOrNotAtAll(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		tasks := m.Declare(t, "tasks", reeve.QueueConfig{})
		results := m.Declare(t, "results", reeve.QueueConfig{})
		c := m.Dial(t)
		for i := range 50 {
			putOne(t, tasks, fmt.Sprint(i))
			l := get(t, c.Queue("tasks"))
			conns := make(chan error, 1)
			l.Settle(&reeve.Outcome{Verb: reeve.Complete, To: "results", Result: reeve.Task{Payload: l.Payload}}, func(err error) { conns <- err })
			m.Disconnect() // before, while or after the master hears of it
			if err := <-conns; err != nil {
				t.Fatal(err)
			}
		}
		if s := statsOf(t, tasks); s.Done != 50 || s.Unsettled() != 0 {
			t.Errorf("tasks: %+v", s)
		}
		managertest.AssertReady(t, results, 50)
	})
}
