package cmd_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// How a master ends that no signal ends.

func TestShutdown_AMasterThatAllowsItEndsWell(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.master("-allow-shutdown", "-grace", "30s")
	w := s.worker(addr)
	s.run("", "reeve", "put", "tasks", "sleep 1", "-connect", addr).wants(0)
	waitFor(t, func() bool {
		return strings.Contains(s.run("", "reeve", "ls", "-connect", addr, "-json").stdout.String(), `"leased":1`)
	})
	s.run("", "reeve", "shutdown", "-drain", "-connect", addr).wants(0)
	m.wants(0, "a client shuts the master down")
	w.says("not connected")
}

func TestShutdown_BreaksABatchRunOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.master("-allow-shutdown", "-input", s.file("in.txt", "1\n2\n"))
	s.run("", "reeve", "shutdown", "-connect", addr).wants(0)
	if code := m.exit(); code == 0 || code == 1 {
		t.Errorf("exit %d for a run that was broken off", code)
	}
}

func TestShutdown_OthersRefuse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.master()
	s.run("", "reeve", "shutdown", "-connect", addr).wants(77, "permission denied")
	s.run("", "reeve", "ls", "-connect", addr).wants(0)
}

func TestStopOnEOF_TheMasterEndsInOrderWithItsInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	m := s.startWith(func(c *exec.Cmd) { c.Stdin = r }, "master", "-addr", "127.0.0.1:0", "-stop-on-eof")
	r.Close()
	addr := m.says(`^listening on (\S+)$`)
	s.run("", "reeve", "ls", "-connect", addr).wants(0)
	w.Close()
	m.wants(0)
	s.run(strings.Repeat("k", 30), "master", "-stop-on-eof", "-authkey-file", "-").wants(2, "both need the standard input")
}
