// Command master hosts task queues for workers and producers on any machine,
// or, with -input, runs a file of lines through them once and ends.
package main

import (
	"context"
	"io"
	"os"
	_ "time/tzdata" // so that the zones of a queue's windows are known on every machine

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

func main() {
	program.TuneGC()
	os.Exit(run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// run is the program. It returns the exit code when the master has ended: by
// the end of ctx, by a signal, or because the batch run is done.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	return newOptions(getenv).run(ctx, args, cmdline.IO{In: stdin, Out: stdout, Err: stderr}, getenv)
}

func (o *options) run(ctx context.Context, args []string, std cmdline.IO, getenv func(string) string) int {
	root := o.command(func(ctx context.Context, cmd *cli.Command) error {
		if err := cmdline.NoArgs(cmd); err != nil {
			return err
		}
		if err := o.complete(cmd); err != nil {
			return cmdline.Usagef(cmd, "%w", err)
		}
		return host(ctx, cmd, o, std, program.Env{Getenv: getenv, Stdin: std.In})
	})
	return cmdline.Run(ctx, root, args, std, program.ExitCode)
}
