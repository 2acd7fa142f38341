package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/reeveq/reeve"
)

// A result can be waited for by the id of its task.
func ExampleClient_Wait() {
	c, stop := exampleClient()
	defer stop()
	ctx := context.Background()
	tasks := c.Queue("tasks")
	ids, err := tasks.Put(ctx, []reeve.Task{{Payload: []byte("6 times 7")}}, reeve.KeepResult(time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	leases, err := tasks.Get(ctx, 1) // what a worker does elsewhere
	if err != nil {
		log.Fatal(err)
	}
	if err := leases[0].Complete(ctx, "", reeve.Task{Payload: []byte("42")}); err != nil {
		log.Fatal(err)
	}
	r, err := c.Wait(ctx, ids[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v: %s\n", r.State, r.Payload)
	// Output:
	// done: 42
}

// Every reason for which a task is not running, at once.
func ExampleClient_Explain() {
	c, stop := exampleClient()
	defer stop()
	ctx := context.Background()
	tasks := c.Queue("tasks")
	ids, err := tasks.Put(ctx, []reeve.Task{{Payload: []byte("x")}})
	if err != nil {
		log.Fatal(err)
	}
	if err := tasks.Pause(ctx, "the database is down"); err != nil {
		log.Fatal(err)
	}
	why, err := c.Explain(ctx, ids[0])
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range why.Reasons {
		fmt.Println(r.Code) // and r.Text, a line for people
	}
	// Output:
	// paused
	// no_worker
}

// One supply of tasks from two queues: of four hand-overs three are from tasks,
// as long as both have tasks.
func ExampleClient_From() {
	c, stop := exampleClient()
	defer stop()
	ctx := context.Background()
	for _, name := range []string{"tasks", "results"} {
		if _, err := c.Queue(name).Put(ctx, make([]reeve.Task, 100)); err != nil {
			log.Fatal(err)
		}
	}
	supply, err := c.From(reeve.Source{Queue: "tasks", Weight: 3}, reeve.Source{Queue: "results", Weight: 1}).Consume(ctx, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer supply.Close()
	from := map[string]int{}
	for range 40 {
		l, err := supply.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		from[l.Queue()]++
		if err := l.Ack(ctx); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(from)
	// Output:
	// map[results:10 tasks:30]
}

// A set of what was seen, in the same step as the put.
func ExampleClient_Queue_unique() {
	c, stop := exampleClient()
	defer stop()
	ctx := context.Background()
	var pages []reeve.Task
	for _, url := range []string{"https://a.example/", "https://b.example/", "https://a.example/"} {
		pages = append(pages, reeve.Task{Payload: []byte(url), Rules: &reeve.Rules{Unique: url, UniqueMode: reeve.UniqueForTime}})
	}
	ids, err := c.Queue("tasks").Put(ctx, pages)
	var seen *reeve.DuplicateError
	if errors.As(err, &seen) {
		fmt.Println("seen before:", seen.Tasks, ids[2] == ids[0])
	}
	// Output:
	// seen before: [2] true
}
