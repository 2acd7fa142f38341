package cmd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kill ends the process as a crash would.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.ended
}

func TestData_QueuesSurviveTheMaster(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.master("-data", "data")
	m.says(`^recovered 0 tasks \(0 results\) in 0 queues, .* from data$`)
	s.run("", "reeve", "put", "tasks", "square 12", "square 13", "-connect", addr).wants(0)
	m.kill()
	m, addr = s.master("-data", "data")
	m.says(`^recovered 2 tasks \(0 results\) in 2 queues, .* MiB, in .* from data$`)
	s.worker(addr, "-concurrency", "1")
	got := s.run("", "reeve", "get", "results", "-n", "2", "-ack", "-block", "-connect", addr)
	got.wants(0)
	if got.stdout.String() != "144\n169\n" {
		t.Errorf("got %q", got.stdout.String())
	}
	m.kill()
	m, _ = s.with("REEVE_DATA=data").master()
	m.says(`^recovered 0 tasks \(0 results\) in 2 queues, .* from data$`)
}

func TestData_WithoutItTheMasterSaysSo(t *testing.T) {
	t.Parallel()
	m, _ := newSite(t).master()
	m.says(`^queues are kept in memory only: use -data DIR to keep them across restarts$`)
}

func TestData_AWorkerGoesOnOverAKill(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.master("-data", "data", "-queue", "tasks,attempts=1", "-queue", "results")
	s.worker(addr, "-concurrency", "1", "-prefetch", "1")
	s.run("", "reeve", "put", "tasks", "sleep 2s", "-connect", addr).wants(0)
	waitFor(t, func() bool {
		return strings.Contains(s.run("", "reeve", "peek", "tasks", "-state", "leased", "-connect", addr).stdout.String(), "sleep")
	})
	m.kill()
	m = s.start("master", "-addr", addr, "-data", "data", "-queue", "tasks,attempts=1", "-queue", "results")
	m.says(`^recovered 1 task .* in 2 queues`)
	got := s.run("", "reeve", "get", "results", "-ack", "-block", "-connect", addr)
	got.wants(0)
	if got := s.run("", "reeve", "dead", "tasks", "-connect", addr).stdout.String(); strings.Contains(got, "sleep") {
		t.Errorf("it is dead: %s", got)
	}
}

func TestData_TheDirectoryIsForItsUserOnlyAndOneMasters(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, _ := s.master("-data", filepath.Join("new", "data"))
	second := s.run("", "master", "-addr", "127.0.0.1:0", "-data", filepath.Join("new", "data"))
	second.wants(69, fmt.Sprintf("is in use by process %d: stop that master, or choose another directory", m.cmd.Process.Pid))
	if strings.Contains(second.stderr.String(), "listening") {
		t.Error("it listened")
	}
	m.kill() // a lock of a process that is gone is none
	s.master("-data", filepath.Join("new", "data"))
}

func TestData_DamageIsToldWithItsPlaceAndTheCure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.master("-data", "data")
	s.run("", "reeve", "put", "tasks", strings.Repeat("x", 1000), "-connect", addr).wants(0)
	s.run("", "reeve", "put", "tasks", "y", "-connect", addr).wants(0)
	m.kill()
	files, err := filepath.Glob(filepath.Join(s.dir, "data", "*.seg"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	i := strings.Index(string(b), strings.Repeat("x", 1000))
	if i < 0 {
		t.Fatal("the payload is not in the journal")
	}
	b[i+500] ^= 1
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	s.run("", "master", "-addr", "127.0.0.1:0", "-data", "data").wants(65, filepath.Base(files[0])+" at byte ", "reeve journal check data", "reeve journal salvage data NEWDIR")
}

func TestData_TheKeyIsNotAmongTheQueues(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if err := os.Mkdir(filepath.Join(s.dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	key := s.file(filepath.Join("data", "reeve.key"), "a key for tests only")
	s.run("", "master", "-addr", "127.0.0.1:0", "-data", "data", "-authkey-file", key).wants(2, "reeve.key is in -data data", "keep it elsewhere")
	s.run("", "master", "-addr", "127.0.0.1:0", "-data", ".").wants(2, "loopback.key is in -data .")
}

func TestData_ABatchRunDoesNotRepeatAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	out := s.file("out", "")
	first, addr := s.batch("square 2\nsquare 3\n", "-data", "data", "-output", out)
	waitFor(t, func() bool {
		return strings.Count(s.run("", "reeve", "peek", "tasks", "-connect", addr).stdout.String(), "square") == 2
	})
	first.kill()
	kept := s.file("out", "what there was\n")
	second := s.run("", "master", "-addr", "127.0.0.1:0", "-data", "data", "-input", "input", "-output", kept)
	second.wants(75, "-data data has queue tasks with 2 tasks of a run that was broken off", "without -input")
	if got := mustRead(t, kept); got != "what there was\n" {
		t.Errorf("the output was emptied: %q", got)
	}
	m, addr := s.master("-data", "data")
	s.worker(addr, "-concurrency", "1")
	got := s.run("", "reeve", "get", "results", "-n", "2", "-ack", "-block", "-connect", addr)
	got.wants(0)
	if got.stdout.String() != "4\n9\n" {
		t.Errorf("got %q", got.stdout.String())
	}
	m.kill()
	again, addr := s.batch("square 2\nsquare 3\n", "-data", "data", "-ordered")
	s.worker(addr, "-concurrency", "1")
	again.wants(0)
	if got := again.stdout.String(); got != "4\n9\n" {
		t.Errorf("got %q", got)
	}
}
