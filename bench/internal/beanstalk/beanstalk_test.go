package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/bench/internal/system/systemtest"
)

func TestSystems_PassEachTaskOnOnce(t *testing.T) {
	for _, s := range Systems() {
		for _, durable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/durable=%t", s.Name(), durable), func(t *testing.T) {
				if server := systemtest.Start(t, s, system.Settings{Durable: durable}); server != nil {
					systemtest.Pipeline(t, s, server.Endpoint, 150, 100)
				}
			})
		}
	}
}

func TestSystems_PassBigItems(t *testing.T) {
	const bytes = 1 << 20
	for _, s := range Systems() {
		t.Run(s.Name(), func(t *testing.T) {
			if server := systemtest.Start(t, s, system.Settings{ItemBytes: bytes}); server != nil {
				systemtest.Pipeline(t, s, server.Endpoint, 20, bytes)
			}
		})
	}
}

func TestConsumer_WaitsOnAfterNextWasCutShort(t *testing.T) {
	s := pipelined{}
	server := systemtest.Start(t, s, system.Settings{})
	if server == nil {
		return
	}
	c := systemtest.Dial(t, s, server.Endpoint)
	in, err := c.Consume(t.Context(), "tasks", 2)
	if err != nil {
		t.Fatal(err)
	}
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.Next(cut, nil, 2); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := c.Put(t.Context(), "tasks", [][]byte{[]byte("a")}); err != nil {
		t.Fatal(err)
	}
	items, err := in.Next(t.Context(), nil, 2)
	if err != nil || len(items) != 1 || string(items[0].Payload) != "a" {
		t.Fatal(items, err)
	}
	if err := errors.Join(in.End(t.Context(), items, "", nil), in.Flush(t.Context()), in.Close()); err != nil {
		t.Fatal(err)
	}
}
