// Command worker takes tasks from a master and puts back results. What it runs
// for each task is a command of the user's, given after "--", or one of a few
// built-in demo functions. Workers in Go code are made with package worker;
// this program is for everything else.
package main

import (
	"context"
	"io"
	"os"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

func main() {
	program.TuneGC()
	os.Exit(run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// run is the program. It returns the exit code when the worker has stopped: by
// the end of ctx, by a signal or by itself.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	before, argv := splitCommand(args)
	o := newOptions(getenv)
	env := program.Env{Getenv: getenv, Stdin: stdin}
	root := o.command(func(ctx context.Context, cmd *cli.Command) error {
		if err := cmdline.NoArgs(cmd); err != nil {
			return err
		}
		o.argv = argv
		return work(ctx, cmd, o, env, stderr)
	})
	return cmdline.Run(ctx, root, before, cmdline.IO{In: stdin, Out: stdout, Err: stderr}, program.ExitCode)
}
