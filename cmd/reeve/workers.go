package main

import (
	"context"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// workersVerb lists the workers of a master and asks them how they are.
type workersVerb struct {
	*session
	status  bool
	clients bool
	timeout time.Duration
}

func (t *tool) workersCommand() *cli.Command {
	v := &workersVerb{session: t.session()}
	return &cli.Command{
		Name: "workers", Usage: "list the workers, and tell them what to do",
		UsageText: "reeve workers [flags]\n  reeve workers COMMAND [flags] ...",
		Description: `HEARD is how long ago the master heard of a worker last; RUNNING its tasks with
the time since they were handed over, the oldest first. An id is a connection's:
a worker has another one when it has connected again. TYPES are the task types a
worker takes, * for all. Where lists are cut short, +N says how many are left out;
-json has them whole.
-status asks all workers how they are, and adds what they say: how long they have
been up, how many tasks they have done, and how many attempts have failed. The
exit code is 1 if one does not answer.

Examples:
  reeve workers
  reeve workers -status
  reeve workers drain 17
  reeve workers concurrency 8 -label gpu`,
		Commands: []*cli.Command{t.drainCommand(), t.concurrencyCommand()},
		Flags: v.flags(
			cmdline.Bool("status", &v.status, "ask the workers how they are"),
			cmdline.Bool("clients", &v.clients, "list those too that take no tasks: producers, and this program"),
			timeoutFlag(&v.timeout),
		),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Present() {
				return cmdline.Usagef(cmd, "unknown command %q; there are: drain, concurrency", cmd.Args().First())
			}
			if err := checkTimeout(cmd, v.timeout); err != nil {
				return err
			}
			return v.operate(ctx, cmd, v.list)
		},
	}
}

// workerEntry is a worker as -json shows it.
type workerEntry struct {
	reeve.WorkerInfo
	Status *reeve.WorkerStatus `json:"status,omitempty"`
	Error  string              `json:"error,omitempty"` // why there is no status
}

func (v *workersVerb) list(ctx context.Context, op reeve.Operator) error {
	infos, err := op.Workers(ctx)
	if err != nil {
		return err
	}
	entries := make([]workerEntry, len(infos))
	for i, w := range infos {
		entries[i] = workerEntry{WorkerInfo: w}
	}
	missing := false
	if v.status {
		reports, err := op.Command(ctx, reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandReport}, v.timeout)
		if err != nil {
			return err
		}
		missing = join(entries, reports)
	}
	if !v.clients {
		entries = slices.DeleteFunc(entries, func(e workerEntry) bool { return !isWorker(&e.WorkerInfo) && e.Status == nil })
	}
	if v.json {
		err = writeJSON(v.stdout, listsNotNull(entries))
	} else {
		err = outputError(v.table(entries))
	}
	if err == nil && missing {
		return cmdline.Exit(exitSome)
	}
	return err
}

// join puts the reports to the workers they are from, and tells whether one
// could not.
func join(entries []workerEntry, reports []reeve.Report) (failed bool) {
	byID := make(map[uint64]*workerEntry, len(entries))
	for i := range entries {
		byID[entries[i].ID] = &entries[i]
	}
	for _, r := range reports {
		failed = failed || r.Error != ""
		if e := byID[r.ID]; e != nil { // nil: it came after the list was made
			e.Status, e.Error = r.Status, r.Error
		}
	}
	return failed
}

// isWorker reports whether a client takes tasks, or has some left.
func isWorker(w *reeve.WorkerInfo) bool { return len(w.Queues) > 0 || w.Leased > 0 }

// listsNotNull has lists without elements written as such; null is said of
// Types only, where it means all.
func listsNotNull(entries []workerEntry) []workerEntry {
	for i := range entries {
		e := &entries[i]
		if e.Queues == nil {
			e.Queues = []reeve.WorkerQueue{}
		}
		if e.Running == nil {
			e.Running = []reeve.WorkerTask{}
		}
		for j := range e.Queues {
			if e.Queues[j].Labels == nil {
				e.Queues[j].Labels = []string{}
			}
		}
	}
	return entries
}
