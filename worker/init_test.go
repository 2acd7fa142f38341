package worker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/worker"
)

func TestInit_RunsOnceBeforeTheFirstTaskIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1000, 1000)
		begin, calls := time.Now(), 0
		s := startWith(t, m, worker.Config{Concurrency: 1, MaxTasks: 2, Init: func(ctx context.Context) error {
			calls++
			time.Sleep(time.Minute)
			if n := m.leasedCount(); n != 0 {
				t.Errorf("%d tasks were taken before", n)
			}
			return ctx.Err()
		}}, sleeper)
		if err := s.wait(); err != nil || calls != 1 || time.Since(begin) != time.Minute+2*time.Second {
			t.Errorf("%v after %v, %d calls", err, time.Since(begin), calls)
		}
	})
}

func TestInit_ItsErrorIsRuns(t *testing.T) {
	t.Parallel()
	broken := errors.New("no licence")
	m := newMemory("tasks", 1)
	w := worker.New(m, worker.Config{Init: func(context.Context) error { return broken }})
	worker.HandleAck(w, "f", sleeper)
	if err := w.Run(t.Context()); !errors.Is(err, broken) || len(m.allEnds()) != 0 {
		t.Errorf("%v, ends %+v", err, m.allEnds())
	}
	if err := w.Shutdown(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Shutdown returned %v", err)
	}
}

func TestInit_EndsWhenTheWorkerIsStopped(t *testing.T) {
	for name, stop := range map[string]func(*started) error{
		"ctx":      (*started).stop,
		"Shutdown": func(s *started) error { return s.Shutdown(context.Background()) },
		"Close":    func(s *started) error { return s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks", 1)
				s := startWith(t, m, worker.Config{Init: func(ctx context.Context) error {
					<-ctx.Done()
					return ctx.Err()
				}}, sleeper)
				if err := stop(s); err != nil || m.leasedCount() != 0 || len(m.allEnds()) != 0 {
					t.Errorf("%v, %d leased, ends %+v", err, m.leasedCount(), m.allEnds())
				}
			})
		})
	}
}
