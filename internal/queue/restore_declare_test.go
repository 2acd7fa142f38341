package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

// full is a configuration with something in every field.
var full = reeve.QueueConfig{
	MaxLen: 1000, MaxBytes: reeve.NoLimit, Refuse: true, Lease: 7 * time.Second, Timeout: time.Hour, Attempts: 3,
	Backoff: reeve.Backoff{Base: time.Second, Factor: 1.5}, CountSnoozed: true, History: 4, DeadFor: time.Hour, MaxDead: 9,
	LIFO: true, Ageing: time.Second, Reserve: reeve.Reserve{Slots: 2, Priority: 3}, Concurrency: 50,
	TypeConcurrency: map[string]int{"a": 1, "b": 2}, Rate: reeve.Rate{Tasks: 100, Burst: 5}, KeyConcurrency: 2,
	KeyRate: reeve.Rate{Tasks: 10, Per: time.Minute}, Windows: []reeve.Window{{From: time.Hour, To: 2 * time.Hour, Zone: "Europe/Berlin"}},
	KeepResult: time.Minute, MaxResultBytes: 1 << 20, IdleTTL: time.Hour, Durability: reeve.Durability(50 * time.Millisecond),
}

func TestRestart_QueuesKeepTheirConfigurationsAndOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		names := []string{"z", "full", "a", "m"}
		for _, name := range names {
			cfg := reeve.QueueConfig{}
			if name == "full" {
				cfg = full
			}
			k.declare(name, cfg)
		}
		synctest.Wait()
		for range 3 {
			k.crash()
			if got := k.Names(); !slices.Equal(got, names) {
				t.Errorf("queues %q, want %q", got, names)
			}
			k.declare("full", full) // the same: nothing changes
			if _, err := k.Declare("full", reeve.QueueConfig{}); !errors.Is(err, reeve.ErrQueueExists) {
				t.Errorf("another configuration for a queue in use: %v, want ErrQueueExists", err)
			}
			k.lookup("a")
			if _, err := k.Declare("a", full); !errors.Is(err, reeve.ErrQueueExists) {
				t.Errorf("another configuration for a queue that was asked for: %v, want ErrQueueExists", err)
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
			k.reopen()
			synctest.Wait()
		}
		names = append(names, "new")
		k.declare("new", reeve.QueueConfig{})
		synctest.Wait()
		k.crash()
		if got := k.Names(); !slices.Equal(got, names) {
			t.Errorf("queues %q, want %q", got, names)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

// reopen opens the journal of an engine that was closed.
func (k *kept) reopen() {
	k.t.Helper()
	k.journal = k.journal.Crash(journaltest.Kill())
	k.open()
}

func TestRestart_AnotherConfigurationKeepsEverythingAndHolds(t *testing.T) {
	restoreSeeds(t, func(t *testing.T, seed uint64) {
		s := newScene(t, seed)
		defer s.explain()
		for range *restoreSteps / 2 {
			s.step()
		}
		s.quiesce()
		ids := slices.Clone(s.ids)
		was := snap(t, s.Engine, ids)
		s.end(true)
		cfgs := map[string]reeve.QueueConfig{}
		for i := range 3 {
			cfg := s.randomConfig()
			cfg.DeadFor, cfg.MaxDead, cfg.History = 0, 0, 100 // they take something away
			s.note("declare q%d anew %+v", i, cfg)
			cfgs[fmt.Sprint("q", i)] = s.declare(fmt.Sprint("q", i), cfg).Config()
		}
		synctest.Wait()
		is := snap(t, s.Engine, ids)
		if d := was.kept(is); d != "" {
			t.Fatalf("after the queues were configured anew:\n%s", d)
		}
		s.quiesce()
		s.end(false)
		for name, cfg := range cfgs {
			if now := s.lookup(name).Config(); !now.Equal(&cfg) {
				t.Errorf("%s has %+v, want %+v", name, now, cfg)
			}
		}
		if d := is.kept(snap(t, s.Engine, ids)); d != "" {
			t.Fatalf("after the restart:\n%s", d)
		}
		for range *restoreSteps / 2 { // with the checks that the new limits hold
			s.step()
		}
		s.quiesce()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestRestart_WhoWaitsForATaskOfAQueueThatIsConfiguredAnewIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		c := newClient(k.Engine)
		q := k.declare("q", reeve.QueueConfig{})
		id := c.durably(t, c.put(q, "a")).first
		k.crash()
		c = newClient(k.Engine)
		tag := c.await(id)
		q, err := k.Declare("q", reeve.QueueConfig{MaxLen: 5})
		if err != nil { // who waits uses it
			q = k.lookup("q")
		}
		if err := k.Cancel(id, "no"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if x, ok := c.endOf(tag); !ok || x.r.State != reeve.StateCancelled {
			t.Errorf("who waits was told %+v, %v", x, ok)
		}
		q.Check()
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}
