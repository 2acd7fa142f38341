package main

import (
	"bufio"
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/urfave/cli/v3"
)

// whyVerb tells why a task is not running.
type whyVerb struct{ *session }

func (t *tool) whyCommand() *cli.Command {
	v := &whyVerb{t.session()}
	return &cli.Command{
		Name: "why", Usage: "tell why a task is not running now", ArgsUsage: "ID",
		Description: `Writes every reason there is, each in a line: the kind of reason, and what it is
in this case. With -json, an object with the reasons and, as far as they have any,
the times at which they end, the tasks that are in the way and the numbers.

Example:
  reeve why 0000000000000c05`,
		Flags: v.flags(), Action: v.run,
	}
}

func (v *whyVerb) run(ctx context.Context, cmd *cli.Command) error {
	id, err := oneID(cmd)
	if err != nil {
		return err
	}
	return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error {
		e, err := op.Explain(ctx, id)
		if err != nil {
			return explained(err, id)
		}
		if v.json {
			if e.Reasons == nil {
				e.Reasons = []reeve.Reason{}
			}
			return writeJSON(v.stdout, e)
		}
		out := bufio.NewWriter(v.stdout)
		if len(e.Reasons) == 0 {
			fmt.Fprintln(out, "next: nothing keeps it from being handed over")
		}
		for _, r := range e.Reasons {
			fmt.Fprintf(out, "%s: %s\n", printable(string(r.Code)), printable(r.Text))
		}
		return outputError(out.Flush())
	})
}
