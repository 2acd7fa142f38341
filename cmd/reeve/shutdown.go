package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// ender is a master that can be ended from afar.
type ender interface {
	ShutdownMaster(ctx context.Context, drain bool) error
}

// shutdownVerb ends the master.
type shutdownVerb struct {
	*session
	drain bool
}

func (t *tool) shutdownCommand() *cli.Command {
	v := &shutdownVerb{session: t.session()}
	return &cli.Command{
		Name: "shutdown", Usage: "end the master",
		Description: `Only a master that was started with -allow-shutdown lets itself be ended so; others
refuse, with exit code 77. With -drain it hands out nothing more and waits until
workers have finished what they run, for its -grace at most. It returns when the
master has agreed, not when it has ended. Without -data, what the queues hold is
gone then.

Examples:
  reeve shutdown -drain
  reeve shutdown -connect unix:/run/reeve.sock`,
		Flags:  v.flags(cmdline.Bool("drain", &v.drain, "let workers finish what they run")),
		Action: v.run,
	}
}

func (v *shutdownVerb) run(ctx context.Context, cmd *cli.Command) error {
	if err := cmdline.NoArgs(cmd); err != nil {
		return err
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		err := m.ShutdownMaster(ctx, v.drain)
		switch {
		case errors.Is(err, reeve.ErrPermission):
			return fmt.Errorf("%w (-allow-shutdown of the master does)", err)
		case err != nil:
			return err
		case v.json:
			return writeJSON(v.stdout, struct {
				Drain bool `json:"drain"`
			}{v.drain})
		case v.drain:
			_, err = fmt.Fprintln(v.stdout, "the master ends when its workers have finished")
		default:
			_, err = fmt.Fprintln(v.stdout, "the master ends")
		}
		return outputError(err)
	})
}
