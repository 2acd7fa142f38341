// Command pool counts primes on all workers of a queue, as a program with
// Python's multiprocessing.Pool does on the processes of one machine, and shows
// what becomes of a task whose worker dies.
//
//	go run ./examples/pool
//
// It hosts a master, runs one worker itself and starts two more as processes of
// their own, which might as well be on other machines. Then it
//
//   - counts the primes below two million in 200 parts, with StarMap: a function
//     of two arguments, from and to;
//   - gets the counts again one by one, in order, from a loop over Imap, which
//     takes further parts only as the loop goes on;
//   - calls a function that kills its process, as one that runs out of memory
//     does: the task is run again by the other one, and the call returns;
//   - calls one that kills every process: when the attempts are used up the call
//     returns with reeve.ErrWorkerLost, where Python's get() waits for ever;
//   - maps over an input that is wrong, which is told apart from the others.
//
// The exit code is 1 if anything of that does not come out as it should.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// patience bounds the whole run.
const patience = 5 * time.Minute

func main() {
	master := flag.String("worker", "", "be a worker of the master at `ADDR`: how this program starts itself")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, patience)
	var err error
	if *master != "" {
		err = work(ctx, *master)
	} else {
		err = run(ctx, os.Stdout)
	}
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pool:", err)
		os.Exit(1)
	}
}
