//go:build unix

package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// askToEnd makes a worker end the commands that it runs, as killing it does
// not: they lead process groups of their own.
func (p *process) askToEnd() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Process.Signal(syscall.SIGINT) // the second ends it at once
}

// runs reports whether a process of the group still runs. Zombies, whose new
// parent may take its time, do not.
func runs(group int) bool {
	if syscall.Kill(-group, 0) != nil {
		return false
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is good
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 2 && f[2] == strconv.Itoa(group) && f[0] != "Z" {
			return true
		}
	}
	return len(stats) == 0 // no /proc here
}

// busy is a master with one task that a worker's command has begun, and what
// the command wrote then: its process id.
func busy(t *testing.T, args []string, script string) (s *site, addr string, w *process, pid int) {
	t.Helper()
	s = newSite(t)
	_, addr = s.master()
	started := filepath.Join(s.dir, "started")
	w = s.worker(addr, append(args, "--", "sh", "-c", "echo $$ >"+started+".new; mv "+started+".new "+started+"; "+script)...)
	s.run("", "reeve", "put", "tasks", "x", "-connect", addr).wants(0)
	waitFor(t, func() bool { _, err := os.Stat(started); return err == nil })
	pid, err := strconv.Atoi(strings.TrimSpace(mustRead(t, started)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() { // the worker may have left it behind
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	})
	return s, addr, w, pid
}

func TestStop_AWorkerFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	s, addr, w, _ := busy(t, nil, `while ! [ -e go ]; do sleep 0.02; done; echo finished`)
	w.signal(syscall.SIGTERM)
	s.file("go", "")
	w.wants(0)
	got := s.run("", "reeve", "get", "results", "-connect", addr)
	if got.stdout.String() != "finished\n" {
		t.Errorf("got %q", got.stdout.String())
	}
}

func TestStop_AWorkerWhoseGraceIsOverGivesBack(t *testing.T) {
	t.Parallel()
	s, addr, w, pid := busy(t, []string{"-grace", "100ms"}, `trap "" TERM; while :; do sleep 1; done`)
	w.signal(os.Interrupt.(syscall.Signal))
	w.wants(0)
	waitFor(t, func() bool { return !runs(pid) })
	ls := s.run("", "reeve", "ls", "-json", "-connect", addr)
	if got := ls.stdout.String(); !strings.Contains(got, `"name":"tasks","ready":1,"delayed":0,"leased":0,"dead":0`) || !strings.Contains(got, `"failed":0`) {
		t.Errorf("got %s", got)
	}
}

func TestStop_ASecondSignalEndsAWorkerNow(t *testing.T) {
	t.Parallel()
	_, _, w, pid := busy(t, []string{"-grace", "1h"}, `trap "" TERM; while :; do sleep 1; done`)
	w.signal(syscall.SIGTERM)
	w.signal(syscall.SIGINT)
	if code := w.exit(); code != 130 && code != 143 { // two signals have no order
		t.Errorf("ended with %d", code)
	}
	waitFor(t, func() bool { return !runs(pid) })
}

func TestStop_AMasterEndsWellAndAtOnceWhenAskedTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, _ := s.master()
	m.signal(syscall.SIGTERM)
	m.wants(0)

	m, addr := s.master("-grace", "1h")
	s.worker(addr)
	s.run("", "reeve", "put", "tasks", "sleep 1h", "-connect", addr).wants(0)
	waitFor(t, func() bool {
		ls := s.run("", "reeve", "ls", "-json", "-connect", addr)
		return strings.Contains(ls.stdout.String(), `"leased":1`)
	})
	m.signal(syscall.SIGTERM)
	m.signal(syscall.SIGINT)
	if code := m.exit(); code != 130 && code != 143 {
		t.Errorf("ended with %d", code)
	}
}

func TestStop_ABatchRunFinishesWhatWorkersHaveBegun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch(strings.Repeat("x\n", 10000))
	started := filepath.Join(s.dir, "started")
	w := s.worker(addr, "-concurrency", "1", "--", "sh", "-c", "echo >"+started+"; while ! [ -e go ]; do sleep 0.02; done; echo finished")
	waitFor(t, func() bool { _, err := os.Stat(started); return err == nil })
	m.signal(syscall.SIGINT)
	waitFor(t, func() bool { // nothing is left to begin
		ls := s.run("", "reeve", "ls", "-json", "-connect", addr)
		return strings.Contains(ls.stdout.String(), `"name":"tasks","ready":0,"delayed":0,"leased":1`)
	})
	s.file("go", "")
	m.wants(130, "stopped before all lines were done", "not finished")
	if got := m.stdout.String(); got != "finished\n" {
		t.Errorf("got %q", got)
	}
	select {
	case <-w.ended:
		t.Error("the worker ended too")
	default:
	}
}

func TestBatch_AClosedPipeEndsIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	m := s.startWith(func(c *exec.Cmd) { c.Stdout = w }, "master", "-addr", "127.0.0.1:0", "-input", s.file("in", strings.Repeat("echo x\n", 20000)))
	w.Close()
	r.Close()
	s.start("worker", "-connect", m.says(`^listening on (\S+)$`))
	m.wants(74, "cannot write the output", "broken pipe")
}
