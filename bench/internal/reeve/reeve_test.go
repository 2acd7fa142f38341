package reeve

import (
	"context"
	"os"
	"os/signal"
	"testing"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/bench/internal/system/systemtest"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "serve" { // started by program.Self
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		for _, s := range Systems() {
			if s.Name() == os.Args[2] {
				if err := program.ServeSelf(ctx, s.(system.Served)); err != nil {
					panic(err)
				}
				return
			}
		}
	}
	code := m.Run()
	_ = program.Clean()
	os.Exit(code)
}

func TestSystems_GiveEachResultOnce(t *testing.T) {
	for _, s := range Systems() {
		for _, set := range []system.Settings{{Backlog: 10_000}, {Durable: true}} {
			if server := systemtest.Start(t, s, set); server != nil {
				systemtest.Pipeline(t, s, server.Endpoint, max(s.Batch(), 100)+1, 100)
			}
		}
	}
}

func TestSystems_ShareObjects(t *testing.T) {
	s := Systems()[1]
	if server := systemtest.Start(t, s, system.Settings{Objects: true}); server != nil {
		systemtest.Objects(t, systemtest.Dial(t, s, server.Endpoint).(system.Objects))
	}
}
