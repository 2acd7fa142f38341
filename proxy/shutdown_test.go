package proxy_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

func TestShutdownMaster_IsRefusedUnlessTheMasterAllowsIt(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		for _, drain := range []bool{false, true} {
			if err := c.ShutdownMaster(t.Context(), drain); !errors.Is(err, reeve.ErrPermission) {
				t.Errorf("%v", err)
			}
		}
		if _, err := c.Queues(t.Context()); err != nil {
			t.Errorf("the master is gone: %v", err)
		}
	})
}

func TestShutdownMaster_EndsTheMaster(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		if _, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{}}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Queue("tasks").Get(t.Context(), 1); err != nil { // holds a lease
			t.Fatal(err)
		}
		begin := time.Now()
		if err := c.ShutdownMaster(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if err := m.Manager().Join(t.Context()); err != nil || time.Since(begin) > time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	}, manager.Config{AllowShutdown: true})
}

func TestShutdownMaster_DrainWaitsForLeases(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		if _, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{}}); err != nil {
			t.Fatal(err)
		}
		leases, err := c.Queue("tasks").Get(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.ShutdownMaster(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := m.Manager().Join(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("it did not wait: %v", err)
		}
		if err := leases[0].Ack(t.Context()); err != nil {
			t.Errorf("the end of a lease while the master drains: %v", err)
		}
		if err := m.Manager().Join(t.Context()); err != nil {
			t.Error(err)
		}
	}, manager.Config{AllowShutdown: true, ShutdownGrace: time.Hour})
}

func TestShutdownMaster_DrainEndsWithTheGrace(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		if _, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{}}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Queue("tasks").Get(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := c.ShutdownMaster(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if err := m.Manager().Join(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took < time.Minute || took > 2*time.Minute {
			t.Errorf("it ended after %v", took)
		}
	}, manager.Config{AllowShutdown: true, ShutdownGrace: time.Minute})
}

// TestShutdownMaster_ThatWasUnderWayDoesNotEndTheNextMaster kills the master
// before it has read the request.
func TestShutdownMaster_ThatWasUnderWayDoesNotEndTheNextMaster(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		m.BlackHole()
		asked := make(chan error, 1)
		go func() { asked <- c.ShutdownMaster(t.Context(), false) }()
		synctest.Wait()
		m.Kill()
		m.Heal()
		m.Restart(t)
		if err := <-asked; !errors.Is(err, reeve.ErrOutcomeUnknown) {
			t.Errorf("%v", err)
		}
		if err := m.Manager().Err(); err != nil {
			t.Errorf("the next master ended: %v", err)
		}
	}, manager.Config{AllowShutdown: true})
}
