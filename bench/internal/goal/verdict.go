package goal

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/reeveq/reeve/bench/internal/report"
)

// Verdict is what a run says of a goal.
type Verdict struct {
	Workload, Says  string
	Bound, Measured string  // as they are shown; empty: not measured
	Times           float64 // so many times as good as the bound; 0: not to be told
	Missing         string  // what was not measured; empty: nothing
	Reached         bool
	Overlaps        bool // the repetitions lie on both sides of the bound: it may be chance
	Apart           bool // it does not count: told for comparison
}

// Judge compares the goals with the medians of a run.
func Judge(run *report.Run) []Verdict {
	var list []Verdict
	for _, g := range all() {
		list = append(list, g.judge(run))
	}
	return list
}

func (g goal) judge(run *report.Run) Verdict {
	v := Verdict{Workload: g.workload, Says: g.says, Apart: g.apart}
	bound, noBound := g.bound(run)
	if noBound == "" {
		v.Bound = bound.String()
		if bound.whose != "" {
			v.Bound += ", " + bound.whose
		}
	}
	got, missing := g.figure(run)
	if missing != "" {
		v.Missing = missing
		return v
	}
	v.Measured = got.spread()
	v.Bound = sign(got.lower) + v.Bound
	if noBound != "" {
		v.Bound, v.Missing = "", noBound
		return v
	}
	v.Times, v.Reached = ratio(got.number, bound.number), got.number >= bound.number
	if got.lower {
		v.Times, v.Reached = ratio(bound.number, got.number), got.number <= bound.number
	}
	// The bound may be itself one of the values, where there is but one.
	v.Overlaps = got.around(bound.number) && len(got.from.Values) > 1
	return v
}

func sign(lower bool) string {
	if lower {
		return "≤ "
	}
	return "≥ "
}

// ratio is 0 where it would say nothing.
func ratio(a, b float64) float64 {
	if a <= 0 || b <= 0 {
		return 0
	}
	return a / b
}

// Table writes the goals and what a run says of them, as Markdown.
func Table(w io.Writer, run *report.Run) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s, %s.\n\n", run.Machine, run.Time.UTC().Format(time.DateOnly))
	verdicts := Judge(run)
	count := map[string]int{}
	for _, v := range verdicts {
		if !v.Apart {
			count[v.word()]++
		}
	}
	fmt.Fprintf(&b, "Of %d goals %d are reached, %d are not, and %d were not measured. Figures are medians, of reeve-batch over TLS; "+
		"what stands in brackets is for comparison and does not count.\n\n",
		count[reached]+count[missed]+count[unknown], count[reached], count[missed], count[unknown])
	b.WriteString("| workload | goal | that is | measured | reached |\n|---|---|---:|---:|---|\n")
	for _, v := range verdicts {
		says, word := v.Says, v.word()
		if v.Apart {
			says, word = "("+says+")", "("+word+")"
		}
		switch {
		case v.Missing != "":
			word += ": " + v.Missing
		case v.Times > 0:
			word += fmt.Sprintf(", %.2f×", v.Times)
			if v.Overlaps {
				word += ", within the spread"
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", v.Workload, says, dash(v.Bound), dash(v.Measured), word)
	}
	_, err := w.Write(b.Bytes())
	return err
}

const reached, missed, unknown = "yes", "**no**", "not measured"

func (v Verdict) word() string {
	switch {
	case v.Missing != "":
		return unknown
	case v.Reached:
		return reached
	}
	return missed
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
