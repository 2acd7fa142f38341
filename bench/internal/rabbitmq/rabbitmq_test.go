package rabbitmq

import (
	"fmt"
	"testing"

	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/bench/internal/system/systemtest"
)

func TestSystems_PassEachTaskOnOnce(t *testing.T) {
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprintf("durable=%t", durable), func(t *testing.T) {
			s := rabbitMQ{}
			if server := systemtest.Start(t, s, system.Settings{Durable: durable}); server != nil {
				systemtest.Pipeline(t, s, server.Endpoint, 500, 100)
				systemtest.Pipeline(t, s, server.Endpoint, 20, 1<<20)
			}
		})
	}
}
