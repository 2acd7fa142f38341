package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/bench/internal/workload"
)

// serve is the server of a system that is a part of this program.
func serve(ctx context.Context, args []string, _, _ io.Writer) error {
	tuneGC()
	if len(args) == 1 {
		for _, s := range systems() {
			if served, ok := s.(system.Served); ok && s.Name() == args[0] {
				return program.ServeSelf(ctx, served)
			}
		}
	}
	return fmt.Errorf("serve %q: no system that this program serves", args)
}

// client is a client process. An interrupt, which a terminal sends to all, is
// left to the process that measures: its end of the input ends this one.
func client(ctx context.Context, _ []string, stdout, _ io.Writer) error {
	tuneGC()
	signal.Ignore(os.Interrupt)
	return workload.Client(context.WithoutCancel(ctx), systems(), os.Stdin, stdout)
}
