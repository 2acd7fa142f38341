package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/report"
	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/bench/internal/workload"
)

// run measures, and shows what came out. What was measured until an interrupt
// is shown as well.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return err
		}
	}
	defer program.Clean()
	r := &runner{options: o, out: stderr, absent: map[string]bool{}, results: &report.Run{
		Time:     time.Now(),
		Command:  strings.Join(append([]string{"go run ."}, args...), " "),
		Machine:  report.ThisMachine(),
		Versions: map[string]string{},
	}}
	if r.dir, err = os.MkdirTemp(o.dir, "reeve-bench-"); err != nil {
		return err
	}
	r.all(ctx)
	if o.keepLog {
		fmt.Fprintln(r.out, "logs are in", r.dir)
	} else if err := os.RemoveAll(r.dir); err != nil {
		fmt.Fprintln(r.out, "bench:", err)
	}
	return errors.Join(r.show(stdout), context.Cause(ctx))
}

// show writes the results in the forms that were asked for.
func (r *runner) show(stdout io.Writer) error {
	table := func(w io.Writer) error { return report.Table(w, r.results) }
	var errs []error
	if r.table == "" {
		errs = append(errs, table(stdout))
	} else {
		errs = append(errs, writeFile(r.table, table))
	}
	if r.json != "" {
		errs = append(errs, writeFile(r.json, func(w io.Writer) error { return report.WriteJSON(w, r.results) }))
	}
	if r.chart != "" {
		errs = append(errs, report.Chart(r.chart, r.results))
	}
	return errors.Join(errs...)
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// runner measures one system after the other.
type runner struct {
	*options
	dir     string // of the measurements' data and logs
	out     io.Writer
	results *report.Run
	absent  map[string]bool // systems that are not installed
}

// all measures everything, until ctx ends. Of each workload all systems have
// their first turn, then their second, and so on: what drifts meanwhile meets
// all of them.
func (r *runner) all(ctx context.Context) {
	for _, w := range r.workloads {
		left := r.fitting(w)
		for turn := 1; turn <= r.repeat; turn++ {
			var next []system.System
			for _, s := range left {
				if ctx.Err() != nil {
					return
				}
				if r.one(ctx, w, s, turn) {
					next = append(next, s)
				}
			}
			left = next
		}
	}
}

// fitting are the systems that a workload is measured with.
func (r *runner) fitting(w workload.Workload) (list []system.System) {
	for _, s := range r.systems {
		if err := w.Fits(s); err == nil && !r.absent[s.Name()] {
			list = append(list, s)
		}
	}
	return list
}

// one measures a system once, and reports whether it is to have another turn.
func (r *runner) one(ctx context.Context, w workload.Workload, s system.System, turn int) bool {
	name := fmt.Sprintf("%s.%s.%d", w.Name, s.Name(), turn)
	m, log, err := r.measure(ctx, w, s, name)
	head := fmt.Sprintf("%-12s %-20s %d/%d  ", w.Name, s.Name(), turn, r.repeat)
	switch {
	case ctx.Err() != nil:
		return false
	case errors.Is(err, system.ErrAbsent):
		r.absent[s.Name()] = true
		r.skip(report.Skip{System: s.Name(), Reason: err.Error()})
	case errors.Is(err, system.ErrUnsupported):
		r.skip(report.Skip{Workload: w.Name, System: s.Name(), Reason: err.Error()})
	case err != nil:
		r.skip(report.Skip{Workload: w.Name, System: s.Name(), Reason: err.Error()})
		fmt.Fprint(r.out, tail(log, 12))
	}
	if err != nil {
		return false
	}
	r.results.Versions[s.Name()] = m.Version
	for _, f := range m.Figures {
		r.note(w, s, f)
		head += fmt.Sprintf("%s %s · ", f.Metric, report.Number(f.Value, f.Unit))
	}
	fmt.Fprintln(r.out, strings.TrimSuffix(head, " · "))
	for _, why := range m.Left {
		if turn == 1 {
			r.skip(report.Skip{Workload: w.Name, System: s.Name(), Reason: why})
		}
	}
	return true
}

func (r *runner) skip(s report.Skip) {
	r.results.Skipped = append(r.results.Skipped, s)
	fmt.Fprintf(r.out, "%-12s %-20s LEFT OUT: %s\n", s.Workload, s.System, s.Reason)
}

// measure measures a system once, and returns the name of the log.
func (r *runner) measure(ctx context.Context, w workload.Workload, s system.System, name string) (*workload.Measurement, string, error) {
	logName := filepath.Join(r.dir, name+".log")
	log, err := os.Create(logName)
	if err != nil {
		return nil, "", err
	}
	defer log.Close()
	data := filepath.Join(r.dir, name)
	if err := os.Mkdir(data, 0o755); err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(data)
	m := &workload.Measurement{System: s, Tasks: r.tasks, Time: r.time, Dir: data, Log: log}
	if r.profile != "" {
		m.Profile = filepath.Join(r.profile, name)
	}
	if err := build(ctx, s); err != nil {
		return m, logName, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.timeout, fmt.Errorf("it took longer than %v", r.timeout))
	defer cancel()
	return m, logName, w.Measure(ctx, m)
}

// build builds a system's program, before any time is taken.
func build(ctx context.Context, s system.System) error {
	b, ok := s.(system.Built)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, system.BuildTimeout)
	defer cancel()
	return b.Build(ctx)
}

// note adds a figure to the results.
func (r *runner) note(w workload.Workload, s system.System, f workload.Figure) {
	for i := range r.results.Measures {
		m := &r.results.Measures[i]
		if m.Workload == w.Name && m.System == s.Name() && m.Metric == f.Metric {
			m.Values = append(m.Values, f.Value)
			return
		}
	}
	r.results.Measures = append(r.results.Measures, report.Measure{
		Workload: w.Name, System: s.Name(), Group: string(s.Group()),
		Metric: f.Metric, Unit: f.Unit, Lower: f.Lower, Main: f.Main, Values: []float64{f.Value},
	})
}

// tail is the end of a log, so many lines of it.
func tail(name string, lines int) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	all := slices.Collect(strings.Lines(string(text)))
	return strings.Join(all[max(0, len(all)-lines):], "")
}
