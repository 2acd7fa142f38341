package proxy_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
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

// A master may close the connection the moment it has read the goodbye, before
// its writer here knows that it is written.
func TestClose_DoesNotWaitForWhatACutConnectionCannotSay(t *testing.T) {
	withMaster(t, func(t *testing.T, m *fake) {
		begun, release := make(chan struct{}), make(chan struct{})
		c, s := m.dial(func(cfg *proxy.Config) {
			cfg.Control = func(context.Context, reeve.Command) (*reeve.WorkerStatus, error) {
				close(begun)
				<-release
				return nil, nil
			}
		})
		s.tell(wire.Command{Seq: 1, Kind: "drain"})
		<-begun
		closed := async(func() (time.Time, error) { err := c.Close(); return time.Now(), err })
		synctest.Wait() // it waits for the report
		s.drop()
		synctest.Wait()
		now := time.Now()
		close(release)
		if at, err := await(t, "Close", closed); err != nil || !at.Equal(now) {
			t.Errorf("%v, after %v", err, at.Sub(now))
		}
	})
}
