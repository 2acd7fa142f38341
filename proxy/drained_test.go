package proxy_test

import (
	"context"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// A drained worker closes its client while the answer is under way.
func TestControl_TheReportOfWhatClosesTheClientArrives(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		cfg := m.ClientConfig()
		var c *proxy.Client
		closed := make(chan struct{})
		cfg.Control = func(ctx context.Context, _ reeve.Command) (*reeve.WorkerStatus, error) {
			go func() { // received below
				defer close(closed)
				c.Close()
			}()
			<-ctx.Done()
			return &reeve.WorkerStatus{Draining: true}, nil
		}
		var err error
		if c, err = proxy.Dial(t.Context(), m.Addr(), cfg); err != nil {
			t.Fatal(err)
		}
		reports, err := m.Manager().Command(t.Context(), reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandDrain}, 0)
		if err != nil || len(reports) != 1 || reports[0].Status == nil || !reports[0].Status.Draining {
			t.Errorf("%+v, %v", reports, err)
		}
		<-closed
	})
}
