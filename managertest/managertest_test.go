package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

func TestRun_AMonthOfDelayTakesNoTime(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		m.Declare(t, "results", reeve.QueueConfig{})
		c := m.Dial(t)
		tasks, results := proxy.QueueOf[int](c, "tasks"), proxy.QueueOf[int](c, "results")
		if _, err := tasks.Put(t.Context(), 7, reeve.WithDelay(30*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		w := worker.New(tasks, worker.Config{Results: "results"})
		worker.HandleDefault(w, func(_ context.Context, n int) (int, error) { return n * n, nil })
		managertest.RunUntilIdle(t, tasks.Raw(), w.Run)
		managertest.AssertReady(t, results.Raw(), 1)
		it, err := results.Get(t.Context())
		if err != nil || it.Value != 49 {
			t.Fatalf("%+v, %v", it, err)
		}
	})
}

func TestRestart_ClientsComeBack(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		q := proxy.QueueOf[string](c, "tasks")
		epoch := c.Epoch()
		if _, err := q.Put(t.Context(), "gone with the first master"); err != nil {
			t.Fatal(err)
		}
		m.Restart(t)
		if _, err := q.Put(t.Context(), "fresh"); err != nil {
			t.Fatal(err)
		}
		it, err := q.Get(t.Context())
		if err != nil || it.Value != "fresh" {
			t.Fatalf("%+v, %v", it, err)
		}
		if c.Epoch() == epoch {
			t.Error("the client cannot see that the master lost its memory")
		}
		if _, err := proxy.QueueOf[int](c, "nope").TryGet(t.Context()); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("unknown queue: %v", err)
		}
	})
}

func TestAssertEnqueued_LeavesTheQueueAsItWas(t *testing.T) {
	m := managertest.Start(t)
	q := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1})
	for _, p := range []string{"a", "b", "c"} {
		if _, err := q.Put(t.Context(), []reeve.Task{{Payload: []byte(p)}}); err != nil {
			t.Fatal(err)
		}
	}
	managertest.AssertEnqueued(t, q, []byte("b"))
	managertest.AssertReady(t, q, 3)
	leases, err := q.Get(t.Context(), 3)
	if err != nil || string(leases[0].Payload) != "a" || string(leases[2].Payload) != "c" {
		t.Fatalf("%v, %v", leases, err)
	}
	managertest.AssertDead(t, q, 0)
}

// failures is a testing.TB that keeps what fails.
type failures struct {
	testing.TB
	texts []string
}

func (f *failures) Helper() {}

func (f *failures) Errorf(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

func TestAssertState_SeesEveryStateAndSaysWhatItFound(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Minute})
		ids, err := q.Put(t.Context(), make([]reeve.Task, 2))
		if err != nil {
			t.Fatal(err)
		}
		managertest.AssertState(t, m.Manager(), ids[0], reeve.StateReady)
		leases, err := q.Get(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		managertest.AssertState(t, m.Manager(), ids[0], reeve.StateLeased)
		if err := leases[0].Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := leases[1].Bury(t.Context(), "why"); err != nil {
			t.Fatal(err)
		}
		managertest.AssertState(t, m.Dial(t), ids[0], reeve.StateDone)
		managertest.AssertState(t, m.Dial(t), ids[1], reeve.StateDead)

		f := &failures{TB: t}
		managertest.AssertState(f, m.Manager(), ids[1], reeve.StateDone)
		time.Sleep(time.Hour) // the outcome is kept for a minute
		managertest.AssertState(f, m.Manager(), ids[0], reeve.StateDone)
		if len(f.texts) != 2 || !strings.Contains(f.texts[0], "is dead, want done") || !strings.Contains(f.texts[1], "no such task") {
			t.Errorf("%q", f.texts)
		}
	})
}
