package nats

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/bench/internal/system/systemtest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	_ = program.Clean()
	os.Exit(code)
}

func TestSystems_GiveEachResultOnce(t *testing.T) {
	for _, s := range Systems() {
		for _, durable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s durable %t", s.Name(), durable), func(t *testing.T) {
				server := systemtest.Start(t, s, system.Settings{Durable: durable})
				if server == nil {
					return
				}
				tasks := max(s.Batch(), 100) + 1 // the last one alone
				systemtest.Pipeline(t, s, server.Endpoint, tasks, 100)
			})
		}
	}
}

func TestSystems_PassLargeItemsAndEndWithTheContext(t *testing.T) {
	for _, s := range Systems() {
		t.Run(s.Name(), func(t *testing.T) {
			const size = 1 << 20
			server := systemtest.Start(t, s, system.Settings{ItemBytes: size})
			if server == nil {
				return
			}
			systemtest.Pipeline(t, s, server.Endpoint, 12, size) // more than are sent at a time
			in, err := systemtest.Dial(t, s, server.Endpoint).Consume(t.Context(), "tasks", 1)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if items, err := in.Next(ctx, nil, 1); !errors.Is(err, context.DeadlineExceeded) || len(items) > 0 {
				t.Errorf("Next of an empty queue: %d items, %v", len(items), err)
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
