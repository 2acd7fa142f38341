package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/examples/internal/process"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// work is a worker process. It runs until ctx ends, or it is killed.
func work(ctx context.Context, master string) error {
	key, _, err := auth.KeySource{}.Load()
	if err != nil {
		return err
	}
	c, err := proxy.Dial(ctx, master, proxy.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer c.Close()
	w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 2})
	worker.Handle(w, "primes", pool.Star2(primes))
	worker.Handle(w, "crash", crash)
	return w.Run(ctx)
}

// primes counts the primes from one number to below another.
func primes(ctx context.Context, from, to int) (int, error) {
	if from > to {
		return 0, worker.Permanent(fmt.Errorf("there is nothing from %d to %d", from, to)) // no attempt could end better
	}
	n := 0
	for i := max(from, 2); i < to; i++ {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if isPrime(i) {
			n++
		}
	}
	return n, nil
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}

// crash ends its process in the first so many attempts, and then returns which
// attempt it is.
func crash(ctx context.Context, attempts uint32) (uint32, error) {
	task, _ := worker.TaskFrom(ctx)
	if task.Attempt <= attempts {
		os.Exit(1)
	}
	return task.Attempt, nil
}

// startWorker starts this program as a worker, and again whenever it ends, until
// ctx does. It returns when it runs.
func startWorker(ctx context.Context, master, secret string, ended chan<- error) error {
	self, err := os.Executable()
	if err != nil {
		ended <- err
		return err
	}
	start := func() (*process.Process, error) {
		cmd := exec.CommandContext(ctx, self, "-worker", master)
		cmd.Env = process.Environ(secret)
		return process.Start(cmd)
	}
	p, err := start()
	if err != nil {
		ended <- err
		return err
	}
	go func() { // tells ended
		for err == nil {
			<-p.Ended()
			if ctx.Err() != nil {
				break
			}
			p, err = start()
		}
		ended <- err
	}()
	return nil
}
