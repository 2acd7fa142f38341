package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/worker"
)

const (
	below = 2_000_000
	part  = 10_000
	known = 148_933 // primes below that
	procs = 2
)

// run hosts the master, starts the workers and has them work.
func run(ctx context.Context, out io.Writer) error {
	key, secret, err := auth.GenerateKey("pool")
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer m.Close()
	tasks, err := m.Queue("tasks", reeve.QueueConfig{})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go m.Serve(ctx, ln) // until m is closed

	working, stop := context.WithCancel(ctx)
	ended := make(chan error, procs+1)
	started := 0
	defer func() { // the workers end before the master does
		stop()
		for range started {
			<-ended
		}
	}()
	w := worker.New(tasks, worker.Config{Concurrency: 1})
	worker.Handle(w, "primes", pool.Star2(primes)) // and not "crash", which would end this process
	go func() { ended <- w.Run(working) }()        // received above
	started++
	for range procs {
		started++
		if err := startWorker(working, ln.Addr().String(), secret, ended); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d workers: one here, and %d processes\n", started, procs)
	if err := count(ctx, m, tasks, out); err != nil {
		return err
	}
	return die(ctx, m, tasks, out)
}

// ranges are the arguments of the calls of primes.
func ranges(yield func(from, to int) bool) {
	for from := 0; from < below; from += part {
		if !yield(from, from+part) {
			return
		}
	}
}

// count counts the primes, in two ways, and gives the function an input that is
// wrong.
func count(ctx context.Context, m *manager.Master, tasks reeve.Queue, out io.Writer) error {
	p, err := pool.New[pool.Args2[int, int], int](m, tasks, "primes", pool.Config{ReadAhead: 16})
	if err != nil {
		return err
	}
	defer p.Terminate(ctx) // when something went wrong; else there is nothing to end

	counts, err := pool.StarMap(ctx, p, ranges)
	if err != nil {
		return err
	}
	sum := 0
	for _, n := range counts {
		sum += n
	}
	fmt.Fprintf(out, "%d primes below %d, in %d parts\n", sum, below, len(counts))

	var again []int
	for n, err := range p.Imap(ctx, func(yield func(pool.Args2[int, int]) bool) {
		for from, to := range ranges {
			if !yield(pool.Pair(from, to)) {
				return
			}
		}
	}, 1) {
		if err != nil {
			return err
		}
		again = append(again, n)
	}
	if sum != known || !slices.Equal(again, counts) {
		return fmt.Errorf("%d primes, want %d, or not the same again", sum, known)
	}

	_, err = p.Map(ctx, []pool.Args2[int, int]{pool.Pair(0, 10), pool.Pair(10, 5), pool.Pair(10, 20)})
	var input *pool.InputError
	var task *pool.TaskError
	if !errors.As(err, &input) || !errors.As(err, &task) {
		return fmt.Errorf("a wrong input: %w", err)
	}
	fmt.Fprintf(out, "input %d failed: %s\n", input.Index, task.Text)
	p.Close()
	return p.Join(ctx)
}

// die calls a function that ends the process it runs in.
func die(ctx context.Context, m *manager.Master, tasks reeve.Queue, out io.Writer) error {
	p, err := pool.New[uint32, uint32](m, tasks, "crash", pool.Config{Attempts: 3})
	if err != nil {
		return err
	}
	defer p.Terminate(ctx)
	attempt, err := p.Apply(ctx, 1)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "one process died, and attempt %d returned\n", attempt)
	_, err = p.Apply(ctx, 1000)
	var task *pool.TaskError
	if !errors.Is(err, reeve.ErrWorkerLost) || !errors.As(err, &task) {
		return fmt.Errorf("a function that kills all: %w", err)
	}
	fmt.Fprintf(out, "a function that kills every worker ended: %s\n", task.Reason)
	p.Close()
	return p.Join(ctx)
}
