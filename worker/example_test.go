package worker_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

// The queue is one in memory here. In a program it is proxy.QueueOf[int](c,
// "tasks") or a queue of a master in the same process.
func ExampleHandle() {
	in := newMemory("tasks")
	for n := range 3 {
		in.put(reeve.Task{Type: "square"}, n+1)
	}

	w := worker.New(in, worker.Config{Concurrency: 1, Results: "results", MaxTasks: 3})
	worker.Handle(w, "square", func(ctx context.Context, n int) (int, error) {
		return n * n, nil
	})
	if err := w.Run(context.Background()); err != nil {
		fmt.Println(err)
	}

	for _, r := range in.out() {
		fmt.Printf("task %d: CBOR %x\n", r.Source, r.Payload)
	}
	// Output:
	// task 1: CBOR 01
	// task 2: CBOR 04
	// task 3: CBOR 09
}

func ExampleRetryAfter() {
	in := newMemory("tasks", "http://example.com")
	w := worker.New(in, worker.Config{MaxTasks: 2})
	worker.HandleAck(w, "f", func(ctx context.Context, url string) error {
		task, _ := worker.TaskFrom(ctx)
		fmt.Println("attempt", task.Attempt, "of", url)
		if task.Attempt == 1 {
			return worker.RetryAfter(errors.New("busy"), 10*time.Millisecond)
		}
		return nil
	})
	fmt.Println(w.Run(context.Background()))
	// Output:
	// attempt 1 of http://example.com
	// attempt 2 of http://example.com
	// <nil>
}

func ExampleSetProgress() {
	in := newMemory("tasks", 3)
	w := worker.New(in, worker.Config{MaxTasks: 1})
	worker.HandleAck(w, "f", func(ctx context.Context, pages int) error {
		for n := range pages {
			worker.SetProgress(ctx, float64(100*n/pages), fmt.Sprintf("page %d of %d", n+1, pages))
		}
		return nil
	})
	fmt.Println(w.Run(context.Background()))
	for _, line := range in.told {
		fmt.Println(line)
	}
	// Output:
	// <nil>
	// 0000000000000001: 0% page 1 of 3
	// 0000000000000001: 33% page 2 of 3
	// 0000000000000001: 66% page 3 of 3
}

func ExampleSkip() {
	in := newMemory("tasks", "old", "gone", "broken", "later")
	w := worker.New(in, worker.Config{Concurrency: 1, MaxTasks: 4})
	worker.HandleAck(w, "f", func(ctx context.Context, page string) error {
		switch page {
		case "old":
			return worker.Skip // done
		case "gone":
			return worker.Discard(errors.New("the page was deleted"))
		case "broken":
			return worker.Permanent(errors.New("not a page")) // dead at once
		}
		return worker.RetryAfter(nil, time.Hour) // not now
	})
	fmt.Println(w.Run(context.Background()))
	fmt.Println(verbs(in.allEnds()))
	// Output:
	// <nil>
	// 1 skip 2 discard 3 bury 4 snooze
}

func ExampleWorker_HandleDefaultFunc() {
	in := newMemory("tasks")
	in.put(reeve.Task{Type: "whatever"}, []byte("payload"))
	w := worker.New(in, worker.Config{MaxTasks: 1})
	w.HandleDefaultFunc(func(_ context.Context, t *reeve.Task) ([]byte, error) {
		fmt.Printf("%s: %s\n", t.Type, t.Payload)
		return nil, nil
	})
	fmt.Println(w.Run(context.Background()))
	// Output:
	// whatever: payload
	// <nil>
}
