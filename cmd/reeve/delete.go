package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

func (t *tool) deleteCommand() *cli.Command {
	v := t.session()
	var force bool
	return &cli.Command{
		Name: "delete", Usage: "delete a queue", ArgsUsage: "QUEUE",
		Description: `Deletes a queue for good, with the results and unique keys it keeps. Whoever waits for
something of it is told that there is no such queue. One that has tasks, dead ones
included, is left alone, unless -force is given: they are purged then, and those
that run are taken from their workers.

Examples:
  reeve delete thumbnails
  reeve delete thumbnails -force`,
		Flags: v.flags(cmdline.Bool("force", &force, "delete the queue with all tasks that it has")),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			queue, err := oneQueue(cmd)
			if err != nil {
				return err
			}
			return v.with(ctx, cmd, func(ctx context.Context, m master) error {
				err := m.DeleteQueue(ctx, queue, force)
				switch {
				case errors.Is(err, reeve.ErrNotEmpty):
					return fmt.Errorf("%w (-force deletes it with them)", err)
				case err != nil:
					return err
				}
				return v.isNow(queue, "deleted")
			})
		},
	}
}
