package workload

import (
	"context"
	"fmt"
	"strings"

	"github.com/reeveq/reeve/bench/internal/process"
	"github.com/reeveq/reeve/bench/internal/system"
)

const (
	scaleCallers = 64
	scaleQueues  = 16
	scaleConns   = 4 // of those who use so many queues
)

var scaleDepths = []int{10, 1000, 100_000, 1_000_000}

// scaling is how this project's server does with more of everything.
func scaling() Workload {
	return Workload{
		Name: "scaling",
		About: fmt.Sprintf("this project: %d goroutines on one connection and on %[1]d; one queue and %d; the cost of a task by how many are queued",
			scaleCallers, scaleQueues),
		fits: func(s system.System) error {
			if s.Group() != system.Reeve || s.Batch() == 1 {
				return fmt.Errorf("scaling is of this project, in batches: %w", system.ErrUnsupported)
			}
			return nil
		},
		settings: system.Settings{ItemBytes: itemBytes, Backlog: scaleDepths[len(scaleDepths)-1] + 1000, Queues: scaleNames()},
		measure:  func(ctx context.Context, m *Measurement) error { return m.scaling(ctx) },
	}
}

// scaleNames are the queues: one for each caller.
func scaleNames() (names []string) {
	for i := range scaleCallers {
		names = append(names, fmt.Sprint("q", i))
	}
	return names
}

func (m *Measurement) scaling(ctx context.Context) error {
	c, err := m.start(ctx, "scale", order{})
	if err != nil {
		return err
	}
	rate := func(metric string, main bool, o order) error {
		o.Time = m.Time / 2
		if m.Tasks > 0 {
			o.Tasks, o.Time = m.Tasks, 0
		}
		r, err := m.ask(ctx, c, o)
		m.add(Figure{Metric: metric, Unit: "/s", Main: main, Value: r.rate()})
		return err
	}
	for _, err := range []error{
		rate(fmt.Sprintf("one by one per second, %d goroutines on 1 connection", scaleCallers), true,
			order{Op: "trips", Callers: scaleCallers, Conns: 1}),
		rate(fmt.Sprintf("one by one per second, 1 on each of %d", scaleCallers), false,
			order{Op: "trips", Callers: scaleCallers, Conns: scaleCallers}),
		rate("in batches per second, 1 queue", false,
			order{Op: "flow", Callers: scaleQueues, Conns: scaleConns, Queues: 1}),
		rate(fmt.Sprintf("in batches per second, %d queues", scaleQueues), false,
			order{Op: "flow", Callers: scaleQueues, Conns: scaleConns, Queues: scaleQueues}),
	} {
		if err != nil {
			return err
		}
	}
	return m.depths(ctx, c)
}

// depths measures what a task costs the server that is put and taken, with so
// many others before it.
func (m *Measurement) depths(ctx context.Context, c *client) error {
	queued := 0
	for _, depth := range scaleDepths {
		if _, err := m.ask(ctx, c, order{Op: "fill", First: queued, Tasks: depth - queued}); err != nil {
			return err
		}
		queued = depth
		before, known := process.Tree(m.server.PID)
		o := order{Op: "rounds", Time: m.Time / 2}
		if m.Tasks > 0 {
			o.Tasks, o.Time = m.Tasks/m.System.Batch()+1, 0
		}
		r, err := m.ask(ctx, c, o)
		if err != nil {
			return err
		}
		err = m.ifKnown(known, func() error {
			after, err := process.Tree(m.server.PID)
			m.add(Figure{Metric: fmt.Sprintf("server CPU per task, %s queued", grouped(depth)), Unit: "µs", Lower: true,
				Value: micros(after.CPU-before.CPU) / float64(r.Tasks)})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// grouped writes a number with commas.
func grouped(n int) string {
	s := fmt.Sprint(n)
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, parts...), ",")
}
