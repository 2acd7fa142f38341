package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/urfave/cli/v3"
)

// deadVerb lists dead letters.
type deadVerb struct {
	*session
	pager
	filters
}

func (t *tool) deadCommand() *cli.Command {
	v := &deadVerb{session: t.session(), pager: newPager()}
	return &cli.Command{
		Name: "dead", Usage: "list the dead letters of a queue, with what killed them", ArgsUsage: "QUEUE",
		Description: `Dead letters are the tasks that will not be handed over again: their attempts are
used up, or their handler said so. DIED is how long ago that was. "reeve show ID"
has everything about one, "reeve revive" makes them ready again, "reeve purge"
removes them. With -json, each is an object in a line of its own.

Examples:
  reeve dead tasks
  reeve dead tasks -error 'connection refused' -all`,
		Flags: v.session.flags(append(v.pager.flags(), v.filters.flags()...)...), Action: v.run,
	}
}

func (v *deadVerb) run(ctx context.Context, cmd *cli.Command) error {
	queue, err := oneQueue(cmd)
	if err != nil {
		return err
	}
	if err := v.check(cmd); err != nil {
		return err
	}
	return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error {
		out := bufio.NewWriter(v.stdout)
		write := func(tasks []reeve.TaskInfo) error { return writeTasksJSON(out, tasks) }
		if !v.json {
			w, now := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0), time.Now()
			fmt.Fprintln(w, "ID\tTYPE\tDIED\tATTEMPTS\tREASON\tERROR\tPAYLOAD")
			write = func(tasks []reeve.TaskInfo) error {
				for i := range tasks {
					t := &tasks[i]
					reason, last := reasonOf(t.Reason, t.Error)
					fmt.Fprintf(w, "%v\t%s\t%s\t%d\t%s\t%s\t%s\n", t.ID, typeName(t.Type), span(now.Sub(t.Since)), t.Attempt,
						orDash(clipped(cmp.Or(reason, t.Reason), 40)), orDash(clipped(last, 60)), preview(t.Payload, t.Size))
				}
				return outputError(w.Flush())
			}
		}
		f := v.filter()
		f.States = []reeve.State{reeve.StateDead}
		next, err := v.list(ctx, op, queue, f, flushed(out, write))
		tellMore(v.stderr, next)
		return err
	})
}
