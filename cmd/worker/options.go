package main

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/demo"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

// options is the command line.
type options struct {
	connect       string
	queues        queues
	strict        bool
	results       string
	types, labels []string // nil: none was given
	concurrency   int
	prefetch      int
	timeout       time.Duration
	grace         time.Duration
	once          bool
	maxTasks      int
	maxStuck      int
	maxOutput     int64
	killAfter     time.Duration
	debugAddr     string
	key           program.KeyFlags
	log           program.LogFlags

	argv []string // after "--"; nil: the demo functions
}

func newOptions(getenv func(string) string) *options {
	return &options{
		connect: cmp.Or(getenv("REEVE_CONNECT"), "127.0.0.1:5000"),
		queues:  queues{list: []reeve.Source{{Queue: "tasks"}}}, results: "results",
		concurrency: runtime.GOMAXPROCS(0),
		grace:       30 * time.Second,
		maxStuck:    1000,
		maxOutput:   16 << 20,
		killAfter:   500 * time.Millisecond,
	}
}

func (o *options) command(action cli.ActionFunc) *cli.Command {
	flags := []cli.Flag{
		cmdline.String("connect", &o.connect, "the master is at `HOST:PORT[,HOST:PORT]`, or unix:PATH; also REEVE_CONNECT"),
		cmdline.Flag("queue", &o.queues, "take tasks from queue `NAME`; several are NAME,NAME or the flag again, and NAME=3,NAME=1\nshares in proportion; without weights all have the same"),
		cmdline.Bool("strict", &o.strict, "take tasks from a queue only when those before it have none"),
		cmdline.List("type", &o.types, checkTypes, "take tasks of type `NAME` only; more than one can be given"),
		cmdline.Labels("label", &o.labels, "take tasks too that are for workers with `LABEL`; more than one can be given"),
		cmdline.String("results", &o.results, "put results on queue `NAME`; empty: they are kept by the task's id only, if it or its queue says so"),
		cmdline.Int("concurrency", &o.concurrency, 1, reeve.MaxSlots, "run `N` tasks at a time; the default is the number of CPUs"),
		cmdline.Int("prefetch", &o.prefetch, 0, reeve.MaxSlots, "hold `N` more tasks ready, for very small ones"),
		cmdline.Duration("timeout", &o.timeout, 0, "end a task that runs longer than `TIME`; 0: as long as it takes"),
		cmdline.Duration("grace", &o.grace, 0, "when stopped, let tasks run on for `TIME`"),
		cmdline.Bool("once", &o.once, "exit (69) instead of trying again when the master cannot be reached"),
		cmdline.Int("max-tasks", &o.maxTasks, 0, 1<<31-1, "exit after `N` tasks, for a supervisor that starts the worker anew; 0: never"),
		cmdline.Int("max-stuck", &o.maxStuck, 0, 1<<31-1, "exit (70) when `N` tasks ignore that they were ended; 0: never"),
		cmdline.Size("max-output", &o.maxOutput, 1, "what a command prints may be `SIZE` long"),
		cmdline.Duration("kill-after", &o.killAfter, time.Millisecond, "kill a command that goes on `TIME` after it was asked to end"),
		cmdline.String("debug-addr", &o.debugAddr, program.DebugUsage),
	}
	return &cli.Command{
		Name:        "worker",
		Usage:       "take tasks from a master, run them, put back the results",
		UsageText:   "worker [flags] [-- COMMAND ARG...]",
		Description: description,
		Flags:       slices.Concat(flags, o.key.Flags(), o.log.Flags()),
		Action:      action,
	}
}

var description = `COMMAND is run once per task: the payload is its standard input, what it prints
is the result. In an argument, {} stands for the payload; no shell is involved.
REEVE_TASK_ID, REEVE_QUEUE, REEVE_TYPE, REEVE_KEY, REEVE_PRIORITY,
REEVE_ATTEMPT and REEVE_BLOBS are in its environment; the last has the blobs
that the task names, for reeve blob get. Its exit code says what becomes of the
task, and the end of its standard error why:
` + exitCodes + `

A command whose task is cancelled or lost, or takes too long, is asked to end
(SIGTERM) and then killed, with all that it started.

Without COMMAND the demo functions run: ` + strings.Join(demo.Names(), ", ") + `.
A task's type names the function; without a type, the payload's first word does.
A command takes tasks of all types and the demo those that it knows, unless
-type says which.

The first SIGTERM or Ctrl-C lets what runs finish and gives back the rest, the
second ends everything at once.

Examples:
  worker
  worker -connect host:5000 -authkey-file reeve.key -concurrency 8
  worker -queue high=3,low=1 -label gpu -type resize -- ./resize
  worker -timeout 1m -- convert - -resize 50% png:-
  worker -- sh -c 'sha256sum "$1"' sh {}`

// validate checks what no flag can check alone.
func (o *options) validate() error {
	switch {
	case o.concurrency+o.prefetch > reeve.MaxSlots:
		return errors.New("-concurrency and -prefetch are too many together")
	case slices.ContainsFunc(o.queues.list, func(s reeve.Source) bool { return s.Queue == o.results }):
		return errors.New("-queue and -results must not be the same: every result would become a task")
	}
	if o.argv == nil {
		for _, t := range o.types {
			if t != "" && !slices.Contains(demo.Names(), t) {
				return fmt.Errorf("-type %q: there is no such demo function; there are: %s", t, strings.Join(demo.Names(), ", "))
			}
		}
	}
	return nil
}

func checkTypes(types []string) error {
	o := reeve.NewGetOptions(reeve.ForTypes(types...))
	if slices.Contains(types[:len(types)-1], types[len(types)-1]) {
		return errors.New("it was given before")
	}
	return cmdline.Plain(o.Validate())
}

// splitCommand cuts the arguments at the first "--". What completes a command
// line needs the whole.
func splitCommand(args []string) (before, argv []string) {
	i := slices.Index(args, "--")
	if i < 0 || args[len(args)-1] == "--generate-shell-completion" {
		return args, nil
	}
	return args[:i], args[i+1:]
}
