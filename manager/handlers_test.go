package manager_test

// How long a handler runs has nothing to do with the lease, and a handler that
// does not end when it should costs its task and its worker nothing but that
// attempt. A worker that stops gives back what it has not started at once, and
// what it has not finished when its grace is over.

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/worker"
)

func TestLongHandler_UnderAShortLeaseRunsOnce(t *testing.T) {
	for _, draining := range []bool{false, true} {
		t.Run("draining="+strconv.FormatBool(draining), func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				tasks := m.Declare(t, "tasks", reeve.QueueConfig{Lease: shortLease})
				results := m.Declare(t, "results", reeve.QueueConfig{})
				w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 1, Results: "results", Grace: time.Hour})
				runs := 0
				w.HandleDefaultFunc(func(ctx context.Context, task *reeve.Task) ([]byte, error) {
					runs++
					time.Sleep(10 * time.Minute) // as deaf as one that computes
					return task.Payload, ctx.Err()
				})
				r := runWorker(t, w)
				greedy := consume(t, m.Dial(t).Queue("tasks"), 5)
				greedy.SetSlots(0)
				settle() // the master is told in its own time
				putOne(t, tasks, "x")
				settle()
				greedy.SetSlots(5)
				if draining {
					time.Sleep(5 * time.Second)
					r.stop()
				}
				if err := tasks.Join(t.Context()); err != nil {
					t.Fatal(err)
				}
				if s := statsOf(t, tasks); runs != 1 || s.Done != 1 || s.Redelivered != 0 || s.LateAcks != 0 {
					t.Errorf("%d runs, %+v", runs, s)
				}
				managertest.AssertReady(t, results, 1)
				r.stop()
				if err := <-r.err; err != nil {
					t.Error(err)
				}
				greedy.Close()
			})
		})
	}
}

func TestComputingHandler_OnOneProcessorKeepsItsLease(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const lease = 1500 * time.Millisecond
	m := managertest.Start(t)
	q := m.Declare(t, "tasks", reeve.QueueConfig{Lease: lease})
	w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 1})
	runs, sum := 0, uint64(0)
	w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) {
		runs++
		for began := time.Now(); time.Since(began) < 2*lease; {
			for i := range uint64(1 << 20) {
				sum += i * i
			}
		}
		return nil, nil
	})
	runWorker(t, w)
	putOne(t, q, "x")
	if err := q.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := statsOf(t, q); runs != 1 || s.Done != 1 || s.Redelivered+s.Lost+s.LateAcks != 0 {
		t.Errorf("%d runs, %+v (%d)", runs, s, sum)
	}
}

func TestDeafHandler_ItsTaskIsTriedAgainAndItsSlotIsFree(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 2})
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 1})
		others := 0
		w.HandleDefaultFunc(func(_ context.Context, task *reeve.Task) ([]byte, error) {
			if string(task.Payload) == "deaf" {
				time.Sleep(time.Hour)
			} else {
				others++
			}
			return nil, nil
		})
		r := runWorker(t, w)
		began := time.Now()
		putOne(t, q, "deaf", reeve.WithTimeout(2*time.Second))
		putOne(t, q, "other")

		time.Sleep(3 * time.Second)
		if s := statsOf(t, q); s.TimedOut != 1 {
			t.Errorf("3 s after the start of a handler that has 2 s: %+v", s)
		}
		if s := w.Stats(); s.Stuck != 1 || others != 1 {
			t.Errorf("%d stuck handlers, %d other tasks done", s.Stuck, others)
		}
		if err := q.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		soon(t, began, 2*3*time.Second, "the second attempt and the death")
		dead, err := q.Dead(t.Context(), 0, 10)
		if err != nil || len(dead) != 1 || dead[0].Counts.TimedOut != 2 || dead[0].Reason == "" {
			t.Errorf("%+v, %v", dead, err)
		}
		r.stop()
		<-r.err
		time.Sleep(2 * time.Hour) // the handlers return
	})
}

func TestDeafHolder_WithoutAWorkersRuntimeLosesTheTaskAtItsTimeout(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Timeout: 2 * time.Second})
		c := m.Dial(t)
		putOne(t, q, "x")
		l := get(t, c.Queue("tasks"))
		lost := make(chan error, 1)
		l.OnLost(func(cause error) { lost <- cause })
		began := time.Now()
		again := get(t, m.Dial(t).Queue("tasks"))
		soon(t, began, 3*time.Second, "the second hand-over")
		if again.Attempt != 2 {
			t.Errorf("attempt %d", again.Attempt)
		}
		if err := <-lost; !errors.Is(err, reeve.ErrTimeout) {
			t.Errorf("the cause of the loss: %v", err)
		}
		if err := l.Ack(t.Context()); err == nil {
			t.Error("a lease that was lost could be ended")
		}
	})
}

func TestMaxStuck_EndsTheWorkerForARestart(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 10})
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 1, MaxStuck: 3, Grace: time.Second})
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) {
			time.Sleep(time.Hour)
			return nil, nil
		})
		r := runWorker(t, w)
		putOne(t, q, "deaf", reeve.WithTimeout(2*time.Second))
		if err := <-r.err; !errors.Is(err, worker.ErrStuck) {
			t.Errorf("Run returned %v", err)
		}
		if s := statsOf(t, q); s.TimedOut != 3 || s.Ready+s.Leased != 1 {
			t.Errorf("%+v", s)
		}
		time.Sleep(2 * time.Hour) // the handlers return
	})
}

func TestDrain_TheUnstartedGoBackToTheFrontAtOnceAndTheUnfinishedAfterTheGrace(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		const grace = 30 * time.Second
		q := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1})
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 8, Prefetch: 3, Grace: grace})
		w.HandleDefaultFunc(func(ctx context.Context, task *reeve.Task) ([]byte, error) {
			if n, _ := strconv.Atoi(string(task.Payload)); n < 5 {
				time.Sleep(10 * time.Second) // done within the grace
				return nil, nil
			}
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		r := runWorker(t, w)
		ids := put(t, q, 14) // 8 run, 3 are held, 3 wait
		settle()
		if s := statsOf(t, q); s.Leased != 11 || s.Ready != 3 {
			t.Fatalf("%+v", s)
		}
		stopped := time.Now()
		r.stop()
		settle()
		if s := statsOf(t, q); s.Leased != 8 || s.Ready != 6 || s.Returned != 3 {
			t.Errorf("at once after the signal: %+v", s)
		}
		heir := m.Dial(t).Queue("tasks")
		ls, err := heir.Get(t.Context(), 6)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range ls {
			if want := ids[8+i]; l.ID != want {
				t.Errorf("task %d after the signal is %v, want %v: the order of the puts", i, l.ID, want)
			}
		}
		if err := <-r.err; err != nil {
			t.Errorf("Run returned %v", err)
		}
		soon(t, stopped, grace+time.Second, "the drain")
		s := statsOf(t, q)
		if s.Done != 5 || s.Ready != 3 || s.Returned != 6 || s.Failed+s.TimedOut+s.Lost+s.Buried != 0 {
			t.Errorf("after the grace: %+v", s)
		}
		ls, err = heir.Get(t.Context(), 6)
		if err != nil || len(ls) != 3 {
			t.Fatalf("%d leases, %v", len(ls), err)
		}
		for _, l := range ls {
			if err := l.Ack(t.Context()); err != nil {
				t.Error(err) // a queue with a single attempt gave it out again: none was used up
			}
		}
	})
}

func TestDrain_ASecondSignalEndsAtOnce(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 4, Grace: time.Hour})
		w.HandleDefaultFunc(func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		r := runWorker(t, w)
		put(t, q, 4)
		settle()
		r.stop()
		time.Sleep(time.Minute)
		second := time.Now()
		w.Close()
		soon(t, second, time.Second, "the end after the second signal")
		settle()
		if s := statsOf(t, q); s.Ready != 4 || s.Failed != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestLongTask_HoldsUpNoOther(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		var mu sync.Mutex
		var short []time.Duration
		began := time.Now()
		for range 2 {
			w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 1})
			w.HandleDefaultFunc(func(_ context.Context, task *reeve.Task) ([]byte, error) {
				if string(task.Payload) == "long" {
					time.Sleep(time.Minute)
					return nil, nil
				}
				time.Sleep(10 * time.Millisecond)
				mu.Lock()
				short = append(short, time.Since(began))
				mu.Unlock()
				return nil, nil
			})
			runWorker(t, w)
		}
		putOne(t, q, "long")
		put(t, q, 10)
		if err := q.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(short) != 10 || short[9] > time.Second {
			t.Errorf("the ten short tasks were done after %v", short)
		}
	})
}

func TestPutIntoAnIdleQueue_ReachesAParkedWorkerWithoutAPoll(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		m.Declare(t, "results", reeve.QueueConfig{})
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 1, Results: "results"})
		w.HandleDefaultFunc(func(_ context.Context, task *reeve.Task) ([]byte, error) { return task.Payload, nil })
		runWorker(t, w)
		c := m.Dial(t)
		for range 20 {
			time.Sleep(time.Hour + time.Millisecond) // all are parked
			began := time.Now()
			putOne(t, c.Queue("tasks"), "x")
			if err := get(t, c.Queue("results")).Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
			soon(t, began, 0, "put, hand-over, handler, result and its ack")
		}
	})
}

func TestBacklogOfShortTasks_KeepsAllSlotsBusy(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		const n, slots = 5000, 32
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: slots})
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) {
			time.Sleep(time.Millisecond)
			return nil, nil
		})
		runWorker(t, w)
		began := time.Now()
		for done := 0; done < n; done += 1000 {
			put(t, q, 1000)
		}
		if err := q.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		soon(t, began, n/slots*time.Millisecond*13/10, "5,000 tasks of 1 ms on 32 slots")
	})
}
