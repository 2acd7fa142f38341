package workload

import (
	"context"
	"fmt"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

const (
	pipelineConns = 4 // of the workers
	// pipelineWindow is how many tasks are put at most whose results were not
	// collected. It is what a program would do that has bounded memory, and
	// keeps the queue of a slow system as short as that of a fast one.
	pipelineWindow = 100_000
)

// pipeline is tasks that are put by one process, which collects their results,
// and done by workers with 4 connections from so many processes.
func pipeline(processes int) Workload {
	workers := "4 workers in one process"
	if processes > 1 {
		workers = fmt.Sprintf("%d worker processes", processes)
	}
	return Workload{
		Name:     fmt.Sprintf("pipeline-%d", processes),
		About:    "put → take n → n·n and acknowledge → collect, of 100 bytes; " + workers,
		settings: system.Settings{ItemBytes: itemBytes, Backlog: pipelineWindow},
		measure:  func(ctx context.Context, m *Measurement) error { return m.pipeline(ctx, processes) },
	}
}

func (m *Measurement) pipeline(ctx context.Context, processes int) error {
	for range processes {
		w, err := m.start(ctx, "work", order{Conns: pipelineConns / processes})
		if err != nil {
			return err
		}
		if _, err := m.hear(ctx, w); err != nil {
			return err
		}
	}
	d, err := m.start(ctx, "drive", order{})
	if err != nil {
		return err
	}
	n, first, err := m.warmUp(ctx, d, 500)
	if err != nil {
		return err
	}
	serverBefore, clientsBefore, known := m.usage()
	r, err := m.ask(ctx, d, order{First: first, Tasks: n})
	if err != nil {
		return err
	}
	m.add(Figure{Metric: "tasks per second", Unit: "/s", Main: true, Value: r.rate()})
	return m.ifKnown(known, func() error {
		server, clients, err := m.usage()
		m.add(Figure{Metric: "server CPU per task", Unit: "µs", Lower: true, Value: micros(server.CPU-serverBefore.CPU) / float64(n)})
		m.add(Figure{Metric: "client CPU per task", Unit: "µs", Lower: true, Value: micros(clients.CPU-clientsBefore.CPU) / float64(n)})
		m.add(Figure{Metric: "server peak memory", Unit: "B", Lower: true, Value: float64(server.Peak)})
		return err
	})
}

// warmUp has a driver do tasks until a round has taken long enough to tell how
// many are to be measured, and returns that and the number of the first. The
// first round has as many as least, and tells nothing: connecting is a part of it.
func (m *Measurement) warmUp(ctx context.Context, d *client, least int) (n, first int, err error) {
	const enough = 200 * time.Millisecond
	for n = least; ; {
		r, err := m.ask(ctx, d, order{First: first, Tasks: n})
		if err != nil {
			return 0, 0, err
		}
		warm := first > 0
		first += n
		switch {
		case m.Tasks > 0:
			return m.Tasks, first, nil
		case r.Took < enough:
			n *= 4
		case warm:
			return max(int(r.rate()*m.Time.Seconds()), least), first, nil
		}
	}
}
