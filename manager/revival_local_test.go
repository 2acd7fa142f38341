package manager_test

// The master's own handles with a journal: what they say is durable is.

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/managertest"
)

func TestRevival_TheMastersOwnHandlesWaitForTheJournal(t *testing.T) {
	for name, act := range map[string]func(ctx context.Context, q, results reeve.Queue, l *reeve.Lease) error{
		"put": func(ctx context.Context, q, _ reeve.Queue, _ *reeve.Lease) error {
			_, err := q.Put(ctx, []reeve.Task{{Payload: []byte("y")}})
			return err
		},
		"ack": func(ctx context.Context, _, _ reeve.Queue, l *reeve.Lease) error { return l.Ack(ctx) },
		"complete": func(ctx context.Context, _, r reeve.Queue, l *reeve.Lease) error {
			return l.Complete(ctx, r.Name(), reeve.Task{})
		},
		"nack": func(ctx context.Context, _, _ reeve.Queue, l *reeve.Lease) error {
			return l.Nack(ctx, time.Hour, errors.New("no luck"))
		},
		"bury":  func(ctx context.Context, _, _ reeve.Queue, l *reeve.Lease) error { return l.Bury(ctx, "why") },
		"pause": func(ctx context.Context, q, _ reeve.Queue, _ *reeve.Lease) error { return q.Pause(ctx, "why") },
		"hand-over": func(ctx context.Context, q, _ reeve.Queue, _ *reeve.Lease) error {
			go q.Put(ctx, []reeve.Task{{Payload: []byte("z"), Priority: 1}}) // it ends with the gate
			_, err := q.Get(ctx, 1)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var o owners
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				q := m.Declare(t, "tasks", reeve.QueueConfig{})
				results := m.Declare(t, "results", reeve.QueueConfig{})
				putOne(t, q, "x")
				l := get(t, q)
				gate := o.now().Block(journaltest.OpSync)
				defer gate.Open()
				over := make(chan error, 1)
				go func() { over <- act(t.Context(), q, results, l) }()
				settle()
				select {
				case err := <-over:
					t.Fatalf("it was over before it was durable: %v", err)
				default:
				}
				gate.Open()
				if err := <-over; err != nil {
					t.Error(err)
				}
				settle()
			}, kept(t, &o))
		})
	}
}

func TestRevival_TheMastersOwnHandlesDoWhatTheyDoWithoutAJournal(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour, Attempts: 3})
		m.Declare(t, "results", reeve.QueueConfig{})
		ids := put(t, q, 3)
		held := get(t, q) // whose process ends with the master
		if string(held.Payload) != "0" {
			t.Errorf("got %q", held.Payload)
		}
		m.Restart(t)
		if err := held.Ack(t.Context()); err == nil {
			t.Error("a lease of the master before")
		}
		q, err := m.Manager().Lookup("tasks")
		if err != nil {
			t.Fatal(err)
		}
		c := consume(t, q, 2)
		for i := range 3 {
			l := next(t, c)
			if l.ID != ids[i] {
				t.Errorf("got %v, want %v", l.ID, ids[i])
			}
			if err := l.Complete(t.Context(), "results", reeve.Task{Payload: l.Payload}); err != nil {
				t.Error(err)
			}
		}
		if err := q.Join(t.Context()); err != nil {
			t.Error(err)
		}
		m.Restart(t)
		for _, id := range ids {
			if r, err := m.Manager().Result(t.Context(), id); err != nil || r.State != reeve.StateDone {
				t.Errorf("%+v, %v", r, err)
			}
		}
		results, err := m.Manager().Lookup("results")
		if err != nil {
			t.Fatal(err)
		}
		managertest.AssertReady(t, results, 3)
		if err := results.Shutdown(t.Context(), true); err != nil {
			t.Error(err)
		}
		if _, err := results.Put(t.Context(), []reeve.Task{{}}); !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("a put after it: %v", err)
		}
		m.Restart(t)
		if results, err = m.Manager().Lookup("results"); err != nil {
			t.Fatal(err)
		}
		managertest.AssertReady(t, results, 0) // what was dropped stays so; a shutdown is of one life
		putOne(t, results, "x")
	})
}
