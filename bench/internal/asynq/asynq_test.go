package asynq

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

// start starts the server, or says loudly that it is not here.
func start(t *testing.T, q *queues, set system.Settings) *system.Server {
	t.Helper()
	set.Dir = t.TempDir()
	server, err := q.Start(t.Context(), set)
	if errors.Is(err, system.ErrAbsent) {
		fmt.Fprintf(os.Stderr, "\nNOT TESTED: %s: %v\n\n", q.Name(), err)
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

// collect takes and ends n items, and counts how often each payload came.
func collect(ctx context.Context, c system.Client, queue string, n int) (map[string]int, error) {
	in, err := c.Consume(ctx, queue, 8)
	if err != nil {
		return nil, err
	}
	got := map[string]int{}
	for taken := 0; taken < n && err == nil; {
		var items []system.Item
		if items, err = in.Next(ctx, nil, 8); err != nil {
			break
		}
		for _, item := range items {
			got[string(item.Payload)]++
		}
		taken += len(items)
		err = in.End(ctx, items, "", nil)
	}
	return got, errors.Join(err, in.Flush(ctx), in.Close())
}

func TestAsynq_GivesEachResultOnce(t *testing.T) {
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprintf("durable %t", durable), func(t *testing.T) {
			q := &queues{}
			server := start(t, q, system.Settings{Durable: durable})
			if server == nil {
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			client, err := q.Dial(ctx, server.Endpoint)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()

			const n = 60
			payloads := make([][]byte, n)
			for i := range payloads {
				payloads[i] = []byte(strconv.Itoa(i))
			}
			if err := client.Put(ctx, "tasks", payloads); err != nil {
				t.Fatal(err)
			}
			work, stop := context.WithCancel(ctx)
			ran, ready := make(chan error, 1), make(chan struct{})
			go func() {
				ran <- q.Run(work, server.Endpoint, "tasks", "results", func(task []byte) []byte {
					return append([]byte("of "), task...)
				}, func() { close(ready) })
			}()
			results, err := collect(ctx, client, "results", n)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				if got := results["of "+strconv.Itoa(i)]; got != 1 {
					t.Errorf("the result of %d came %d times", i, got)
				}
			}
			<-ready
			stop()
			if err := <-ran; !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

func TestEnd_PutsResultsOfWhatConsumeGave(t *testing.T) {
	q := &queues{}
	server := start(t, q, system.Settings{})
	if server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client, err := q.Dial(ctx, server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	in, err := client.Consume(ctx, "tasks", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := client.Put(ctx, "tasks", [][]byte{[]byte("task")}); err != nil {
		t.Fatal(err)
	}
	items, err := in.Next(ctx, nil, 1)
	if err != nil || len(items) != 1 || string(items[0].Payload) != "task" {
		t.Fatalf("Next: %v, %v", items, err)
	}
	if err := in.End(ctx, items, "results", [][]byte{[]byte("result")}); err != nil {
		t.Fatal(err)
	}
	if got, err := collect(ctx, client, "results", 1); err != nil || got["result"] != 1 {
		t.Fatalf("the results are %v, %v", got, err)
	}
}

func TestConsume_RefusesToParkMany(t *testing.T) {
	q := &queues{}
	q.consumers.Store(mostConsumers)
	client, err := q.Dial(t.Context(), "127.0.0.1:1") // nobody is asked
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Consume(t.Context(), "tasks", 1); !errors.Is(err, system.ErrUnsupported) {
		t.Fatalf("Consume: %v", err)
	}
}
