// Command bench measures this project, what it could pick instead, and what the
// machine allows, with the same work and in the same run.
//
//	cd bench
//	go run .                              # everything, about an hour
//	go run . -workloads pipeline-4 -systems reeve-batch,redis-lists -repeat 5
//	go run . list
//
// Each system is started from its own package, on loopback, and left out with
// the reason when it is not installed. The figures are those of the machine it
// runs on, and hold in relation to each other within one run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// command is a subcommand. Its error is told by main.
type command struct {
	name, about string
	hidden      bool // started by the program itself
	run         func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

func commands() []command {
	return []command{
		{name: "run", about: "measure, and show the figures as a table; the default", run: run},
		{name: "list", about: "list the workloads and the systems", run: list},
		{name: "table", about: "show an earlier run as a table", run: showTable},
		{name: "chart", about: "draw the chart of an earlier run", run: showChart},
		{name: "goals", about: "tell which goals an earlier run has reached", run: goals},
		{name: "micro", about: "run the micro-benchmarks and compare them with the baseline", run: micro},
		{name: "soak", about: "have a master work while everything fails at random, and look for what is lost or grows", run: soakMain},
		{name: "serve", hidden: true, run: serve},
		{name: "client", hidden: true, run: client},
	}
}

func main() {
	raiseFiles()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// dispatch runs the subcommand that args begin with, or "run".
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	name := "run"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		name, args = args[0], args[1:]
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, args, stdout, stderr)
		}
	}
	return fmt.Errorf("no command %q; there are: %s", name, commandNames())
}

func commandNames() (names string) {
	for _, c := range commands() {
		if !c.hidden {
			names += " " + c.name
		}
	}
	return names[1:]
}

// tuneGC lets garbage gather as this project's programs do, in every server and
// client that is a part of this one, unless the environment says otherwise.
func tuneGC() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(400)
	}
}
