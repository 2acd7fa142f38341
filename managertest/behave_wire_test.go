package managertest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

func TestProgress_IsSeenWhileTheHandlerRuns(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 2, Backoff: reeve.Backoff{Base: time.Hour, Jitter: reeve.NoJitter}})
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 1})
		w.HandleDefaultFunc(func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			for i := range 1000 { // far more often than it is told
				if err := worker.SetProgress(ctx, float64(i)/10, "step by step"); err != nil {
					t.Error(err)
				}
				time.Sleep(10 * time.Millisecond)
			}
			return nil, errors.New("in the end")
		})
		work(t, w)
		id := putOne(t, q, reeve.Task{})
		c := m.Dial(t)
		for _, after := range []time.Duration{time.Second, 5 * time.Second} {
			time.Sleep(after)
			info, err := c.Task(t.Context(), id)
			ran := time.Since(info.Since).Seconds() * 10 // percent: it takes ten seconds
			if err != nil || info.Progress == nil || info.Progress.Text != "step by step" || info.Progress.Percent > ran+0.2 || info.Progress.Percent < ran-3 || info.Worker == "" {
				t.Errorf("after %.0f %%: %+v, %+v, %v", ran, info, info.Progress, err)
			}
		}
		time.Sleep(10 * time.Second)
		if info, err := c.Task(t.Context(), id); err != nil || info.State != reeve.StateDelayed || info.Progress != nil {
			t.Errorf("after the attempt: %+v, %v", info, err)
		}
	})
}

// three runs three workers, with the labels "a", "a" and "b".
func three(t *testing.T, m *managertest.Master) (ended []<-chan error) {
	for i, label := range []string{"a", "a", "b"} {
		var w *worker.Worker
		c, _ := plugged(t, m, proxy.Config{Name: label, Control: func(ctx context.Context, c reeve.Command) (*reeve.WorkerStatus, error) { return w.Control(ctx, c) }})
		w = worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1 + i, Labels: []string{label}})
		w.HandleFunc("work", func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			time.Sleep(time.Minute)
			return nil, nil
		})
		_, e := work(t, w)
		ended = append(ended, e)
		settle()
	}
	return ended
}

func TestWorkers_AreListedAndDrainByCommand(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		ended := three(t, m)
		c := m.Dial(t)
		for range 6 {
			putOne(t, q, reeve.Task{Type: "work"})
		}
		time.Sleep(time.Second)
		ws, err := c.Workers(t.Context())
		if err != nil || len(ws) != 4 { // and c
			t.Fatalf("%+v, %v", ws, err)
		}
		ids := map[string][]uint64{}
		for _, w := range ws {
			if len(w.Queues) == 0 {
				continue
			}
			ids[w.Name] = append(ids[w.Name], w.ID)
			s := w.Queues[0]
			if s.Queue != "tasks" || len(s.Types) != 1 || s.Types[0] != "work" || s.Labels[0] != w.Name || s.Used != s.Slots || w.Leased != s.Slots ||
				len(w.Running) != s.Slots || w.Running[0].Age != time.Second || w.PID == 0 || w.Host == "" || w.Impl == "" {
				t.Errorf("worker %+v", w)
			}
		}
		if len(ids["a"]) != 2 || len(ids["b"]) != 1 {
			t.Fatalf("the workers are %v", ids)
		}
		drained := func(to reeve.WorkerSelector, want int) {
			t.Helper()
			rs, err := c.Command(t.Context(), to, reeve.Command{Do: reeve.CommandDrain}, 0)
			if err != nil || len(rs) != want {
				t.Fatalf("%+v, %v", rs, err)
			}
			for _, r := range rs {
				if r.Error != "" || r.Status == nil || !r.Status.Draining || r.Status.Running == 0 {
					t.Errorf("report %+v", r)
				}
			}
		}
		drained(reeve.WorkerSelector{IDs: ids["b"]}, 1)
		if err := <-ended[2]; err != nil {
			t.Errorf("Run of the drained worker: %v", err)
		}
		settle()
		if s, _ := q.Stats(t.Context()); s.Done != 6 || s.Returned+s.Failed+s.Lost != 0 {
			t.Errorf("%+v", s)
		}
		putOne(t, q, reeve.Task{Type: "work"}, reeve.WithLabels("a"))
		putOne(t, q, reeve.Task{Type: "work"}, reeve.WithLabels("a"))
		settle()
		drained(reeve.WorkerSelector{Labels: []string{"a"}}, 2)
		for _, e := range ended[:2] {
			if err := <-e; err != nil {
				t.Errorf("Run of a drained worker: %v", err)
			}
		}
		id := putOne(t, q, reeve.Task{Type: "work"})
		settle()
		if !hasReason(t, c, id, reeve.ReasonNoWorker) {
			t.Error("there still is a worker")
		}
	})
}

// A task without a handler stays where it is, and says so.
func TestExplain_TellsThatNobodyHasAHandlerOrTheLabels(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		three(t, m)
		c := m.Dial(t)
		typed := putOne(t, q, reeve.Task{Type: "nobody's"})
		labelled := putOne(t, q, reeve.Task{Type: "work"}, reeve.WithLabels("a", "b"))
		time.Sleep(time.Hour)
		for id, code := range map[reeve.ID]reeve.ReasonCode{typed: reeve.ReasonNoHandler, labelled: reeve.ReasonLabels} {
			x, err := c.Explain(t.Context(), id)
			if err != nil || len(x.Reasons) != 1 || x.Reasons[0].Code != code {
				t.Errorf("why: %+v, %v, want %s", x, err, code)
			} else if code == reeve.ReasonNoHandler && !strings.Contains(x.Reasons[0].Text, "nobody's") {
				t.Errorf("the text is %q", x.Reasons[0].Text)
			}
			if info, err := c.Task(t.Context(), id); err != nil || info.State != reeve.StateReady || info.Attempt != 0 {
				t.Errorf("%+v, %v", info, err)
			}
		}
		ts, err := c.Types(t.Context(), "tasks")
		if err != nil || len(ts) != 2 {
			t.Fatalf("%+v, %v", ts, err)
		}
		for _, s := range ts {
			if want := map[string]int{"nobody's": 0, "work": 3}[s.Type]; s.Ready != 1 || s.Takers != want {
				t.Errorf("%+v, want %d takers", s, want)
			}
		}
	})
}

// A handler waits for a task that only its own slot could run. That is its own
// fault; but nobody else is held up, and it ends with the wait.
func TestWait_InsideATaskHoldsUpNobodyElse(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Concurrency: 1, KeepResult: time.Hour})
		other := m.Declare(t, "other", reeve.QueueConfig{})
		c := m.Dial(t)
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1})
		w.HandleFunc("parent", func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			ids, err := c.Queue("tasks").Put(ctx, []reeve.Task{{Type: "child"}})
			if err != nil {
				return nil, err
			}
			ctx, end := context.WithTimeout(ctx, time.Hour)
			defer end()
			if _, err := c.Wait(ctx, ids[0]); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Wait for what cannot run = %v", err)
			}
			return nil, nil
		})
		w.HandleFunc("child", func(context.Context, *reeve.Task) ([]byte, error) { return []byte("c"), nil })
		work(t, w)
		parent := putOne(t, q, reeve.Task{Type: "parent"})
		settle()
		page, err := c.List(t.Context(), "tasks", reeve.Filter{Types: []string{"child"}}, reeve.ListOptions{})
		if err != nil || len(page.Tasks) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		child := page.Tasks[0].ID
		x, err := c.Explain(t.Context(), child)
		if err != nil || !hasReason(t, c, child, reeve.ReasonConcurrency) {
			t.Errorf("why: %+v, %v", x, err)
		}
		// Others go on, on the same connection, in the same queue and elsewhere.
		began := time.Now()
		for range 100 {
			putOne(t, c.Queue("other"), reeve.Task{})
			if err := get(t, other).Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
			putOne(t, c.Queue("tasks"), reeve.Task{Type: "child"})
			if _, err := c.Result(t.Context(), parent); !errors.Is(err, reeve.ErrNotDone) {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("the others took %v", took)
		}
		if r, err := c.Wait(t.Context(), parent); err != nil || r.State != reeve.StateDone {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := c.Wait(t.Context(), child); err != nil || r.State != reeve.StateDone || time.Since(began) > time.Hour {
			t.Errorf("%+v, %v after %v", r, err, time.Since(began))
		}
	})
}
