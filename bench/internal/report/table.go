package report

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

// Table writes run as Markdown: what it ran on, a table a workload with where a
// peer is ahead of this project, and what was left out, and why.
func Table(w io.Writer, run *Run) error {
	var b bytes.Buffer
	all := run.workloads()
	writeHead(&b, run)
	writeLeads(&b, all)
	for _, w := range all {
		w.write(&b)
	}
	writeSkips(&b, run.Skipped)
	_, err := w.Write(b.Bytes())
	return err
}

func writeHead(b *bytes.Buffer, run *Run) {
	fmt.Fprintf(b, "%s, %s.\n", run.Machine, run.Time.UTC().Format(time.DateOnly))
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(run.Versions)) {
		if v := run.Versions[name]; v != "" { // a part of the program has none of its own
			versions = append(versions, plain(name)+" "+plain(v))
		}
	}
	if len(versions) > 0 {
		fmt.Fprintf(b, "Versions: %s.\n", strings.Join(versions, ", "))
	}
	if run.Command != "" {
		fmt.Fprintf(b, "\n    %s\n", strings.Join(strings.Fields(run.Command), " "))
	}
	b.WriteString("\nFigures are medians, with the least and the most of the repetitions. " +
		"**This project** is bold, *limits of the machine* are slanted: bare servers without what a queue does. " +
		"A column with × is the ratio to this project in the same run: above 1 is better than it, below 1 is worse.\n")
}

// writeLeads says in which workloads a peer's main figure is better.
func writeLeads(b *bytes.Buffer, all []*workload) {
	var behind []string
	compared := false
	for _, w := range all {
		compared = compared || w.hasPeers()
		leads := slices.DeleteFunc(w.leads(), func(l lead) bool { return !l.metric.main })
		if len(leads) > 0 {
			behind = append(behind, plain(w.name)+" ("+joinLeads(leads)+")")
		}
	}
	switch {
	case len(behind) > 0:
		fmt.Fprintf(b, "\nA peer is ahead of this project in the main figure of: %s.\n", strings.Join(behind, "; "))
	case compared:
		b.WriteString("\nNo peer that was measured is ahead of this project in the main figure of a workload.\n")
	}
}

func joinLeads(leads []lead) string {
	var s []string
	for _, l := range leads {
		how := []string{}
		if l.ratio > 0 {
			how = append(how, times(l.ratio))
		}
		if l.overlaps {
			how = append(how, "within the spread")
		}
		if len(how) > 0 {
			s = append(s, plain(l.system)+" "+strings.Join(how, ", "))
		} else {
			s = append(s, plain(l.system))
		}
	}
	return strings.Join(s, ", ")
}

// write writes the workload's table.
func (w *workload) write(b *bytes.Buffer) {
	base := w.baseline()
	head := []string{"system"}
	for _, m := range w.metrics {
		head = append(head, m.heading())
		if m.main && base != "" {
			head = append(head, "× "+plain(base))
		}
	}
	fmt.Fprintf(b, "\n### %s\n\n| %s |\n|---|%s\n", plain(w.name), strings.Join(head, " | "), strings.Repeat("---:|", len(head)-1))
	for _, name := range w.systems {
		row := []string{mark(plain(name), w.group(name))}
		for _, m := range w.metrics {
			row = append(row, spread(w.values(name, m), m.unit))
			if m.main && base != "" {
				ratio := "–"
				if r, ok := w.ratio(name, m); ok {
					ratio = times(r)
				}
				row = append(row, ratio)
			}
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
	if w.hasPeers() {
		fmt.Fprintf(b, "\n%s\n", w.leadLine())
	}
}

// leadLine says in which figures a peer is ahead.
func (w *workload) leadLine() string {
	leads := w.leads()
	if len(leads) == 0 {
		return fmt.Sprintf("No peer that was measured is ahead of %s.", plain(w.baseline()))
	}
	var parts []string
	for len(leads) > 0 {
		m := leads[0].metric
		n := slices.IndexFunc(leads, func(l lead) bool { return l.metric != m })
		if n < 0 {
			n = len(leads)
		}
		parts = append(parts, plain(m.name)+": "+joinLeads(leads[:n]))
		leads = leads[n:]
	}
	return fmt.Sprintf("Ahead of %s in %s.", plain(w.baseline()), strings.Join(parts, "; "))
}

// heading is the head of the metric's column.
func (m metric) heading() string {
	name := plain(m.name)
	if m.unit == "/s" && !strings.HasSuffix(name, "/s") && !strings.Contains(name, "per second") {
		name += ", /s"
	}
	return name
}

func mark(name string, g system.Group) string {
	switch g {
	case system.Reeve:
		return "**" + name + "**"
	case system.Limit:
		return "*" + name + "*"
	}
	return name
}

// writeSkips lists what was not measured, or not to the end; a reason that holds for several
// workloads of a system stands once.
func writeSkips(b *bytes.Buffer, skips []Skip) {
	if len(skips) == 0 {
		return
	}
	type key struct{ system, reason string }
	var order []key
	in := map[key][]string{}
	for _, s := range skips {
		k := key{plain(s.System), plain(s.Reason)}
		if _, seen := in[k]; !seen {
			order = append(order, k)
		}
		if s.Workload == "" {
			in[k] = append(in[k], "everything")
		} else {
			in[k] = append(in[k], plain(s.Workload))
		}
	}
	b.WriteString("\n### Left out\n\n")
	for _, k := range order {
		fmt.Fprintf(b, "- %s, %s: %s\n", k.system, strings.Join(in[k], ", "), k.reason)
	}
}

// longestText is how much of a text a table shows, in runes: a reason may hold
// all that a program printed.
const longestText = 300

// markdown are what would end a cell or begin something else.
var markdown = strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "`", "'")

// plain makes one line of s that is a part of a table.
func plain(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if r := []rune(s); len(r) > longestText {
		s = string(r[:longestText]) + "…"
	}
	return markdown.Replace(s)
}
