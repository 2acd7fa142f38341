package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

// exampleMaster hosts the queues tasks and results on a free loopback port.
func exampleMaster() (addr string, stop func()) {
	m, err := manager.New(manager.Config{AuthKey: testKey()})
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"tasks", "results"} {
		if _, err := m.Queue(name, reeve.QueueConfig{}); err != nil {
			log.Fatal(err)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(context.Background(), ln) }()
	return ln.Addr().String(), func() {
		m.Close()
		<-served
	}
}

// exampleClient is connected to a master of its own.
func exampleClient() (c *proxy.Client, stop func()) {
	addr, stopMaster := exampleMaster()
	c, err := proxy.Dial(context.Background(), addr, proxy.Config{AuthKey: testKey()})
	if err != nil {
		log.Fatal(err)
	}
	return c, func() {
		c.Close()
		stopMaster()
	}
}

func Example() {
	addr, stop := exampleMaster()
	defer stop()
	ctx := context.Background()

	c, err := proxy.Dial(ctx, addr, proxy.Config{AuthKey: testKey()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	tasks, results := proxy.QueueOf[int](c, "tasks"), proxy.QueueOf[string](c, "results")
	if _, err := tasks.PutMany(ctx, []int{2, 3, 4}); err != nil {
		log.Fatal(err)
	}
	if err := tasks.Shutdown(ctx, false); err != nil { // no more are to come: the loop below ends
		log.Fatal(err)
	}
	for item, err := range tasks.Items(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		square := fmt.Sprintf("%d squared is %d", item.Value, item.Value*item.Value)
		if err := item.Complete(ctx, results, square); err != nil {
			log.Fatal(err)
		}
	}
	for range 3 {
		r, err := results.Get(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Value)
		r.Ack(ctx)
	}
	// Output:
	// 2 squared is 4
	// 3 squared is 9
	// 4 squared is 16
}

// A queue that does not exist shows at the first call, with those that do.
func ExampleClient_Queue() {
	c, stop := exampleClient()
	defer stop()
	_, err := c.Queue("taks").Stats(context.Background())
	fmt.Println(errors.Is(err, reeve.ErrNoSuchQueue))
	fmt.Println(err)
	// Output:
	// true
	// reeve: no such queue: "taks"; the master has: tasks, results
}

// Payloads may be anything a codec can write; raw bytes need none.
func ExampleQueueOf() {
	c, stop := exampleClient()
	defer stop()
	ctx := context.Background()
	lines := proxy.QueueOf[string](c, "tasks", codec.Raw)
	if _, err := lines.Put(ctx, "convert a.png", reeve.WithTimeout(time.Minute)); err != nil {
		log.Fatal(err)
	}
	item, err := lines.Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(item.Value, item.Timeout)
	fmt.Println(item.Ack(ctx))
	// Output:
	// convert a.png 1m0s
	// <nil>
}

// A program tells its user of the connection's state with one line for each change.
func ExampleConfig_onState() {
	addr, stop := exampleMaster()
	defer stop()
	c, err := proxy.Dial(context.Background(), addr, proxy.Config{
		AuthKey: testKey(),
		OnState: func(s proxy.State) {
			switch {
			case s.Connected:
				fmt.Println("connected")
			case s.Rejected:
				fmt.Println("rejected:", s.Err)
			default:
				fmt.Println("disconnected:", s.Err)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	// A first call: the client is connected, whatever its OnState is doing.
	c.Queues(context.Background())
	c.Close()
	// Output:
	// connected
}
