package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// lsVerb lists queues, or the task types of one.
type lsVerb struct {
	*session
	more bool
}

func (t *tool) lsCommand() *cli.Command {
	v := &lsVerb{session: t.session()}
	return &cli.Command{
		Name: "ls", Usage: "list the queues and what is in them", ArgsUsage: "[QUEUE]",
		Description: `OLDEST is the age of the oldest task that could be handed over now; STATE says
whether the queue is paused, closed (outside of its hours), full or shut down.
With -l there are more numbers: BLOCKED is how many of the ready tasks wait for
others of their key; WAIT is how long half and 99 % of the tasks, at most, stood
ready before an attempt, and RUN the same for how long attempts took.
With QUEUE, the numbers of that queue are followed by those of its task types;
TAKERS is how many consumers take tasks of that type.
With -json, an array of objects with all numbers: name, ready, delayed, leased,
dead, bytes, oldest_ready_ns, consumers, put, done, and more; with QUEUE, an object
with such an object as queue and an array types.

Examples:
  reeve ls -connect host:5000
  reeve ls -l
  reeve ls tasks`,
		Flags:  v.flags(cmdline.Bool("l", &v.more, "show more numbers")),
		Action: v.run,
	}
}

func (v *lsVerb) run(ctx context.Context, cmd *cli.Command) error {
	switch cmd.Args().Len() {
	case 0:
		return v.operate(ctx, cmd, v.queues)
	case 1:
		queue, err := oneQueue(cmd)
		if err != nil {
			return err
		}
		return v.with(ctx, cmd, func(ctx context.Context, m master) error { return v.queue(ctx, m, queue) })
	}
	return cmdline.Usagef(cmd, "unexpected argument %q", cmd.Args().Get(1))
}

func (v *lsVerb) queues(ctx context.Context, op reeve.Operator) error {
	stats, err := op.Queues(ctx)
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
	return v.table(stats)
}

// queue writes the numbers of one queue and of its task types.
func (v *lsVerb) queue(ctx context.Context, m master, queue string) error {
	stats, err := m.Queue(queue).Stats(ctx)
	if err != nil {
		return err
	}
	types, err := m.Types(ctx, queue)
	if err != nil {
		return err
	}
	if v.json {
		if types == nil {
			types = []reeve.TypeStats{}
		}
		return writeJSON(v.stdout, struct {
			Queue reeve.QueueStats  `json:"queue"`
			Types []reeve.TypeStats `json:"types"`
		}{stats, types})
	}
	if err := v.table([]reeve.QueueStats{stats}); err != nil || len(types) == 0 {
		return err
	}
	w := tabwriter.NewWriter(v.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "\nTYPE\tREADY\tLEASED\tDELAYED\tDEAD\tTAKERS")
	for _, t := range types {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", typeName(t.Type), t.Ready, t.Leased, t.Delayed, t.Dead, t.Takers)
	}
	return outputError(w.Flush())
}

func (v *lsVerb) table(stats []reeve.QueueStats) error {
	w := tabwriter.NewWriter(v.stdout, 0, 8, 2, ' ', 0)
	more := func(s reeve.QueueStats) {}
	head := "NAME\tREADY\tLEASED\tDELAYED\tDEAD\tOLDEST\tWORKERS\t"
	if v.more {
		head += "BLOCKED\tFREE\tPUT\tDONE\tFAILED\tLOST\tSIZE\tRESULTS\tWAIT\tRUN\t"
		more = func(s reeve.QueueStats) { writeMore(w, &s) }
	}
	fmt.Fprintln(w, head+"STATE")
	for _, s := range stats {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\t%d\t", printable(s.Name), s.Ready, s.Leased, s.Delayed, s.Dead, age(s), s.Consumers)
		more(s)
		fmt.Fprintln(w, queueNote(&s))
	}
	return outputError(w.Flush())
}

func writeMore(w io.Writer, s *reeve.QueueStats) {
	fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%s\t%d\t%s\t%s\t", s.Blocked, s.FreeSlots, s.Put, s.Done, s.Failed+s.TimedOut, s.Lost,
		roundSize(s.Bytes), s.Results, usual(s.Wait), usual(s.Run))
}

// queueNote is what is special about a queue.
func queueNote(s *reeve.QueueStats) string {
	var b []string
	switch {
	case s.Paused && s.PauseReason != "":
		b = append(b, "paused: "+clipped(s.PauseReason, 60))
	case s.Paused:
		b = append(b, "paused")
	}
	if s.Closed {
		b = append(b, "closed")
	}
	if s.NoWorker > 0 && s.Consumers > 0 {
		b = append(b, fmt.Sprintf("%d without a worker for them", s.NoWorker))
	}
	if s.MaxLen > 0 && s.Ready+s.Delayed >= s.MaxLen || s.MaxBytes >= 0 && s.Bytes >= s.MaxBytes && s.Bytes > 0 {
		b = append(b, "full")
	}
	if s.Shutdown {
		b = append(b, "shut down")
	}
	return orDash(strings.Join(b, ", "))
}

func age(s reeve.QueueStats) string {
	switch d := s.OldestReady; {
	case d == 0: // none that could be handed over
		return "-"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// usual is below what half and 99 % of the durations are.
func usual(h reeve.Histogram) string {
	var all uint64
	for _, n := range h.Counts {
		all += n
	}
	if all == 0 {
		return "-"
	}
	return below(h, all-all/2) + " / " + below(h, all-all/100)
}

// below is a duration that n of those in h are below.
func below(h reeve.Histogram, n uint64) string {
	var sum uint64
	for i, c := range h.Counts {
		if sum += c; sum >= n {
			d := time.Duration(1<<min(i, 50)) * time.Microsecond
			switch {
			case d < time.Millisecond:
				return d.String()
			case d < time.Second:
				return d.Round(time.Millisecond).String()
			}
			return span(d)
		}
	}
	return "-"
}

// roundSize is a number of bytes in three or four digits.
func roundSize(n int64) string {
	for i, unit := range []string{"B", "KiB", "MiB", "GiB", "TiB"} {
		if size := float64(n) / float64(int64(1)<<(10*i)); size < 1000 || unit == "TiB" {
			if i == 0 || size >= 99.95 {
				return fmt.Sprintf("%.0f%s", size, unit)
			}
			return fmt.Sprintf("%.1f%s", size, unit)
		}
	}
	return ""
}
