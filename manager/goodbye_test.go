package manager_test

import (
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/managertest"
)

// TestGoodbye_TakesNoLongerThanTheClientToClose, whoever noticed why it is said.
func TestGoodbye_TakesNoLongerThanTheClientToClose(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		r.alive()
		begin := time.Now()
		r.write(r.calls, frame(byte(wire.TypePut), 0xa1, 1)) // a map that ends too early
		if err := r.goodbye(); !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("goodbye: %v", err)
		}
		settle()
		if n := m.Manager().Stats().Sessions; n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		soon(t, begin, 0, "the end")
	})
}
