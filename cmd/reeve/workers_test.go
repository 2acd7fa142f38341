package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/proxy"
)

// staged is a master as far as workers, tail and top look at one.
type staged struct {
	reeve.Operator // nil: nothing else is called
	reeve.Backuper
	reeve.Objects
	reeve.QueueDeclarer
	ender

	queues  func() ([]reeve.QueueStats, error)
	workers []reeve.WorkerInfo
	reports []reeve.Report
	events  func(ctx context.Context, yield func(reeve.Event, error) bool)
	err     error  // of Workers and Command
	term    string // in the environment

	// What Command and Events were asked.
	to      reeve.WorkerSelector
	command reeve.Command
	timeout time.Duration
	of      []string
}

func (s *staged) Queue(string) reeve.Queue { return nil }
func (s *staged) Close() error             { return nil }

func (s *staged) Queues(context.Context) ([]reeve.QueueStats, error) { return s.queues() }

func (s *staged) Workers(context.Context) ([]reeve.WorkerInfo, error) {
	return slices.Clone(s.workers), s.err
}

func (s *staged) Command(_ context.Context, to reeve.WorkerSelector, c reeve.Command, timeout time.Duration) ([]reeve.Report, error) {
	s.to, s.command, s.timeout = to, c, timeout
	return slices.Clone(s.reports), s.err
}

func (s *staged) Events(ctx context.Context, queues ...string) iter.Seq2[reeve.Event, error] {
	s.of = queues
	return func(yield func(reeve.Event, error) bool) { s.events(ctx, yield) }
}

// run runs a command line against s until it ends or ctx does.
func (s *staged) run(ctx context.Context, t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	_, key, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	tool := &tool{
		stdin: strings.NewReader(""), stdout: &out, stderr: &errs, defaultConnect: "127.0.0.1:1",
		getenv: func(name string) string { return map[string]string{"REEVE_AUTHKEY": key, "TERM": s.term}[name] },
		dial:   func(context.Context, string, proxy.Config) (master, error) { return s, nil },
	}
	code = tool.run(ctx, append([]string{"reeve"}, args...))
	return code, out.String(), errs.String()
}

func crew() []reeve.WorkerInfo {
	return []reeve.WorkerInfo{{
		ID: 17, Name: "resizer", Host: "big", PID: 4711, Impl: "worker 1.2", Addr: "10.0.0.7:999", Heard: 1500 * time.Millisecond,
		Queues: []reeve.WorkerQueue{
			{Queue: "high", Types: []string{"resize", ""}, Labels: []string{"gpu"}, Slots: 4, Used: 4},
			{Queue: "low", Types: []string{"resize"}, Labels: []string{"gpu", "eu"}, Slots: 2, Used: 1},
		},
		Running: []reeve.WorkerTask{{Queue: "high", ID: 1, Age: 90 * time.Second}, {ID: 2, Age: 4 * time.Second}, {ID: 3}, {ID: 4}, {ID: 5}},
		Leased:  5,
	}, {
		ID: 18, Name: "e\x1b[2Jvil", Addr: "10.0.0.8:1",
		Queues: []reeve.WorkerQueue{{Queue: "high", Slots: 1}},
	}}
}

func TestWorkers_ListsThemInATable(t *testing.T) {
	t.Parallel()
	s := &staged{workers: crew()}
	code, stdout, stderr := s.run(t.Context(), t, "workers")
	want := `ID  NAME      HOST:PID    VERSION     QUEUES    TYPES      LABELS  SLOTS  HEARD  RUNNING
17  resizer   big:4711    worker 1.2  high,low  resize,""  gpu,eu  5/6    1.5s   0000000000000001 1m30s, 0000000000000002 4.0s, 0000000000000003 0.0s, +2
18  e?[2Jvil  10.0.0.8:1  -           high      *          -       0/1    0.0s   -
`
	if code != 0 || stdout != want || stderr != "" {
		t.Fatalf("exit %d, stderr %q, stdout\n%s\nwant\n%s", code, stderr, stdout, want)
	}
}

func TestWorkers_ListsThemAsJSONWithoutNullLists(t *testing.T) {
	t.Parallel()
	s := &staged{workers: crew()}
	code, stdout, _ := s.run(t.Context(), t, "workers", "-json")
	var got []struct {
		ID      uint64
		HeardNS int64 `json:"heard_ns"`
		Running []struct{ ID string }
		Queues  []struct{ Types, Labels []string }
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 || len(got) != 2 || got[0].HeardNS != 1.5e9 || len(got[0].Running) != 5 {
		t.Fatalf("exit %d, %v, %s", code, err, stdout)
	}
	if got[1].Running == nil || got[1].Queues[0].Labels == nil || got[1].Queues[0].Types != nil {
		t.Errorf("null where there are none, or a list where all are meant: %s", stdout)
	}
	if code, stdout, _ := (&staged{}).run(t.Context(), t, "workers", "-json"); code != 0 || stdout != "[]\n" {
		t.Errorf("exit %d, without workers %q", code, stdout)
	}
}

func TestWorkers_StatusShowsWhatTheySayAndFailsWhenOneIsSilent(t *testing.T) {
	t.Parallel()
	s := &staged{workers: crew(), reports: []reeve.Report{
		{ID: 17, Status: &reeve.WorkerStatus{Uptime: 3 * time.Hour, Done: 120, Failed: 7, Stuck: 1, Draining: true}},
		{ID: 99, Status: &reeve.WorkerStatus{}}, // came meanwhile
	}}
	code, stdout, _ := s.run(t.Context(), t, "workers", "-status", "-timeout", "2s")
	if code != 0 || s.command.Do != reeve.CommandReport || s.timeout != 2*time.Second {
		t.Fatalf("exit %d, asked for %+v within %v", code, s.command, s.timeout)
	}
	if want := "3h00m  120   7       draining, 1 stuck  0000000000000001"; !strings.Contains(stdout, want) {
		t.Errorf("no %q in\n%s", want, stdout)
	}
	s.reports = append(s.reports, reeve.Report{ID: 18, Error: "no answer"})
	if code, stdout, _ := s.run(t.Context(), t, "workers", "-status"); code != 1 || !strings.Contains(stdout, "no answer") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	code, stdout, _ = s.run(t.Context(), t, "workers", "-status", "-json")
	var got []struct {
		ID     uint64
		Status *struct{ Done, Failed uint64 }
		Error  string
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 1 || got[0].Status.Done != 120 || got[1].Status != nil || got[1].Error != "no answer" {
		t.Errorf("exit %d, %v, %s", code, err, stdout)
	}
}

func TestWorkers_LeavesOutClientsThatTakeNoTasksUnlessAsked(t *testing.T) {
	t.Parallel()
	clients := []reeve.WorkerInfo{
		{ID: 1, Queues: []reeve.WorkerQueue{{Queue: "q"}}}, {ID: 2, Leased: 1}, {ID: 3}, {ID: 4},
	}
	for args, want := range map[string]string{
		"workers -json":                  "[1 2]",
		"workers -json -status":          "[1 2 4]", // who answers is one
		"workers -json -clients":         "[1 2 3 4]",
		"workers -json -clients -status": "[1 2 3 4]",
	} {
		s := &staged{workers: clients, reports: []reeve.Report{{ID: 4, Status: &reeve.WorkerStatus{}}}}
		code, stdout, _ := s.run(t.Context(), t, strings.Fields(args)...)
		var got []struct{ ID int }
		var ids []int
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatal(err)
		}
		for _, w := range got {
			ids = append(ids, w.ID)
		}
		if code != 0 || fmt.Sprint(ids) != want {
			t.Errorf("%s: exit %d, %v, want %v", args, code, ids, want)
		}
	}
}

func TestWorkers_ErrorsEndItWithTheirCode(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"workers"}, {"workers", "drain", "-all"}} {
		s := &staged{err: reeve.ErrUnsupported}
		if code, stdout, stderr := s.run(t.Context(), t, args...); code != 76 || stdout != "" || !strings.Contains(stderr, reeve.ErrUnsupported.Error()) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestWorkersCommands_TellThoseWhoAreMeant(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]struct {
		to reeve.WorkerSelector
		c  reeve.Command
	}{
		"workers drain 17 resizer@big:4711#18 -json":       {reeve.WorkerSelector{IDs: []uint64{17, 18}}, reeve.Command{Do: reeve.CommandDrain}},
		"workers drain -all":                               {reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandDrain}},
		"workers drain -label gpu -label eu 17":            {reeve.WorkerSelector{IDs: []uint64{17}, Labels: []string{"gpu", "eu"}}, reeve.Command{Do: reeve.CommandDrain}},
		"workers concurrency 8 17":                         {reeve.WorkerSelector{IDs: []uint64{17}}, reeve.Command{Do: reeve.CommandConcurrency, Concurrency: 8}},
		"workers concurrency -label gpu 65536 -timeout 1m": {reeve.WorkerSelector{Labels: []string{"gpu"}}, reeve.Command{Do: reeve.CommandConcurrency, Concurrency: 65536}},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			s := &staged{reports: []reeve.Report{{ID: 17}, {ID: 18}}}
			code, _, stderr := s.run(t.Context(), t, strings.Fields(args)...)
			if code != 0 || stderr != "" || !slices.Equal(s.to.IDs, want.to.IDs) || !slices.Equal(s.to.Labels, want.to.Labels) || s.command != want.c {
				t.Fatalf("exit %d, %q, told %+v to %+v", code, stderr, s.to, s.command)
			}
		})
	}
}

func TestWorkersCommands_SayWhoAnsweredAndWhoDidNot(t *testing.T) {
	t.Parallel()
	s := &staged{reports: []reeve.Report{
		{ID: 17, Worker: "resizer@big:4711#17", Status: &reeve.WorkerStatus{Draining: true, Running: 3}},
		{ID: 18, Worker: "@small:1#18", Error: "no answer within 5s"},
	}}
	code, stdout, stderr := s.run(t.Context(), t, "workers", "drain", "17", "18", "19", "19")
	want := `ID  WORKER               ANSWER
17  resizer@big:4711#17  draining, 3 running
18  @small:1#18          failed: no answer within 5s
19  -                    failed: no such worker, or without the label
`
	if code != 1 || stdout != want || stderr != "reeve: 2 of 3 workers did not do it\n" {
		t.Fatalf("exit %d, stderr %q, stdout\n%s", code, stderr, stdout)
	}
	code, stdout, _ = s.run(t.Context(), t, "workers", "concurrency", "2", "17", "19", "-json")
	var got []reeve.Report
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 1 || len(got) != 3 || got[2].ID != 19 || got[2].Error == "" {
		t.Errorf("exit %d, %v, %s", code, err, stdout)
	}
	s.reports = []reeve.Report{{ID: 17, Status: &reeve.WorkerStatus{Concurrency: 2, Running: 4}}}
	if code, stdout, _ := s.run(t.Context(), t, "workers", "concurrency", "2", "-all"); code != 0 || !strings.Contains(stdout, "2 at a time, 4 running") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}

func TestWorkersCommands_NobodyThereIsAFailureUnlessAllWereMeant(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]int{"-all": 0, "-label gpu": 1, "17": 1} {
		code, stdout, _ := (&staged{}).run(t.Context(), t, strings.Fields("workers drain -json "+args)...)
		if code != want || !json.Valid([]byte(stdout)) {
			t.Errorf("%s: exit %d, want %d; %q", args, code, want, stdout)
		}
	}
}

func TestWorkers_RefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"workers sleep":                       `unknown command "sleep"; there are: drain, concurrency`,
		"workers -timeout 2m -status":         "want at most 1m0s",
		"workers drain":                       "which workers?",
		"workers drain -all 17":               "-all stands alone",
		"workers drain -all -label x":         "-all stands alone",
		"workers drain x":                     `"x" is no id of a worker`,
		"workers drain 0":                     `"0" is no id of a worker`,
		"workers drain -all -timeout 61s":     "want at most 1m0s",
		"workers drain 17 -timeout 0s":        "-timeout",
		"workers -connect far:1 drain -all":   "-connect stands before drain; want it after",
		"workers concurrency":                 `concurrency "": want a whole number from 1 to 65536`,
		"workers concurrency 0 -all":          `concurrency "0": want a whole number`,
		"workers concurrency 65537 -all":      "want a whole number",
		"workers concurrency 5":               "which workers?",
		"workers drain -label=":               "label",
		"workers concurrency 5 -label \xff -": "label",
	} {
		s := &staged{err: errors.New("was asked")}
		code, stdout, stderr := s.run(t.Context(), t, strings.Split(args, " ")...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestListed_CutsLongListsShort(t *testing.T) {
	t.Parallel()
	names := strings.Split("abcdefghij", "")
	for n, want := range map[int]string{0: "-", 1: "a", 8: "a,b,c,d,e,f,g,h", 9: "a,b,c,d,e,f,g,h,+1", 10: "a,b,c,d,e,f,g,h,+2"} {
		if got := listed(names[:n]); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestSpan_KeepsToItsWidth(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0s", 0: "0.0s", 1234 * time.Millisecond: "1.2s", 59949 * time.Millisecond: "59.9s",
		59951 * time.Millisecond: "1m00s", time.Minute: "1m00s", time.Hour - time.Second: "59m59s",
		time.Hour: "1h00m", 26*time.Hour + time.Minute: "1d02h", 400 * 24 * time.Hour: "400d00h",
		time.Hour - time.Millisecond: "1h00m",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestWorkers_CountTheSlotsOfASupplyFromSeveralQueuesOnce(t *testing.T) {
	t.Parallel()
	s := supplyOf(&reeve.WorkerInfo{Queues: []reeve.WorkerQueue{
		{Supply: 1, Queue: "high", Slots: 4, Used: 1}, {Supply: 1, Queue: "low", Slots: 4, Used: 2}, {Supply: 2, Queue: "low", Slots: 3},
	}})
	if got := s.slots(); got != "3/7" {
		t.Fatal(got)
	}
}
