package worker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

func control(t *testing.T, w *worker.Worker, c reeve.Command) *reeve.WorkerStatus {
	t.Helper()
	s, err := w.Control(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return s
}

func resize(t *testing.T, w *worker.Worker, n int) {
	t.Helper()
	if s := control(t, w, reeve.Command{Do: reeve.CommandConcurrency, Concurrency: n}); s.Concurrency != n {
		t.Fatalf("status is %+v, want a concurrency of %d", s, n)
	}
}

func TestControl_ReportTellsHowTheWorkerIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1, 60_000)
		m.attempts = 1
		m.put(reeve.Task{Type: "other"}, 1)
		putTimed(m, time.Second, 60_000)
		s := startWith(t, m, worker.Config{Concurrency: 3}, sleeper)
		time.Sleep(10 * time.Second)
		r := control(t, s.Worker, reeve.Command{Do: reeve.CommandReport})
		if r.Goroutines < 3 || r.HeapBytes == 0 {
			t.Errorf("%+v", r)
		}
		r.Goroutines, r.HeapBytes = 0, 0
		if want := (reeve.WorkerStatus{Uptime: 10 * time.Second, Concurrency: 3, Running: 1, Done: 1, Failed: 2}); *r != want {
			t.Errorf("%+v, want %+v", *r, want)
		}
		mustStop(t, s)
	})
}

func TestControl_DrainFinishesWhatRunsUnhurried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 3_600_000, 1, 1, 1)
		s := startWith(t, m, worker.Config{Concurrency: 1, Prefetch: 1}, sleeper)
		for range 2 { // the second changes nothing
			if r := control(t, s.Worker, reeve.Command{Do: reeve.CommandDrain}); !r.Draining || r.Running != 1 {
				t.Errorf("%+v", r)
			}
		}
		if n := len(m.readyIDs()); n != 3 {
			t.Errorf("%d tasks are back, want 3", n)
		}
		if err := s.wait(); err != nil || s.took != time.Hour {
			t.Errorf("Run returned %v after %v", err, s.took)
		}
		if r := control(t, s.Worker, reeve.Command{Do: reeve.CommandDrain}); !r.Draining || r.Done != 1 {
			t.Errorf("after Run: %+v", r)
		}
	})
}

func TestControl_ConcurrencyChangesSlotsAndHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		for range 100 {
			m.put(reeve.Task{Type: "f"}, 10_000)
		}
		s := startWith(t, m, worker.Config{Concurrency: 4, Prefetch: 2}, sleeper)
		at := func(running, slots int, when string) {
			t.Helper()
			synctest.Wait()
			if n := s.Stats().Running; n != running || m.slots() != slots {
				t.Fatalf("%s: %d run, %d slots, want %d and %d", when, n, m.slots(), running, slots)
			}
		}
		at(4, 6, "at first")
		resize(t, s.Worker, 8)
		at(8, 10, "made more")
		time.Sleep(5 * time.Second)
		resize(t, s.Worker, 2)
		at(8, 4, "made fewer, which finish what they run")
		time.Sleep(5 * time.Second)
		at(2, 4, "when they have finished")
		time.Sleep(5 * time.Second)
		resize(t, s.Worker, 1)
		resize(t, s.Worker, 3)
		at(3, 5, "fewer and then more")
		time.Sleep(30 * time.Second)
		at(3, 5, "a while later")
		mustStop(t, s)
		if stats := s.Stats(); stats.Returned != 0 || stats.Failed != 0 || m.leasedCount() != 0 {
			t.Errorf("stats are %+v, %d leased", stats, m.leasedCount())
		}
	})
}

func TestControl_BusySlotsStayBeforeIdleOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 { // which slot is asked first is up to chance
			m := newMemory("tasks", 10_000, 10_000)
			s := startWith(t, m, worker.Config{Concurrency: 8, Prefetch: 4}, sleeper)
			resize(t, s.Worker, 2)
			for range 4 {
				m.put(reeve.Task{Type: "f"}, 10_000)
			}
			synctest.Wait()
			if stats := s.Stats(); stats.Running != 2 || m.leasedCount() != 6 {
				t.Fatalf("%d run of %d leased, want 2 of 6", stats.Running, m.leasedCount())
			}
			mustStop(t, s)
		}
	})
}

func TestControl_IdleSlotsLeaveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		s := startWith(t, m, worker.Config{Concurrency: 8, Prefetch: 8}, sleeper)
		resize(t, s.Worker, 2)
		for range 20 {
			m.put(reeve.Task{Type: "f"}, 10_000)
		}
		synctest.Wait()
		if stats := s.Stats(); stats.Running != 2 || m.leasedCount() != 10 {
			t.Errorf("%d run of %d leased, want 2 of 10", stats.Running, m.leasedCount())
		}
		mustStop(t, s)
	})
}

// A slot that leaves gives back its part of MaxTasks, also when those that
// might use it have ended.
func TestControl_ConcurrencyLeavesMaxTasksExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			m := newMemory("tasks")
			w := worker.New(m, worker.Config{Concurrency: 8, MaxTasks: 10})
			worker.HandleAck(w, "f", sleeper)
			s := start(t, w)
			for i := range 20 {
				time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
				if i%2 == 0 {
					m.put(reeve.Task{Type: "f"}, rand.IntN(4))
				}
				_, err := s.Control(t.Context(), reeve.Command{Do: reeve.CommandConcurrency, Concurrency: 1 + rand.IntN(8)})
				if err != nil && !errors.Is(err, reeve.ErrClosed) {
					t.Fatal(err)
				}
			}
			if err := s.wait(); err != nil || s.Stats().Done != 10 {
				t.Fatalf("Run returned %v, stats are %+v", err, s.Stats())
			}
		}
	})
}

func TestControl_ConcurrencyKeepsTheSlotsLoweredAfterALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		for range 24 {
			m.put(reeve.Task{Type: "f"}, 3_600_000)
		}
		s := startWith(t, m, worker.Config{Concurrency: 8}, sleeper)
		m.lose(1)
		synctest.Wait()
		resize(t, s.Worker, 16)
		if m.slots() != 4 {
			t.Errorf("%d slots, want 4 as before", m.slots())
		}
		resize(t, s.Worker, 3)
		if m.slots() != 3 {
			t.Errorf("%d slots, want 3", m.slots())
		}
		resize(t, s.Worker, 16)
		time.Sleep(time.Minute)
		if m.slots() != 16 {
			t.Errorf("%d slots when it is calm, want 16", m.slots())
		}
		mustStop(t, s)
	})
}

func TestControl_StuckHandlersDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		m.attempts = 1
		for range 2 {
			putTimed(m, time.Second, 3_600_000)
		}
		for range 8 {
			m.put(reeve.Task{Type: "f"}, 60_000)
		}
		s := startWith(t, m, worker.Config{Concurrency: 2}, deaf)
		time.Sleep(10 * time.Second)
		resize(t, s.Worker, 1)
		resize(t, s.Worker, 4)
		if stats := s.Stats(); stats.Stuck != 2 || stats.Running != 4 {
			t.Errorf("stats are %+v, want 4 at work beside 2 stuck", stats)
		}
		s.Close()
		<-s.ended
	})
}

func TestControl_ManyAtATimeAgreeInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		s := startWith(t, m, worker.Config{Concurrency: 1, Prefetch: 2}, sleeper)
		for range 200 {
			var all sync.WaitGroup
			for n := range 4 {
				all.Go(func() {
					if _, err := s.Control(t.Context(), reeve.Command{Do: reeve.CommandConcurrency, Concurrency: 1 + n}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			synctest.Wait()
			n := control(t, s.Worker, reeve.Command{Do: reeve.CommandReport}).Concurrency
			if slots := s.Stats().Slots; slots != n+2 {
				t.Fatalf("%d slots for %d handlers", slots, n)
			}
		}
		mustStop(t, s)
	})
}

func TestControl_RefusesWhatCannotBeDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1000)
		w := worker.New(m, worker.Config{Prefetch: 6})
		worker.HandleAck(w, "f", sleeper)
		wants := func(when string, c reeve.Command, want error) {
			t.Helper()
			if s, err := w.Control(t.Context(), c); !errors.Is(err, want) || (s == nil) != (err != nil) {
				t.Errorf("%s: %+v: %+v, %v, want %v", when, c, s, err, want)
			}
		}
		drain, report := reeve.Command{Do: reeve.CommandDrain}, reeve.Command{Do: reeve.CommandReport}
		two := reeve.Command{Do: reeve.CommandConcurrency, Concurrency: 2}
		wants("before Run", report, nil)
		wants("before Run", drain, reeve.ErrClosed)
		wants("before Run", two, reeve.ErrClosed)
		s := start(t, w)
		synctest.Wait()
		for _, n := range []int{-1, 0, reeve.MaxSlots - 5} {
			wants("too few or many", reeve.Command{Do: reeve.CommandConcurrency, Concurrency: n}, reeve.ErrInvalid)
		}
		wants("an unknown one", reeve.Command{Do: "dance"}, reeve.ErrUnsupported)
		s.cancel()
		synctest.Wait()
		wants("while it drains", two, reeve.ErrClosed)
		mustStop(t, s)
		wants("after Run", report, nil)
		wants("after Run", two, reeve.ErrClosed)
	})
}

// A handler may have its own worker drained.
func TestControl_FromAHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1, 2, 3)
		w := worker.New(m, worker.Config{Concurrency: 1})
		worker.HandleAck(w, "f", func(ctx context.Context, _ int) error {
			_, err := w.Control(ctx, reeve.Command{Do: reeve.CommandDrain})
			return err
		})
		if err := start(t, w).wait(); err != nil || w.Stats().Done != 1 {
			t.Errorf("Run returned %v, stats are %+v", err, w.Stats())
		}
	})
}
