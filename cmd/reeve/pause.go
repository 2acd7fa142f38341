package main

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

func (t *tool) pauseCommand() *cli.Command {
	v := t.session()
	var reason string
	return &cli.Command{
		Name: "pause", Usage: "stop handing over the tasks of a queue", ArgsUsage: "QUEUE",
		Description: `Tasks that run go on, and tasks can still be put. "reeve resume" ends it. A second
pause changes the reason.

Example:
  reeve pause tasks -reason 'the database is being moved'`,
		Flags: v.flags(cmdline.Flag("reason", textValue{&reason, reeve.MaxErrorText}, "`TEXT` is told to who asks why nothing runs")),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return v.change(ctx, cmd, "paused", func(ctx context.Context, q reeve.Queue) error { return q.Pause(ctx, reason) })
		},
	}
}

// change does something to a queue and says what it is then.
func (s *session) change(ctx context.Context, cmd *cli.Command, done string, f func(context.Context, reeve.Queue) error) error {
	queue, err := oneQueue(cmd)
	if err != nil {
		return err
	}
	return s.with(ctx, cmd, func(ctx context.Context, m master) error {
		if err := f(ctx, m.Queue(queue)); err != nil {
			return err
		}
		if s.json {
			return writeJSON(s.stdout, struct {
				Queue  string `json:"queue"`
				Paused bool   `json:"paused"`
			}{queue, done == "paused"})
		}
		_, err := fmt.Fprintf(s.stdout, "queue %s is %s\n", printable(queue), done)
		return outputError(err)
	})
}
