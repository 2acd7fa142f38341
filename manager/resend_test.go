package manager_test

// A request that is sent again while what it did is not durable yet is answered
// when it is, and not before.

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// changing are requests that change something; each gets a task of its own that
// is leased, and one that is ready.
var changing = map[string]func(ctx context.Context, c *proxy.Client, leased *reeve.Lease, ready reeve.ID) error{
	"put": func(ctx context.Context, c *proxy.Client, _ *reeve.Lease, _ reeve.ID) error {
		_, err := c.Queue("tasks").Put(ctx, []reeve.Task{{Type: "new"}})
		return err
	},
	"ack": func(ctx context.Context, _ *proxy.Client, l *reeve.Lease, _ reeve.ID) error { return l.Ack(ctx) },
	"complete": func(ctx context.Context, _ *proxy.Client, l *reeve.Lease, _ reeve.ID) error {
		return l.Complete(ctx, "results", reeve.Task{})
	},
	"nack": func(ctx context.Context, _ *proxy.Client, l *reeve.Lease, _ reeve.ID) error {
		return l.Nack(ctx, 0, nil)
	},
	"cancel": func(ctx context.Context, c *proxy.Client, _ *reeve.Lease, id reeve.ID) error {
		return c.Cancel(ctx, id, "")
	},
	"pause": func(ctx context.Context, c *proxy.Client, _ *reeve.Lease, _ reeve.ID) error {
		return c.Queue("tasks").Pause(ctx, "")
	},
	"purge": func(ctx context.Context, c *proxy.Client, _ *reeve.Lease, _ reeve.ID) error {
		n, err := c.Purge(ctx, "tasks", reeve.Filter{States: []reeve.State{reeve.StateReady}})
		if err == nil && n != 1 {
			err = errors.New("it was done twice")
		}
		return err
	},
}

func TestJournal_ARequestSentAgainIsAnsweredWhenItIsDurable(t *testing.T) {
	for name, request := range changing {
		for _, fails := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				var o owners
				managertest.Run(t, func(t *testing.T, m *managertest.Master) {
					m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour})
					m.Declare(t, "results", reeve.QueueConfig{})
					c, cable := plug(t, m)
					putOne(t, c.Queue("tasks"), "leased")
					l := get(t, c.Queue("tasks"))
					ready := putOne(t, c.Queue("tasks"), "ready")
					gate := o.now().Block(journaltest.OpSync)
					defer gate.Open()
					answered := make(chan error, 1)
					go func() { answered <- request(t.Context(), c, l, ready) }()
					settle()
					cable.Last().Reset()
					time.Sleep(10 * time.Second) // it was sent again, and others were since
					if cable.Made() < 2 {
						t.Fatal("the connection was not made again")
					}
					select {
					case err := <-answered:
						t.Fatalf("it was answered before it is durable: %v", err)
					default:
					}
					if fails {
						o.now().Fail(journaltest.OpSync, 1, errors.New("the disk is on fire"))
					}
					gate.Open()
					settle()
					if fails {
						select {
						case err := <-answered:
							t.Fatalf("a master that cannot know said %v", err)
						default:
						}
						m.Restart(t)
					}
					if err := <-answered; err != nil {
						t.Error(err)
					}
					s := statsOf(t, m.Dial(t).Queue("tasks"))
					if n := s.Ready + s.Delayed + s.Leased + s.Dead; name == "put" && n != 3 || n > 3 {
						t.Errorf("it was carried out twice: %+v", s)
					}
				}, kept(t, &o))
			})
		}
	}
}
