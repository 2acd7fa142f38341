package main

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// site is a real master and the tool at it.
type site struct {
	t *testing.T
	m *managertest.Master
}

func newSite(t *testing.T, queues map[string]reeve.QueueConfig) *site {
	t.Helper()
	s := &site{t: t, m: managertest.Start(t)}
	for name, cfg := range queues {
		s.m.Declare(t, name, cfg)
	}
	return s
}

// run runs a command line that must end with code.
func (s *site) run(code int, stdin, line string, args ...string) (stdout, stderr string) {
	s.t.Helper()
	got, stdout, stderr := runWith(s.t, strings.Repeat("long enough ", 4), func(ctx context.Context, _ string, _ proxy.Config) (master, error) {
		return dialMaster(ctx, s.m.Addr(), s.m.ClientConfig())
	}, stdin, append(strings.Fields(line), args...)...)
	if got != code {
		s.t.Errorf("reeve %s %q: exit %d, want %d\n%s%s", line, args, got, code, stdout, stderr)
	}
	return stdout, stderr
}

// says runs a command line that must end well and write what matches want.
func (s *site) says(want, line string, args ...string) {
	s.t.Helper()
	stdout, stderr := s.run(0, "", line, args...)
	if !regexp.MustCompile(`(?s)^` + want + `$`).MatchString(stdout) {
		s.t.Errorf("reeve %s %q: want %s\n%s%s", line, args, want, stdout, stderr)
	}
}

// take leases the next task.
func (s *site) take(queue string) *reeve.Lease {
	s.t.Helper()
	q, err := s.m.Manager().Lookup(queue)
	if err != nil {
		s.t.Fatal(err)
	}
	leases, err := q.Get(s.t.Context(), 1)
	if err != nil {
		s.t.Fatal(err)
	}
	return leases[0]
}

func (s *site) put(line string, args ...string) (id string) {
	s.t.Helper()
	stdout, _ := s.run(0, "", "put "+line, args...)
	return strings.TrimSpace(stdout)
}

func TestReal_TheLifeOfATask(t *testing.T) {
	t.Parallel()
	s := newSite(t, map[string]reeve.QueueConfig{"tasks": {KeepResult: time.Hour, Attempts: 2}})
	low := s.put("tasks -type square -priority -1", "square 12")
	high := s.put("tasks -type square -priority 9 -key k -attempts 1", "square 13")
	s.says(`{"id":"`+high+`".*\n{"id":"`+low+`".*\n`, "peek tasks -json")
	s.says(`ID .*\n`+high+`  ready  square  9 .* key k +square 13\n`+low+`  ready  square  -1 .* -  +square 12\n`, "peek tasks")
	s.says("no_worker: .*\n", "why "+low)
	s.says(`NAME .*tasks +2 +0 +0 +0 .*\n\nTYPE .*\nsquare +2 +0 +0 +0 +0\n`, "ls tasks")
	s.says("queue tasks is paused\n", "pause tasks -reason", "the disk is full")
	s.says("paused: .*the disk is full\n.*", "why "+low)
	s.says(`NAME .*tasks .* paused: the disk is full\n`, "ls")
	s.says("queue tasks is not paused\n", "resume tasks")

	l := s.take("tasks")
	if err := l.Progress(42, "half way"); err != nil {
		t.Fatal(err)
	}
	s.says(".*\nstate: +leased for .*\nworker: +master\n.*progress: +42 % half way .*key: +k\n.*  square 13\n", "show "+high)
	s.says("leased: it runs: attempt 1, on master .*\n", "why "+high)
	if _, stderr := s.run(75, "", "result "+high); !strings.Contains(stderr, "has not ended yet") {
		t.Error(stderr)
	}
	if _, stderr := s.run(75, "", "purge "+high); !strings.Contains(stderr, `is leased: a task that runs is not purged, "reeve cancel" ends it`) {
		t.Error(stderr)
	}
	if err := l.Nack(t.Context(), 0, errors.New("connection\nrefused")); err != nil {
		t.Fatal(err)
	}
	s.says(`ID .*\n`+high+`  square .* 1 +\S.* connection refused +square 13\n`, "dead tasks")
	s.says("dead: .*\n", "why "+high)
	if stdout, stderr := s.run(1, "", "wait "+high); stdout != "" || !strings.HasPrefix(stderr, "reeve: task "+high+" is dead: ") {
		t.Error(stdout, stderr)
	}
	s.says("1 task revived\n", "revive "+high)
	if _, stderr := s.run(75, "", "revive "+high); !strings.Contains(stderr, "is ready: only dead letters can be revived") {
		t.Error(stderr)
	}

	l = s.take("tasks")
	done := make(chan string)
	go func() { // ends with the task
		stdout, _ := s.run(0, "", "wait "+high)
		done <- stdout
	}()
	if err := l.Complete(t.Context(), "", reeve.Task{Payload: []byte("169")}); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got != "169\n" {
		t.Errorf("waited for %q", got)
	}
	s.says("169\n", "result "+high)
	s.says(`ended: it is done\n`, "why "+high)

	s.says("1 task cancelled\n", "cancel "+low+" -reason", "too late")
	if stdout, stderr := s.run(1, "", "result "+low+" -json"); !strings.Contains(stdout, `"state":"cancelled"`) || stderr != "reeve: task "+low+" is cancelled: too late\n" {
		t.Error(stdout, stderr)
	}
	if _, stderr := s.run(66, "", "show 99"); stderr != unknown {
		t.Error(stderr)
	}
}

func TestReal_FiltersMeanTheTasksTheySay(t *testing.T) {
	t.Parallel()
	s := newSite(t, map[string]reeve.QueueConfig{"tasks": {}, "other": {MaxLen: 3}})
	s.run(0, `{"payload": "a", "type": "x"}
{"payload": "b", "type": "x", "delay": "1h"}
{"payload": "c", "type": "y", "key": "k"}
{"payload": "d", "key": "k", "unique": "u"}
{"payload": "e", "unique": "u"}
{"payload_cbor": {"n": 12}, "labels": ["gpu"], "at": "2150-01-31T18:30:00Z", "expire_at": "2150-02-01T18:30:00Z", "backoff": "1s..1m", "keep_result": "none"}
`, "put tasks -jsonl")
	count := func(line string) int {
		t.Helper()
		stdout, _ := s.run(0, "", "peek tasks -json "+line)
		n := 0
		for l := range strings.Lines(stdout) {
			var v struct{ ID reeve.ID }
			if err := json.Unmarshal([]byte(l), &v); err != nil || v.ID == 0 {
				t.Fatal(err, l)
			}
			n++
		}
		return n
	}
	for line, want := range map[string]int{
		"": 2, "-all": 5, "-type x": 2, "-type=": 2, "-type x -state delayed": 1, "-state ready,delayed": 5, "-key k": 2, "-unique u": 1,
		"-older-than 1h": 0, "-type y -key k -state ready": 1, "-state leased": 0, "-n 3 -after 1": 3, "-error x": 0,
	} {
		if line == "" {
			continue // tasks of one key are not all next at once
		}
		if got := count(line); got != want {
			t.Errorf("%s: %d tasks, want %d", line, got, want)
		}
	}
	s.says(`[^\n]*\n[^\n]*{"n":12}\n`, "peek tasks -state delayed -type=")
	s.says("2 tasks moved\n", "move tasks other -key k")
	if stdout, stderr := s.run(75, "", "move tasks other -all"); stdout != "1 task moved\n" || !strings.Contains(stderr, "full") {
		t.Error(stdout, stderr)
	}
	if _, stderr := s.run(78, "", "move tasks nosuch -all"); !strings.Contains(stderr, `no such queue: "nosuch"`) {
		t.Error(stderr)
	}
	s.says("1 task purged\n", "purge tasks -state delayed -type x")
	s.says("1 task cancelled\n", "cancel tasks -all")
	s.says(`{"count":3}\n`, "cancel other -all -json")
	s.says("0 tasks purged\n", "purge tasks -all")
}

func TestReal_GetRespectsTypesAndLabels(t *testing.T) {
	t.Parallel()
	s := newSite(t, map[string]reeve.QueueConfig{"tasks": {}})
	s.put("tasks -type x", "a")
	s.put("tasks -label gpu", "b")
	s.says("", "get tasks -type y")
	s.says("a\n", "get tasks -n 5")
	s.says("b\n", "get tasks -type= -label gpu -label big -ack")
	s.says("a\n", "get tasks -n 5 -ack -label gpu")
	s.says(`NAME .*\ntasks +0 +0 +0 +0 .*`, "ls")
}

func TestReal_QueuesComeAndGo(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.says("queue jobs is declared\n", "declare jobs,max-len=2,backoff=0")
	s.says("queue jobs is declared\n", "declare jobs,max-len=2,backoff=0")
	if _, stderr := s.run(78, "", "declare jobs"); !strings.Contains(stderr, "exists with another configuration") {
		t.Error(stderr)
	}
	s.put("jobs", "one")
	s.says("NAME .*jobs +1 +0 +0 +0 .*", "ls")
	if _, stderr := s.run(75, "", "delete jobs"); !strings.Contains(stderr, `queue has tasks: "jobs" has 1, of which 0 are leased and 0 dead (-force`) {
		t.Error(stderr)
	}
	s.says("queue jobs is deleted\n", "delete jobs -force")
	if _, stderr := s.run(78, "", "put jobs two"); !strings.Contains(stderr, "no such queue") {
		t.Error(stderr)
	}
	s.says("queue jobs is declared\n", "declare jobs")
}
