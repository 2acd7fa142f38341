package main

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

func (t *tool) declareCommand() *cli.Command {
	v := t.session()
	return &cli.Command{
		Name: "declare", Usage: "make a queue", ArgsUsage: "NAME[,option=value]…",
		Description: `Makes a queue at a master that runs, unless it has one that is configured like this.
One with another configuration stays as it is, and that is an error: "reeve delete"
comes first. Without -data of the master, the queue is gone with the master.

Options, as of the master's -queue, with examples:
` + cmdline.QueueOptionsHelp() + `
Examples:
  reeve declare tasks
  reeve declare thumbnails,max-len=10000,lease=1m,idle-ttl=24h`,
		Flags: v.flags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Len() != 1 {
				return cmdline.Usagef(cmd, "the name of one queue is needed, with its options")
			}
			spec, err := cmdline.ParseQueueSpec(cmd.Args().First())
			if err != nil {
				return cmdline.Usagef(cmd, "%w", err)
			}
			return v.with(ctx, cmd, func(ctx context.Context, m master) error {
				if _, err := m.DeclareQueue(ctx, spec.Name, spec.Config); err != nil {
					return err
				}
				return v.isNow(spec.Name, "declared")
			})
		},
	}
}

// isNow says what a queue is now: declared or deleted.
func (s *session) isNow(queue, done string) error {
	if s.json {
		return writeJSON(s.stdout, struct {
			Queue string `json:"queue"`
			Is    string `json:"is"`
		}{queue, done})
	}
	_, err := fmt.Fprintf(s.stdout, "queue %s is %s\n", printable(queue), done)
	return outputError(err)
}
