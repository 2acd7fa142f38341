// Command rtt measures the idle path: one client puts one item, then gets and
// acks it, again and again, against a master in a process of its own.
//
//	go run ./rtt -n 20000
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
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

func main() {
	n := flag.Int("n", 20000, "how many items")
	size := flag.Int("size", 100, "payload bytes")
	flag.Parse()
	run := client
	if os.Getenv("RTT_ROLE") == "master" {
		run = master
	}
	if err := run(*n, *size); err != nil {
		fmt.Fprintln(os.Stderr, "rtt:", err)
		os.Exit(1)
	}
}

func master(int, int) error {
	key, err := auth.ParseKey([]byte(os.Getenv("RTT_KEY")))
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Config{AuthKey: key})
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

func client(n, size int) error {
	key, text, err := auth.GenerateKey("rtt")
	if err != nil {
		return err
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RTT_ROLE=master", "RTT_KEY="+text)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(out)
	lines.Scan()
	ctx := context.Background()
	c, err := proxy.Dial(ctx, lines.Text(), proxy.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer c.Close()
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
