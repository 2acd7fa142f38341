package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/worker"
)

// logged collects log lines.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), s)
}

func putTimed(m *memory, timeout time.Duration, v any) reeve.ID {
	return m.put(reeve.Task{Type: "f", Timeout: timeout}, v)
}

func TestTimeout_EndsTheContextAndTheAttemptIsTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		m.attempts = 1
		putTimed(m, 2*time.Second, 3_600_000)
		begin := time.Now()
		s := startWith(t, m, worker.Config{}, func(ctx context.Context, ms int) error {
			if d, ok := ctx.Deadline(); !ok || !d.Equal(begin.Add(2*time.Second)) {
				t.Errorf("deadline is %v, %v", d, ok)
			}
			err := sleeper(ctx, ms)
			if !errors.Is(context.Cause(ctx), reeve.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("cause is %v, error is %v", context.Cause(ctx), err)
			}
			return err
		})
		time.Sleep(time.Minute)
		mustStop(t, s)
		ends := m.allEnds()
		if len(ends) != 1 || ends[0].Verb != reeve.Nack || !ends[0].TimedOut || ends[0].at.Sub(begin) != 2*time.Second {
			t.Fatalf("ends are %+v", ends)
		}
		if want := reeve.ErrTimeout.Error() + ", after 2s: stopped: context deadline exceeded"; ends[0].Error != want {
			t.Errorf("error is %q, want %q", ends[0].Error, want)
		}
		if stats := s.Stats(); stats.TimedOut != 1 || stats.Failed != 0 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

func TestTimeout_OfTheWorkerCountsWhereItIsShorter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		m.attempts = 1
		for _, own := range []time.Duration{0, time.Second, time.Hour} {
			putTimed(m, own, 3_600_000)
		}
		begin := time.Now()
		s := startWith(t, m, worker.Config{Concurrency: 3, Timeout: 2 * time.Second}, sleeper)
		time.Sleep(time.Minute)
		mustStop(t, s)
		var after []time.Duration
		for _, e := range m.allEnds() {
			if !e.TimedOut {
				t.Errorf("end is %+v", e)
			}
			after = append(after, e.at.Sub(begin))
		}
		slices.Sort(after)
		if want := []time.Duration{time.Second, 2 * time.Second, 2 * time.Second}; !slices.Equal(after, want) {
			t.Errorf("the attempts ended after %v, want %v", after, want)
		}
	})
}

func TestTimeout_HandlerThatEndsInTimeToSayHowIsHeard(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want reeve.Outcome
	}{
		"success":   {nil, reeve.Outcome{Verb: reeve.Ack}},
		"permanent": {worker.Permanent(errors.New("never")), reeve.Outcome{Verb: reeve.Bury}},
		"later":     {worker.RetryAfter(errors.New("busy"), time.Minute), reeve.Outcome{Verb: reeve.Nack, Delay: time.Minute, TimedOut: true}},
		"snooze":    {worker.RetryAfter(nil, time.Minute), reeve.Outcome{Verb: reeve.Snooze, Delay: time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks")
				putTimed(m, time.Second, 0)
				s := startWith(t, m, worker.Config{MaxTasks: 1}, func(ctx context.Context, _ int) error {
					<-ctx.Done()
					return c.err
				})
				if err := s.wait(); err != nil {
					t.Fatal(err)
				}
				o := m.allEnds()[0].Outcome
				if o.Verb != c.want.Verb || o.Delay != c.want.Delay || o.TimedOut != c.want.TimedOut {
					t.Errorf("end is %+v", o)
				}
			})
		})
	}
}

func TestTimeout_FinishedHandlerIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		putTimed(m, 2*time.Second, 1000)
		putTimed(m, 1<<63-1, 1000) // as long as there is
		s := startWith(t, m, worker.Config{Concurrency: 1}, deaf)
		time.Sleep(time.Minute)
		mustStop(t, s)
		if stats := s.Stats(); stats.Done != 2 || stats.TimedOut != 0 || stats.Late != 0 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

func TestTimeout_DeafHandlerLosesItsSlotAndItsResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		m.attempts = 1
		putTimed(m, 2*time.Second, 3_600_000)
		m.put(reeve.Task{Type: "f"}, 1)
		begin := time.Now()
		s := startWith(t, m, worker.Config{Concurrency: 1}, deaf)
		time.Sleep(3 * time.Second)
		ends := m.allEnds()
		if len(ends) != 2 || !ends[0].TimedOut || ends[0].at.Sub(begin) > 3*time.Second || ends[1].Verb != reeve.Ack {
			t.Fatalf("ends are %+v, want the first timed out and the second run in its slot", ends)
		}
		if stats := s.Stats(); stats.Stuck != 1 || stats.Running != 0 || stats.TimedOut != 1 {
			t.Errorf("stats are %+v", stats)
		}
		if list := s.Running(); len(list) != 1 || !list[0].Stuck || list[0].ID != 1 {
			t.Errorf("running are %+v", list)
		}
		time.Sleep(2 * time.Hour)
		if stats := s.Stats(); stats.Stuck != 0 || stats.Late != 1 || stats.Done != 1 {
			t.Errorf("stats are %+v after the late return", stats)
		}
		if n := m.put(reeve.Task{Type: "f"}, 1); n != 3 {
			t.Fatal(n)
		}
		time.Sleep(time.Second)
		mustStop(t, s)
		if s.Stats().Done != 2 || len(m.allEnds()) != 3 {
			t.Errorf("stats are %+v, ends %s", s.Stats(), verbs(m.allEnds()))
		}
	})
}

func TestMaxStuck_EndsRunWithErrStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		m.attempts = 1
		for range 3 {
			putTimed(m, time.Second, 3_600_000)
		}
		s := startWith(t, m, worker.Config{Concurrency: 1, MaxStuck: 2}, deaf)
		if err := s.wait(); !errors.Is(err, worker.ErrStuck) || s.took != 3*time.Second {
			t.Errorf("Run returned %v after %v, want ErrStuck after two timeouts", err, s.took)
		}
		if ids := m.readyIDs(); !slices.Equal(ids, []reeve.ID{3}) {
			t.Errorf("ready are %v, want the third task", ids)
		}
	})
}

func TestLeaseLost_EndsTheContextAndDiscardsTheResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1)
		s := startWith(t, m, worker.Config{Concurrency: 1}, func(ctx context.Context, _ int) error {
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), reeve.ErrLeaseLost) {
				t.Errorf("cause is %v, want ErrLeaseLost", context.Cause(ctx))
			}
			return nil
		})
		m.lose(1)
		synctest.Wait()
		if stats := s.Stats(); stats.Running != 0 || stats.Lost != 1 || stats.Done != 0 || stats.Refused != 0 {
			t.Errorf("stats are %+v", stats)
		}
		if ends := m.allEnds(); len(ends) != 0 {
			t.Errorf("ends are %s, want none for a lost lease", verbs(ends))
		}
		mustStop(t, s)
	})
}

func TestLeaseLost_BeforeTheHandlerStartsKeepsItFromStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 50, 50)
		var ran atomic.Int32
		s := startWith(t, m, worker.Config{Concurrency: 1, Prefetch: 1}, func(ctx context.Context, ms int) error {
			ran.Add(1)
			return sleeper(ctx, ms)
		})
		m.lose(2)
		time.Sleep(time.Second)
		mustStop(t, s)
		if stats := s.Stats(); ran.Load() != 1 || stats.Done != 1 || stats.Lost != 1 {
			t.Errorf("%d ran, stats are %+v", ran.Load(), stats)
		}
	})
}

func TestLeaseLost_DeafHandlerIsReplaced(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"without a timeout": 0, "before its timeout": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks")
				putTimed(m, timeout, 3_600_000)
				m.put(reeve.Task{Type: "f"}, 1)
				s := startWith(t, m, worker.Config{Concurrency: 1}, deaf)
				m.lose(1)
				time.Sleep(time.Second)
				if ends := m.allEnds(); len(ends) != 1 || ends[0].id != 2 || ends[0].Verb != reeve.Ack {
					t.Errorf("ends are %s, want the second task done in the first one's slot", verbs(ends))
				}
				if stats := s.Stats(); stats.Stuck != 1 {
					t.Errorf("stats are %+v", stats)
				}
				mustStop(t, s)
			})
		})
	}
}

func TestSettle_DoesNotHoldUpTheSlotAndRunWaitsForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1, 1, 1)
		m.hold = true
		s := startWith(t, m, worker.Config{Concurrency: 1, Prefetch: 2, Results: "r"}, sleeper)
		time.Sleep(time.Second)
		if stats := s.Stats(); stats.Unanswered != 3 || stats.Done != 0 {
			t.Fatalf("stats are %+v, want 3 run without an answer", stats)
		}
		s.cancel()
		time.Sleep(20 * time.Second)
		select {
		case <-s.ended:
			t.Fatal("Run returned without the answers")
		default:
		}
		m.answer()
		if err := s.wait(); err != nil || s.took != 0 {
			t.Errorf("Run returned %v after %v, want nil with the answers", err, s.took)
		}
		if stats := s.Stats(); stats.Done != 3 || stats.Unanswered != 0 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

func TestSettle_UnansweredEndsAreToldWhenTheGraceIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1, 1)
		m.hold = true
		s := startWith(t, m, worker.Config{Concurrency: 2}, sleeper)
		time.Sleep(time.Second)
		err := s.stop()
		if !errors.Is(err, worker.ErrUnanswered) || !strings.Contains(err.Error(), "2 ends") || s.took > 31*time.Second {
			t.Errorf("Run returned %v after %v", err, s.took)
		}
		m.answer() // too late, and harmless
		if stats := s.Stats(); stats.Done != 2 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

func TestMaxUnsent_NoTaskIsTakenAtTheBound(t *testing.T) {
	for name, cfg := range map[string]worker.Config{
		"number": {MaxUnsent: 4},
		"bytes":  {MaxUnsentBytes: 4000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks")
				for range 20 {
					m.put(reeve.Task{Type: "f"}, 1)
				}
				m.hold = true
				cfg.Concurrency, cfg.Prefetch, cfg.Results, cfg.Codec = 1, 19, "r", codec.CBOR
				w := worker.New(m, cfg)
				w.HandleFunc("f", func(context.Context, *reeve.Task) ([]byte, error) { return make([]byte, 1000), nil })
				s := start(t, w)
				synctest.Wait()
				if stats := s.Stats(); stats.Unanswered != 4 || stats.UnansweredBytes != 4000 {
					t.Errorf("stats are %+v, want 4 ends", stats)
				}
				m.answer()
				synctest.Wait()
				if stats := s.Stats(); stats.Done != 20 || stats.UnansweredBytes != 0 {
					t.Errorf("stats are %+v, want all done after the answers", stats)
				}
				mustStop(t, s)
			})
		})
	}
}

func TestMaxUnsent_WaitingSlotsEndWithTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1, 2, 3)
		m.hold = true
		s := startWith(t, m, worker.Config{Concurrency: 2, Prefetch: 1, MaxUnsent: 1, Grace: -1}, sleeper)
		time.Sleep(time.Second)
		if err := s.stop(); !errors.Is(err, worker.ErrUnanswered) {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestRefusedEnd_IsReplacedSoThatTheLeaseDoesNotStandForEver(t *testing.T) {
	tooLarge := &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "payload bytes", Value: -1, Max: 10}
	for name, c := range map[string]struct {
		err   error
		times int
		want  string
		then  string
	}{
		"no such queue":           {&reeve.NoSuchQueueError{Name: "r"}, 1, "1 complete 1 nack 1 complete ", "refused by queue"},
		"too large":               {tooLarge, 1, "1 complete 1 bury ", "payload bytes"},
		"outcome unknown":         {reeve.ErrOutcomeUnknown, 1, "1 complete 1 complete ", ""},
		"outcome unknown forever": {reeve.ErrOutcomeUnknown, 9, "1 complete 1 complete 1 complete ", ""},
		"closed":                  {reeve.ErrClosed, 1, "1 complete ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks", 7)
				var refused atomic.Int32
				m.refuse = func(*reeve.Lease, reeve.Outcome) error {
					if int(refused.Add(1)) <= c.times {
						return c.err
					}
					return nil
				}
				stats := settled(t, m, worker.Config{Results: "r"}, func(w *worker.Worker) { worker.Handle(w, "f", square) })
				ends := m.allEnds()
				if verbs(ends) != c.want {
					t.Fatalf("ends are %s, want %s", verbs(ends), c.want)
				}
				if c.then != "" && !strings.Contains(ends[1].Error, c.then) {
					t.Errorf("error is %q", ends[1].Error)
				}
				if stats.Refused != uint64(min(c.times, 3)) || stats.Unanswered != 0 {
					t.Errorf("stats are %+v", stats)
				}
			})
		})
	}
}

func TestPrefetch_IsWhatIsHeldBesideTheRunning(t *testing.T) {
	for prefetch, want := range map[int]int{0: 2, 3: 5} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory("tasks", 1000, 1000, 1000, 1000, 1000, 1000)
			s := startWith(t, m, worker.Config{Concurrency: 2, Prefetch: prefetch}, sleeper)
			if n := m.leasedCount(); n != want || s.Stats().Running != 2 {
				t.Errorf("prefetch %d: %d leased, want %d; %+v", prefetch, n, want, s.Stats())
			}
			mustStop(t, s)
		})
	}
}

func TestPrefetch_NoneByDefaultSoThatALongTaskHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 60_000, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10)
		a := startWith(t, m, worker.Config{Concurrency: 1}, sleeper)
		b := startWith(t, m, worker.Config{Concurrency: 1}, sleeper)
		time.Sleep(time.Second)
		if done := a.Stats().Done + b.Stats().Done; done != 10 {
			t.Errorf("%d short tasks done in a second, want 10", done)
		}
		a.cancel()
		mustStop(t, b)
		mustStop(t, a)
	})
}

func TestWatchdog_WarnsWhileHandlersRunAndNoneEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logged{}
		m := newMemory("tasks")
		s := startWith(t, m, worker.Config{Concurrency: 2, Watchdog: time.Minute, Logger: log.logger()}, sleeper)
		const line = "no task has ended for long"
		time.Sleep(time.Hour)
		if n := log.count(line); n != 0 {
			t.Errorf("%d warnings of an idle worker", n)
		}
		m.put(reeve.Task{Type: "f"}, 150_000)
		time.Sleep(time.Hour)
		if n := log.count(line); n != 2 {
			t.Errorf("%d warnings during 150s, want 2", n)
		}
		for range 100 {
			m.put(reeve.Task{Type: "f"}, 10_000)
		}
		time.Sleep(time.Hour)
		if n := log.count(line); n != 2 {
			t.Errorf("%d warnings of a busy worker", n-2)
		}
		mustStop(t, s)
	})
}
