package main

import (
	"bufio"
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/shared"
	"github.com/urfave/cli/v3"
)

// locksVerb lists who holds locks.
type locksVerb struct{ *session }

func (t *tool) locksCommand() *cli.Command {
	v := &locksVerb{session: t.session()}
	return &cli.Command{
		Name: "locks", Usage: "list who holds locks, and how many wait",
		Description: `There is a line for each lock that is held, for each place of a semaphore that is
taken, and for each leader of an election. HELD is since when, TOKEN the fencing
token of the hold, WAITERS how many wait for it. With -json, each is an object in a
line of its own.

Examples:
  reeve locks`,
		Flags: v.flags(), Action: v.run,
	}
}

func (v *locksVerb) run(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Present() {
		return cmdline.Usagef(cmd, "want no arguments")
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		list, err := shared.Locks(ctx, m)
		if err != nil {
			return err
		}
		if v.json {
			return writeLines(v.stdout, list)
		}
		out := bufio.NewWriter(v.stdout)
		w, now := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0), time.Now()
		fmt.Fprintln(w, "NAME\tTYPE\tMODE\tOWNER\tHOST:PID\tHELD\tTOKEN\tWAITERS")
		for i := range list {
			h := &list[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n", printable(h.Object.String()), printable(h.Object.Type), orDash(printable(h.Mode)),
				orDash(printable(h.Owner)), holderPlace(h), span(now.Sub(h.Since)), h.Token, h.Waiters)
		}
		w.Flush()
		return outputError(out.Flush())
	})
}

// holderPlace is where a holder runs.
func holderPlace(h *reeve.HoldInfo) string {
	if h.Host == "" {
		return "-"
	}
	return fmt.Sprintf("%s:%d", printable(h.Host), h.PID)
}
