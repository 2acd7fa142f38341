package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/reeveq/reeve"
)

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
	all, seen := false, map[uint64]bool{}
	for _, q := range w.Queues {
		queues = addNew(queues, q.Queue)
		types = addNew(types, q.Types...)
		labels = addNew(labels, q.Labels...)
		all = all || q.Types == nil
		s.used += q.Used
		if q.Supply == 0 || !seen[q.Supply] { // the parts of one share its slots
			s.total += q.Slots
		}
		seen[q.Supply] = true
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
