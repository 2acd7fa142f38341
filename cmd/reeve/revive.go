package main

import (
	"context"

	"github.com/reeveq/reeve"
	"github.com/urfave/cli/v3"
)

func (t *tool) reviveCommand() *cli.Command {
	v := &actVerb{session: t.session(), done: "revived", one: revive}
	v.many = func(ctx context.Context, op reeve.Operator, queue string, f reeve.Filter) (int, error) {
		return op.Revive(ctx, queue, f)
	}
	return &cli.Command{
		Name: "revive", Usage: "make dead letters ready again", ArgsUsage: tasksMeant,
		Description: `They are handed over again as if there had been no attempt before. How many there
were is written.

Examples:
  reeve revive 0000000000000c05
  reeve revive tasks -error 'connection refused'
  reeve revive tasks -all`,
		Flags: v.session.flags(append(v.filters.flags(), v.allFlag("all dead letters of QUEUE"))...), Action: v.run,
	}
}

func revive(ctx context.Context, op reeve.Operator, id reeve.ID) error {
	t, err := op.Task(ctx, id)
	if err != nil {
		return err
	}
	if t.State == reeve.StateDead {
		if n, err := op.Revive(ctx, t.Queue, reeve.Filter{IDs: []reeve.ID{id}}); err != nil || n > 0 {
			return err
		}
		return reeve.ErrNoSuchTask // somebody else was faster
	}
	return wrongState(&t, "only dead letters can be revived")
}
