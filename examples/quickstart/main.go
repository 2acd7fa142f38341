// Command quickstart shows a whole system on one machine, and that it loses
// nothing when a worker is killed.
//
// It builds the programs master and worker, starts one master and three
// workers, each a process of its own, and has them compute the SHA-256 and the
// number of lines of every file under a directory: by default the source of
// Go's standard library, some 11,000 files. Halfway it kills one worker as
// kill -9 does. The master hands what that one held to the others. At the end
// all results are compared with a computation without queues; the exit code is
// 1 if anything differs.
//
//	go run ./examples/quickstart [DIR]
//
// It is no benchmark: to read a file here is cheaper than to tell somebody else
// to do so.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// patience bounds the whole run.
const patience = 15 * time.Minute

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./examples/quickstart [DIR]")
	}
	flag.Parse()
	if flag.NArg() > 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, flag.Arg(0), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	files, skipped, err := list(ctx, dir)
	if err != nil {
		return err
	}
	if skipped > 0 {
		fmt.Fprintf(out, "%d files cannot be read and are left out\n", skipped)
	}

	s, err := start(ctx, out)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Fprintf(out, "%d files become tasks\n", len(files))
	results, err := s.compute(files, out)
	if err != nil {
		return err
	}

	fmt.Fprintln(out, "the same without queues")
	direct, err := computeDirectly(ctx, files)
	if err != nil {
		return err
	}
	return report(out, files, results, direct)
}
