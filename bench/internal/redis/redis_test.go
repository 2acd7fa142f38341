package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

// start starts the server of s, or says loudly that it is not here.
func start(t *testing.T, s system.System, set system.Settings) *system.Server {
	t.Helper()
	set.Dir = t.TempDir()
	server, err := s.Start(t.Context(), set)
	if errors.Is(err, system.ErrAbsent) {
		fmt.Fprintf(os.Stderr, "\nNOT TESTED: %s: %v\n\n", s.Name(), err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func dialed(t *testing.T, s system.System, server *system.Server) system.Client {
	t.Helper()
	c, err := s.Dial(t.Context(), server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func consumer(t *testing.T, c system.Client, queue string, prefetch int) system.Consumer {
	t.Helper()
	taker, err := c.Consume(t.Context(), queue, prefetch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := taker.Close(); err != nil {
			t.Error(err)
		}
	})
	return taker
}

// take takes and ends n items, and counts how often each payload came. With an
// empty to it puts no results.
func take(ctx context.Context, taker system.Consumer, n, batch int, to string) (map[string]int, error) {
	got := map[string]int{}
	for taken := 0; taken < n; {
		items, err := taker.Next(ctx, nil, batch)
		if err != nil {
			return got, err
		}
		var results [][]byte
		for _, item := range items {
			got[string(item.Payload)]++
			if to != "" {
				results = append(results, append([]byte("of "), item.Payload...))
			}
		}
		first := min(1, len(results))
		if err := errors.Join(taker.End(ctx, items[:1], to, results[:first]), taker.End(ctx, items[1:], to, results[first:])); err != nil {
			return got, err
		}
		taken += len(items)
	}
	return got, taker.Flush(ctx)
}

// payload is long enough that a worker's pipeline does not reach the server in
// one piece, and puts come in between.
func payload(n int) []byte { return fmt.Appendf(nil, "%100d", n) }

func TestSystems_GiveEachItemAndResultOnce(t *testing.T) {
	for _, s := range Systems() {
		for _, durable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s durable %t", s.Name(), durable), func(t *testing.T) {
				server := start(t, s, system.Settings{Durable: durable})
				if server == nil {
					return
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				n := 40 * s.Batch()
				if durable {
					n = 5 * s.Batch()
				}
				prefetch := 2 * s.Batch()
				putter, worker, collector := dialed(t, s, server), dialed(t, s, server), dialed(t, s, server)
				type taken struct {
					got map[string]int
					err error
				}
				worked := make(chan taken, 1)
				tasks := consumer(t, worker, "tasks", prefetch) // before there is anything to take
				go func() {
					got, err := take(ctx, tasks, n, s.Batch(), "results")
					worked <- taken{got, err}
				}()
				var payloads [][]byte
				for i := range n {
					payloads = append(payloads, payload(i))
				}
				for some := range slices.Chunk(payloads, max(1, s.Batch()/3)) { // the worker takes meanwhile
					if err := putter.Put(ctx, "tasks", some); err != nil {
						t.Fatal(err)
					}
				}
				if w := <-worked; w.err != nil {
					t.Fatal(w.err)
				}
				results, err := take(ctx, consumer(t, collector, "results", prefetch), n, s.Batch(), "")
				if err != nil {
					t.Fatal(err)
				}
				for i := range n {
					if got := results["of "+string(payload(i))]; got != 1 {
						t.Errorf("the result of %d came %d times", i, got)
					}
				}
				db := dial(server.Endpoint)
				defer db.Close()
				for _, key := range db.pool.Keys(ctx, "*").Val() {
					if left := db.pool.XLen(ctx, key).Val(); s != (streams{}) || left != 0 {
						t.Errorf("%s is left, with %d entries if it is a stream", key, left)
					}
				}
			})
		}
	}
}

func TestNext_EndsWithItsContextAndLosesNothing(t *testing.T) {
	for _, s := range Systems() {
		t.Run(s.Name(), func(t *testing.T) {
			server := start(t, s, system.Settings{})
			if server == nil {
				return
			}
			client := dialed(t, s, server)
			taker := consumer(t, client, "tasks", 1)
			short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if items, err := taker.Next(short, nil, 1); !errors.Is(err, context.DeadlineExceeded) || len(items) != 0 {
				t.Fatalf("Next of an empty queue: %d items, %v", len(items), err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := client.Put(ctx, "tasks", [][]byte{[]byte("late")}); err != nil {
				t.Fatal(err)
			}
			items, err := taker.Next(ctx, nil, 1)
			if err != nil || len(items) != 1 || string(items[0].Payload) != "late" {
				t.Fatalf("Next afterwards: %v, %v", items, err)
			}
			if _, err := taker.Next(ctx, nil, 1); err == nil {
				t.Fatal("Next gave more than the prefetch")
			}
		})
	}
}

func TestObjects_DoWhatTheySay(t *testing.T) {
	server := start(t, lists{}, system.Settings{})
	if server == nil {
		return
	}
	o := dialed(t, lists{}, server).(system.Objects)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := o.Call(ctx); err != nil {
		t.Error("Call:", err)
	}
	if err := o.Get(ctx, "k"); err == nil {
		t.Error("Get found a key that nobody set")
	}
	if err := errors.Join(o.Set(ctx, "k"), o.Get(ctx, "k")); err != nil {
		t.Error("Set, Get:", err)
	}
	const callers = 8
	locked := make(chan error, callers)
	for range callers {
		go func() { locked <- o.Lock(ctx) }()
	}
	for range callers {
		if err := <-locked; err != nil {
			t.Error("Lock:", err)
		}
	}
}
