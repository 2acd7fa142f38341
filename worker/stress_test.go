package worker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

// Whatever handlers do and the master takes away, every task ends once, no
// more handlers run than there are slots, and Run waits for all of it.
func TestRun_EveryTaskEndsOnceUnderAllMishaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks, concurrency = 2000, 8
		m := newMemory("tasks")
		for range tasks {
			timeout := time.Duration(0)
			if rand.IntN(3) == 0 {
				timeout = time.Duration(1+rand.IntN(50)) * time.Millisecond
			}
			putTimed(m, timeout, rand.IntN(40))
		}
		s := startWith(t, m, worker.Config{
			Concurrency: concurrency, Prefetch: 5, CancelGrace: 5 * time.Millisecond, MaxStuck: -1,
		}, func(ctx context.Context, ms int) error {
			switch rand.IntN(10) {
			case 0:
				return errors.New("failed")
			case 1:
				panic("panicked")
			case 2:
				runtime.Goexit()
			case 3:
				return deaf(ctx, ms)
			case 4:
				return worker.RetryAfter(ctx.Err(), time.Duration(ms)*time.Millisecond)
			}
			return sleeper(ctx, ms)
		})
		lost := uint64(0)
		for left := tasks; left > 0; left = tasks - int(s.Stats().Done) - len(m.allDead()) - int(lost) {
			time.Sleep(10 * time.Millisecond)
			if n := s.Stats().Running; n > concurrency {
				t.Fatalf("%d handlers run in %d slots", n, concurrency)
			}
			if rand.IntN(10) == 0 {
				if list := s.Running(); len(list) > 0 && !list[0].Stuck {
					m.lose(list[0].ID)
				}
				lost = s.Stats().Lost
			}
		}
		synctest.Wait()
		mustStop(t, s)
		if n := m.leasedCount(); n != 0 {
			t.Errorf("%d leases stand after Run", n)
		}
		ended := map[reeve.ID]bool{}
		for _, e := range m.allEnds() {
			final := e.Verb == reeve.Ack || e.Verb == reeve.Bury
			if ended[e.id] {
				t.Errorf("task %v was ended again", e.id)
			}
			ended[e.id] = final
		}
	})
}
