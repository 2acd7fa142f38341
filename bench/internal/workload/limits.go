package workload

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

// limits are what the bare transports carry, each kind of traffic by itself.
func limits() []Workload {
	const message = "messages of 104 bytes"
	return []Workload{
		limit("limits-pingpong-1", "there and back, one at a time on 1 stream: "+message, system.PingPong, 1),
		limit("limits-pingpong-32", "there and back, one at a time on each of 32 streams: "+message, system.PingPong, 32),
		limit("limits-window", fmt.Sprintf("there and back, %d under way on 1 stream, gathered: %s", system.WindowTraffic, message), system.Window, 1),
		limit("limits-writes", "one way on 1 stream, each in a write of its own: "+message, system.Writes, 1),
		limit("limits-gathered", "one way on 1 stream, 64 KiB in a write: "+message, system.Gathered, 1),
		limit("limits-bulk", "bytes one way on 1 stream, 256 KiB in a write", system.Bulk, 1),
	}
}

func limit(name, about string, traffic system.Traffic, streams int) Workload {
	return Workload{
		Name: name, About: about, transports: true,
		measure: func(ctx context.Context, m *Measurement) error { return m.limit(ctx, traffic, streams) },
	}
}

func (m *Measurement) limit(ctx context.Context, traffic system.Traffic, streams int) error {
	c, err := m.start(ctx, "transport", order{Op: string(traffic), Conns: streams})
	if err != nil {
		return err
	}
	n, _, err := m.warmUp(ctx, c, 10*streams)
	if err != nil {
		return err
	}
	serverBefore, clientBefore, known := m.usage()
	if m.Tasks > 0 && traffic == system.Bulk {
		n = max(m.Tasks/payloadShare, 1)
	}
	r, err := m.ask(ctx, c, order{Tasks: n})
	if err != nil {
		return err
	}
	each := "message"
	switch traffic {
	case system.PingPong:
		m.add(Figure{Metric: "there and back, median", Unit: "µs", Lower: true, Main: true, Value: micros(r.P50)})
		m.add(Figure{Metric: "there and back, 99th percentile", Unit: "µs", Lower: true, Value: micros(r.P99)})
		m.add(Figure{Metric: "messages per second", Unit: "/s", Value: r.rate()})
	case system.Bulk:
		each = "256 KiB"
		m.add(Figure{Metric: "bytes", Unit: "MB/s", Main: true, Value: r.rate() * system.PieceBytes / 1e6})
	default:
		m.add(Figure{Metric: "messages per second", Unit: "/s", Main: true, Value: r.rate()})
	}
	return m.ifKnown(known, func() error {
		server, client, err := m.usage()
		per := func(d time.Duration) float64 { return micros(d) / float64(n) }
		m.add(Figure{Metric: "server CPU per " + each, Unit: "µs", Lower: true, Value: per(server.CPU - serverBefore.CPU)})
		m.add(Figure{Metric: "client CPU per " + each, Unit: "µs", Lower: true, Value: per(client.CPU - clientBefore.CPU)})
		return err
	})
}

// transport sends over streams what its first order names, as much as the
// others say.
func (j *job) transport(ctx context.Context) error {
	streams, err := j.sys.(system.Transport).Connect(ctx, j.endpoint, j.first.Conns)
	if err != nil {
		return err
	}
	defer streams.Close()
	return j.each(func(o order) (report, error) {
		began := time.Now()
		times, err := streams.Carry(ctx, system.Traffic(j.first.Op), o.Tasks)
		r := report{Tasks: o.Tasks, Took: time.Since(began)}
		if slices.Sort(times); len(times) > 0 {
			r.P50, r.P99 = times[len(times)/2], times[len(times)*99/100]
		}
		return r, err
	})
}
