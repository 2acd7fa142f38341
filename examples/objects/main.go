// Command objects shares values of a program's own: a bank with accounts, which
// tellers use through typed handles.
//
//	go run ./examples/objects
//
// The master is in this program, and so are three tellers, each with a connection
// of its own over loopback; with another address they may be anywhere. Package
// bank, beside this one, is what both sides know: the interfaces, the errors, and
// the handles that cmd/reevegen has written.
//
//   - The bank is a value with a name. Its methods are those of an interface, and
//     nothing else of it can be reached.
//   - An account is an object, too, without a name: the bank's method Open returns
//     it, and Move takes two of them, which are the bank's own values there.
//   - Each teller has a counter, made by a factory, which nobody else can reach and
//     which is gone when the teller is.
//   - Errors are the program's own on both sides; a method that panics harms nobody
//     but its caller.
//
// The exit code is 1 if any money is lost.
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
const patience = time.Minute

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./examples/objects") }
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, patience)
	err := run(ctx, os.Stdout)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "objects:", err)
		os.Exit(1)
	}
}
