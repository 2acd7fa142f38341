package worker_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

func TestLeaseLost_LowersTheSlotsUntilAnEndSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		for range 16 {
			m.put(reeve.Task{Type: "f"}, 10_000)
		}
		s := startWith(t, m, worker.Config{Concurrency: 8}, sleeper)
		m.lose(1, 2, 3)
		synctest.Wait()
		if m.slots() != 4 {
			t.Fatalf("slots are %d after one event, want half of 8", m.slots())
		}
		m.lose(4, 5, 6, 7, 8)
		synctest.Wait()
		if m.slots() != 4 {
			t.Fatalf("slots are %d, want no less for leases of before", m.slots())
		}
		time.Sleep(time.Second)
		m.lose(12) // taken at 4 slots
		synctest.Wait()
		if m.slots() != 2 || s.Stats().Slots != 2 {
			t.Fatalf("slots are %d, stats %+v, want half of 4", m.slots(), s.Stats())
		}
		time.Sleep(10 * time.Second) // the first end
		if m.slots() != 8 {
			t.Errorf("slots are %d after an end, want 8", m.slots())
		}
		mustStop(t, s)
		if asked := m.allAsked(); !slices.Equal(asked, []int{8, 4, 2, 8, 0}) {
			t.Errorf("asked for %v", asked)
		}
	})
}

func TestLeaseLost_TheSlotsComeBackAfterACalmWithoutAnyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		for range 24 {
			m.put(reeve.Task{Type: "f"}, 3_600_000)
		}
		log := &logged{}
		s := startWith(t, m, worker.Config{Concurrency: 8, Logger: log.logger()}, sleeper)
		slots := func(want int, when string) {
			t.Helper()
			synctest.Wait()
			if m.slots() != want {
				t.Fatalf("slots are %d %s, want %d", m.slots(), when, want)
			}
		}
		m.lose(1)
		slots(4, "after a loss")
		time.Sleep(29 * time.Second)
		slots(4, "29s after the loss")
		time.Sleep(time.Second)
		slots(8, "30s after the loss")
		if n := m.leasedCount(); n != 8 || s.Stats().Done != 0 {
			t.Errorf("%d leased, stats %+v, want all slots in use and nothing done", n, s.Stats())
		}
		if n := log.count("slots changed after lost leases"); n != 2 {
			t.Errorf("%d log lines, want one down and one up", n)
		}

		m.lose(9) // taken since
		slots(4, "after another loss")
		time.Sleep(20 * time.Second)
		m.lose(7) // lowers nothing, as it is from before, but is no calm either
		time.Sleep(29 * time.Second)
		slots(4, "29s after the last loss")
		time.Sleep(time.Second)
		slots(8, "30s after the last loss")
		mustStop(t, s)
		if asked := m.allAsked(); !slices.Equal(asked, []int{8, 4, 8, 4, 8, 0}) {
			t.Errorf("asked for %v", asked)
		}
	})
}

func TestLeaseLost_WhileDrainingBringsNoSlotsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 3_600_000, 3_600_000, 40_000, 45_000)
		s := startWith(t, m, worker.Config{Concurrency: 4, MaxTasks: 4, Grace: time.Hour}, sleeper)
		m.lose(1)
		time.Sleep(10 * time.Second) // the timer runs
		s.cancel()
		synctest.Wait()
		m.lose(2) // its end, as any with MaxTasks, has the slots looked at
		if err := s.wait(); err != nil {
			t.Fatal(err)
		}
		if s.took != 35*time.Second {
			t.Errorf("Run returned after %v, want the end of the last handler", s.took)
		}
		if asked := m.allAsked(); !slices.Equal(asked, []int{4, 2, 0}) {
			t.Errorf("asked for %v", asked)
		}
	})
}
