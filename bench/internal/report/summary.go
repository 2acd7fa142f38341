package report

import (
	"cmp"
	"slices"

	"github.com/reeveq/reeve/bench/internal/system"
)

// baselines are the systems of this project that the others of a workload are
// compared with: the first that was measured.
var baselines = []string{"reeve-batch", "reeve"}

// workload is what was measured of one, as rows and columns.
type workload struct {
	name    string
	systems []string // in the order in which they first appear
	metrics []metric // the same
	cells   map[cell]*Measure
}

type metric struct {
	name, unit  string
	lower, main bool
}

type cell struct{ system, metric string }

// workloads sorts what was measured. A workload none of whose figures is the
// main one gets its first as that.
func (run *Run) workloads() []*workload {
	var all []*workload
	for i := range run.Measures {
		m := &run.Measures[i]
		at := slices.IndexFunc(all, func(w *workload) bool { return w.name == m.Workload })
		if at < 0 {
			at = len(all)
			all = append(all, &workload{name: m.Workload, cells: map[cell]*Measure{}})
		}
		all[at].add(m)
	}
	for _, w := range all {
		if !slices.ContainsFunc(w.metrics, func(m metric) bool { return m.main }) {
			w.metrics[0].main = true
		}
	}
	return all
}

func (w *workload) add(m *Measure) {
	if !slices.Contains(w.systems, m.System) {
		w.systems = append(w.systems, m.System)
	}
	at := slices.IndexFunc(w.metrics, func(have metric) bool { return have.name == m.Metric })
	if at < 0 {
		at = len(w.metrics)
		w.metrics = append(w.metrics, metric{name: m.Metric, unit: m.Unit, lower: m.Lower})
	}
	w.metrics[at].main = w.metrics[at].main || m.Main
	w.cells[cell{m.System, m.Metric}] = m
}

// values are what was measured of a system, or none.
func (w *workload) values(system string, m metric) []float64 {
	if c := w.cells[cell{system, m.name}]; c != nil {
		return c.Values
	}
	return nil
}

func (w *workload) group(name string) system.Group {
	for _, m := range w.metrics {
		if c := w.cells[cell{name, m.name}]; c != nil {
			return system.Group(c.Group)
		}
	}
	return ""
}

// baseline is the system that the others are compared with, or "".
func (w *workload) baseline() string {
	for _, name := range baselines {
		if slices.Contains(w.systems, name) {
			return name
		}
	}
	return ""
}

// ratio is how many times as good as the baseline a system is: more than 1 is
// better, whichever direction the metric has. ok is false where there is nothing
// to compare.
func (w *workload) ratio(name string, m metric) (r float64, ok bool) {
	ours, theirs := w.values(w.baseline(), m), w.values(name, m)
	if len(ours) == 0 || len(theirs) == 0 {
		return 0, false
	}
	a, b := median(theirs), median(ours)
	if m.lower {
		a, b = b, a
	}
	return a / b, a > 0 && b > 0
}

// lead is a peer that is ahead of the baseline.
type lead struct {
	system   string
	metric   metric
	ratio    float64 // 0: there is none, as one of the figures is not above zero
	overlaps bool    // the ranges do: it may be chance
}

// leads are the peers whose median is better than the baseline's, those in the
// main metric first, the farthest ahead first.
func (w *workload) leads() []lead {
	var all []lead
	for _, m := range w.metrics {
		ours := w.values(w.baseline(), m)
		for _, name := range w.systems {
			theirs := w.values(name, m)
			if w.group(name) != system.Peer || len(ours) == 0 || len(theirs) == 0 {
				continue
			}
			a, b := median(theirs), median(ours)
			if a == b || (a < b) != m.lower {
				continue
			}
			l := lead{system: name, metric: m}
			l.ratio, _ = w.ratio(name, m)
			aLow, aHigh := bounds(theirs)
			bLow, bHigh := bounds(ours)
			l.overlaps = aLow <= bHigh && bLow <= aHigh
			all = append(all, l)
		}
	}
	rank := func(l lead) int {
		if l.metric.main {
			return 0
		}
		return 1 + slices.Index(w.metrics, l.metric)
	}
	slices.SortStableFunc(all, func(a, b lead) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.ratio, a.ratio))
	})
	return all
}

// hasPeers says whether there is anyone to be compared with.
func (w *workload) hasPeers() bool {
	return w.baseline() != "" && slices.ContainsFunc(w.systems, func(name string) bool { return w.group(name) == system.Peer })
}

// median is that of values, of which there is at least one.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// bounds are the least and the most of values, of which there is at least one.
func bounds(values []float64) (low, high float64) {
	return slices.Min(values), slices.Max(values)
}
