package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/proxy"
)

// told is a standard error that says where the program listens.
type told struct {
	mu   sync.Mutex // guards the fields below
	buf  bytes.Buffer
	addr chan string // cap 1
}

var listening = regexp.MustCompile(`(?m)^listening on (\S+)$`)

func (w *told) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := listening.Match(w.buf.Bytes())
	w.buf.Write(p)
	if m := listening.FindSubmatch(w.buf.Bytes()); m != nil && !before {
		w.addr <- string(m[1])
	}
	return len(p), nil
}

func (w *told) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// badDisk is a journal that fails when it is to keep a task that is "poison".
func badDisk(t *testing.T) *journaltest.Memory {
	t.Helper()
	return journaltest.NewMemory(journaltest.MemoryConfig{TB: t, Before: func(c journaltest.Call) error {
		if bytes.Contains(c.Frame, []byte("poison")) {
			return errors.New("input/output error")
		}
		return nil
	}})
}

// runWith runs the master with a journal. code gets the exit code.
func runWith(ctx context.Context, t *testing.T, kept journal.Journal, input string, args ...string) (stderr *told, code chan int) {
	t.Helper()
	o := newOptions(getenv)
	o.openJournal = func(string, *slog.Logger) (journal.Journal, error) { return kept, nil }
	stderr, code = &told{addr: make(chan string, 1)}, make(chan int, 1)
	go func() { // every test waits for code
		code <- o.run(ctx, append([]string{"x", "-addr", "127.0.0.1:0", "-data", "DIR"}, args...),
			cmdline.IO{In: strings.NewReader(input), Out: io.Discard, Err: stderr}, getenv)
	}()
	return stderr, code
}

func (w *told) checkFailure(t *testing.T, code int) {
	t.Helper()
	if code != 74 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"the queues in -data DIR can no longer be written", "input/output error", "what was acknowledged is there"} {
		if !strings.Contains(w.String(), want) {
			t.Errorf("no %q in %s", want, w)
		}
	}
}

func TestRun_AMasterWhoseJournalFailsSaysWhyAndEnds(t *testing.T) {
	t.Parallel()
	stderr, code := runWith(t.Context(), t, badDisk(t), "")
	key, err := auth.ParseKey([]byte(getenv("REEVE_AUTHKEY")))
	if err != nil {
		t.Fatal(err)
	}
	c, err := proxy.Dial(t.Context(), <-stderr.addr, proxy.Config{AuthKey: key})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{Payload: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	put := make(chan error, 1)
	go func() {
		_, err := c.Queue("tasks").Put(ctx, []reeve.Task{{Payload: []byte("poison")}})
		put <- err
	}()
	stderr.checkFailure(t, <-code)
	cancel()
	if err := <-put; !errors.Is(err, context.Canceled) {
		t.Errorf("the producer was told %v", err)
	}
}

func TestRun_ABatchRunWhoseJournalFailsSaysSo(t *testing.T) {
	t.Parallel()
	stderr, code := runWith(t.Context(), t, badDisk(t), "x\npoison\n", "-input", "-")
	stderr.checkFailure(t, <-code)
}

func TestRun_WhatTheJournalHoldsIsToldBeforeItServes(t *testing.T) {
	t.Parallel()
	stderr, code := runWith(t.Context(), t, badDisk(t), "", "-input", "-")
	if got := <-code; got != 0 {
		t.Errorf("exit code %d", got)
	}
	if text := stderr.String(); strings.Contains(text, inMemory) ||
		strings.Index(text, "recovered 0 tasks (0 results) in 0 queues") > strings.Index(text, "listening on") || !strings.HasPrefix(text, "recovered") {
		t.Errorf("%s", text)
	}
}

func TestRun_StoppedWhileItReadsTheJournalItEndsInOrder(t *testing.T) {
	t.Parallel()
	kept := badDisk(t)
	gate := kept.Block(journaltest.OpReplay)
	defer gate.Open()
	ctx, cancel := context.WithCancel(t.Context())
	stderr, code := runWith(ctx, t, kept, "")
	gate.Held(t.Context())
	cancel()
	if got := <-code; got != 0 || strings.Contains(stderr.String(), "listening") {
		t.Errorf("exit code %d: %s", got, stderr)
	}
}
