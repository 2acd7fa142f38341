// Command checksum computes the SHA-256 and the number of lines of every file
// under a directory with the ready-made programs alone: the master runs a list
// of file names as a batch, and workers run a command of ours once per name.
//
//	go run ./examples/checksum [-workers N] DIR
//
// It prints one line per file, in the order of their names:
//
//	SHA256 LINES PATH
//
// By hand it would be two commands, in two terminals:
//
//	find DIR -type f | master -input - -ordered
//	worker -- COMMAND {}
//
// A command is any program: it is told its task by {} in an argument and on its
// standard input, and what it prints is the result. Systems differ in what they
// have for this work (sha256sum, shasum, certutil), so the command is this same
// program with the flag -file. Starting a process for every file costs more than
// reading most of them; a worker of one's own in Go, as in examples/squares,
// does not have that cost.
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
const patience = 15 * time.Minute

func main() {
	workers := flag.Int("workers", 2, "start `N` workers, 1 to 64")
	file := flag.String("file", "", "only compute `PATH`: what the workers run")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./examples/checksum [-workers N] DIR")
		flag.PrintDefaults()
	}
	flag.Parse()
	if (*file == "") != (flag.NArg() == 1) || flag.NArg() > 1 || *workers < 1 || *workers > 64 {
		flag.Usage()
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, patience)
	var err error
	if *file != "" {
		err = sum(os.Stdout, *file)
	} else {
		err = run(ctx, flag.Arg(0), *workers)
	}
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "checksum:", err)
		os.Exit(1)
	}
}
