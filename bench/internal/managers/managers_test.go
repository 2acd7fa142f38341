package managers

import (
	"errors"
	"testing"

	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/bench/internal/system/systemtest"
)

func TestSystems_PassEachTaskOnOnce(t *testing.T) {
	for _, s := range Systems() {
		t.Run(s.Name(), func(t *testing.T) {
			server := systemtest.Start(t, s, system.Settings{})
			if server == nil {
				return
			}
			systemtest.Pipeline(t, s, server.Endpoint, 1000, 100)
			timed(t, systemtest.Dial(t, s, server.Endpoint).(system.Timed))
		})
	}
}

func timed(t *testing.T, c system.Timed) {
	const n, bytes = 20, 100 << 10
	took, err := c.RoundTrips(t.Context(), "round trips", bytes, n)
	if err != nil || len(took) != n {
		t.Fatalf("%d round trips: %v", len(took), err)
	}
	for _, d := range took {
		if d <= 0 {
			t.Errorf("a round trip took %v", d)
		}
	}
	for _, operation := range []string{"call", "lock", "set", "get"} {
		if d, err := c.Operate(t.Context(), operation, 2, n); err != nil || d <= 0 {
			t.Errorf("%s: %v, %v", operation, d, err)
		}
	}
	if _, err := c.Operate(t.Context(), "fly", 2, n); !errors.Is(err, system.ErrUnsupported) {
		t.Errorf("an operation that is none: %v", err)
	}
}

func TestRun_RefusesAnotherHandler(t *testing.T) {
	echo := func(payload []byte) []byte { return payload }
	err := managers{}.Run(t.Context(), "127.0.0.1:1 00", "tasks", "results", echo, func() {})
	if !errors.Is(err, system.ErrUnsupported) {
		t.Fatal(err)
	}
}
