package managertest_test

import (
	"context"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// plug connects a client with a cable of its own; cfg needs no key.
func plug(ctx context.Context, m *managertest.Master, cfg proxy.Config) (*proxy.Client, *memnet.Cable, error) {
	of := m.ClientConfig()
	c := memnet.NewCable(of.Dialer)
	cfg.AuthKey, cfg.Dialer = of.AuthKey, c.Dial
	client, err := proxy.Dial(ctx, m.Addr(), cfg)
	return client, c, err
}

// connect makes a client of the round, which suffers faults.
func (w *world) connect(name string, control func(context.Context, reeve.Command) (*reeve.WorkerStatus, error)) (*proxy.Client, *memnet.Cable) {
	client, cable, err := plug(context.Background(), w.m, proxy.Config{Name: name, Control: control})
	if err != nil {
		w.t.Errorf("%s: %v", name, err)
		panic(err) // nothing would make sense any more
	}
	w.t.Cleanup(func() { client.Close() })
	w.mu.Lock()
	w.cables = append(w.cables, cable)
	w.mu.Unlock()
	return client, cable
}

// breakThings harms one connection after the other.
func (w *world) breakThings(ctx context.Context) {
	d := w.rand("faults", 0)
	var healing sync.WaitGroup
	defer healing.Wait()
	for ctx.Err() == nil {
		sleep(ctx, d.upTo(600*time.Millisecond))
		w.mu.Lock()
		cables := w.cables
		w.mu.Unlock()
		if len(cables) == 0 {
			continue
		}
		c := pick(d, cables[max(0, len(cables)-12):])
		switch d.IntN(6) {
		case 0:
			c.Last().Reset()
		case 1:
			c.Last().CutAfter(d.IntN(300))
		case 2:
			c.Last().Peer().CutAfter(d.IntN(300))
		case 3:
			c.Last().BlackHole() // this connection only: it is noticed and another made
		case 4:
			c.Last().Peer().StallAfter(d.IntN(300))
		default:
			c.BlackHole()
			dark := d.upTo(9 * time.Second) // shorter than the leases, or longer
			healing.Go(func() {
				sleep(ctx, dark)
				c.Heal()
			})
		}
	}
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
