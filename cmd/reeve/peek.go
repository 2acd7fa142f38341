package main

import (
	"bufio"
	"context"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// peekVerb shows tasks of a queue without touching them.
type peekVerb struct {
	*session
	pager
	filters
}

func (t *tool) peekCommand() *cli.Command {
	v := &peekVerb{session: t.session(), pager: newPager()}
	flags := append(v.pager.flags(), v.filters.flags(reeve.StateReady, reeve.StateDelayed, reeve.StateLeased, reeve.StateDead)...)
	return &cli.Command{
		Name: "peek", Usage: "show the tasks that are next, or those that are asked for", ArgsUsage: "QUEUE",
		Description: `Shows the ready tasks of a queue in the order in which they are to be handed over.
With a filter, -after or -all, it shows the tasks in all states for which all
filters hold, in the order of their ids. Nothing is changed by it.
AGE is the time since the task was put. With -json, each task is an object in a
line of its own, with all that is known of it.

Examples:
  reeve peek tasks
  reeve peek tasks -state leased,delayed -type square
  reeve peek tasks -key customer-7 -json
  reeve peek tasks -all -json | jq -r .id`,
		Flags: v.session.flags(flags...), Action: v.run,
	}
}

func (v *peekVerb) run(ctx context.Context, cmd *cli.Command) error {
	queue, err := oneQueue(cmd)
	if err != nil {
		return err
	}
	if err := v.check(cmd); err != nil {
		return err
	}
	byID := v.given() || v.all || len(v.after) > 0
	if !byID && v.n > reeve.MaxBatch {
		return cmdline.Usagef(cmd, "-n %d: want at most %d of the next tasks; with -all, or a filter, there may be more", v.n, reeve.MaxBatch)
	}
	return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error {
		out := bufio.NewWriter(v.stdout)
		write := func(tasks []reeve.TaskInfo) error { return writeTasksJSON(out, tasks) }
		if !v.json {
			write = newTaskTable(out).write
		}
		if byID {
			next, err := v.list(ctx, op, queue, v.filter(), flushed(out, write))
			tellMore(v.stderr, next)
			return err
		}
		tasks, err := op.Peek(ctx, queue, v.n, int(v.payload))
		if err != nil {
			return err
		}
		return flushed(out, write)(tasks)
	})
}

// flushed is write with what it wrote sent on its way.
func flushed(out *bufio.Writer, write func([]reeve.TaskInfo) error) func([]reeve.TaskInfo) error {
	return func(tasks []reeve.TaskInfo) error {
		if err := write(tasks); err != nil {
			return err
		}
		return outputError(out.Flush())
	}
}
