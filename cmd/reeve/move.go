package main

import (
	"context"
	"errors"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// moveVerb moves tasks from one queue to another.
type moveVerb struct {
	*session
	filters
	all bool
}

func (t *tool) moveCommand() *cli.Command {
	v := &moveVerb{session: t.session()}
	flags := append(v.filters.flags(waiting...), cmdline.Bool("all", &v.all, "all tasks of FROM that do not run, dead letters too"))
	return &cli.Command{
		Name: "move", Usage: "move tasks to another queue", ArgsUsage: "FROM TO (FILTER... | -all)",
		Description: `Moves the tasks of the queue FROM for which all filters hold, with their ids, to
the queue TO. Tasks that run stay where they are. When TO is full, move ends with
exit code 75. How many were moved is written either way.

Examples:
  reeve move tasks slow -type video
  reeve move tasks quarantine -state dead
  reeve move old new -all`,
		Flags: v.session.flags(flags...), Action: v.run,
	}
}

func (v *moveVerb) run(ctx context.Context, cmd *cli.Command) error {
	from, to := cmd.Args().Get(0), cmd.Args().Get(1)
	switch {
	case cmd.Args().Len() != 2 || from == "" || to == "":
		return cmdline.Usagef(cmd, "the names of two queues are needed: from where, and to where")
	case from == to:
		return cmdline.Usagef(cmd, "the two queues are the same")
	case v.all && v.given():
		return cmdline.Usagef(cmd, "-all stands alone, without filters")
	case !v.all && !v.given():
		return cmdline.Usagef(cmd, "which tasks? Give a filter or -all")
	}
	return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error {
		n, err := op.Move(ctx, from, to, v.filter())
		if err != nil && n == 0 && !errors.Is(err, reeve.ErrQueueFull) {
			return err
		}
		return errors.Join(v.count(n, "moved"), err)
	})
}
