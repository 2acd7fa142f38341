// Command idle measures what connected workers with nothing to do cost the
// master, in a process of its own.
//
//	go run ./idle -n 5000
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

var heapProfile string

func main() {
	n := flag.Int("n", 5000, "how many workers")
	flag.StringVar(&heapProfile, "memprofile", "", "write a heap profile of the master to this file")
	flag.Parse()
	run := master
	if addr := os.Getenv("IDLE_MASTER"); addr != "" {
		run = func(n int) error { return clients(n, addr) }
	}
	if err := run(*n); err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

func master(n int) error {
	key, text, err := auth.GenerateKey("idle")
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer m.Close()
	q, err := m.Queue("tasks", reeve.QueueConfig{})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go m.Serve(context.Background(), ln)
	before, rssBefore := memory(), rss()

	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), "IDLE_MASTER="+ln.Addr().String(), "IDLE_KEY="+text)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	s, err := q.Stats(context.Background())
	if err != nil {
		return err
	}
	time.Sleep(12 * time.Second) // two heartbeats of everybody
	after, rssAfter := memory(), rss()
	fmt.Printf("%d idle workers (%d consumers): %.1f KiB each in use (heap %.1f, stacks %.1f), RSS %.1f KiB each, %.1f goroutines each\n",
		n, s.Consumers, per(after.total()-before.total(), n), per(after.heap-before.heap, n), per(after.stack-before.stack, n),
		per(rssAfter-rssBefore, n), float64(runtime.NumGoroutine())/float64(n))
	if heapProfile != "" {
		f, err := os.Create(heapProfile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.WriteHeapProfile(f); err != nil {
			return err
		}
	}
	begin := time.Now()
	if _, err := q.Put(context.Background(), []reeve.Task{{Payload: []byte("one")}}); err != nil {
		return err
	}
	lines.Scan()
	fmt.Printf("one task reached one of them and its end came back in %v\n", time.Since(begin))
	in.Close()
	return cmd.Wait()
}

type mem struct{ heap, stack uint64 }

func (m mem) total() uint64 { return m.heap + m.stack }

func memory() mem {
	runtime.GC()
	debug.FreeOSMemory()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return mem{s.HeapInuse, s.StackInuse}
}

// rss is this process's resident memory in bytes; 0 where /proc does not tell.
func rss() uint64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kib uint64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

func per(bytes uint64, n int) float64 { return float64(bytes) / 1024 / float64(n) }

func clients(n int, addr string) error {
	key, err := auth.ParseKey([]byte(os.Getenv("IDLE_KEY")))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	done := make(chan string, n)
	var wg sync.WaitGroup
	gate := make(chan struct{}, 32)
	errs := make(chan error, n)
	for range n {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			c, err := proxy.Dial(ctx, addr, proxy.Config{AuthKey: key, Name: "idle"})
			if err != nil {
				errs <- err
				return
			}
			in, err := c.Queue("tasks").Consume(ctx, 1)
			if err != nil {
				errs <- err
				return
			}
			go func() {
				l, err := in.Next(ctx)
				if err != nil {
					return
				}
				done <- fmt.Sprint(l.Ack(ctx))
			}()
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	fmt.Println("ready")
	fmt.Println(<-done)
	_, err = bufio.NewReader(os.Stdin).ReadString('\n') // until the master has seen enough
	_ = err
	return nil
}
