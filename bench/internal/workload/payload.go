package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
	"golang.org/x/sync/errgroup"
)

const (
	payloadBytes   = 1 << 20
	payloadWindow  = 32 // items under way at most
	payloadPutters = 4
	payloadHeld    = 8   // by the consumer
	payloadShare   = 100 // of the tasks that were asked for, one is such an item
)

// payload is large items.
func payload() Workload {
	return Workload{
		Name:     "payload",
		About:    "items of 1 MiB, put over one connection, taken and acknowledged over another",
		settings: system.Settings{ItemBytes: payloadBytes, Backlog: payloadWindow},
		measure: func(ctx context.Context, m *Measurement) error {
			c, err := m.start(ctx, "carry", order{})
			if err != nil {
				return err
			}
			n, _, err := m.warmUp(ctx, c, 16)
			if err != nil {
				return err
			}
			before, _, known := m.usage()
			if m.Tasks > 0 {
				n = max(m.Tasks/payloadShare, 1)
			}
			r, err := m.ask(ctx, c, order{Tasks: n})
			if err != nil {
				return err
			}
			m.add(Figure{Metric: "payload", Unit: "MB/s", Main: true, Value: r.rate() * payloadBytes / 1e6})
			return m.ifKnown(known, func() error {
				after, _, err := m.usage()
				m.add(Figure{Metric: "server CPU per MiB", Unit: "µs", Lower: true, Value: micros(after.CPU-before.CPU) / float64(n)})
				m.add(Figure{Metric: "server peak memory", Unit: "B", Lower: true, Value: float64(after.Peak)})
				return err
			})
		},
	}
}

// carry puts large items over one connection and takes them over another.
func (j *job) carry(ctx context.Context) error {
	from, err := j.dial(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := j.dial(ctx)
	if err != nil {
		return err
	}
	defer to.Close()
	in, err := to.Consume(ctx, tasksQueue, payloadHeld)
	if err != nil {
		return err
	}
	defer in.Close()
	content := make([]byte, payloadBytes) // of all of them; nothing that could be made smaller
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content)
	return j.each(func(o order) (report, error) {
		began := time.Now()
		team, ctx := errgroup.WithContext(ctx)
		w := newWindow(payloadWindow)
		defer context.AfterFunc(ctx, w.close)()
		source := &source{left: o.Tasks, batch: 1, window: w}
		for range payloadPutters {
			team.Go(func() error {
				return source.put(ctx, func(_, _ int) error { return from.Put(ctx, tasksQueue, [][]byte{content}) })
			})
		}
		team.Go(func() error { return unload(ctx, in, o.Tasks, w) })
		err := team.Wait()
		return report{Tasks: o.Tasks, Took: time.Since(began)}, err
	})
}

// unload takes and acknowledges n items.
func unload(ctx context.Context, in system.Consumer, n int, w *window) error {
	var items []system.Item
	var err error
	for n > 0 {
		if items, err = in.Next(ctx, items[:0], payloadHeld); err != nil {
			return err
		}
		for _, item := range items {
			if len(item.Payload) != payloadBytes {
				return fmt.Errorf("an item has %d bytes, not %d", len(item.Payload), payloadBytes)
			}
		}
		if err := in.End(ctx, items, "", nil); err != nil {
			return err
		}
		w.give(len(items))
		n -= len(items)
	}
	return in.Flush(ctx)
}
