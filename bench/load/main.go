// Command load measures the whole path: one producer, worker processes, a
// collector, TLS on, everything acknowledged.
//
//	go run ./load -tasks 1000000 -workers 4
//	go run ./load -system both            # and the floor: see floor.go
//
// It starts itself as every process it needs, on loopback, and prints tasks per
// second from the first put to the last acknowledged result, and the CPU time
// of each process per task.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/journal/file"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

type options struct {
	role, addr, key, mode, cpu    string
	system                        string
	tasks, workers, size, batch   int
	prefetch, producers, inflight int
	data                          string
	durability                    reeve.Durability
}

func main() {
	var o options
	flag.StringVar(&o.role, "role", "", "used by the program itself")
	flag.StringVar(&o.addr, "addr", "", "used by the program itself")
	flag.IntVar(&o.tasks, "tasks", 1_000_000, "how many tasks")
	flag.IntVar(&o.workers, "workers", 4, "worker processes")
	flag.IntVar(&o.size, "size", 100, "payload bytes of a task and of a result")
	flag.IntVar(&o.batch, "batch", 256, "tasks of one Put")
	flag.IntVar(&o.prefetch, "prefetch", 512, "tasks a worker holds")
	flag.IntVar(&o.producers, "producers", 4, "goroutines that put, on one connection")
	flag.IntVar(&o.inflight, "max-len", 200_000, "bound of the queue")
	flag.StringVar(&o.mode, "mode", "consumer", "how a worker works: consumer (leases from a consumer), runtime (package worker)")
	flag.StringVar(&o.system, "system", "reeve", "reeve, floor (a bare queue server over plain TCP), or both, in turn")
	flag.StringVar(&o.data, "data", "", "an empty directory for the master's journal; empty: memory only")
	flag.TextVar(&o.durability, "durability", reeve.DurabilitySync, "with -data: sync, interval=D or none")
	flag.StringVar(&o.cpu, "cpuprofile", "", "write the master's CPU profile to this file")
	flag.Parse()
	o.key = os.Getenv("LOAD_KEY")
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(400) // as the programs master and worker do
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "load:", o.role, err)
		os.Exit(1)
	}
}

func run(o options) error {
	switch {
	case o.role == "" && o.system == "both":
		for range 3 {
			for _, o.system = range []string{"floor", "reeve"} {
				if err := conduct(o); err != nil {
					return err
				}
			}
		}
		return nil
	case o.role == "":
		return conduct(o)
	case o.system == "floor":
		return floor(o)
	}
	switch o.role {
	case "master":
		return master(o)
	case "producer":
		return producer(o)
	case "worker":
		return work(o)
	}
	return fmt.Errorf("no role %q", o.role)
}

// child starts this program in another role. Its first line of output comes on
// the channel.
func child(o options, role string) (*exec.Cmd, <-chan string, error) {
	args := append(append([]string{}, os.Args[1:]...), "-role", role, "-addr", o.addr, "-system", o.system)
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "LOAD_KEY="+o.key)
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe() // its end tells the child to stop
	if err != nil {
		return nil, nil, err
	}
	_ = stop
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	lines := make(chan string, 16)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return cmd, lines, cmd.Start()
}

func conduct(o options) error {
	_, key, err := auth.GenerateKey("load")
	if err != nil {
		return err
	}
	o.key = key
	m, lines, err := child(o, "master")
	if err != nil {
		return err
	}
	defer stop(m)
	o.addr = <-lines
	var workers []*exec.Cmd
	for range o.workers {
		w, ready, err := child(o, "worker")
		if err != nil {
			return err
		}
		defer stop(w)
		<-ready
		workers = append(workers, w)
	}
	got := make(chan error, 1)
	if o.system == "floor" {
		go func() { got <- floorCollect(o) }()
	} else {
		c, err := dial(o)
		if err != nil {
			return err
		}
		defer c.Close()
		go func() { got <- collect(c, o) }()
	}
	before := ownCPU()

	begin := time.Now()
	p, done, err := child(o, "producer")
	if err != nil {
		return err
	}
	defer stop(p)
	began := <-done
	if ns, err := strconv.ParseInt(began, 10, 64); err == nil {
		begin = time.Unix(0, ns)
	}
	if err := <-got; err != nil {
		return err
	}
	took := time.Since(begin)
	masterCPU := stop(m)
	producerCPU := stop(p)
	var workerCPU time.Duration
	for _, w := range workers {
		workerCPU += stop(w)
	}
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(o.tasks) }
	fmt.Printf("%s: %d tasks of %d bytes, %d worker processes (%s, prefetch %d), batch %d: %.0f tasks/s; CPU µs per task: master %.2f, producer %.2f, workers %.2f, collector %.2f\n",
		o.system, o.tasks, o.size, o.workers, o.mode, o.prefetch, o.batch, float64(o.tasks)/took.Seconds(),
		per(masterCPU), per(producerCPU), per(workerCPU), per(ownCPU()-before))
	return nil
}

// stop ends a child by closing its input and returns the CPU time it took.
func stop(cmd *exec.Cmd) time.Duration {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	return cmd.ProcessState.SystemTime() + cmd.ProcessState.UserTime()
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func dial(o options) (*proxy.Client, error) {
	key, err := auth.ParseKey([]byte(o.key))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return proxy.Dial(ctx, o.addr, proxy.Config{AuthKey: key, Name: "load " + o.role})
}

func master(o options) error {
	key, err := auth.ParseKey([]byte(o.key))
	if err != nil {
		return err
	}
	cfg := manager.Config{AuthKey: key, Durability: o.durability}
	if o.data != "" {
		if cfg.Journal, err = file.Open(o.data, file.Options{}); err != nil {
			return err
		}
	}
	m, err := manager.New(cfg)
	if err != nil {
		return err
	}
	for _, name := range []string{"tasks", "results"} {
		if _, err := m.Queue(name, reeve.QueueConfig{MaxLen: o.inflight}); err != nil {
			return err
		}
	}
	if o.cpu != "" {
		f, err := os.Create(o.cpu)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	ctx, cancel := stopped()
	defer cancel()
	return m.Serve(ctx, ln)
}

// announceBegin tells the conductor when the first put is about to be made.
func announceBegin() { fmt.Println(time.Now().UnixNano()) }

func floor(o options) error {
	switch o.role {
	case "master":
		return floorMaster()
	case "producer":
		return floorProducer(o)
	case "worker":
		return floorWorker(o)
	}
	return fmt.Errorf("no role %q", o.role)
}

// stopped is a ctx that ends with an interrupt.
func stopped() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt)
}

func producer(o options) error {
	c, err := dial(o)
	if err != nil {
		return err
	}
	defer c.Close()
	q := c.Queue("tasks")
	announceBegin()
	var left atomic.Int64
	left.Store(int64(o.tasks))
	var wg sync.WaitGroup
	errs := make(chan error, o.producers)
	for range o.producers {
		wg.Go(func() {
			for {
				n := min(int64(o.batch), left.Add(-int64(o.batch))+int64(o.batch))
				if n <= 0 {
					return
				}
				payloads := make([]byte, int(n)*o.size)
				tasks := make([]reeve.Task, n)
				for i := range tasks {
					tasks[i].Payload = payloads[i*o.size : (i+1)*o.size]
				}
				if _, err := q.Put(context.Background(), tasks); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func work(o options) error {
	c, err := dial(o)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := stopped()
	defer cancel()
	if o.mode == "runtime" {
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 4, Prefetch: o.prefetch, Results: "results"})
		w.HandleDefaultFunc(func(_ context.Context, t *reeve.Task) ([]byte, error) { return t.Payload, nil })
		fmt.Println("ready")
		return w.Run(ctx)
	}
	in, err := c.Queue("tasks").Consume(ctx, o.prefetch)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		l, err := in.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		l.Settle(&reeve.Outcome{Verb: reeve.Complete, To: "results", Result: reeve.Task{Payload: l.Payload}}, func(err error) {
			if err != nil {
				fmt.Fprintln(os.Stderr, "complete:", err)
			}
		})
	}
}

// collect takes and acks every result.
func collect(c *proxy.Client, o options) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	in, err := c.Queue("results").Consume(ctx, 4*o.prefetch)
	if err != nil {
		return err
	}
	acked := make(chan error, 1)
	var left atomic.Int64
	left.Store(int64(o.tasks))
	seen := make(map[reeve.ID]struct{}, o.tasks)
	for range o.tasks {
		l, err := in.Next(ctx)
		if err != nil {
			return err
		}
		if _, twice := seen[l.Source]; twice {
			return errors.New("a result came twice")
		}
		seen[l.Source] = struct{}{}
		l.Settle(&reeve.Outcome{Verb: reeve.Ack}, func(err error) {
			if err != nil || left.Add(-1) == 0 {
				select {
				case acked <- err:
				default:
				}
			}
		})
	}
	select {
	case err := <-acked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
