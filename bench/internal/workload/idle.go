package workload

import (
	"context"
	"fmt"
	"time"

	"github.com/reeveq/reeve/bench/internal/process"
	"github.com/reeveq/reeve/bench/internal/system"
	"golang.org/x/sync/errgroup"
)

const (
	idleFirst   = 10 // connections before the first look at the memory
	idleDials   = 16 // at a time
	idleDeliver = 31 // items of which the median is taken

	// A server may give memory back some seconds after it has come to rest; how
	// long the memory must not have changed, and how long that is waited for.
	startRest, idleRest, idlePatience = 3 * time.Second, 8 * time.Second, 20 * time.Second
)

// idle is n connections that wait, and an item for one of them.
func idle(n int) Workload {
	return Workload{
		Name:     fmt.Sprintf("idle-%d", n),
		About:    fmt.Sprintf("%d connections with a consumer that waits, and an item for one of them", n),
		settings: system.Settings{ItemBytes: itemBytes, Backlog: 1000},
		measure:  func(ctx context.Context, m *Measurement) error { return m.idle(ctx, n) },
	}
}

func (m *Measurement) idle(ctx context.Context, n int) error {
	c, err := m.start(ctx, "park", order{})
	if err != nil {
		return err
	}
	if _, err = m.ask(ctx, c, order{Conns: idleFirst}); err != nil {
		return err
	}
	_, known := process.Tree(m.server.PID)
	before := int64(0)
	if known == nil {
		if before, err = m.settled(ctx, startRest, idlePatience); err != nil {
			return err
		}
	}
	if _, err = m.ask(ctx, c, order{Conns: n}); err != nil {
		return err
	}
	err = m.ifKnown(known, func() error {
		after, err := m.settled(ctx, idleRest, idlePatience)
		m.add(Figure{Metric: "server memory each", Unit: "B", Lower: true, Main: true, Value: float64(after-before) / float64(n)})
		return err
	})
	if err != nil {
		return err
	}
	r, err := m.ask(ctx, c, order{Op: "deliver", Tasks: idleDeliver})
	if err != nil {
		return err
	}
	m.add(Figure{Metric: "put to get, median", Unit: "µs", Lower: true, Value: micros(r.P50)})
	return nil
}

// parkMany opens connections whose consumers wait, as many as an order says, or
// puts items for one of them.
func (j *job) parkMany(ctx context.Context) error {
	own, err := j.dial(ctx)
	if err != nil {
		return err
	}
	defer own.Close()
	arrivals, number := make(chan arrival), uint64(0)
	next := make(chan struct{}, 1)
	next <- struct{}{}
	return j.each(func(o order) (report, error) {
		if o.Op == "deliver" {
			return j.timed(o, func() (time.Duration, error) {
				number++
				return trip(ctx, own, number, arrivals, next)
			})
		}
		var team errgroup.Group
		team.SetLimit(idleDials)
		for range o.Conns {
			team.Go(func() error {
				c, err := j.dial(ctx) // it ends with the process
				if err != nil {
					return err
				}
				return park(ctx, c, arrivals, next)
			})
		}
		return report{Tasks: o.Conns}, team.Wait()
	})
}
