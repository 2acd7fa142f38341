package manager_test

import (
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
)

// The heartbeat is agreed when a client connects. A queue with a shorter lease
// that is declared after that must not take a quiet client for a dead one.
func TestQueueDeclaredLate_WithAShortLeaseLosesNoTaskOfAClientThatLives(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "first", reeve.QueueConfig{Lease: 30 * time.Second})
		c := m.Dial(t) // one heartbeat every 5 s
		m.Declare(t, "late", reeve.QueueConfig{Lease: time.Second})
		q := c.Queue("late")
		putOne(t, q, "x")
		l := get(t, q)
		time.Sleep(10 * time.Minute)
		if err := l.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := statsOf(t, q); s.Lost != 0 || s.Done != 1 {
			t.Errorf("lost %d, done %d", s.Lost, s.Done)
		}
	}, usual)
}

// Nor must its tasks stay with a client that is dead.
func TestQueueDeclaredLate_TakesBackWhatADeadClientHas(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "first", reeve.QueueConfig{Lease: 30 * time.Second})
		c, cable := plug(t, m)
		late := m.Declare(t, "late", reeve.QueueConfig{Lease: time.Second})
		putOne(t, late, "x")
		get(t, c.Queue("late"))
		begin := time.Now()
		cable.BlackHole()
		l := get(t, late)
		soon(t, begin, 3*5*time.Second+2*time.Second, "the redelivery")
		if l.Attempt != 2 {
			t.Errorf("attempt %d", l.Attempt)
		}
		cable.Heal()
	}, usual)
}
