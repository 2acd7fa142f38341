package manager_test

// What calls of shared objects cost, over loopback TCP, beside what a queue costs
// in the same run: every benchmark reports its ratio to a put and get of as much.

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/shared"
)

// scores is what a user might share.
type scores interface {
	Add(ctx context.Context, name string, n int) (int, error)
}

type table struct {
	mu sync.Mutex
	n  map[string]int
}

func (t *table) Add(_ context.Context, name string, n int) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n[name] += n
	return t.n[name], nil
}

// took are the times of many rounds. Its median does not mind that the machine does
// something else for a while.
type took []time.Duration

func (t *took) time(f func()) {
	at := time.Now()
	f()
	*t = append(*t, time.Since(at))
}

func (t took) median() float64 {
	slices.Sort(t)
	return float64(t[len(t)/2])
}

// beside measures f against base, in turns, so that both meet the same noise, and
// reports how many of base one f takes.
func beside(b *testing.B, base, f func()) {
	var own, other took
	for b.Loop() {
		own.time(f)
		other.time(base)
	}
	b.ReportMetric(own.median()/other.median(), "ratio")
	b.ReportMetric(own.median()/1e3, "own-µs")
	b.ReportMetric(other.median()/1e3, "base-µs")
}

func BenchmarkObjects(b *testing.B) {
	m, addr, cfg := listenTCP(b, manager.Config{}, "tasks")
	if err := manager.Register[scores](m, "scores", &table{n: map[string]int{}}); err != nil {
		b.Fatal(err)
	}
	c := benchDial(b, addr, cfg)
	ctx := b.Context()
	check := func(err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	q, task := c.Queue("tasks"), []reeve.Task{{Payload: make([]byte, 16)}}
	putGet := func() {
		_, err := q.Put(ctx, task)
		check(err)
		ls, err := q.Get(ctx, 1)
		check(err)
		ls[0].Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
	}
	// The least that a round trip of a call can be: a read of one value.
	cell, err := shared.NewValue(ctx, c, "cell", 7, shared.ValueConfig{})
	check(err)
	echo := func() {
		_, err := cell.Get(ctx)
		check(err)
	}
	x := shared.ObjectOf(c, "scores")
	add := func() {
		_, err := shared.Call[int](ctx, x, "Add", "ada", 1)
		check(err)
	}
	lock, err := shared.NewLock(ctx, c, "lock", shared.LockConfig{})
	check(err)
	lockUnlock := func() {
		h, err := lock.Acquire(ctx)
		check(err)
		check(h.Release(ctx))
	}
	scoresOf, err := shared.NewMap[string, int](ctx, c, "map", shared.MapConfig{})
	check(err)
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = string(rune('a'+i%26)) + time.Duration(i).String()
		check(scoresOf.Set(ctx, keys[i], i))
	}
	getMany := func() {
		got, err := scoresOf.GetMany(ctx, keys...)
		if check(err); len(got) != len(keys) {
			b.Fatalf("%d keys", len(got))
		}
	}
	getEach := func() {
		got, _, err := scoresOf.GetEach(ctx, keys...)
		if check(err); got[7] != 7 {
			b.Fatalf("%d keys", len(got))
		}
	}
	b.Run("get-each-of-1000∕echo", func(b *testing.B) { beside(b, echo, getEach) })
	b.Run("echo∕put+get", func(b *testing.B) { beside(b, putGet, echo) })
	b.Run("method∕echo", func(b *testing.B) { beside(b, echo, add) })
	b.Run("method∕put+get", func(b *testing.B) { beside(b, putGet, add) })
	b.Run("lock+unlock∕echo", func(b *testing.B) { beside(b, echo, lockUnlock) })
	b.Run("lock+unlock∕put+get", func(b *testing.B) { beside(b, putGet, lockUnlock) })
	b.Run("get-1000-keys∕echo", func(b *testing.B) { beside(b, echo, getMany) })
	b.Run("get-1000-keys∕put+get", func(b *testing.B) { beside(b, putGet, getMany) })
	b.Run("64-callers∕1", func(b *testing.B) { concurrently(b, add) })
}

// concurrently measures how many times as fast 64 goroutines call over one client
// as one does. A round is short, so that both meet the same noise.
func concurrently(b *testing.B, f func()) {
	const callers, each, alone = 64, 16, 32
	var one, all took
	for b.Loop() {
		one.time(func() {
			for range alone {
				f()
			}
		})
		all.time(func() {
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for range each {
						f()
					}
				})
			}
			wg.Wait()
		})
	}
	b.ReportMetric(callers*each/all.median()/(alone/one.median()), "times-one")
	b.ReportMetric(callers*each/all.median()*1e9, "calls/s")
}
