package main

import (
	"context"

	"github.com/reeveq/reeve"
	"github.com/urfave/cli/v3"
)

func (t *tool) resumeCommand() *cli.Command {
	v := t.session()
	return &cli.Command{
		Name: "resume", Usage: "hand over the tasks of a paused queue again", ArgsUsage: "QUEUE",
		Description: `Does nothing to a queue that is not paused.

Example:
  reeve resume tasks`,
		Flags: v.flags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return v.change(ctx, cmd, "not paused", func(ctx context.Context, q reeve.Queue) error { return q.Resume(ctx) })
		},
	}
}
