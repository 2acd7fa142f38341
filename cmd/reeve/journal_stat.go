package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/file"
	"github.com/urfave/cli/v3"
)

// statVerb tells what is in a journal.
type statVerb struct {
	*tool
	json bool
}

func (t *tool) journalStatCommand() *cli.Command {
	v := &statVerb{tool: t}
	return &cli.Command{
		Name: "stat", Usage: "tell what is in a journal", ArgsUsage: "DIR",
		Description: `Reads everything. LIVE are the tasks that are in a queue, dead ones included, and SIZE
what their records take; PUT and ENDED are those that the journal still tells about:
what ended long ago was cleaned away. Of a damaged journal it tells what stands before
the damage, and exits with code 1.
With -json, an object: dir, frames, first, last, bytes, disk, segments, reserve, clean,
in_use, pid, torn, oldest, newest, records, kinds, tasks, task_bytes and queues.

Example:
  reeve journal stat /var/lib/reeve`,
		Flags: []cli.Flag{cmdline.Bool("json", &v.json, "write JSON")}, Action: v.run,
	}
}

func (v *statVerb) run(ctx context.Context, cmd *cli.Command) error {
	dir, err := oneDir(cmd)
	if err != nil {
		return err
	}
	return stoppable(ctx, func(ctx context.Context) error {
		t := newTally()
		report, err := file.Scan(ctx, dir, t.frame)
		err = journalError(dir, err)
		if err != nil && (program.ExitCode(err) != exitDamage || report.Frames == 0) {
			return err
		}
		if v.json {
			return errors.Join(writeJSON(v.stdout, newStatJSON(&report, t)), err)
		}
		out := bufio.NewWriter(v.stdout)
		writeStat(out, &report, t)
		return errors.Join(outputError(out.Flush()), err)
	})
}

// statJSON is what is in a journal as -json shows it.
type statJSON struct {
	Dir       string           `json:"dir"`
	Frames    int64            `json:"frames"`
	First     journal.Pos      `json:"first"`
	Last      journal.Pos      `json:"last"`
	Bytes     int64            `json:"bytes"`
	Disk      int64            `json:"disk"`
	Segments  []segmentJSON    `json:"segments"`
	Reserve   int64            `json:"reserve"`
	Clean     bool             `json:"clean"`
	InUse     bool             `json:"in_use,omitempty"`
	PID       int              `json:"pid,omitempty"`
	Torn      *tornJSON        `json:"torn,omitempty"`
	Oldest    *time.Time       `json:"oldest,omitempty"`
	Newest    *time.Time       `json:"newest,omitempty"`
	Records   int64            `json:"records"`
	Kinds     map[string]int64 `json:"kinds"`
	Tasks     int              `json:"tasks"`
	TaskBytes int64            `json:"task_bytes"`
	Queues    []queueJSON      `json:"queues"`
}

type segmentJSON struct {
	File   string      `json:"file"`
	First  journal.Pos `json:"first"`
	Frames int64       `json:"frames"`
	Bytes  int64       `json:"bytes"`
	Disk   int64       `json:"disk"`
}

type queueJSON struct {
	No    uint32 `json:"queue_no"`
	Name  string `json:"name"`
	Live  int64  `json:"live"`
	Bytes int64  `json:"live_bytes"`
	Put   int64  `json:"put"`
	Ended int64  `json:"ended"`
}

func newQueueJSON(q *queueTally) queueJSON {
	return queueJSON{q.no, q.name, q.live, q.bytes, q.put, q.ended}
}

func newStatJSON(r *file.Report, t *tally) *statJSON {
	s := &statJSON{
		Dir: r.Dir, Frames: t.frames, First: r.First, Last: r.Last, Bytes: t.bytes, Disk: r.Disk, Segments: []segmentJSON{},
		Reserve: r.Reserve, Clean: r.Clean, InUse: r.Held, PID: r.PID, Torn: newTornJSON(r.Torn),
		Records: t.records, Kinds: map[string]int64{}, Tasks: len(t.tasks), TaskBytes: t.liveBytes(), Queues: []queueJSON{},
	}
	if t.frames > 0 {
		oldest, newest := time.Unix(0, t.oldest).UTC(), time.Unix(0, t.newest).UTC()
		s.Oldest, s.Newest = &oldest, &newest
	}
	for _, g := range r.Segments {
		s.Segments = append(s.Segments, segmentJSON(g))
	}
	for k, n := range t.kinds {
		s.Kinds[k.String()] = n
	}
	for _, q := range t.order {
		s.Queues = append(s.Queues, newQueueJSON(q))
	}
	return s
}

func writeStat(out io.Writer, r *file.Report, t *tally) {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s:\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("frames", "%d, %s, numbers %d to %d", t.frames, roundSize(t.bytes), r.First, r.Last)
	if t.frames > 0 {
		line("written", "%s to %s", stamp(time.Unix(0, t.oldest)), stamp(time.Unix(0, t.newest)))
	}
	line("segments", "%d; with all there is, %s on the disk", len(r.Segments), roundSize(r.Disk))
	reserve := "none"
	if r.Reserve > 0 {
		reserve = roundSize(r.Reserve)
	}
	line("reserve", "%s", reserve)
	switch {
	case r.Held:
		line("closed", "no: %s", inUse(r.PID))
	case r.Clean:
		line("closed", "yes")
	default:
		line("closed", "no: its process was ended, or the power")
	}
	if r.Torn != nil {
		line("torn", "%s", newTornJSON(r.Torn))
	}
	line("tasks", "%d, %s", len(t.tasks), roundSize(t.liveBytes()))
	line("records", "%s", kindsText(t))
	_ = w.Flush() // out remembers its error
	if len(t.order) == 0 {
		return
	}
	w = tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "\nQUEUE\tLIVE\tSIZE\tPUT\tENDED")
	for _, q := range t.order {
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%d\n", queueName(q), q.live, roundSize(q.bytes), q.put, q.ended)
	}
	_ = w.Flush()
}

// queueName is the name of a queue, or its number if nothing told the name.
func queueName(q *queueTally) string {
	if q.name == "" {
		return fmt.Sprintf("(number %d)", q.no)
	}
	return printable(q.name)
}

// kindsText is how many records there are of which kind, in the kinds' order.
func kindsText(t *tally) string {
	var kinds []record.Kind
	for k := range t.kinds {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	text := []string{fmt.Sprint(t.records)}
	for _, k := range kinds {
		text = append(text, fmt.Sprintf("%v %d", k, t.kinds[k]))
	}
	return strings.Join(text, ", ")
}
