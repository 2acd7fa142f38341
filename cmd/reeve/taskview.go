package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
)

// note is what is special about a task in its state.
func note(t *reeve.TaskInfo, now time.Time) string {
	var b []string
	switch t.State {
	case reeve.StateDelayed:
		if !t.Due.IsZero() {
			b = append(b, "due in "+span(t.Due.Sub(now)))
		}
	case reeve.StateLeased:
		if t.Worker != "" {
			b = append(b, "with "+printable(t.Worker))
		}
		if !t.Since.IsZero() {
			b = append(b, "for "+span(now.Sub(t.Since)))
		}
		if t.Progress != nil {
			b = append(b, percent(t.Progress))
		}
	default:
		if t.Reason != "" {
			b = append(b, clipped(t.Reason, 40))
		}
	}
	if t.Rules != nil && t.Rules.Key != "" {
		b = append(b, "key "+clipped(t.Rules.Key, 24))
	}
	return orDash(strings.Join(b, " "))
}

func percent(p *reeve.Progress) string {
	return strings.TrimSuffix(strconv.FormatFloat(p.Percent, 'f', 1, 64), ".0") + " %"
}

// typeName is a task type; the empty one is a dash.
func typeName(typ string) string { return orDash(clipped(typ, 32)) }

// taskTable writes tasks in rows.
type taskTable struct {
	w   *tabwriter.Writer
	now time.Time
}

func newTaskTable(out io.Writer) *taskTable {
	t := &taskTable{tabwriter.NewWriter(out, 0, 8, 2, ' ', 0), time.Now()}
	fmt.Fprintln(t.w, "ID\tSTATE\tTYPE\tPRIORITY\tATTEMPT\tAGE\tNOTE\tPAYLOAD")
	return t
}

func (t *taskTable) write(tasks []reeve.TaskInfo) error {
	for i := range tasks {
		k := &tasks[i]
		fmt.Fprintf(t.w, "%v\t%v\t%s\t%d\t%d\t%s\t%s\t%s\n", k.ID, k.State, typeName(k.Type), k.Priority, k.Attempt,
			span(t.now.Sub(k.PutAt)), note(k, t.now), preview(k.Payload, k.Size))
	}
	return outputError(t.w.Flush())
}

// sheet writes everything about one task: a line for each fact.
type sheet struct {
	w   *tabwriter.Writer
	now time.Time
}

func (s *sheet) fact(name, format string, args ...any) {
	fmt.Fprintf(s.w, "%s:\t%s\n", name, printable(fmt.Sprintf(format, args...)))
}

// text is fact for a text that may be none.
func (s *sheet) text(name, text string) {
	if text != "" {
		s.fact(name, "%s", text)
	}
}

// moment is fact for a time that may be none.
func (s *sheet) moment(name string, t time.Time) {
	if !t.IsZero() {
		s.fact(name, "%s", ago(t, s.now))
	}
}

// writeTask writes everything about t.
func writeTask(out io.Writer, t *reeve.TaskInfo) error {
	s := &sheet{tabwriter.NewWriter(out, 0, 8, 2, ' ', 0), time.Now()}
	s.fact("id", "%v", t.ID)
	s.text("queue", t.Queue)
	s.fact("state", "%v%s", t.State, s.since(t))
	s.text("type", t.Type)
	if t.Priority != 0 {
		s.fact("priority", "%d", t.Priority)
	}
	s.moment("put", t.PutAt)
	if t.Source != 0 {
		s.fact("result of", "%v", t.Source)
	}
	s.moment("due", t.Due)
	s.fact("attempts", "%d%s", t.Attempt, countsOf(t))
	s.text("worker", t.Worker)
	s.moment("lease until", t.LeaseUntil)
	s.moment("timeout at", t.TimeoutAt)
	if t.Timeout != 0 {
		s.fact("timeout", "%s", cmdline.FormatDuration(t.Timeout))
	}
	if p := t.Progress; p != nil {
		s.fact("progress", "%s (%s ago)", strings.TrimSpace(percent(p)+" "+p.Text), span(s.now.Sub(p.At)))
	}
	s.rules(cmp.Or(t.Rules, &reeve.Rules{}))
	s.text("reason", t.Reason)
	s.text("last error", t.Error)
	s.moment("ended", t.EndedAt)
	var content []string
	if !t.State.Ended() { // of one that has, it is not kept
		var kind string
		kind, content = describePayload(t.Payload)
		s.fact("payload", "%s", kind)
	}
	if err := s.w.Flush(); err != nil {
		return outputError(err)
	}
	if err := writeIndented(out, content); err != nil {
		return err
	}
	if t.Stack != "" {
		if _, err := fmt.Fprintln(out, "stack of the last error:"); err != nil {
			return outputError(err)
		}
		if err := writeIndented(out, printableLines(t.Stack)); err != nil {
			return err
		}
	}
	return writeHistory(out, t.History)
}

func (s *sheet) since(t *reeve.TaskInfo) string {
	if t.Since.IsZero() {
		return ""
	}
	return fmt.Sprintf(" for %s", span(s.now.Sub(t.Since)))
}

func (s *sheet) rules(r *reeve.Rules) {
	s.moment("not before", r.At)
	if r.Expiry != 0 {
		s.fact("expires", "%s after it was put", cmdline.FormatDuration(r.Expiry))
	}
	s.moment("expires at", r.ExpireAt)
	s.text("backoff", backoffText(r.Backoff))
	s.text("key", r.Key)
	if r.Unique != "" {
		s.fact("unique", "%s (%s)", r.Unique, uniqueMode(r))
	}
	s.text("labels", strings.Join(r.Labels, ", "))
	for _, ref := range r.Blobs {
		s.text("blob", ref.String())
	}
	switch {
	case r.KeepResult > 0:
		s.fact("keep result", "%s", cmdline.FormatDuration(r.KeepResult))
	case r.KeepResult < 0:
		s.fact("keep result", "no")
	}
}

func uniqueMode(r *reeve.Rules) string {
	if r.UniqueMode == reeve.UniqueForTime && r.UniqueFor > 0 {
		return "for " + cmdline.FormatDuration(r.UniqueFor)
	}
	if r.UniqueMode == reeve.UniqueForTime {
		return "as long as the queue lives"
	}
	return r.UniqueMode.String()
}

// countsOf is how the attempts of a task ended, and how many it may have.
func countsOf(t *reeve.TaskInfo) string {
	var b []string
	for _, c := range []struct {
		n    uint32
		what string
	}{{t.Counts.Failed, "failed"}, {t.Counts.TimedOut, "timed out"}, {t.Counts.Lost, "lost"}, {t.Counts.Returned, "returned"}, {t.Counts.Snoozed, "snoozed"}} {
		if c.n > 0 {
			b = append(b, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	switch {
	case t.Rules == nil || t.Rules.Attempts == 0:
	case t.Rules.Attempts == 1:
		b = append(b, "1 failure makes it dead")
	default:
		b = append(b, fmt.Sprintf("%d failures make it dead", t.Rules.Attempts))
	}
	if len(b) == 0 {
		return ""
	}
	return " (" + strings.Join(b, ", ") + ")"
}

func writeIndented(out io.Writer, content []string) error {
	for _, l := range content {
		if _, err := fmt.Fprintln(out, "  "+l); err != nil {
			return outputError(err)
		}
	}
	return nil
}

func writeHistory(out io.Writer, history []reeve.AttemptRecord) error {
	if len(history) == 0 {
		return nil
	}
	fmt.Fprintln(out, "attempts that did not succeed:")
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "  ATTEMPT\tOUTCOME\tBEGAN\tTOOK\tWORKER\tERROR")
	for _, h := range history {
		fmt.Fprintf(w, "  %d\t%s\t%s\t%s\t%s\t%s\n", h.Attempt, printable(h.Outcome), stamp(h.Start), span(h.End.Sub(h.Start)),
			orDash(printable(h.Worker)), orDash(clipped(h.Error, 200)))
	}
	return outputError(w.Flush())
}
