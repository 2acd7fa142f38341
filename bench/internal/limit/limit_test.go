package limit

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/reeveq/reeve/bench/internal/system"
)

// serving serves s for the test, and returns the endpoint.
func serving(t *testing.T, s system.Served) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	endpoint := make(chan string, 1)
	var served sync.WaitGroup
	served.Go(func() {
		if err := s.Serve(ctx, system.Settings{}, func(e string) { endpoint <- e }); err != nil {
			t.Error(err)
			close(endpoint)
		}
	})
	t.Cleanup(func() { cancel(); served.Wait() })
	return <-endpoint
}

// queues are the systems that have some.
func queues() (list []system.System) {
	for _, s := range Systems() {
		if _, ok := s.(floor); ok {
			list = append(list, s)
		}
	}
	return list
}

// TestFloor_HandsOverEveryTaskAndResult puts items of several sizes, has them
// done over another connection, and collects each result once.
func TestFloor_HandsOverEveryTaskAndResult(t *testing.T) {
	for _, s := range queues() {
		t.Run(s.Name(), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			endpoint := serving(t, s.(system.Served))
			dial := func() system.Client {
				c, err := s.Dial(ctx, endpoint)
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			worker := dial()
			in, err := worker.Consume(ctx, "tasks", 20)
			if err != nil {
				t.Fatal(err)
			}
			var working sync.WaitGroup
			working.Go(func() {
				for {
					items, err := in.Next(ctx, nil, 10)
					if err != nil {
						return
					}
					var results [][]byte
					for _, item := range items {
						results = append(results, append([]byte("did "), item.Payload...))
					}
					if err := in.End(ctx, items, "results", results); err != nil {
						t.Error(err)
						return
					}
				}
			})
			defer func() { cancel(); working.Wait(); worker.Close() }()

			// One client puts and collects at the same time.
			c := dial()
			defer c.Close()
			const puts, each = 30, 50
			size := func(n int) int {
				switch n % 53 {
				case 0:
					return 200_000
				case 1:
					return 8
				}
				return 100
			}
			working.Go(func() {
				for put := range puts {
					var payloads [][]byte
					for i := range each {
						n := put*each + i
						payload := make([]byte, size(n))
						binary.BigEndian.PutUint64(payload, uint64(n))
						payloads = append(payloads, payload)
					}
					if err := c.Put(ctx, "tasks", payloads); err != nil {
						t.Error(err)
					}
				}
			})
			out, err := c.Consume(ctx, "results", 15)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[uint64]bool{}
			for len(seen) < puts*each {
				items, err := out.Next(ctx, nil, 7)
				if err != nil {
					t.Fatal(err)
				}
				for _, item := range items {
					task, ok := bytes.CutPrefix(item.Payload, []byte("did "))
					if !ok || len(task) < 8 {
						t.Fatalf("a result of %d bytes", len(item.Payload))
					}
					n := binary.BigEndian.Uint64(task)
					if seen[n] {
						t.Fatalf("the result of %d came twice", n)
					}
					seen[n] = true
				}
				if err := out.End(ctx, items, "", nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := out.Flush(ctx); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestFloor_NextEndsWithItsContext also shows that the connection goes on.
func TestFloor_NextEndsWithItsContext(t *testing.T) {
	for _, s := range queues() {
		t.Run(s.Name(), func(t *testing.T) {
			t.Parallel()
			c, err := s.Dial(t.Context(), serving(t, s.(system.Served)))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			in, err := c.Consume(t.Context(), "tasks", 1)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { _, err := in.Next(ctx, nil, 1); ended <- err }()
			cancel()
			if err := <-ended; err != context.Canceled {
				t.Fatalf("Next ended with %v", err)
			}
			if err := c.Put(t.Context(), "tasks", [][]byte{[]byte("task")}); err != nil {
				t.Fatal(err)
			}
			items, err := in.Next(t.Context(), nil, 1)
			if err != nil || len(items) != 1 || string(items[0].Payload) != "task" {
				t.Fatalf("Next: %q, %v", items, err)
			}
		})
	}
}

func TestRaw_CarriesEachKindOfTraffic(t *testing.T) {
	for _, s := range Systems() {
		r, ok := s.(raw)
		if !ok {
			continue
		}
		t.Run(s.Name(), func(t *testing.T) {
			t.Parallel()
			streams, err := r.Connect(t.Context(), serving(t, r), 3)
			if err != nil {
				t.Fatal(err)
			}
			defer streams.Close()
			for _, traffic := range []system.Traffic{
				system.PingPong, system.Window, system.Writes, system.Gathered, system.Bulk, system.PingPong,
			} {
				times, err := streams.Carry(t.Context(), traffic, 100)
				if err != nil {
					t.Errorf("%s: %v", traffic, err)
				}
				if (len(times) == 100) != (traffic == system.PingPong) {
					t.Errorf("%s: %d times", traffic, len(times))
				}
			}
		})
	}
}
