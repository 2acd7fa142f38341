package manager_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/managertest"
)

// Calls in the master's own process wait for the disk for as long as their ctx
// says.
func TestJournal_LocalCallsEndWithTheirCtxWhileNothingCanBeWritten(t *testing.T) {
	var o owners
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		q, err := m.Manager().Lookup("tasks")
		if err != nil {
			t.Fatal(err)
		}
		id := put(t, q, 1)[0]
		calls := map[string]func(ctx context.Context) error{
			"Pause":    func(ctx context.Context) error { return q.Pause(ctx, "") },
			"Resume":   q.Resume,
			"Shutdown": func(ctx context.Context) error { return q.Shutdown(ctx, false) },
			"Cancel":   func(ctx context.Context) error { return m.Manager().Cancel(ctx, id, "") },
			"Result":   func(ctx context.Context) error { _, err := m.Manager().Result(ctx, id); return err },
			"Purge": func(ctx context.Context) error {
				_, err := m.Manager().Purge(ctx, "tasks", reeve.Filter{})
				return err
			},
		}
		o.now().SetSpace(journaltest.NoSpace)
		if err := q.Pause(within(t, time.Second), "first"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Pause: %v", err)
		}
		for name, call := range calls {
			if err := call(within(t, time.Second)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
		}
		o.now().SetSpace(journaltest.Enough)
		for name, call := range calls {
			if err := call(within(t, time.Second)); err != nil {
				t.Errorf("%s, when there is space: %v", name, err)
			}
		}
	}, kept(t, &o))
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
