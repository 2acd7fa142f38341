package manager_test

import (
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/managertest"
)

// What is being read for a Get when the journal goes is the next master's to
// hand over: it is neither an error nor a dead task.
func TestJournal_AGetWhosePayloadIsBeingReadGoesOnOverARestart(t *testing.T) {
	var o owners
	cfg := kept(t, &o)
	cfg.Memory = 1
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		q := m.Dial(t).Queue("tasks")
		putOne(t, q, "too long to stay")
		settle()
		gate := o.now().Block(journaltest.OpRead)
		defer gate.Open()
		got := async(func() ([]*reeve.Lease, error) { return q.Get(t.Context(), 1) })
		settle()
		o.now().Crash(journaltest.Kill()) // by somebody who takes it over
		settle()
		select {
		case r := <-got:
			t.Fatalf("it was told %v", r.err)
		default:
		}
		m.Restart(t)
		if r := <-got; r.err != nil || string(r.v[0].Payload) != "too long to stay" {
			t.Fatalf("%v", r.err)
		} else if err := r.v[0].Ack(t.Context()); err != nil {
			t.Error(err)
		}
	}, cfg)
}
