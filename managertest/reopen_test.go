package managertest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

// powerCuts is a journal in memory that loses what was not synced each time it
// is opened again, and the owners it had.
func powerCuts(t testing.TB) (journal.Journal, *[]*journaltest.Memory) {
	t.Helper()
	var owners []*journaltest.Memory
	return managertest.Reopen(func(prev journal.Journal) (journal.Journal, error) {
		next := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
		if prev != nil {
			next = prev.(*journaltest.Memory).Crash(journaltest.PowerCut())
		}
		owners = append(owners, next)
		return next, nil
	}), &owners
}

func nothing(journal.Pos, []byte) error { return nil }

func TestReopen_NothingReachesTheJournalAfterItsOwnersDeath(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	j, owners := powerCuts(t)
	if err := j.Sync(ctx); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("nobody has opened it: %v", err)
	}
	if _, err := j.Replay(ctx, nothing); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Replay(ctx, nothing); err == nil {
		t.Error("a second owner beside the first")
	}
	for p := range journal.Pos(2) {
		if err := j.Append(ctx, p+1, []byte("frame"), journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
		if p == 0 {
			if err := j.Sync(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := (*owners)[0]
	gate := first.Block(journaltest.OpAppend)
	defer gate.Open()
	stuck := make(chan error, 1)
	go func() { stuck <- j.Append(ctx, 3, []byte("frame"), journal.AppendOptions{}) }()
	gate.Held(ctx)
	managertest.KillOwner(j)
	if err := <-stuck; !errors.Is(err, context.Canceled) {
		t.Errorf("what was under way: %v", err)
	}
	for name, err := range map[string]error{
		"Append": j.Append(ctx, 3, []byte("frame"), journal.AppendOptions{}),
		"Sync":   j.Sync(ctx), "Trim": j.Trim(ctx, 1), "Close": j.Close(),
	} {
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("%s after the owner's death: %v", name, err)
		}
	}
	last, err := j.Replay(ctx, nothing)
	if err != nil || last != 1 || len(*owners) != 2 {
		t.Fatalf("the next of %d owners finds %d frames, %v; want what was synced", len(*owners), last, err)
	}
	if frame, err := j.Read(ctx, 1); err != nil || string(frame) != "frame" {
		t.Errorf("%q, %v", frame, err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if err := (*owners)[1].Close(); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("it was not closed: %v", err)
	}
}

func TestRestart_WithAJournalFindsWhatItsMasterWasToldIsSafe(t *testing.T) {
	j, owners := powerCuts(t)
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		safe := m.Declare(t, "safe", reeve.QueueConfig{})
		m.Declare(t, "unsafe", reeve.QueueConfig{Durability: reeve.DurabilityNone})
		for _, q := range []reeve.Queue{m.Dial(t).Queue("unsafe"), safe} {
			if _, err := q.Put(t.Context(), []reeve.Task{{}}); err != nil {
				t.Fatal(err)
			}
		}
		later := m.Dial(t).Queue("unsafe")
		if _, err := later.Put(t.Context(), []reeve.Task{{}}); err != nil {
			t.Fatal(err)
		}
		m.Restart(t)
		managertest.AssertReady(t, m.Dial(t).Queue("safe"), 1)
		managertest.AssertReady(t, later, 1) // the first was synced with what came after it
		if err := m.Manager().Close(); err != nil {
			t.Error(err)
		}
		m.Restart(t)
		managertest.AssertReady(t, later, 1)
		if len(*owners) != 3 {
			t.Errorf("%d masters", len(*owners))
		}
	}, manager.Config{Journal: j})
}

func TestReopen_SaysWhyItCannotBeOpened(t *testing.T) {
	t.Parallel()
	why := errors.New("why")
	j := managertest.Reopen(func(journal.Journal) (journal.Journal, error) { return nil, why })
	if _, err := j.Replay(t.Context(), nothing); !errors.Is(err, why) {
		t.Error(err)
	}
	if err := j.Close(); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("what was never opened: %v", err)
	}
}
