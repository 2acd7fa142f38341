package main

import (
	"bufio"
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

// showVerb shows everything about a task.
type showVerb struct {
	*session
	raw bool
}

func (t *tool) showCommand() *cli.Command {
	v := &showVerb{session: t.session()}
	return &cli.Command{
		Name: "show", Usage: "show everything about a task", ArgsUsage: "ID",
		Description: `Shows where the task is, what it asks for, how far it is, how its attempts ended,
and its payload: as text, as JSON if it is CBOR, or in hexadecimal. Of a task that
has ended there is only what is kept of it, which the payload is not. With -json, a
payload that is no text is in base64.

Examples:
  reeve show 0000000000000c05
  reeve show c05 -raw > payload`,
		Flags: v.flags(cmdline.Bool("raw", &v.raw, "write the payload alone, byte for byte")), Action: v.run,
	}
}

func (v *showVerb) run(ctx context.Context, cmd *cli.Command) error {
	id, err := oneID(cmd)
	if err != nil {
		return err
	}
	if v.raw && v.json {
		return cmdline.Usagef(cmd, "-raw and -json are both set, want one")
	}
	return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error {
		t, err := op.Task(ctx, id)
		if err != nil {
			return explained(err, id)
		}
		switch {
		case v.raw && t.State.Ended():
			return program.Fail(exitNoTask, fmt.Errorf("task %v is %v, and its payload is not kept: \"reeve result %[1]v\" tells what became of it", id, t.State))
		case v.json:
			return writeJSON(v.stdout, newInfoJSON(&t))
		case v.raw:
			_, err := v.stdout.Write(t.Payload)
			return outputError(err)
		}
		out := bufio.NewWriter(v.stdout)
		if err := writeTask(out, &t); err != nil {
			return err
		}
		return outputError(out.Flush())
	})
}
