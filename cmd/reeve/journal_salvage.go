package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/file"
	"github.com/urfave/cli/v3"
)

// salvageVerb makes a journal of what is whole in a damaged one.
type salvageVerb struct {
	*tool
	json bool
}

func (t *tool) journalSalvageCommand() *cli.Command {
	v := &salvageVerb{tool: t}
	return &cli.Command{
		Name: "salvage", Usage: "make a new journal of what is whole in a damaged one", ArgsUsage: "DIR NEWDIR",
		Description: `Copies every frame that is whole to NEWDIR, which must be empty or not there, and tells
which bytes of which files are left behind, and why. DIR stays as it is; no master may
have it. What the lost frames said is lost: tasks that they put are missing, and tasks
that they ended are there again. A queue of which the name is lost gets another one:
"reeve move" brings its tasks where they belong.
The exit code is 0 if everything was whole, and 1 if something was left behind; with
any other one NEWDIR was not made. With -json, an object: frames, bytes, first, last,
dropped, missing and named.

Example:
  reeve journal salvage /var/lib/reeve /var/lib/reeve-new`,
		Flags: []cli.Flag{cmdline.Bool("json", &v.json, "write JSON")}, Action: v.run,
	}
}

// salvagedJSON is what was salvaged as -json shows it.
type salvagedJSON struct {
	Frames  int64         `json:"frames"`
	Bytes   int64         `json:"bytes"`
	First   journal.Pos   `json:"first"` // in the old journal; 0: there were none
	Last    journal.Pos   `json:"last"`
	Dropped []tornJSON    `json:"dropped"`
	Missing []missingJSON `json:"missing"`
	Named   []queueJSON   `json:"named"`
}

// missingJSON is a range of frames that are nowhere.
type missingJSON struct {
	From journal.Pos `json:"from"`
	To   journal.Pos `json:"to"`
}

func (v *salvageVerb) run(ctx context.Context, cmd *cli.Command) error {
	dir, newDir, err := twoArgs(cmd, "the directory of a journal and a new one are needed")
	if err != nil {
		return err
	}
	var report file.SalvageReport
	var named []queueJSON
	if err := makeDir(newDir, func(newDir string) (err error) {
		if report, err = file.Salvage(dir, newDir); err == nil {
			named, err = nameQueues(ctx, newDir)
		}
		return salvageError(err)
	}); err != nil {
		return err
	}
	if v.json {
		s := salvagedJSON{report.Frames, report.Bytes, report.First, report.Last, []tornJSON{}, []missingJSON{}, append([]queueJSON{}, named...)}
		for _, d := range report.Dropped {
			s.Dropped = append(s.Dropped, tornJSON(d))
		}
		for _, m := range report.Missing {
			s.Missing = append(s.Missing, missingJSON(m))
		}
		err = writeJSON(v.stdout, &s)
	} else {
		err = v.say(&report, named, newDir)
	}
	if err == nil && len(report.Dropped)+len(report.Missing) > 0 {
		err = cmdline.Exit(exitDamage)
	}
	return err
}

func (v *salvageVerb) say(r *file.SalvageReport, named []queueJSON, newDir string) error {
	out := bufio.NewWriter(v.stdout)
	for _, d := range r.Dropped {
		bytes := "all"
		if d.Bytes > 0 {
			bytes = plural(int(d.Bytes), "byte")
		}
		fmt.Fprintf(out, "left behind: %s, %s from byte %d on: %s\n", printable(d.File), bytes, d.Offset, d.Reason)
	}
	for _, m := range r.Missing {
		if m.From == m.To {
			fmt.Fprintf(out, "missing: frame %d\n", m.From)
		} else {
			fmt.Fprintf(out, "missing: frames %d to %d\n", m.From, m.To)
		}
	}
	for _, q := range named {
		fmt.Fprintf(out, "named: a queue with %s, of which the name is lost, is %s now\n", plural(int(q.Live), "task"), q.Name)
	}
	fmt.Fprintf(out, "salvaged: %s, %s into %s\n", plural(int(r.Frames), "frame"), roundSize(r.Bytes), newDir)
	return outputError(out.Flush())
}

// nameQueues names the queues in a journal that have tasks and no name, without
// which a master would not have them. Of several with one name all but the last
// were deleted, and what said so is lost: their tasks are kept, too.
func nameQueues(ctx context.Context, dir string) (named []queueJSON, err error) {
	t := newTally()
	report, err := file.Scan(ctx, dir, t.frame)
	if errors.Is(err, record.ErrNewer) {
		return nil, nil // whoever reads them names them
	}
	if err != nil {
		return nil, err
	}
	taken := map[string]uint32{} // the last that has the name
	for _, q := range t.order {
		taken[q.name] = max(taken[q.name], q.no)
	}
	frame, changed := record.AppendHead(nil, record.Head{Time: t.newest}), false
	for _, q := range t.order {
		hasName := q.name != ""
		switch {
		case hasName && taken[q.name] == q.no, !hasName && q.live == 0:
			continue
		case q.live == 0:
			frame, changed = record.AppendDelete(frame, &record.Delete{Queue: q.no}), true
			continue
		}
		q.name, changed = fmt.Sprintf("salvaged-%d", q.no), true
		for taken[q.name] != 0 {
			q.name += "-"
		}
		frame = record.AppendQueue(frame, &record.Queue{No: q.no, Name: q.name, Config: []byte("{}")})
		named = append(named, newQueueJSON(q))
	}
	if !changed {
		return nil, nil
	}
	j, err := file.Open(dir, file.Options{})
	if err != nil {
		return nil, err
	}
	err = j.Append(ctx, report.Last+1, frame, journal.AppendOptions{})
	return named, errors.Join(err, j.Close())
}

func salvageError(err error) error {
	switch {
	case errors.Is(err, journal.ErrLocked):
		return program.Fail(program.ExitUnavailable, fmt.Errorf("%w: stop that first", err))
	case errors.Is(err, journal.ErrNewer):
		return journalError("", err)
	}
	return program.Fail(program.ExitNoInput, err)
}
