// Command reeve is the tool of producers and operators: it puts tasks on a
// master's queues, gets them, looks at them and at who works on them, and puts
// its hand to them. Each verb is a file of its own.
package main

import (
	"cmp"
	"context"
	"io"
	"os"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/proxy"
	"github.com/urfave/cli/v3"
)

func main() {
	os.Exit(run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// run is the program. It returns the exit code when the verb is done or ctx
// has ended.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	t := &tool{
		stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv,
		defaultConnect: cmp.Or(getenv("REEVE_CONNECT"), "127.0.0.1:5000"), dial: dialMaster,
	}
	return t.run(ctx, args)
}

func (t *tool) run(ctx context.Context, args []string) int {
	root := &cli.Command{
		Name:        "reeve",
		Usage:       "put tasks on the queues of a master, get them, look at them, put a hand to them",
		Description: description,
		Commands: []*cli.Command{
			t.putCommand(), t.getCommand(), t.lsCommand(), t.peekCommand(), t.showCommand(), t.whyCommand(),
			t.resultCommand(), t.waitCommand(),
			t.cancelCommand(), t.deadCommand(), t.reviveCommand(), t.purgeCommand(), t.moveCommand(),
			t.pauseCommand(), t.resumeCommand(), t.declareCommand(), t.deleteCommand(),
			t.workersCommand(), t.tailCommand(), t.topCommand(),
			t.objectsCommand(), t.locksCommand(), t.callCommand(), t.blobCommand(),
			t.backupCommand(), t.journalCommand(), t.shutdownCommand(),
			t.keygenCommand(), t.versionCommand(),
		},
	}
	return cmdline.Run(ctx, root, args, cmdline.IO{In: t.stdin, Out: t.stdout, Err: t.stderr}, program.ExitCode)
}

const description = `Examples:
  reeve put tasks 'square 12' 'square 13'
  find . -name '*.jpg' | reeve put tasks
  reeve get results -n 10 -ack
  reeve ls -connect host:5000 -authkey-file reeve.key
  reeve why 0000000000000c05
  reeve revive tasks -error 'connection refused'
  reeve keygen worker-7 > worker-7.key`

// tool is what the verbs share.
type tool struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	defaultConnect string
	dial           func(ctx context.Context, addrs string, cfg proxy.Config) (master, error)
}
