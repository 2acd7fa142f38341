// Command rtt measures the idle path: one client puts one item, then gets and
// acks it, again and again, against a master in a process of its own.
//
//	go run ./rtt -n 20000
//	go run ./rtt -n 5000 -data DIR        # and what durability adds to a put: see durable.go
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/journal/file"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

func main() {
	n := flag.Int("n", 20000, "how many items")
	size := flag.Int("size", 100, "payload bytes")
	data := flag.String("data", "", "an empty directory on the disk to measure: puts to a master that keeps a journal there, to one in memory, and the disk itself, in turns")
	flag.Parse()
	var err error
	switch {
	case os.Getenv("RTT_ROLE") == "master":
		err = master(os.Getenv("RTT_DATA"))
	case *data != "":
		err = durable(*n, *size, *data)
	default:
		err = client(*n, *size)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rtt:", err)
		os.Exit(1)
	}
}

func master(data string) error {
	key, err := auth.ParseKey([]byte(os.Getenv("RTT_KEY")))
	if err != nil {
		return err
	}
	cfg := manager.Config{AuthKey: key}
	if data != "" {
		if cfg.Journal, err = file.Open(data, file.Options{}); err != nil {
			return err
		}
	}
	m, err := manager.New(cfg)
	if err != nil {
		return err
	}
	if _, err := m.Queue("tasks", reeve.QueueConfig{}); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	return m.Serve(context.Background(), ln)
}

// start starts a master, and connects to it.
func start(data string) (c *proxy.Client, stop func(), err error) {
	key, text, err := auth.GenerateKey("rtt")
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RTT_ROLE=master", "RTT_KEY="+text, "RTT_DATA="+data)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	kill := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	c, err = proxy.Dial(context.Background(), lines.Text(), proxy.Config{AuthKey: key})
	if err != nil {
		kill()
		return nil, nil, err
	}
	return c, func() { c.Close(); kill() }, nil
}

func client(n, size int) error {
	c, stop, err := start("")
	if err != nil {
		return err
	}
	defer stop()
	ctx := context.Background()
	q := c.Queue("tasks")
	payload := make([]byte, size)
	puts, gets, pairs := make([]time.Duration, n), make([]time.Duration, n), make([]time.Duration, n)
	for i := range n {
		t0 := time.Now()
		if _, err := q.Put(ctx, []reeve.Task{{Payload: payload}}); err != nil {
			return err
		}
		t1 := time.Now()
		ls, err := q.Get(ctx, 1)
		if err != nil {
			return err
		}
		t2 := time.Now()
		ls[0].Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
		puts[i], gets[i], pairs[i] = t1.Sub(t0), t2.Sub(t1), t2.Sub(t0)
	}
	for _, r := range []struct {
		name string
		d    []time.Duration
	}{{"put", puts}, {"get", gets}, {"put + get", pairs}} {
		slices.Sort(r.d)
		fmt.Printf("%-10s p50 %v  p99 %v\n", r.name, r.d[n/2], r.d[n*99/100])
	}
	return nil
}
