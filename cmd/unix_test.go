package cmd_test

import (
	"os"
	"strings"
	"testing"
)

func TestUnix_TheProgramsMeetAtASocketWithoutAKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.master("-addr", "unix:reeve.sock")
	if !strings.HasPrefix(addr, "unix:/") || !strings.HasSuffix(addr, "/reeve.sock") {
		t.Errorf("it listens on %q, which others could not dial", addr)
	}
	s.worker(addr)
	s.run("", "reeve", "put", "tasks", "square 12", "-connect", addr).wants(0)
	got := s.run("", "reeve", "get", "results", "-ack", "-block", "-connect", "unix:reeve.sock")
	if got.wants(0); got.stdout.String() != "144\n" {
		t.Errorf("%q", got.stdout.String())
	}
	s.run("", "master", "-addr", "unix:reeve.sock").wants(69, "another program listens there")

	// A master that is killed leaves its socket; the next one takes its place,
	// and the worker finds it.
	_ = m.cmd.Process.Kill()
	<-m.ended
	if _, err := os.Lstat(strings.TrimPrefix(addr, "unix:")); err != nil {
		t.Errorf("the socket of a killed master: %v", err)
	}
	next, _ := s.master("-addr", "unix:reeve.sock", "-allow-shutdown")
	s.run("", "reeve", "put", "tasks", "square 13", "-connect", addr).wants(0)
	got = s.run("", "reeve", "get", "results", "-ack", "-block", "-connect", addr)
	if got.wants(0); got.stdout.String() != "169\n" {
		t.Errorf("%q", got.stdout.String())
	}
	s.run("", "reeve", "shutdown", "-connect", addr).wants(0)
	next.wants(0)
	if _, err := os.Lstat(strings.TrimPrefix(addr, "unix:")); err == nil {
		t.Error("the socket of a master that has ended in order")
	}
}

func TestUnix_AnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.with("REEVE_AUTHKEY=the key of the master").master("-addr", "unix:reeve.sock")
	s.with("REEVE_AUTHKEY=another").run("", "reeve", "ls", "-connect", addr).wants(77, "authentication failed")
}
