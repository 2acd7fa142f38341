package workload

import (
	"context"
	"fmt"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

const (
	durablePuts  = 1000    // one by one, at most
	durableBlock = 4 << 10 // what a disk writes at least for one put
)

// durable is a pipeline in which nothing that was confirmed is lost in a power
// cut, and the disk by itself.
func durable() Workload {
	w := pipeline(pipelineConns)
	w.Name = "durable"
	w.About = fmt.Sprintf("as pipeline-%d, with everything synced to the disk before it is confirmed; one put that is waited for", pipelineConns)
	w.disks = true
	w.settings.Durable = true
	w.measure = func(ctx context.Context, m *Measurement) error {
		if d, ok := m.System.(system.Disk); ok {
			return m.disk(ctx, d)
		}
		if err := m.pipeline(ctx, pipelineConns); err != nil {
			return err
		}
		r, err := m.ask(ctx, m.clients[len(m.clients)-1], order{Op: "put", Tasks: durablePuts, Time: m.Time / 4})
		m.onePut(r.P50)
		return err
	}
	return w
}

func (m *Measurement) onePut(took time.Duration) {
	m.add(Figure{Metric: "one put, median", Unit: "µs", Lower: true, Value: micros(took)})
}

// disk is what a disk allows: no put is durable before a block is, and only so
// many groups of them are in a second.
func (m *Measurement) disk(ctx context.Context, d system.Disk) error {
	o := order{Tasks: m.Tasks}
	if m.Tasks == 0 {
		o = order{Tasks: 1_000_000, Time: m.Time}
	}
	took, err := d.Append(ctx, m.server.Endpoint, durableBlock, o.Tasks, o.Time)
	if err != nil {
		return err
	}
	r := middle(took)
	for _, t := range took {
		r.Took += t
	}
	m.onePut(r.P50)
	m.add(Figure{Metric: fmt.Sprintf("blocks of %d KiB synced per second", durableBlock>>10), Unit: "/s", Value: r.rate()})
	return nil
}
