// Command task_worker takes numbers from the queue "tasks" and puts their
// squares on the queue "results", until it is stopped. See package squares.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/proxy"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("connect", "127.0.0.1:5000", "the master is at `HOST:PORT`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr); err != nil && ctx.Err() == nil {
		log.Fatal("task_worker: ", err)
	}
}

func run(ctx context.Context, addr string) error {
	key, err := auth.ReadLoopbackKey("")
	if err != nil {
		return err
	}
	c, err := proxy.Dial(ctx, addr, proxy.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer c.Close()
	log.Print("connected to ", addr)

	tasks := proxy.QueueOf[int](c, "tasks")
	results := proxy.QueueOf[string](c, "results")
	for task, err := range tasks.Items(ctx) { // leased; comes back if we die
		if err != nil {
			return err
		}
		n := task.Value
		fmt.Println("run", n, "*", n)
		if err := task.Complete(ctx, results, fmt.Sprintf("%d * %d = %d", n, n, n*n)); err != nil {
			return err
		}
	}
	return nil
}
