package worker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

func TestCancel_EndsTheContextWithItsCauseAndIsNoLoss(t *testing.T) {
	for name, late := range map[string]error{
		"success": nil, "failure": errors.New("stopped"), "permanent": worker.Permanent(nil), "snooze": worker.RetryAfter(nil, 1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks", 1, 2)
				log := &logged{}
				s := startWith(t, m, worker.Config{Concurrency: 1, Logger: log.logger()}, func(ctx context.Context, n int) error {
					if n == 2 {
						return nil
					}
					<-ctx.Done()
					if cause := context.Cause(ctx); !errors.Is(cause, reeve.ErrCancelled) || !errors.Is(cause, reeve.ErrLeaseLost) {
						t.Errorf("cause is %v, want ErrCancelled and ErrLeaseLost", cause)
					}
					return late
				})
				m.cancel(1)
				synctest.Wait()
				if ends := m.allEnds(); len(ends) != 1 || ends[0].id != 2 {
					t.Errorf("ends are %s, want that of the other task", verbs(ends))
				}
				stats := s.Stats()
				if stats.Cancelled != 1 || stats.Lost != 0 || stats.Failed+stats.Refused+stats.Buried+stats.Snoozed != 0 || stats.Done != 1 || stats.Unanswered != 0 {
					t.Errorf("stats are %+v", stats)
				}
				mustStop(t, s)
				if asked := m.allAsked(); !slices.Equal(asked, []int{1, 0}) {
					t.Errorf("asked for %v slots, want none fewer", asked)
				}
				if n := log.count("level=WARN") + log.count("level=INFO"); n != 0 {
					t.Errorf("%d log lines:\n%s", n, log.buf.String())
				}
			})
		})
	}
}

func TestCancel_DeafHandlerIsReplacedAndItsReturnDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 3_600_000, 1)
		s := startWith(t, m, worker.Config{Concurrency: 1}, deaf)
		m.cancel(1)
		time.Sleep(time.Second)
		if stats := s.Stats(); stats.Stuck != 1 || stats.Done != 1 || m.slots() != 1 {
			t.Errorf("stats are %+v, want the other task done in its slot", stats)
		}
		time.Sleep(2 * time.Hour)
		mustStop(t, s)
		if stats := s.Stats(); stats.Stuck != 0 || stats.Late != 1 || stats.Done != 1 || len(m.allEnds()) != 1 {
			t.Errorf("stats are %+v, ends %s", stats, verbs(m.allEnds()))
		}
	})
}

func TestCancel_WhoseNewsCrossesTheEndIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 1)
		m.refuse = func(*reeve.Lease, reeve.Outcome) error {
			return errors.Join(reeve.ErrLeaseLost, reeve.ErrCancelled)
		}
		s := startWith(t, m, worker.Config{Concurrency: 2}, sleeper)
		time.Sleep(time.Second)
		if stats := s.Stats(); stats.Cancelled != 1 || stats.Lost != 0 || m.slots() != 2 {
			t.Errorf("stats are %+v", stats)
		}
		mustStop(t, s)
	})
}
