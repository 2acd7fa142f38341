package worker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

// sleeper works for as many milliseconds as the payload says, or until its
// context ends.
func sleeper(ctx context.Context, ms int) error {
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopped: %w", ctx.Err())
	}
}

// deaf works on whatever its context says.
func deaf(_ context.Context, ms int) error {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return nil
}

func startWith(t *testing.T, m worker.Source, cfg worker.Config, fn func(context.Context, int) error) *started {
	w := worker.New(m, cfg)
	worker.HandleAck(w, "f", fn)
	s := start(t, w)
	synctest.Wait()
	return s
}

func TestRun_DrainGivesBackTheUnstartedAndFinishesTheRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		for range 12 {
			m.put(reeve.Task{Type: "f"}, 10_000)
		}
		s := startWith(t, m, worker.Config{Concurrency: 8, Prefetch: 3}, sleeper)
		if m.leasedCount() != 11 || s.Stats().Running != 8 {
			t.Fatalf("%d leased, %+v", m.leasedCount(), s.Stats())
		}
		s.cancel()
		synctest.Wait()
		if ids := m.readyIDs(); !slices.Equal(ids, []reeve.ID{9, 10, 11, 12}) {
			t.Errorf("ready are %v right after the stop, want the unstarted at the front", ids)
		}
		if stats := s.Stats(); stats.Running != 8 || stats.Slots != 0 || !stats.Draining {
			t.Errorf("stats are %+v", stats)
		}
		if err := s.stop(); err != nil || s.took != 10*time.Second {
			t.Errorf("Run returned %v after %v, want nil when the handlers are done", err, s.took)
		}
		if stats := s.Stats(); stats.Done != 8 || stats.Running != 0 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

// tardy is a source whose leases arrive at the moment the worker stops.
type tardy struct{ *memory }

type tardyConsumer struct{ reeve.Consumer }

func (q tardy) Consume(ctx context.Context, slots int, opts ...reeve.GetOption) (reeve.Consumer, error) {
	c, err := q.memory.Consume(ctx, slots, opts...)
	return tardyConsumer{c}, err
}

func (c tardyConsumer) Next(ctx context.Context) (*reeve.Lease, error) {
	l, err := c.Consumer.Next(ctx)
	<-ctx.Done()
	return l, err
}

func TestRun_LeaseThatArrivesDuringTheStopGoesBackUnstarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1)
		s := startWith(t, tardy{m}, worker.Config{Concurrency: 1}, func(context.Context, int) error {
			t.Error("the handler ran")
			return nil
		})
		mustStop(t, s)
		if stats := s.Stats(); stats.Returned != 1 || len(m.readyIDs()) != 1 {
			t.Errorf("stats are %+v, want one return and the task with the master", stats)
		}
	})
}

func TestRun_GraceOverReturnsTheUnfinished(t *testing.T) {
	for name, fn := range map[string]func(context.Context, int) error{"listening": sleeper, "deaf": deaf} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks", 20_000, 3_600_000, 3_600_000)
				s := startWith(t, m, worker.Config{Concurrency: 3, MaxStuck: 1}, fn)
				err := s.stop()
				if err != nil || s.took < 30*time.Second || s.took > 31*time.Second {
					t.Errorf("Run returned %v after %v, want nil within a second after the grace of 30s", err, s.took)
				}
				stats := s.Stats()
				if stats.Done != 1 || stats.Returned != 2 || stats.Failed != 0 {
					t.Errorf("stats are %+v", stats)
				}
				if ids := m.readyIDs(); len(ids) != 2 {
					t.Errorf("ready are %v, want the two unfinished", ids)
				}
				if name == "deaf" && stats.Stuck != 2 {
					t.Errorf("%d stuck, want 2", stats.Stuck)
				}
				time.Sleep(2 * time.Hour) // the deaf ones end
				if stats := s.Stats(); stats.Stuck != 0 || stats.Done != 1 || len(m.allEnds()) != 3 {
					t.Errorf("stats are %+v after the late ends", stats)
				}
			})
		})
	}
}

func TestRun_HandlersSeeErrDrainingAndMayStillFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1, 2, 3)
		var cause atomic.Value
		s := startWith(t, m, worker.Config{Concurrency: 3, Grace: -1}, func(ctx context.Context, n int) error {
			<-ctx.Done()
			cause.Store(context.Cause(ctx))
			switch n {
			case 1:
				return nil
			case 2:
				return worker.RetryAfter(ctx.Err(), time.Minute)
			}
			return worker.Permanent(ctx.Err())
		})
		if err := s.stop(); err != nil || s.took != 0 {
			t.Errorf("Run returned %v after %v", err, s.took)
		}
		if c, _ := cause.Load().(error); !errors.Is(c, worker.ErrDraining) {
			t.Errorf("cause is %v, want ErrDraining", c)
		}
		if stats := s.Stats(); stats.Done != 1 || stats.Failed != 1 || stats.Buried != 1 || stats.Returned != 0 {
			t.Errorf("stats are %+v, want what the handlers said", stats)
		}
	})
}

func TestShutdown_EndOfItsContextEndsTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 3_600_000)
		s := startWith(t, m, worker.Config{Concurrency: 1}, sleeper)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		err := s.Shutdown(ctx)
		if took := time.Since(begin); err != nil || took != 3*time.Second {
			t.Errorf("Shutdown returned %v after %v, want nil after 3s", err, took)
		}
		if err := s.wait(); err != nil || s.Stats().Returned != 1 {
			t.Errorf("Run returned %v with %+v", err, s.Stats())
		}
	})
}

func TestClose_EndsAtOnce(t *testing.T) {
	for name, early := range map[string]bool{"while it runs": false, "while it drains": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks", 3_600_000, 3_600_000)
				s := startWith(t, m, worker.Config{Concurrency: 1, Prefetch: 1}, deaf)
				if early {
					s.cancel()
					synctest.Wait()
				}
				begin := time.Now()
				err := s.Close()
				if took := time.Since(begin); err != nil || took != 0 {
					t.Errorf("Close returned %v after %v, want nil at once", err, took)
				}
				s.wait()
				if ids := m.readyIDs(); len(ids) != 2 {
					t.Errorf("ready are %v, want both", ids)
				}
			})
		})
	}
}

func TestShutdown_BeforeRunKeepsItFromRunning(t *testing.T) {
	for name, stop := range map[string]func(*worker.Worker) error{
		"Shutdown": func(w *worker.Worker) error { return w.Shutdown(t.Context()) },
		"Close":    (*worker.Worker).Close,
	} {
		t.Run(name, func(t *testing.T) {
			w := worker.New(newMemory("tasks"), worker.Config{})
			worker.Handle(w, "f", square)
			if err := stop(w); err != nil {
				t.Errorf("stop returned %v", err)
			}
			if err := w.Run(t.Context()); !errors.Is(err, reeve.ErrClosed) {
				t.Errorf("Run returned %v, want ErrClosed", err)
			}
		})
	}
}

func TestRun_EndsWithTheQueueButLetsHandlersTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1, 3_600_000)
		s := startWith(t, m, worker.Config{Concurrency: 2}, sleeper)
		m.stop(reeve.ErrShutdown)
		if err := s.wait(); err != nil || s.took != time.Hour {
			t.Errorf("Run returned %v after %v, want nil when the last handler is done", err, s.took)
		}
		if stats := s.Stats(); stats.Done != 2 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

func TestRun_IsDoneAtOnceWithAQueueThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		m.stop(reeve.ErrShutdown)
		s := startWith(t, m, worker.Config{}, sleeper)
		if err := s.wait(); err != nil {
			t.Errorf("Run returned %v, want nil", err)
		}
	})
}

func TestRun_StopDuringThePatientDrainBeginsTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 3_600_000)
		s := startWith(t, m, worker.Config{Concurrency: 2}, sleeper)
		m.stop(reeve.ErrShutdown)
		time.Sleep(time.Minute)
		if err := s.stop(); err != nil || s.took != 30*time.Second {
			t.Errorf("Run returned %v after %v, want nil after the grace", err, s.took)
		}
	})
}

func TestRun_ReturnsTheErrorOfTheSource(t *testing.T) {
	for _, want := range []error{reeve.ErrClosed, reeve.ErrNoSuchQueue} {
		t.Run(want.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks")
				s := startWith(t, m, worker.Config{}, sleeper)
				m.stop(want)
				if err := s.wait(); !errors.Is(err, want) {
					t.Errorf("Run returned %v, want %v", err, want)
				}
				s = startWith(t, m, worker.Config{}, sleeper) // now Consume fails
				if err := s.wait(); !errors.Is(err, want) {
					t.Errorf("Run returned %v, want %v", err, want)
				}
			})
		})
	}
}

// unreachable is a source whose master does not answer.
type unreachable struct{ *memory }

func (unreachable) Consume(ctx context.Context, _ int, _ ...reeve.GetOption) (reeve.Consumer, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestRun_CanBeStoppedBeforeTheMasterAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startWith(t, unreachable{newMemory("tasks")}, worker.Config{}, sleeper)
		mustStop(t, s)
		s = startWith(t, unreachable{newMemory("tasks")}, worker.Config{}, sleeper)
		if err := s.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown returned %v", err)
		}
		s.wait()
	})
}

func TestRun_MaxTasksEndsItAfterExactlySoMany(t *testing.T) {
	for _, prefetch := range []int{0, 5} {
		t.Run(fmt.Sprintf("prefetch %d", prefetch), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks")
				for i := range 20 {
					m.put(reeve.Task{Type: "f"}, 100*(i%7))
				}
				var ran atomic.Int32
				s := startWith(t, m, worker.Config{Concurrency: 4, Prefetch: prefetch, MaxTasks: 10}, func(ctx context.Context, ms int) error {
					ran.Add(1)
					err := sleeper(ctx, ms)
					ended := len(m.allEnds()) // before leasedCount: it only grows
					if held := m.leasedCount(); held > 10-ended {
						t.Errorf("%d leased when %d had ended, want no more than are to run", held, ended)
					}
					return err
				})
				if err := s.wait(); err != nil || ran.Load() != 10 || s.Stats().Done != 10 {
					t.Errorf("Run returned %v after %d tasks, %+v", err, ran.Load(), s.Stats())
				}
				if ids := m.readyIDs(); len(ids) != 10 || ids[0] != 11 {
					t.Errorf("ready are %v, want 11 to 20", ids)
				}
			})
		})
	}
}

func TestRun_MaxTasksBelowTheSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1, 2, 3)
		s := startWith(t, m, worker.Config{Concurrency: 8, MaxTasks: 2}, sleeper)
		if err := s.wait(); err != nil || s.Stats().Done != 2 || m.allAsked()[0] != 2 {
			t.Errorf("Run returned %v, %+v, asked for %v", err, s.Stats(), m.allAsked())
		}
	})
}

func TestRun_MaxTasksAndAHandlerThatEndsItsGoroutineDoesNotEndTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1, 2, 3)
		m.attempts = 1
		w := worker.New(m, worker.Config{Concurrency: 1, MaxTasks: 2})
		worker.HandleAck(w, "f", func(context.Context, int) error {
			runtime.Goexit()
			return nil
		})
		if err := start(t, w).wait(); err != nil || len(m.allEnds()) != 2 {
			t.Errorf("Run returned %v after %s", err, verbs(m.allEnds()))
		}
	})
}
