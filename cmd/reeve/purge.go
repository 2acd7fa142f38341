package main

import (
	"context"

	"github.com/reeveq/reeve"
	"github.com/urfave/cli/v3"
)

// waiting are the states of which tasks can be purged.
var waiting = []reeve.State{reeve.StateReady, reeve.StateDelayed, reeve.StateDead}

func (t *tool) purgeCommand() *cli.Command {
	v := &actVerb{session: t.session(), done: "purged", one: purge}
	v.many = func(ctx context.Context, op reeve.Operator, queue string, f reeve.Filter) (int, error) {
		return op.Purge(ctx, queue, f)
	}
	return &cli.Command{
		Name: "purge", Usage: "remove dead letters, or tasks that wait", ArgsUsage: tasksMeant,
		Description: `Removes the dead letters of a queue that are asked for, or with -state the tasks
in these states. Tasks that run are not purged: "reeve cancel" ends them. How many
there were is written.

Examples:
  reeve purge 0000000000000c05
  reeve purge tasks -older-than 72h
  reeve purge tasks -all                   all dead letters
  reeve purge tasks -state ready,delayed   all that waits`,
		Flags: v.session.flags(append(v.filters.flags(waiting...), v.allFlag("all dead letters of QUEUE"))...), Action: v.run,
	}
}

func purge(ctx context.Context, op reeve.Operator, id reeve.ID) error {
	t, err := op.Task(ctx, id)
	switch {
	case err != nil:
		return err
	case t.State == reeve.StateLeased:
		return wrongState(&t, "a task that runs is not purged, \"reeve cancel\" ends it")
	case t.State.Ended():
		return wrongState(&t, "it is in no queue any more")
	}
	n, err := op.Purge(ctx, t.Queue, reeve.Filter{IDs: []reeve.ID{id}, States: waiting})
	if err == nil && n == 0 {
		t.State = reeve.StateLeased // or it is gone: it was there a moment ago
		return wrongState(&t, "a task that runs is not purged, \"reeve cancel\" ends it")
	}
	return err
}
