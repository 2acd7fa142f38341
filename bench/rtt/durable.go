package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
)

// durable measures what one put by one client that waits for it takes: to a
// master with a journal, to one without, and a write with its sync by itself,
// all in turns.
func durable(n, size int, dir string) error {
	raw, err := newRaw(filepath.Join(dir, "raw"), n)
	if err != nil {
		return err
	}
	defer raw.Close()
	kept, stopKept, err := start(filepath.Join(dir, "journal"))
	if err != nil {
		return err
	}
	defer stopKept()
	bare, stopBare, err := start("")
	if err != nil {
		return err
	}
	defer stopBare()

	payload := make([]byte, size)
	var disk, memory, whole []time.Duration
	const turn = 100
	for done := 0; done < n; done += turn {
		for i := range turn {
			began := time.Now()
			if _, err := raw.WriteAt(make([]byte, 150), int64(done+i)*4096); err != nil {
				return err
			}
			if err := datasync(raw); err != nil {
				return err
			}
			disk = append(disk, time.Since(began))
		}
		if memory, err = puts(bare, payload, turn, memory); err != nil {
			return err
		}
		if whole, err = puts(kept, payload, turn, whole); err != nil {
			return err
		}
	}
	d, m, w := print("sync", disk), print("put, memory", memory), print("put, journal", whole)
	fmt.Printf("a durable put takes %.2f times a sync and a round trip\n", float64(w)/float64(d+m))
	return nil
}

func puts(c *proxy.Client, payload []byte, n int, took []time.Duration) ([]time.Duration, error) {
	q := c.Queue("tasks")
	for range n {
		began := time.Now()
		if _, err := q.Put(context.Background(), []reeve.Task{{Payload: payload}}); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// print prints the median and returns it.
func print(name string, d []time.Duration) time.Duration {
	slices.Sort(d)
	p50, p99 := d[len(d)/2], d[len(d)*99/100]
	fmt.Printf("%-13s p50 %v  p99 %v\n", name, p50, p99)
	return p50
}

// newRaw makes a file of n blocks that were written before.
func newRaw(name string, n int) (*os.File, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	zeros := make([]byte, 1<<20)
	for off := int64(0); off < int64(n+100)*4096; off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros, off); err != nil {
			return nil, err
		}
	}
	return f, f.Sync()
}
