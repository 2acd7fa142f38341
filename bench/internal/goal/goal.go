// Package goal says what this project's figures are to be, most of them in
// relation to others of the same run, and tells of a run which it has reached.
// It measures nothing.
package goal

import (
	"fmt"
	"slices"

	"github.com/reeveq/reeve/bench/internal/report"
	"github.com/reeveq/reeve/bench/internal/system"
)

// goal is one. Its figure is to be as good as the bound, or better.
type goal struct {
	workload, says string
	figure, bound  figure
	apart          bool // it is told, and does not count
}

// value is a figure of a run.
type value struct {
	number float64
	unit   string
	lower  bool            // lower is better
	from   *report.Measure // that it is the median of; nil: it is made of others
	whose  string          // the system's, where the goal does not say it
}

// String writes the number alone.
func (v value) String() string { return report.Number(v.number, v.unit) }

// spread writes the number, with what it is the median of.
func (v value) spread() string {
	if v.from != nil {
		return v.from.Spread()
	}
	return v.String()
}

// around says whether what was measured lies on both sides of a number.
func (v value) around(number float64) bool {
	return v.from != nil && slices.Min(v.from.Values) <= number && number <= slices.Max(v.from.Values)
}

// figure takes a value from a run, or says what was not measured.
type figure func(*report.Run) (v value, missing string)

// of is what was measured of a system.
func of(name, workload, metric string) figure {
	return func(run *report.Run) (value, string) {
		m := run.Find(workload, name, metric)
		if m == nil {
			return value{}, fmt.Sprintf("%s: %s, of %s", workload, metric, name)
		}
		return value{number: m.Median(), unit: m.Unit, lower: m.Lower, from: m}, ""
	}
}

// ours is of this project's best use.
func ours(workload, metric string) figure { return of("reeve-batch", workload, metric) }

// best is that of the best peer, some left aside.
func best(workload, metric string, aside ...string) figure {
	return func(run *report.Run) (best value, missing string) {
		for i := range run.Measures {
			m := &run.Measures[i]
			if m.Group != string(system.Peer) || slices.Contains(aside, m.System) {
				continue
			}
			v, missing := of(m.System, workload, metric)(run)
			if missing == "" && (best.whose == "" || v.beats(best)) {
				best = v
				best.whose = m.System
			}
		}
		if best.whose == "" {
			return value{}, fmt.Sprintf("%s: %s, of a peer", workload, metric)
		}
		return best, ""
	}
}

// exactly is a bound that is no figure of the run.
func exactly(number float64, unit string) figure {
	return func(*report.Run) (value, string) { return value{number: number, unit: unit}, "" }
}

// times is so many times a figure.
func times(factor float64, f figure) figure {
	return func(run *report.Run) (value, string) {
		v, missing := f(run)
		v.number *= factor
		v.from = nil
		return v, missing
	}
}

// growth is the largest of our figures, as so many times the smallest.
func growth(workload string, metrics ...string) figure {
	return func(run *report.Run) (value, string) {
		least, most := 0.0, 0.0
		for i, metric := range metrics {
			v, missing := ours(workload, metric)(run)
			if missing != "" {
				return value{}, missing
			}
			if i == 0 || v.number < least {
				least = v.number
			}
			most = max(most, v.number)
		}
		if least <= 0 {
			return value{}, fmt.Sprintf("anything above 0 in %s", workload)
		}
		return value{number: most / least, unit: "×", lower: true}, ""
	}
}

func (v value) beats(other value) bool {
	if v.lower {
		return v.number < other.number
	}
	return v.number > other.number
}
