// Package report holds what a run of the benchmarks measured, and shows it: as
// a table, as JSON and as charts. It measures nothing.
package report

import "time"

// Run is one run: every system of a workload is measured in turns in it, so that
// ratios within it hold where absolute figures do not.
type Run struct {
	Time     time.Time         `json:"time"`
	Command  string            `json:"command"`
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"` // by system
	Measures []Measure         `json:"measures"` // in the order of the tables
	Skipped  []Skip            `json:"skipped,omitempty"`
}

// Machine is where it ran.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory"` // bytes
	OS     string `json:"os"`     // with the kernel's version
	Go     string `json:"go"`
}

// Measure is one figure of one system.
type Measure struct {
	Workload string    `json:"workload"` // "pipeline-4"
	System   string    `json:"system"`   // "redis-lists"
	Group    string    `json:"group"`    // system.Group
	Metric   string    `json:"metric"`   // "tasks per second"
	Unit     string    `json:"unit"`     // "/s", "µs", "B", "MB/s"
	Lower    bool      `json:"lower"`    // lower is better
	Main     bool      `json:"main"`     // the workload's figure that the chart shows
	Values   []float64 `json:"values"`   // one a repetition, in the order they were measured
}

// Skip is a system that was not measured, or did not end a workload, and why.
type Skip struct {
	Workload string `json:"workload,omitempty"`
	System   string `json:"system"`
	Reason   string `json:"reason"`
}

// Find is what was measured of a metric, or nil.
func (run *Run) Find(workload, system, metric string) *Measure {
	for i := range run.Measures {
		if m := &run.Measures[i]; m.Workload == workload && m.System == system && m.Metric == metric && len(m.Values) > 0 {
			return m
		}
	}
	return nil
}

// Median is that of the values, of which there is at least one.
func (m *Measure) Median() float64 { return median(m.Values) }

// Spread writes the median with the least and the most, as the tables do.
func (m *Measure) Spread() string { return spread(m.Values, m.Unit) }
