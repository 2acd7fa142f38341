package managertest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/worker"
)

// get takes one task that is there.
func get(t *testing.T, q reeve.Queue) *reeve.Lease {
	t.Helper()
	ls, err := q.TryGet(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return ls[0]
}

// end ends the lease of a task that is there.
func end(t *testing.T, q reeve.Queue, o reeve.Outcome) {
	t.Helper()
	answer := make(chan error, 1)
	get(t, q).Settle(&o, func(err error) { answer <- err })
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
}

// inState brings a task into a state, in each way there is.
var inState = map[string]struct {
	state reeve.State
	bring func(t *testing.T, q reeve.Queue) reeve.ID
}{
	"ready": {reeve.StateReady, func(t *testing.T, q reeve.Queue) reeve.ID { return putOne(t, q, reeve.Task{}) }},
	"ready, behind another of its key": {reeve.StateReady, func(t *testing.T, q reeve.Queue) reeve.ID {
		putOne(t, q, reeve.Task{}, reeve.WithKey("k"))
		return putOne(t, q, reeve.Task{}, reeve.WithKey("k"))
	}},
	"delayed": {reeve.StateDelayed, func(t *testing.T, q reeve.Queue) reeve.ID {
		return putOne(t, q, reeve.Task{}, reeve.WithDelay(time.Hour))
	}},
	"waits for a time of the clock": {reeve.StateDelayed, func(t *testing.T, q reeve.Queue) reeve.ID {
		return putOne(t, q, reeve.Task{}, reeve.At(time.Now().Add(time.Hour)))
	}},
	"waits after a failure": {reeve.StateDelayed, func(t *testing.T, q reeve.Queue) reeve.ID {
		id := putOne(t, q, reeve.Task{})
		end(t, q, reeve.Outcome{Verb: reeve.Nack})
		return id
	}},
	"snoozed": {reeve.StateDelayed, func(t *testing.T, q reeve.Queue) reeve.ID {
		id := putOne(t, q, reeve.Task{})
		end(t, q, reeve.Outcome{Verb: reeve.Snooze, Delay: time.Hour})
		return id
	}},
	"leased": {reeve.StateLeased, func(t *testing.T, q reeve.Queue) reeve.ID {
		id := putOne(t, q, reeve.Task{})
		get(t, q)
		return id
	}},
	"its result waits for room": {reeve.StateLeased, func(t *testing.T, q reeve.Queue) reeve.ID {
		id := putOne(t, q, reeve.Task{})
		get(t, q).Settle(&reeve.Outcome{Verb: reeve.Complete, To: "full"}, nil)
		settle()
		return id
	}},
	"dead": {reeve.StateDead, func(t *testing.T, q reeve.Queue) reeve.ID {
		id := putOne(t, q, reeve.Task{})
		end(t, q, reeve.Outcome{Verb: reeve.Bury})
		return id
	}},
}

func TestCancel_FromAfarEndsATaskInEveryState(t *testing.T) {
	for name, in := range inState {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				tasks := m.Declare(t, "tasks", reeve.QueueConfig{Backoff: reeve.Backoff{Base: time.Hour}, KeepResult: time.Hour})
				full := m.Declare(t, "full", reeve.QueueConfig{MaxLen: 1})
				putOne(t, full, reeve.Task{})
				c := m.Dial(t)
				id := in.bring(t, m.Dial(t).Queue("tasks"))
				if s := stateOf(t, c, id); s != in.state {
					t.Fatalf("the task is %v, want %v", s, in.state)
				}
				waiting := async(func() (reeve.Result, error) { return m.Dial(t).Wait(t.Context(), id) })
				settle()
				if err := c.Cancel(t.Context(), id, "not wanted"); err != nil {
					t.Fatal(err)
				}
				// One that waits is told; for a dead one it had been over.
				if w := <-waiting; w.err != nil || in.state != reeve.StateDead && (w.v.State != reeve.StateCancelled || w.v.Reason != "not wanted") {
					t.Errorf("Wait = %+v, %v", w.v, w.err)
				}
				r, err := c.Result(t.Context(), id)
				if err != nil || r.State != reeve.StateCancelled || !errors.Is(r.Err(), reeve.ErrCancelled) {
					t.Errorf("Result = %+v, %v", r, err)
				}
				if err := c.Cancel(t.Context(), id, "again"); err != nil {
					t.Errorf("a second Cancel: %v", err)
				}
				time.Sleep(2 * time.Hour)
				if s, err := tasks.Stats(t.Context()); err != nil || s.Cancelled != 1 || s.Leased+s.Delayed+s.Dead != 0 || s.Done != 0 {
					t.Errorf("%+v, %v", s, err)
				}
				if s, err := full.Stats(t.Context()); err != nil || s.Put != 1 {
					t.Errorf("the result of a cancelled task: %+v, %v", s, err)
				}
			})
		})
	}
}

// told is when and why a handler's context ended.
type told struct {
	at    time.Time
	cause error
}

// cancellable runs a handler that ends with its context, or goes on for late
// after it, and then returns a result.
func cancellable(ends chan<- told, late time.Duration) func(context.Context, *reeve.Task) ([]byte, error) {
	return func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
		<-ctx.Done()
		ends <- told{time.Now(), context.Cause(ctx)}
		time.Sleep(late)
		return []byte("too late"), nil
	}
}

func TestCancel_EndsARunningHandlerAtOnceAndItsReturnHasNoEffect(t *testing.T) {
	for name, late := range map[string]time.Duration{"returns at once": 0, "returns later": 300 * time.Millisecond, "is given up": time.Minute} {
		for _, draining := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", in a drain"}[draining], func(t *testing.T) {
				managertest.Run(t, func(t *testing.T, m *managertest.Master) {
					q := m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour})
					results := m.Declare(t, "results", reeve.QueueConfig{})
					ends := make(chan told, 1)
					w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 1, Results: "results", Grace: time.Hour})
					w.HandleDefaultFunc(cancellable(ends, late))
					stop, ended := work(t, w)
					id := putOne(t, q, reeve.Task{})
					time.Sleep(time.Minute)
					if draining {
						stop()
						time.Sleep(time.Minute)
					}
					began := time.Now()
					if err := m.Dial(t).Cancel(t.Context(), id, ""); err != nil {
						t.Fatal(err)
					}
					end := <-ends
					if took := end.at.Sub(began); took > 100*time.Millisecond {
						t.Errorf("the handler's context ended after %v", took)
					}
					if !errors.Is(end.cause, reeve.ErrCancelled) || !errors.Is(end.cause, reeve.ErrLeaseLost) {
						t.Errorf("its cause is %v", end.cause)
					}
					if draining { // nothing is left to wait for
						if err := <-ended; err != nil || time.Since(began) > 2*time.Second {
							t.Errorf("Run = %v, %v after the cancel", err, time.Since(began))
						}
					}
					time.Sleep(2 * time.Minute)
					if r, err := m.Manager().Result(t.Context(), id); err != nil || r.State != reeve.StateCancelled {
						t.Errorf("the result is %+v, %v", r, err)
					}
					managertest.AssertReady(t, results, 0)
					if s, err := q.Stats(t.Context()); err != nil || s.Done+s.Failed+s.TimedOut+s.Lost+s.Returned != 0 || s.Leased != 0 || s.Cancelled != 1 {
						t.Errorf("%+v, %v", s, err)
					}
					if s := w.Stats(); s.Cancelled != 1 || s.Done+s.Lost+s.Failed+s.Returned != 0 || s.Unanswered != 0 {
						t.Errorf("the worker: %+v", s)
					}
				})
			})
		}
	}
}

// The worker is not connected when its task is cancelled: it hears of it when
// it is back.
func TestCancel_WhileTheWorkerIsAwayIsToldWhenItIsBack(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour, Lease: time.Minute})
		ends := make(chan told, 1)
		c, cable := plugged(t, m, m.ClientConfig())
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1})
		w.HandleDefaultFunc(cancellable(ends, 0))
		work(t, w)
		id := putOne(t, q, reeve.Task{})
		settle()
		cable.BlackHole()
		time.Sleep(10 * time.Second)
		if err := m.Manager().Cancel(t.Context(), id, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if len(ends) > 0 {
			t.Fatalf("it was told through a dead connection: %+v", <-ends)
		}
		back := time.Now()
		cable.Heal()
		if end := <-ends; !errors.Is(end.cause, reeve.ErrLeaseLost) || end.at.Sub(back) > 5*time.Second {
			t.Errorf("told %v, %v after it was back", end.cause, end.at.Sub(back))
		}
		settle()
		if s, err := q.Stats(t.Context()); err != nil || s.Cancelled != 1 || s.Done+s.Lost != 0 {
			t.Errorf("%+v, %v", s, err)
		}
	}, brisk)
}
