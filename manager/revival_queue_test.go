package manager_test

// What queues and tasks are after a restart.

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/worker"
)

func TestRevival_WhatWasCancelledStaysSoInEveryState(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 2})
		m.Declare(t, "results", reeve.QueueConfig{})
		c, cable := plug(t, m)
		q := m.Dial(t).Queue("tasks")
		began, told := make(chan bool, 1), make(chan error, 1)
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1, Results: "results"})
		w.HandleDefaultFunc(func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			began <- true
			<-ctx.Done()
			told <- context.Cause(ctx)
			return []byte("late"), nil
		})
		runWorker(t, w)
		ids := map[string]reeve.ID{"leased": putOne(t, q, "leased")}
		<-began
		ids["dead"] = putOne(t, q, "dead", reeve.WithType("other"))
		ids["ready"] = putOne(t, q, "ready")
		ids["delayed"] = putOne(t, q, "delayed", reeve.WithDelay(time.Hour))
		ls, err := m.Dial(t).Queue("tasks").Get(t.Context(), 1, reeve.ForTypes("other"))
		if err != nil {
			t.Fatal(err)
		}
		if err := ls[0].Bury(t.Context(), "a reason"); err != nil {
			t.Fatal(err)
		}
		settle()
		cable.Last().Peer().StallAfter(0) // the worker does not hear of it from this master
		for state, id := range ids {
			if err := m.Dial(t).Cancel(t.Context(), id, "not wanted"); err != nil {
				t.Errorf("cancel of a %s task: %v", state, err)
			}
		}
		m.Restart(t)
		cause := <-told
		if !errors.Is(cause, reeve.ErrLeaseLost) {
			t.Errorf("the handler was told %v", cause)
		}
		time.Sleep(2 * time.Hour)
		settle()
		for range 2 {
			for state, id := range ids {
				if info, err := m.Manager().Task(t.Context(), id); err == nil && info.State != reeve.StateCancelled || err != nil && !errors.Is(err, reeve.ErrNoSuchTask) {
					t.Errorf("the %s task that was cancelled is %v, %v", state, info.State, err)
				}
			}
			if s := statsOf(t, q); s.Ready+s.Delayed+s.Leased+s.Dead != 0 {
				t.Errorf("%+v", s)
			}
			managertest.AssertReady(t, m.Dial(t).Queue("results"), 0)
			m.Restart(t)
		}
	})
}

func TestRevival_WhatWasCancelledIsRememberedAsLongAsWithoutARestart(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		id := putOne(t, c.Queue("tasks"), "x")
		if err := c.Cancel(t.Context(), id, "not wanted"); err != nil {
			t.Fatal(err)
		}
		m.Restart(t)
		if r, err := c.Result(t.Context(), id); err != nil || r.State != reeve.StateCancelled || r.Reason != "not wanted" {
			t.Errorf("%+v, %v", r, err)
		}
		if err := c.Cancel(t.Context(), id, "again"); err != nil {
			t.Errorf("cancelled again: %v", err)
		}
	})
}

func TestRevival_APauseStands(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		q := c.Queue("tasks")
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{})
		w.HandleDefaultFunc(ok)
		runWorker(t, w)
		if err := q.Pause(t.Context(), "maintenance"); err != nil {
			t.Fatal(err)
		}
		put(t, q, 2)
		m.Restart(t)
		time.Sleep(time.Minute)
		if s := statsOf(t, q); !s.Paused || s.PauseReason != "maintenance" || s.Ready != 2 {
			t.Errorf("%+v", s)
		}
		if err := q.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.Restart(t)
		if err := q.Join(t.Context()); err != nil {
			t.Error(err)
		}
		if s := statsOf(t, q); s.Paused {
			t.Errorf("%+v", s)
		}
	})
}

// standing is all that is told of a task, but for how much time it has left.
func standing(t *testing.T, m *managertest.Master, id reeve.ID) string {
	t.Helper()
	info, err := m.Manager().Task(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	rules := reeve.Rules{}
	if info.Rules != nil {
		rules = *info.Rules
	}
	return fmt.Sprintf("%v %s %s payload %q type %q priority %d attempt %d put %v due %v timeout %v rules %+v counts %+v reason %q error %q history %+v",
		info.ID, info.Queue, info.State, info.Payload, info.Type, info.Priority, info.Attempt, info.PutAt.UnixMicro(), info.Due.UnixMicro(), info.Timeout,
		rules, info.Counts, info.Reason, info.Error, len(info.History))
}

func TestRevival_TasksAreWhatTheyWereWhateverTheQueueIsNow(t *testing.T) {
	for name, cfg := range map[string]reeve.QueueConfig{
		"same":     {Attempts: 3, MaxLen: 100, KeyConcurrency: 1},
		"smaller":  {Attempts: 3, MaxLen: 1, Concurrency: 1, KeyConcurrency: 1},
		"others":   {Attempts: 9, LIFO: true, Lease: time.Minute, Durability: reeve.DurabilityNone, Concurrency: 3},
		"no keys":  {Attempts: 3, KeyConcurrency: reeve.NoLimit},
		"rated":    {Attempts: 3, Rate: reeve.Rate{Tasks: 1, Per: time.Hour}, KeyRate: reeve.Rate{Tasks: 1, Per: time.Hour}},
		"reserved": {Attempts: 3, Ageing: time.Second, Reserve: reeve.Reserve{Slots: 1, Priority: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			revived(t, func(t *testing.T, m *managertest.Master) {
				if _, err := m.Manager().Queue("tasks", reeve.QueueConfig{Attempts: 3, MaxLen: 100, KeyConcurrency: 1}); err != nil {
					t.Fatal(err)
				}
				c := m.Dial(t)
				q := c.Queue("tasks")
				ids := []reeve.ID{
					putOne(t, q, "plain"), putOne(t, q, "high", reeve.WithPriority(7)), putOne(t, q, "delayed", reeve.WithDelay(time.Hour)),
					putOne(t, q, "key 1", reeve.WithKey("k")), putOne(t, q, "key 2", reeve.WithKey("k")),
					putOne(t, q, "labelled", reeve.WithLabels("gpu")), putOne(t, q, "unique", reeve.WithUnique("u", reeve.UniqueUntilDone)),
					putOne(t, q, "own attempts", reeve.WithAttempts(5), reeve.WithTimeout(time.Minute), reeve.WithExpiry(10*time.Hour)),
				}
				failed := putOne(t, q, "failed", reeve.WithPriority(20))
				dead := putOne(t, q, "dead", reeve.WithPriority(19))
				if err := get(t, q).Nack(t.Context(), time.Hour, errors.New("no luck")); err != nil {
					t.Fatal(err)
				}
				if err := get(t, q).Bury(t.Context(), "no hope"); err != nil {
					t.Fatal(err)
				}
				ids = append(ids, failed, dead)
				before := map[reeve.ID]string{}
				for _, id := range ids {
					before[id] = standing(t, m, id)
				}
				for i := range 3 {
					m.Restart(t)
					if _, err := m.Manager().Queue("tasks", cfg); err != nil {
						t.Fatal(err)
					}
					for _, id := range ids {
						if now := standing(t, m, id); now != before[id] {
							t.Errorf("after restart %d:\n%s, want\n%s", i, now, before[id])
						}
					}
					_, err := q.Put(t.Context(), []reeve.Task{{}}, reeve.WithUnique("u", reeve.UniqueUntilDone), reeve.NoWait())
					if cfg.MaxLen != 1 && !errors.Is(err, reeve.ErrDuplicate) {
						t.Errorf("the unique key is free: %v", err)
					}
				}
				if q, err := m.Manager().Queue("tasks", reeve.QueueConfig{MaxLen: 77}); !errors.Is(err, reeve.ErrQueueExists) {
					t.Errorf("another configuration in the same life: %v, %v", q, err)
				}
			})
		})
	}
}

func TestRevival_LimitsHoldForWhatRanBefore(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{Concurrency: 3, KeyConcurrency: 1, TypeConcurrency: map[string]int{"a": 1}, Attempts: 1})
		q := m.Dial(t).Queue("tasks")
		var mu sync.Mutex
		running, most, total := map[string]int{}, map[string]int{}, 0
		for range 4 {
			w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 4})
			w.HandleDefaultFunc(func(ctx context.Context, task *reeve.Task) ([]byte, error) {
				count := func(n int) {
					mu.Lock()
					defer mu.Unlock()
					for _, what := range []string{"all", "type " + task.Type, "key " + string(task.Payload)} {
						running[what] += n
						most[what] = max(most[what], running[what])
					}
					total += max(n, 0)
				}
				count(1)
				defer count(-1)
				time.Sleep(20 * time.Second)
				if ctx.Err() != nil {
					t.Errorf("told %v", context.Cause(ctx))
				}
				return nil, nil
			})
			runWorker(t, w)
		}
		for i := range 12 {
			key := fmt.Sprint("k", i%4)
			opts := []reeve.PutOption{reeve.WithKey(key), reeve.WithType([]string{"a", "b"}[i%2])}
			putOne(t, q, key, opts...)
		}
		for range 6 {
			time.Sleep(9 * time.Second)
			m.Restart(t)
		}
		if err := q.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		if most["all"] != 3 || most["type a"] != 1 || total != 12 {
			t.Errorf("%d ran, at most at a time: %v", total, most)
		}
		for what, n := range most {
			if what[:3] == "key" && n != 1 {
				t.Errorf("%d of %s at a time", n, what)
			}
		}
	})
}
