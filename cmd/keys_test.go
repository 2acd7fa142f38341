package cmd_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeys_SameUserOnLoopbackNeedsNone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.master()
	s.worker(addr, "-concurrency", "2")
	s.run("", "reeve", "put", "tasks", "square 12", "-connect", addr).wants(0)
	got := s.run("", "reeve", "get", "results", "-ack", "-block", "-connect", addr)
	got.wants(0)
	if got.stdout.String() != "144\n" {
		t.Errorf("got %q", got.stdout.String())
	}
	key := filepath.Join(s.dir, "reeve", "loopback.key")
	if _, err := os.Stat(key); err != nil {
		t.Error(err)
	}
}

func TestKeys_AWrongKeyIsSaidOnBothSidesAndExits77(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	master, addr := s.with("REEVE_AUTHKEY=the right secret").master()
	for name, args := range map[string][]string{
		"worker": {"-connect", addr},
		"reeve":  {"ls", "-connect", addr},
	} {
		p := s.with("REEVE_AUTHKEY=the wrong secret").run("", name, args...)
		p.wants(77, `authentication failed: the master at `+addr+` does not share this authkey (key id "default")`)
	}
	master.says(`key id|does not share|authentication failed`)
	if strings.Contains(master.stderr.String(), "secret") {
		t.Error("the key is in the log")
	}
}

func TestKeys_AKeyOnOneSideOnlyIsAnError(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.with("REEVE_AUTHKEY=the right secret").master()
	s.run("", "worker", "-connect", addr).wants(77, "does not share this authkey", `key id "loopback"`, "programs that are given none")
	_, addr = s.master()
	s.with("REEVE_AUTHKEY=the right secret").run("", "worker", "-connect", addr).wants(77, "does not share this authkey")
}

func TestKeys_AMasterForOthersNeedsOneAndAWorkerToo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.run("", "master", "-addr", ":0").wants(78, "no authkey: :0 can be reached from other machines", "reeve keygen", "127.0.0.1")
	s.run("", "worker", "-connect", "192.0.2.1:5000").wants(78, "no authkey", "-authkey-file")
	s.run("", "reeve", "ls", "-connect", "127.0.0.1:1,192.0.2.1:5000").wants(78, "no authkey")
}

func TestKeys_BadKeysAreNamedButNotShown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := strings.TrimSpace(s.run("", "reeve", "keygen", "worker-7").stdout.String())
	if !strings.HasPrefix(key, "rvk1.worker-7.") {
		t.Fatalf("keygen wrote %q", key)
	}
	cut := s.file("cut.key", key[:len(key)-3]+"\n")
	s.run("", "master", "-addr", "127.0.0.1:0", "-authkey-file", cut).wants(78, "-authkey-file "+cut, "damaged generated key")
	s.run("", "master", "-addr", "127.0.0.1:0", "-authkey-file", filepath.Join(s.dir, "none.key")).wants(78, "none.key", "reeve keygen")
	s.run("", "worker", "-authkey-file", s.file("empty.key", "")).wants(78, "empty.key")
	s.run("", "worker", "-authkey", "").wants(78, "-authkey")
	s.run("", "master", "-addr", "127.0.0.1:0", "-authkey-file", "").wants(78, "-authkey-file", "empty")
	p := s.with("REEVE_AUTHKEY=hush hush hush").run("", "worker", "-authkey-file", cut)
	p.wants(78, "REEVE_AUTHKEY", "more than one source")
	if strings.Contains(p.stderr.String(), "hush") || strings.Contains(p.stderr.String(), key[20:40]) {
		t.Error("a key is shown")
	}
	s.run("", "reeve", "keygen", "Not Good").wants(2, "key id")
}

func TestKeys_AGeneratedKeyFromAFileWorks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := s.file("k", s.run("", "reeve", "keygen").stdout.String())
	_, addr := s.master("-authkey-file", path)
	s.with("REEVE_AUTHKEY_FILE="+path).run("", "reeve", "ls", "-connect", addr).wants(0)
	s.run(mustRead(t, path), "reeve", "ls", "-connect", addr, "-authkey-file", "-").wants(0)
}

func TestKeys_AWeakKeyForOthersIsWarnedOf(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	// An address that no machine has: the warning comes first.
	s.with("REEVE_AUTHKEY=secret").run("", "master", "-addr", "192.0.2.1:0").wants(69, "warning: this authkey is weak", "\nrvk1.worker.", "cannot listen on")
	q, _ := s.with("REEVE_AUTHKEY=secret").master()
	if strings.Contains(q.stderr.String(), "weak") {
		t.Error("a warning on loopback")
	}
}

func TestListen_APortInUseExits69(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := newSite(t)
	s.run("", "master", "-addr", ln.Addr().String()).wants(69, "cannot listen on "+ln.Addr().String(), "the port is in use", "-addr")
	s.run("", "master", "-addr", "127.0.0.1:0", "-debug-addr", ln.Addr().String()).wants(69, "the port is in use", "-debug-addr")
	s.run("", "master", "-addr", "127.0.0.1:0", "-debug-addr", "0.0.0.0:0").wants(2, "want a loopback address")
}

func TestConnect_WhatIsNoMasterExits76(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() { // ends with the listener
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("220 smtp.example ESMTP\r\n"))
			defer c.Close()
		}
	}()
	s := newSite(t).with("REEVE_AUTHKEY=some long secret")
	s.run("", "worker", "-connect", ln.Addr().String()).wants(76, "does not speak TLS", `"220 s"`)
}

func TestConnect_OnceExits69(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	s := newSite(t)
	s.run("", "worker", "-once", "-connect", addr).wants(69, addr)
	s.run("", "reeve", "ls", "-connect", addr).wants(69, addr)
	s.run("", "reeve", "ls", "-connect", addr, "-wait", "300ms").wants(69)
}

func TestQueue_AnUnknownOneIsSaidWithThoseThereAre(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.master("-queue", "jobs", "-queue", "done")
	s.run("", "worker", "-connect", addr, "-results", "done").wants(78, `no such queue: "tasks"; the master has: `, "done", "jobs")
	s.run("", "worker", "-connect", addr, "-queue", "jobs").wants(78, `no such queue: "results"`)
	s.run("", "reeve", "put", "job", "x", "-connect", addr).wants(78, `no such queue: "job"; the master has: `)
	s.run("", "reeve", "get", "job", "-connect", addr).wants(78, `no such queue: "job"; the master has: `)
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
