// Command task_master puts ten numbers on the queue "tasks" and prints what
// comes back on the queue "results". See package squares.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"net"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "127.0.0.1:5000", "listen on `HOST:PORT`")
	flag.Parse()
	if err := run(context.Background(), *addr); err != nil {
		log.Fatal("task_master: ", err)
	}
}

func run(ctx context.Context, addr string) error {
	key, err := auth.EnsureLoopbackKey("")
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer m.Close()
	for _, name := range []string{"tasks", "results"} {
		if _, err := m.Queue(name, reeve.QueueConfig{}); err != nil {
			return err
		}
	}
	tasks, err := manager.QueueOf[int](m, "tasks")
	if err != nil {
		return err
	}
	results, err := manager.QueueOf[string](m, "results")
	if err != nil {
		return err
	}

	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	go m.Serve(ctx, ln) // until m is closed
	log.Print("listening on ", ln.Addr())

	for range 10 {
		n := rand.IntN(10_000)
		fmt.Println("put", n)
		if _, err := tasks.Put(ctx, n); err != nil {
			return err
		}
	}
	for range 10 {
		r, err := results.Get(ctx) // waits, as all of them do
		if err != nil {
			return err
		}
		fmt.Println("result", r.Value)
		if err := r.Ack(ctx); err != nil {
			return err
		}
	}
	return m.Shutdown(ctx)
}
