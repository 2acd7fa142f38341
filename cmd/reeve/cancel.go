package main

import (
	"context"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

func (t *tool) cancelCommand() *cli.Command {
	v := &actVerb{session: t.session(), done: "cancelled"}
	var reason string
	v.one = func(ctx context.Context, op reeve.Operator, id reeve.ID) error { return op.Cancel(ctx, id, reason) }
	v.many = func(ctx context.Context, op reeve.Operator, queue string, f reeve.Filter) (int, error) {
		return op.CancelAll(ctx, queue, f, reason)
	}
	flags := append(v.filters.flags(reeve.StateReady, reeve.StateDelayed, reeve.StateLeased, reeve.StateDead),
		v.allFlag("all tasks of QUEUE, in whatever state"),
		cmdline.Flag("reason", textValue{&reason, reeve.MaxErrorText}, "`TEXT` is told to the handler and to who asks for the result"))
	return &cli.Command{
		Name: "cancel", Usage: "end tasks, in whatever state they are", ArgsUsage: tasksMeant,
		Description: `A task that waits is not handed over, one that runs has its handler told to stop,
a dead letter is removed. How many tasks there were is written.

Examples:
  reeve cancel 0000000000000c05 c06
  reeve cancel tasks -key customer-7 -reason 'the customer has left'
  reeve cancel tasks -all`,
		Flags: v.session.flags(flags...), Action: v.run,
	}
}
