package netrpc

import (
	"context"
	"net"
	"testing"

	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/bench/internal/system/systemtest"
)

func TestSystems_TakeWhatWasPut(t *testing.T) {
	for _, s := range Systems() {
		t.Run(s.Name(), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- serve(ctx, ln, 0) }()
			systemtest.Pipeline(t, s, ln.Addr().String(), 1000, 100)
			systemtest.Objects(t, systemtest.Dial(t, s, ln.Addr().String()).(system.Objects))
			cancel()
			if err := <-served; err != nil {
				t.Fatal(err)
			}
		})
	}
}
