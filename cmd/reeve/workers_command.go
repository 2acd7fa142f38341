package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// exitSome is the exit code when some workers did not do what they were told.
const exitSome = 1

// commandVerb tells workers what to do.
type commandVerb struct {
	*session
	labels  []string
	all     bool
	timeout time.Duration
}

func (t *tool) drainCommand() *cli.Command {
	v := &commandVerb{session: t.session()}
	return &cli.Command{
		Name: "drain", Usage: "have workers stop after their current tasks", ArgsUsage: "ID... | -label LABEL | -all",
		Description: whichWorkers + `

Examples:
  reeve workers drain 17 18
  reeve workers drain -label gpu`,
		Flags: v.ownFlags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return v.run(ctx, cmd, reeve.Command{Do: reeve.CommandDrain}, cmd.Args().Slice())
		},
	}
}

func (t *tool) concurrencyCommand() *cli.Command {
	v := &commandVerb{session: t.session()}
	return &cli.Command{
		Name: "concurrency", Usage: "have workers run N tasks at a time", ArgsUsage: "N (ID... | -label LABEL | -all)",
		Description: `Tasks beyond N that run already go on.
` + whichWorkers + `

Examples:
  reeve workers concurrency 8 17 18
  reeve workers concurrency 2 -all`,
		Flags: v.ownFlags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			n, err := strconv.Atoi(cmd.Args().First())
			if err != nil || n < 1 || n > reeve.MaxSlots {
				return cmdline.Usagef(cmd, "concurrency %q: want a whole number from 1 to %d", cmd.Args().First(), reeve.MaxSlots)
			}
			return v.run(ctx, cmd, reeve.Command{Do: reeve.CommandConcurrency, Concurrency: n}, cmd.Args().Tail())
		},
	}
}

const whichWorkers = `ID is a worker's as "reeve workers" shows it; NAME@HOST:PID#ID works too. With
-label, those that have all of the labels are meant, with ids too those of them.
Who answered, and what, is written; the exit code is 1 if one did not do it.`

func (v *commandVerb) ownFlags() []cli.Flag {
	return v.flags(
		cmdline.Labels("label", &v.labels, "the workers that have `LABEL`; more than one can be given"),
		cmdline.Bool("all", &v.all, "all workers"),
		timeoutFlag(&v.timeout))
}

// run sends c to the workers with the given ids and writes what they answer.
func (v *commandVerb) run(ctx context.Context, cmd *cli.Command, c reeve.Command, ids []string) error {
	if err := flagsAfter(cmd); err != nil {
		return err
	}
	to := reeve.WorkerSelector{Labels: v.labels}
	for _, text := range ids {
		id, err := parseWorker(text)
		if err != nil {
			return cmdline.Usagef(cmd, "%w", err)
		}
		to.IDs = append(to.IDs, id)
	}
	switch some := len(to.IDs)+len(to.Labels) > 0; {
	case !some && !v.all:
		return cmdline.Usagef(cmd, "which workers? Give ids, -label LABEL or -all")
	case some && v.all:
		return cmdline.Usagef(cmd, "-all stands alone, without ids and -label")
	}
	if err := checkTimeout(cmd, v.timeout); err != nil {
		return err
	}
	return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error {
		return v.command(ctx, op, to, c)
	})
}

func (v *commandVerb) command(ctx context.Context, op reeve.Operator, to reeve.WorkerSelector, c reeve.Command) error {
	reports, err := op.Command(ctx, to, c, v.timeout)
	if err != nil {
		return err
	}
	reports = append(reports, absent(to.IDs, reports)...)
	failed := 0
	for _, r := range reports {
		if r.Error != "" {
			failed++
		}
	}
	if v.json {
		if reports == nil {
			reports = []reeve.Report{}
		}
		err = writeJSON(v.stdout, reports)
	} else {
		err = outputError(v.table(reports))
	}
	switch {
	case err != nil:
		return err
	case len(reports) == 0:
		if v.all {
			fmt.Fprintln(v.stderr, "reeve: there are no workers")
			return nil
		}
		fmt.Fprintln(v.stderr, "reeve: no worker has the labels: \"reeve workers\" shows who has which")
		return cmdline.Exit(exitSome)
	case failed > 0:
		fmt.Fprintf(v.stderr, "reeve: %d of %d workers did not do it\n", failed, len(reports))
		return cmdline.Exit(exitSome)
	}
	return nil
}

// absent makes the reports of workers that were meant and are not there.
func absent(ids []uint64, reports []reeve.Report) []reeve.Report {
	heard := map[uint64]bool{}
	for _, r := range reports {
		heard[r.ID] = true
	}
	var missing []reeve.Report
	for _, id := range ids {
		if !heard[id] {
			heard[id] = true
			missing = append(missing, reeve.Report{ID: id, Error: "no such worker, or without the label"})
		}
	}
	return missing
}

func (v *commandVerb) table(reports []reeve.Report) error {
	if len(reports) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(v.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tWORKER\tANSWER")
	for _, r := range reports {
		fmt.Fprintf(w, "%d\t%s\t%s\n", r.ID, orDash(printable(r.Worker)), answer(&r))
	}
	return w.Flush()
}

// answer is a report in words.
func answer(r *reeve.Report) string {
	switch s := r.Status; {
	case r.Error != "":
		return "failed: " + printable(r.Error)
	case s == nil:
		return "done"
	case s.Draining:
		return fmt.Sprintf("draining, %d running", s.Running)
	default:
		return fmt.Sprintf("%d at a time, %d running", s.Concurrency, s.Running)
	}
}

// parseWorker reads a worker's id, alone or at the end of NAME@HOST:PID#ID.
func parseWorker(s string) (uint64, error) {
	id, err := strconv.ParseUint(s[strings.LastIndex(s, "#")+1:], 10, 64)
	if err != nil || id == 0 {
		return 0, fmt.Errorf("%q is no id of a worker; \"reeve workers\" shows them", s)
	}
	return id, nil
}

// flagsAfter refuses flags that stand before the name of a command of
// "workers": they are those of the list, and would have no effect.
func flagsAfter(cmd *cli.Command) error {
	if parent := cmd.Lineage()[1]; len(parent.LocalFlagNames()) > 0 {
		return cmdline.Usagef(cmd, "-%s stands before %s; want it after", parent.LocalFlagNames()[0], cmd.Name)
	}
	return nil
}

// maxTimeout is what a master allows.
const maxTimeout = time.Minute

func timeoutFlag(dest *time.Duration) cli.Flag {
	*dest = 5 * time.Second
	return cmdline.Duration("timeout", dest, time.Millisecond, "wait up to `TIME` for the workers' answers")
}

func checkTimeout(cmd *cli.Command, d time.Duration) error {
	if d > maxTimeout {
		return cmdline.Usagef(cmd, "-timeout %v: want at most %v", d, maxTimeout)
	}
	return nil
}
