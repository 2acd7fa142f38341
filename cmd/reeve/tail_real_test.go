package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// output is what a running command has written so far.
type output struct {
	mu   sync.Mutex // guards the field below
	buf  bytes.Buffer
	more chan struct{} // cap 1: something was written
}

func newOutput() *output { return &output{more: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// until waits for text.
func (o *output) until(t *testing.T, text string) {
	t.Helper()
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.more:
		case <-t.Context().Done():
			t.Fatalf("no %q in %q", text, o.String())
		}
	}
}

// remotely runs a command line at m, over the network, until it ends or ctx
// does.
func remotely(ctx context.Context, t *testing.T, m *managertest.Master, stdout, stderr *output, args ...string) (code int) {
	t.Helper()
	_, key, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	tool := &tool{
		stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, defaultConnect: "127.0.0.1:1",
		getenv: func(name string) string { return map[string]string{"REEVE_AUTHKEY": key}[name] },
		dial: func(ctx context.Context, _ string, cfg proxy.Config) (master, error) {
			c := m.ClientConfig()
			c.OnState, c.DialOnce = cfg.OnState, cfg.DialOnce
			return proxy.Dial(ctx, m.Addr(), c)
		},
	}
	return tool.run(ctx, append([]string{"reeve"}, args...))
}

func TestTail_OfARealMasterGoesOnAfterALostConnection(t *testing.T) {
	t.Parallel()
	m := managertest.Start(t)
	q := m.Declare(t, "tasks", reeve.QueueConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	stdout, stderr := newOutput(), newOutput()
	ended := make(chan int, 1)
	go func() { ended <- remotely(ctx, t, m, stdout, stderr, "tail", "tasks", "-kind", "put") }() // received below
	putUntil := func(typ string) {                                                                // tail hears of one of them
		t.Helper()
		for !strings.Contains(stdout.String(), typ) {
			if _, err := q.Put(t.Context(), []reeve.Task{{Type: typ}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	putUntil("before")
	m.Disconnect()
	stderr.until(t, "events go on when the connection is back\n")
	stderr.until(t, "connected again; what happened in between was missed\n")
	putUntil("after")
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d, %s", code, stderr)
	}
	for line := range strings.Lines(stdout.String()) {
		if f := strings.Fields(line); len(f) != 5 || f[1] != "tasks" || f[2] != "put" || f[4] != "before" && f[4] != "after" {
			t.Fatalf("line %q", line)
		}
	}
	if code := remotely(t.Context(), t, m, stdout, stderr, "tail", "nosuch"); code != 78 {
		t.Errorf("of a queue that is not there: exit %d, %s", code, stderr)
	}
}
