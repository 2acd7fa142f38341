package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// way is a way to a master: the queue "tasks", and all of it.
type way struct {
	*managertest.Master
	reeve.Operator
	tasks reeve.Queue
}

// eachWay runs f with a master in the same process, and with one behind a
// connection, in fake time.
func eachWay(t *testing.T, cfg reeve.QueueConfig, f func(t *testing.T, w way)) {
	for _, name := range []string{"in process", "remote"} {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				w := way{Master: m, tasks: m.Declare(t, "tasks", cfg)}
				m.Declare(t, "results", reeve.QueueConfig{})
				w.Operator = m.Manager()
				if name == "remote" {
					c := m.Dial(t)
					w.Operator, w.tasks = c, c.Queue("tasks")
				}
				f(t, w)
			})
		})
	}
}

func (w way) put(t *testing.T, task reeve.Task, opts ...reeve.PutOption) reeve.ID {
	t.Helper()
	if task.Payload == nil {
		task.Payload = []byte{1} // a number as CBOR
	}
	ids, err := w.tasks.Put(t.Context(), []reeve.Task{task}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

func (w way) wait(t *testing.T, id reeve.ID) reeve.Result {
	t.Helper()
	r, err := w.Wait(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMaster_HearsWhatHandlersSay(t *testing.T) {
	eachWay(t, reeve.QueueConfig{KeepResult: 24 * time.Hour, Attempts: 2, Backoff: reeve.Backoff{Base: time.Hour, Jitter: reeve.NoJitter}}, func(t *testing.T, way way) {
		boom := errors.New("boom")
		says := map[string]error{
			"done": nil, "fails": boom, "retries": worker.RetryAfter(boom, time.Minute), "snoozes": worker.RetryAfter(nil, time.Minute),
			"dead": worker.Permanent(boom), "discarded": worker.Discard(boom), "skipped": fmt.Errorf("nothing: %w", worker.Skip),
		}
		w := worker.New(way.tasks, worker.Config{})
		worker.HandleDefault(w, func(ctx context.Context, _ int) (int, error) {
			task, _ := worker.TaskFrom(ctx)
			if task.Attempt > 2 && task.Type == "snoozes" {
				return 7, nil
			}
			return 7, says[task.Type]
		})
		s := start(t, w)
		for typ, want := range map[string]struct {
			after  time.Duration
			state  reeve.State
			reason string
		}{
			"done":      {0, reeve.StateDone, ""},
			"fails":     {time.Hour, reeve.StateDead, "boom"},
			"retries":   {time.Minute, reeve.StateDead, "boom"},
			"snoozes":   {2 * time.Minute, reeve.StateDone, ""},
			"dead":      {0, reeve.StateDead, "boom"},
			"discarded": {0, reeve.StateDiscarded, "boom"},
			"skipped":   {0, reeve.StateDone, ""},
		} {
			begin := time.Now()
			r := way.wait(t, way.put(t, reeve.Task{Type: typ}))
			if took := time.Since(begin); r.State != want.state || took != want.after || !strings.Contains(r.Reason+r.Error, want.reason) {
				t.Errorf("%s: after %v %+v, want %+v", typ, took, r, want)
			}
			if has := len(r.Payload) > 0; has != (typ == "done" || typ == "snoozes") {
				t.Errorf("%s: result is %q", typ, r.Payload)
			}
		}
		mustStop(t, s)
		stats := s.Stats()
		if stats.Done != 3 || stats.Skipped != 1 || stats.Snoozed != 2 || stats.Discarded != 1 || stats.Buried != 1 || stats.Failed != 4 || stats.Refused != 0 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

func TestMaster_KeepsResultsByIDAndPutsThemInTheQueue(t *testing.T) {
	eachWay(t, reeve.QueueConfig{KeepResult: time.Hour}, func(t *testing.T, way way) {
		w := worker.New(way.tasks, worker.Config{})
		worker.Handle(w, "by id", square)
		worker.Handle(w, "both", square, worker.To("results"))
		worker.HandleAck(w, "none", func(context.Context, int) error { return nil })
		s := start(t, w)
		ids := map[string]reeve.ID{}
		for _, typ := range []string{"by id", "both", "none"} {
			ids[typ] = way.put(t, reeve.Task{Type: typ, Payload: []byte{7}})
		}
		time.Sleep(time.Minute)
		mustStop(t, s)
		for typ, id := range ids {
			r, err := way.Result(t.Context(), id)
			if err != nil || r.State != reeve.StateDone {
				t.Errorf("%s: %+v, %v", typ, r, err)
			}
			if typ == "none" {
				if len(r.Payload) != 0 {
					t.Errorf("%s: result is %x", typ, r.Payload)
				}
			} else if n := number(t, r.Payload); n != 49 {
				t.Errorf("%s: result is %d", typ, n)
			}
		}
		q, err := way.Manager().Queue("results", reeve.QueueConfig{Lease: 12 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		l, err := q.TryGet(t.Context(), 2)
		if err != nil || len(l) != 1 || l[0].Source != ids["both"] || number(t, l[0].Payload) != 49 {
			t.Errorf("on the queue: %+v, %v", l, err)
		}
	})
}

func TestMaster_HandsOverOnlyWhatFits(t *testing.T) {
	eachWay(t, reeve.QueueConfig{KeepResult: time.Hour}, func(t *testing.T, way way) {
		var mu sync.Mutex
		var ran []string
		note := func(name string) func(context.Context, *reeve.Task) ([]byte, error) {
			return func(_ context.Context, task *reeve.Task) ([]byte, error) {
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, name+" "+task.Type)
				return nil, nil
			}
		}
		a := worker.New(way.tasks, worker.Config{Concurrency: 1})
		a.HandleFunc("a", note("a"))
		b := worker.New(way.tasks, worker.Config{Concurrency: 1, Labels: []string{"gpu", "eu"}})
		b.HandleFunc("b", note("b"))
		sa, sb := start(t, a), start(t, b)
		synctest.Wait()
		way.put(t, reeve.Task{Type: "a"})
		way.put(t, reeve.Task{Type: "b"})
		way.put(t, reeve.Task{Type: "b"}, reeve.WithLabels("gpu"))
		labelled := way.put(t, reeve.Task{Type: "a"}, reeve.WithLabels("gpu"))
		unknown := way.put(t, reeve.Task{Type: "c"})
		time.Sleep(time.Minute)
		mu.Lock()
		if slices.Sort(ran); !slices.Equal(ran, []string{"a a", "b b", "b b"}) {
			t.Errorf("ran %q", ran)
		}
		mu.Unlock()
		for id, code := range map[reeve.ID]reeve.ReasonCode{labelled: reeve.ReasonLabels, unknown: reeve.ReasonNoHandler} {
			e, err := way.Explain(t.Context(), id)
			if err != nil || !slices.ContainsFunc(e.Reasons, func(r reeve.Reason) bool { return r.Code == code }) {
				t.Errorf("%+v, %v, want reason %s", e, err, code)
			}
		}
		all := worker.New(way.tasks, worker.Config{Concurrency: 1, Labels: []string{"gpu"}})
		all.HandleDefaultFunc(note("all"))
		sall := start(t, all)
		way.wait(t, labelled)
		way.wait(t, unknown)
		if a.Stats().NoHandler+b.Stats().NoHandler+all.Stats().NoHandler != 0 {
			t.Error("a worker got a task that it has no handler for")
		}
		for _, s := range []*started{sa, sb, sall} {
			mustStop(t, s)
		}
	})
}

func TestMaster_CancelEndsTheHandlerAndLowersNoSlots(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, way way) {
		log := &logged{}
		causes := make(chan error, 1)
		s := startWith(t, way.tasks, worker.Config{Concurrency: 4, Logger: log.logger()}, func(ctx context.Context, _ int) error {
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return nil
		})
		id := way.put(t, reeve.Task{Type: "f"})
		synctest.Wait()
		if err := way.Cancel(t.Context(), id, "not needed"); err != nil {
			t.Fatal(err)
		}
		if cause := <-causes; !errors.Is(cause, reeve.ErrCancelled) || !errors.Is(cause, reeve.ErrLeaseLost) {
			t.Errorf("cause is %v", cause)
		}
		if r := way.wait(t, id); r.State != reeve.StateCancelled || r.Reason != "not needed" {
			t.Errorf("result is %+v", r)
		}
		time.Sleep(time.Second)
		if stats := s.Stats(); stats.Cancelled != 1 || stats.Lost+stats.Done+stats.Refused != 0 || stats.Slots != 4 {
			t.Errorf("stats are %+v", stats)
		}
		mustStop(t, s)
		if n := log.count("level="); n != 0 {
			t.Errorf("%d log lines:\n%s", n, log.buf.String())
		}
	})
}

func TestMaster_ShowsTheProgressOfAHandler(t *testing.T) {
	eachWay(t, reeve.QueueConfig{KeepResult: time.Hour}, func(t *testing.T, way way) {
		s := startWith(t, way.tasks, worker.Config{Concurrency: 1}, func(ctx context.Context, _ int) error {
			for n := range 100 {
				if err := worker.SetProgress(ctx, float64(n), fmt.Sprint("step ", n)); err != nil {
					return err
				}
				time.Sleep(time.Minute)
			}
			return nil
		})
		id := way.put(t, reeve.Task{Type: "f"})
		time.Sleep(42*time.Minute + 30*time.Second)
		info, err := way.Task(t.Context(), id)
		if err != nil || info.Progress == nil || info.Progress.Percent != 42 || info.Progress.Text != "step 42" {
			t.Errorf("%+v, %v", info, err)
		}
		way.wait(t, id)
		mustStop(t, s)
	})
}

func TestMaster_SeveralQueuesAreSharedAsTheirWeightsSay(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, way way) {
		way.Declare(t, "low", reeve.QueueConfig{})
		low, err := way.Manager().Queue("low", reeve.QueueConfig{Lease: 12 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for range 400 {
			way.put(t, reeve.Task{Type: "f"})
			if _, err := low.Put(t.Context(), []reeve.Task{{Type: "f", Payload: []byte{1}}}); err != nil {
				t.Fatal(err)
			}
		}
		from := map[string]int{}
		w := worker.New(way.From(reeve.Source{Queue: "tasks", Weight: 3}, reeve.Source{Queue: "low", Weight: 1}),
			worker.Config{Concurrency: 1, MaxTasks: 200, Codec: codec.CBOR})
		worker.HandleAck(w, "f", func(ctx context.Context, _ int) error {
			q, _ := worker.QueueFrom(ctx)
			from[q]++
			return nil
		})
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if from["tasks"] < 140 || from["tasks"] > 160 || from["tasks"]+from["low"] != 200 {
			t.Errorf("tasks are from %v, want 3 of 4 from the first", from)
		}
	})
}

func TestMaster_CommandsReachTheWorker(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		var w *worker.Worker
		cfg := m.ClientConfig()
		cfg.Control = func(ctx context.Context, c reeve.Command) (*reeve.WorkerStatus, error) { return w.Control(ctx, c) }
		c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		w = worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1, Prefetch: 3})
		worker.HandleAck(w, "f", sleeper)
		s := start(t, w)
		ten, err := codec.CBOR.Marshal(600_000)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if _, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{Type: "f", Payload: ten}}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		command := func(do reeve.Command) reeve.Report {
			t.Helper()
			reports, err := m.Manager().Command(t.Context(), reeve.WorkerSelector{}, do, 0)
			if err != nil || len(reports) != 1 {
				t.Fatalf("%+v, %v", reports, err)
			}
			return reports[0]
		}
		if r := command(reeve.Command{Do: reeve.CommandReport}); r.Status == nil || r.Status.Running != 1 || r.Status.Concurrency != 1 {
			t.Errorf("%+v", r)
		}
		if r := command(reeve.Command{Do: reeve.CommandConcurrency, Concurrency: 3}); r.Status == nil || r.Status.Concurrency != 3 {
			t.Errorf("%+v", r)
		}
		time.Sleep(time.Second)
		if n := s.Stats().Running; n != 3 {
			t.Errorf("%d handlers run, want 3", n)
		}
		if r := command(reeve.Command{Do: reeve.CommandConcurrency, Concurrency: reeve.MaxSlots}); !strings.Contains(r.Error, "concurrency of 65536, want 1 to 65533") {
			t.Errorf("%+v", r)
		}
		if r := command(reeve.Command{Do: reeve.CommandDrain}); r.Status == nil || !r.Status.Draining {
			t.Errorf("%+v", r)
		}
		if err := s.wait(); err != nil || s.Stats().Done != 3 {
			t.Errorf("Run returned %v, stats are %+v", err, s.Stats())
		}
	})
}
