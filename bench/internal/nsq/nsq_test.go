package nsq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

func TestMain(m *testing.M) {
	code := m.Run()
	_ = program.Clean()
	os.Exit(code)
}

// started starts the server of s, or says loudly that it is not here.
func started(t *testing.T, s system.System, set system.Settings) *system.Server {
	t.Helper()
	set.Dir, set.Log = t.TempDir(), t.Output()
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

func consuming(t *testing.T, c system.Client, queue string, prefetch int) system.Consumer {
	t.Helper()
	in, err := c.Consume(t.Context(), queue, prefetch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

// take takes and ends n items, at most 7 at a time, and counts how often each
// payload came. With an empty to it puts no results.
func take(ctx context.Context, in system.Consumer, n int, to string) (map[string]int, error) {
	got := map[string]int{}
	for taken := 0; taken < n; {
		items, err := in.Next(ctx, nil, 7)
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
		if err := in.End(ctx, items, to, results); err != nil {
			return got, err
		}
		taken += len(items)
	}
	return got, in.Flush(ctx)
}

func TestSystems_GiveEachItemAndResultOnce(t *testing.T) {
	for _, s := range Systems() {
		for _, durable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s durable %t", s.Name(), durable), func(t *testing.T) {
				server := started(t, s, system.Settings{Durable: durable})
				if server == nil {
					return
				}
				if server.Version == "" || server.PID == 0 {
					t.Errorf("the server is %+v", server)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				const n = 100
				payloads := make([][]byte, n)
				for i := range payloads {
					payloads[i] = fmt.Append(nil, i)
				}
				// Before anybody takes them, and in a queue that is new.
				if err := dialed(t, s, server).Put(ctx, "tasks", payloads); err != nil {
					t.Fatal(err)
				}
				if _, err := take(ctx, consuming(t, dialed(t, s, server), "tasks", 20), n, "results"); err != nil {
					t.Fatal(err)
				}
				results, err := take(ctx, consuming(t, dialed(t, s, server), "results", 20), n, "")
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range payloads {
					if k := "of " + string(p); results[k] != 1 {
						t.Errorf("%q came %d times", k, results[k])
					}
				}
			})
		}
	}
}

func TestSystems_PassLargeItemsAndEndWithTheContext(t *testing.T) {
	for _, s := range Systems() {
		t.Run(s.Name(), func(t *testing.T) {
			const size = 1 << 20
			server := started(t, s, system.Settings{ItemBytes: size})
			if server == nil {
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c := dialed(t, s, server)
			in := consuming(t, c, "tasks", 4)
			payloads := make([][]byte, 12) // more than fit in one command or window
			for i := range payloads {
				payloads[i] = bytes.Repeat([]byte{byte(i)}, size)
			}
			put := make(chan error, 1)
			go func() { put <- c.Put(ctx, "tasks", payloads) }()
			got, err := take(ctx, in, len(payloads), "")
			if err := errors.Join(err, <-put); err != nil {
				t.Fatal(err)
			}
			for i, p := range payloads {
				if got[string(p)] != 1 {
					t.Errorf("item %d came %d times", i, got[string(p)])
				}
			}
			short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			if items, err := in.Next(short, nil, 1); !errors.Is(err, context.DeadlineExceeded) || len(items) > 0 {
				t.Errorf("Next of an empty queue: %d items, %v", len(items), err)
			}
		})
	}
}
