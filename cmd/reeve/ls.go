package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// lsVerb lists queues.
type lsVerb struct{ *session }

func (t *tool) lsCommand() *cli.Command {
	v := &lsVerb{t.session()}
	return &cli.Command{
		Name: "ls", Usage: "list the queues and what is in them",
		Description: `OLDEST is the age of the oldest task that could be handed over now. With -json,
an array of objects with all numbers: name, ready, delayed, leased, dead, bytes,
oldest_ready_ns, consumers, put, done, and more.

Example:
  reeve ls -connect host:5000`,
		Flags:  v.flags(),
		Action: v.run,
	}
}

func (v *lsVerb) run(ctx context.Context, cmd *cli.Command) error {
	if err := cmdline.NoArgs(cmd); err != nil {
		return err
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		stats, err := m.Queues(ctx)
		if err != nil {
			return err
		}
		slices.SortFunc(stats, func(a, b reeve.QueueStats) int { return strings.Compare(a.Name, b.Name) })
		if v.json {
			if stats == nil {
				stats = []reeve.QueueStats{}
			}
			return writeJSON(v.stdout, stats)
		}
		w := tabwriter.NewWriter(v.stdout, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tREADY\tLEASED\tDELAYED\tDEAD\tOLDEST\tWORKERS")
		for _, s := range stats {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\t%d\n", s.Name, s.Ready, s.Leased, s.Delayed, s.Dead, age(s), s.Consumers)
		}
		return outputError(w.Flush())
	})
}

func age(s reeve.QueueStats) string {
	switch d := s.OldestReady; {
	case s.Ready == 0:
		return "-"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}
