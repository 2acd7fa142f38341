package manager_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

// BenchmarkLimits moves the same tasks through a queue with a limit that does
// not bind and through one without, in turn, over the whole stack, and reports
// which part of the throughput is left: 1 is all of it.
func BenchmarkLimits(b *testing.B) {
	const tasks, keys = 4000, 2000
	wide := reeve.Rate{Tasks: 1_000_000_000, Burst: 1_000_000}
	key := func(i int) *reeve.Rules { return &reeve.Rules{Key: "host-" + strconv.Itoa(i%keys)} }
	for _, c := range []struct {
		name  string
		cfg   reeve.QueueConfig
		rules func(i int) *reeve.Rules // with the limit, and but for unique keys without it
	}{
		{"concurrency", reeve.QueueConfig{Concurrency: 1 << 20}, nil},
		{"type-concurrency", reeve.QueueConfig{TypeConcurrency: map[string]int{"": 1 << 20}}, nil},
		{"rate", reeve.QueueConfig{Rate: wide}, nil},
		{"reserve", reeve.QueueConfig{Reserve: reeve.Reserve{Slots: 1, Priority: 1}}, nil},
		{"key-concurrency", reeve.QueueConfig{KeyConcurrency: 64}, key},
		{"key-rate", reeve.QueueConfig{KeyRate: wide, KeyConcurrency: reeve.NoLimit}, key},
		{"unique", reeve.QueueConfig{}, func(i int) *reeve.Rules { return &reeve.Rules{Unique: "page-" + strconv.Itoa(i)} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			m, addr, cfg := listenTCP(b, manager.Config{})
			for name, cfg := range map[string]reeve.QueueConfig{"on": c.cfg, "off": {KeyConcurrency: reeve.NoLimit}} {
				if _, err := m.Queue(name, cfg); err != nil {
					b.Fatal(err)
				}
			}
			without := c.rules
			if c.name == "unique" {
				without = nil
			}
			producer, worker := benchDial(b, addr, cfg), benchDial(b, addr, cfg)
			move := func(name string, rules func(i int) *reeve.Rules) time.Duration {
				batch := make([]reeve.Task, tasks)
				for i := range batch {
					batch[i].Payload = make([]byte, 100)
					if rules != nil {
						batch[i].Rules = rules(i)
					}
				}
				return moveAll(b, producer.Queue(name), worker, name, batch)
			}
			var ratios []float64
			for b.Loop() {
				off := move("off", without)
				ratios = append(ratios, float64(off)/float64(move("on", c.rules)))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "throughput-on/off")
		})
	}
}

// moveAll puts the batch, in pieces of 500, while worker takes and acks it.
func moveAll(b *testing.B, q reeve.Queue, worker *proxy.Client, name string, batch []reeve.Task) time.Duration {
	start := time.Now()
	supply, err := worker.Queue(name).Consume(b.Context(), 1024)
	if err != nil {
		b.Fatal(err)
	}
	defer supply.Close()
	put := make(chan error, 1)
	go func() { // waited for below
		var err error
		for piece := range slices.Chunk(batch, 500) {
			if _, e := q.Put(b.Context(), piece); e != nil {
				err = fmt.Errorf("put: %w", e)
				break
			}
		}
		put <- err
	}()
	acked := make(chan error, len(batch))
	for range batch {
		l, err := supply.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		l.Settle(&reeve.Outcome{Verb: reeve.Ack}, func(err error) { acked <- err })
	}
	for range batch {
		if err := <-acked; err != nil {
			b.Fatal(err)
		}
	}
	if err := <-put; err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
