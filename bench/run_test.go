package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/reeveq/reeve/bench/internal/goal"
	"github.com/reeveq/reeve/bench/internal/report"
	"github.com/reeveq/reeve/bench/internal/system"
)

// TestMain is the program, where that starts itself again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"client", "serve"}, os.Args[1]) {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestRun_MeasuresEachWorkload(t *testing.T) {
	dir := t.TempDir()
	var out, progress bytes.Buffer
	err := run(t.Context(), []string{
		"-workloads", "rtt,pipeline,payload,backlog,durable,objects", "-systems", "reeve-batch", "-repeat", "1", "-tasks", "300",
		"-json", filepath.Join(dir, "run.json"), "-chart", filepath.Join(dir, "run.svg"), "-o", filepath.Join(dir, "run.md"), "-dir", dir,
	}, &out, &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	f, err := os.Open(filepath.Join(dir, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := report.ReadJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"rtt", "pipeline-1", "pipeline-4", "payload", "backlog", "durable", "objects"} {
		if !slices.ContainsFunc(got.Measures, func(m report.Measure) bool {
			return m.Workload == w && m.Main && m.System == "reeve-batch" && len(m.Values) == 1 && m.Values[0] > 0
		}) {
			t.Errorf("%s has no main figure:\n%s", w, progress.String())
		}
	}
	if len(got.Skipped) > 0 || got.Versions["reeve-batch"] == "" {
		t.Errorf("skipped %v, versions %v", got.Skipped, got.Versions)
	}
	for _, v := range goal.Judge(got) {
		if v.Measured == "" && v.Workload != "scaling" && !strings.HasPrefix(v.Workload, "idle") {
			t.Errorf("a goal of %s is about what no one measures: %s", v.Workload, v.Missing)
		}
	}
	left, err := os.ReadDir(dir)
	if names := len(left); err != nil || names != 3 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// absent is a system that is not installed, or fails.
type absent struct {
	system.System
	err error
}

func (absent) Name() string                                                     { return "absent" }
func (absent) Group() system.Group                                              { return system.Peer }
func (a absent) Start(context.Context, system.Settings) (*system.Server, error) { return nil, a.err }

func TestRunner_TellsWhatItLeavesOut(t *testing.T) {
	o, err := parseOptions([]string{"-workloads", "rtt,payload", "-repeat", "2"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err  error
		want []report.Skip
	}{
		{system.ErrAbsent, []report.Skip{{System: "absent", Reason: "start: not on this machine"}}},
		{errors.New("broken"), []report.Skip{
			{Workload: "rtt", System: "absent", Reason: "start: broken"}, {Workload: "payload", System: "absent", Reason: "start: broken"}}},
	} {
		var out bytes.Buffer
		o.systems = []system.System{absent{err: c.err}}
		r := &runner{options: o, dir: t.TempDir(), out: &out, absent: map[string]bool{}, results: &report.Run{Versions: map[string]string{}}}
		r.all(t.Context())
		if !slices.Equal(r.results.Skipped, c.want) || strings.Count(out.String(), "LEFT OUT") != len(c.want) {
			t.Errorf("%v: %v\n%s", c.err, r.results.Skipped, out.String())
		}
	}
}

func TestGoals_AreToldOfAnEarlierRun(t *testing.T) {
	var out bytes.Buffer
	earlier := filepath.Join("internal", "report", "testdata", "run.json")
	if err := dispatch(t.Context(), []string{"goals", "-json", earlier}, &out, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "| pipeline-4 | 30 × managers |") {
		t.Errorf("no table:\n%s", out.String())
	}
	if err := dispatch(t.Context(), []string{"goals"}, &out, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "-json") {
		t.Errorf("without a run: %v", err)
	}
}

func TestParseOptions_SaysWhatIsWrong(t *testing.T) {
	for args, want := range map[string]string{
		"-workloads nothing": `-workloads: no "nothing"`,
		"-systems nothing":   `-systems: no "nothing"`,
		"-repeat 0":          "-repeat",
		"-tasks -1":          "-tasks",
		"-chart x.pdf":       "-chart",
		"run":                "unexpected argument",
	} {
		if _, err := parseOptions(strings.Fields(args), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	if _, err := parseOptions([]string{"-no-such"}, &bytes.Buffer{}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("an unknown flag: %v", err)
	}
	o, err := parseOptions([]string{"-workloads", "pipeline,rtt", "-systems", "peers,reeve"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, w := range o.workloads {
		names = append(names, w.Name)
	}
	if !slices.Equal(names, []string{"rtt", "pipeline-1", "pipeline-4"}) {
		t.Errorf("workloads %v", names)
	}
	if len(o.systems) < 2 || o.systems[0].Name() != "reeve" || o.systems[1].Group() != system.Peer {
		t.Errorf("systems %v", o.systems)
	}
}

func TestDispatch_NamesTheCommands(t *testing.T) {
	err := dispatch(t.Context(), []string{"measure"}, &bytes.Buffer{}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "there are: run list") || strings.Contains(err.Error(), "client") {
		t.Error(err)
	}
	var out bytes.Buffer
	if err := dispatch(t.Context(), []string{"list"}, &out, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipeline-4", "reeve-batch"} {
		if !strings.Contains(out.String(), name) {
			t.Errorf("no %s in\n%s", name, out.String())
		}
	}
}
