package main

import (
	"context"
	"regexp"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
)

// lookedAt tells of every look at a master.
type lookedAt struct {
	reeve.Operator
	looks chan struct{}
}

func (c lookedAt) Queues(ctx context.Context) ([]reeve.QueueStats, error) {
	select {
	case c.looks <- struct{}{}:
	case <-ctx.Done():
	}
	return c.Operator.Queues(ctx)
}

func TestTop_OfARealMasterShowsWhatHappens(t *testing.T) {
	t.Parallel()
	m := managertest.Start(t)
	q := m.Declare(t, "tasks", reeve.QueueConfig{})
	worker := employ(t, m, "resizer", nil)
	e := newTerminal(120, 20)
	v, _ := verbOn(e)
	op := lookedAt{m.Dial(t), make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- v.show(ctx, op) }() // received below
	shows := func(pattern string) {
		t.Helper()
		for want := regexp.MustCompile(pattern); !want.MatchString(e.text(120, 20)); {
			select {
			case <-op.looks:
			case <-t.Context().Done():
				t.Fatalf("no %s in\n%s", pattern, e.text(120, 20))
			}
		}
	}
	shows(`\ntasks +0 +0 +0 +0 +0 `)
	if _, err := q.Put(t.Context(), []reeve.Task{{Type: "resize"}, {Type: "other"}, {Type: "other"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := worker.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows(`\ntasks +2 +0 +1 +0 +0 `)
	shows(`resizer +\S+:\d+ +1/4 +1 `)
	if err := q.Pause(t.Context(), "lunch"); err != nil {
		t.Fatal(err)
	}
	shows(`\ntasks .* paused: lunch`)
	cancel()
	for done := false; !done; {
		select {
		case err := <-ended:
			if err != nil || !e.restored() {
				t.Errorf("%v, restored: %v", err, e.restored())
			}
			done = true
		case <-op.looks:
		}
	}
}
