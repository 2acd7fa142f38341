package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// workersVerb lists the workers of a master and asks them how they are.
type workersVerb struct {
	*session
	status  bool
	clients bool
	timeout time.Duration
}

func (t *tool) workersCommand() *cli.Command {
	v := &workersVerb{session: t.session()}
	return &cli.Command{
		Name: "workers", Usage: "list the workers, and tell them what to do",
		Description: `HEARD is how long ago the master heard of a worker last; RUNNING its tasks with
the time since they were handed over, the oldest first. An id is a connection's:
a worker has another one when it has connected again. TYPES are the task types a
worker takes, * for all. Where lists are cut short, +N says how many are left out;
-json has them whole.
-status asks all workers how they are, and adds what they say: how long they have
been up, how many tasks they have done, and how many attempts have failed. The
exit code is 1 if one does not answer.

Examples:
  reeve workers
  reeve workers -status
  reeve workers drain 17
  reeve workers concurrency 8 -label gpu`,
		Commands: []*cli.Command{t.drainCommand(), t.concurrencyCommand()},
		Flags: v.flags(
			cmdline.Bool("status", &v.status, "ask the workers how they are"),
			cmdline.Bool("clients", &v.clients, "list those too that take no tasks: producers, and this program"),
			timeoutFlag(&v.timeout),
		),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Present() {
				return cmdline.Usagef(cmd, "unknown command %q; there are: drain, concurrency", cmd.Args().First())
			}
			if err := checkTimeout(cmd, v.timeout); err != nil {
				return err
			}
			return v.operate(ctx, cmd, v.list)
		},
	}
}

// workerEntry is a worker as -json shows it.
type workerEntry struct {
	reeve.WorkerInfo
	Status *reeve.WorkerStatus `json:"status,omitempty"`
	Error  string              `json:"error,omitempty"` // why there is no status
}

func (v *workersVerb) list(ctx context.Context, op reeve.Operator) error {
	infos, err := op.Workers(ctx)
	if err != nil {
		return err
	}
	entries := make([]workerEntry, len(infos))
	for i, w := range infos {
		entries[i] = workerEntry{WorkerInfo: w}
	}
	missing := false
	if v.status {
		reports, err := op.Command(ctx, reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandReport}, v.timeout)
		if err != nil {
			return err
		}
		missing = join(entries, reports)
	}
	if !v.clients {
		entries = slices.DeleteFunc(entries, func(e workerEntry) bool { return !isWorker(&e.WorkerInfo) && e.Status == nil })
	}
	if v.json {
		err = writeJSON(v.stdout, listsNotNull(entries))
	} else {
		err = outputError(v.table(entries))
	}
	if err == nil && missing {
		return cmdline.Exit(exitSome)
	}
	return err
}

// join puts the reports to the workers they are from, and tells whether one
// could not.
func join(entries []workerEntry, reports []reeve.Report) (failed bool) {
	byID := make(map[uint64]*workerEntry, len(entries))
	for i := range entries {
		byID[entries[i].ID] = &entries[i]
	}
	for _, r := range reports {
		failed = failed || r.Error != ""
		if e := byID[r.ID]; e != nil { // nil: it came after the list was made
			e.Status, e.Error = r.Status, r.Error
		}
	}
	return failed
}

// isWorker reports whether a client takes tasks, or has some left.
func isWorker(w *reeve.WorkerInfo) bool { return len(w.Queues) > 0 || w.Leased > 0 }

// listsNotNull has lists without elements written as such; null is said of
// Types only, where it means all.
func listsNotNull(entries []workerEntry) []workerEntry {
	for i := range entries {
		e := &entries[i]
		if e.Queues == nil {
			e.Queues = []reeve.WorkerQueue{}
		}
		if e.Running == nil {
			e.Running = []reeve.WorkerTask{}
		}
		for j := range e.Queues {
			if e.Queues[j].Labels == nil {
				e.Queues[j].Labels = []string{}
			}
		}
	}
	return entries
}

func (v *workersVerb) table(entries []workerEntry) error {
	w := tabwriter.NewWriter(v.stdout, 0, 8, 2, ' ', 0)
	head := "ID\tNAME\tHOST:PID\tVERSION\tQUEUES\tTYPES\tLABELS\tSLOTS\tHEARD\t"
	if v.status {
		head += "UP\tDONE\tFAILED\tSTATE\t"
	}
	fmt.Fprintln(w, head+"RUNNING")
	for i := range entries {
		e := &entries[i]
		s := supplyOf(&e.WorkerInfo)
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t", e.ID, orDash(printable(e.Name)), place(&e.WorkerInfo),
			orDash(printable(e.Impl)), s.queues, s.types, s.labels, s.slots(), span(e.Heard))
		if v.status {
			e.writeStatus(w)
		}
		fmt.Fprintln(w, runningTasks(&e.WorkerInfo))
	}
	return w.Flush()
}

func (e *workerEntry) writeStatus(w io.Writer) {
	if s := e.Status; s != nil {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t", span(s.Uptime), s.Done, s.Failed, stateOf(s))
		return
	}
	fmt.Fprintf(w, "-\t-\t-\t%s\t", orDash(printable(e.Error)))
}

// stateOf is what is special about a worker.
func stateOf(s *reeve.WorkerStatus) string {
	var b []string
	if s.Draining {
		b = append(b, "draining")
	}
	if s.Stuck > 0 {
		b = append(b, fmt.Sprintf("%d stuck", s.Stuck))
	}
	return orDash(strings.Join(b, ", "))
}

// supply is what the standing supplies of a worker add up to.
type supply struct {
	queues, types, labels string // "-": none; types "*": all
	used, total           int
}

func supplyOf(w *reeve.WorkerInfo) supply {
	var queues, types, labels []string
	var s supply
	all := false
	for _, q := range w.Queues {
		queues = addNew(queues, q.Queue)
		types = addNew(types, q.Types...)
		labels = addNew(labels, q.Labels...)
		all = all || q.Types == nil
		s.used += q.Used
		s.total += q.Slots
	}
	s.queues, s.types, s.labels = listed(queues), listed(types), listed(labels)
	if all {
		s.types = "*"
	}
	return s
}

func (s supply) slots() string {
	if s.total == 0 && s.used == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", s.used, s.total)
}

func addNew(to []string, names ...string) []string {
	for _, n := range names {
		if !slices.Contains(to, n) {
			to = append(to, n)
		}
	}
	return to
}

// shownNames are how many names of a list stand in a row of the table.
const shownNames = 8

// listed is names in a row; the empty one, which a task type may be, is "".
func listed(names []string) string {
	var b []string
	for _, n := range names[:min(len(names), shownNames)] {
		if n = printable(n); n == "" {
			n = `""`
		}
		b = append(b, n)
	}
	if more := len(names) - len(b); more > 0 {
		b = append(b, fmt.Sprintf("+%d", more))
	}
	return orDash(strings.Join(b, ","))
}

// place is where a worker runs.
func place(w *reeve.WorkerInfo) string {
	if w.Host == "" {
		return orDash(printable(w.Addr))
	}
	return printable(w.Host) + ":" + strconv.Itoa(w.PID)
}

// shownTasks is how many running tasks stand in a row of the table.
const shownTasks = 3

func runningTasks(w *reeve.WorkerInfo) string {
	var b []string
	for _, t := range w.Running[:min(len(w.Running), shownTasks)] {
		b = append(b, fmt.Sprintf("%v %s", t.ID, span(t.Age)))
	}
	if more := w.Leased - len(b); more > 0 {
		b = append(b, fmt.Sprintf("+%d", more))
	}
	return orDash(strings.Join(b, ", "))
}

// span is a time in a few characters: 0.4s, 12.3s, 4m10s, 3h20m, 12d04h.
func span(d time.Duration) string {
	if d = max(d, 0); d < time.Minute-50*time.Millisecond {
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	}
	switch d = d.Round(time.Second); {
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d/time.Minute), int(d%time.Minute/time.Second))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d/time.Hour), int(d%time.Hour/time.Minute))
	}
	return fmt.Sprintf("%dd%02dh", int(d/(24*time.Hour)), int(d%(24*time.Hour)/time.Hour))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
