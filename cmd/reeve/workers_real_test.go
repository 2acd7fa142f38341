package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// employ connects a worker that takes tasks of a type and does what control
// says when it is told something.
func employ(t *testing.T, m *managertest.Master, name string, control func(reeve.Command) (*reeve.WorkerStatus, error)) reeve.Consumer {
	t.Helper()
	cfg := m.ClientConfig()
	cfg.Name = name
	cfg.Control = func(_ context.Context, c reeve.Command) (*reeve.WorkerStatus, error) { return control(c) }
	c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	consumer, err := c.Queue("tasks").Consume(t.Context(), 4, reeve.ForTypes("resize"), reeve.HavingLabels("gpu"))
	if err != nil {
		t.Fatal(err)
	}
	return consumer
}

func TestWorkers_OfARealMasterAreListedAndToldWhatToDo(t *testing.T) {
	t.Parallel()
	m := managertest.Start(t)
	q := m.Declare(t, "tasks", reeve.QueueConfig{})
	willing := employ(t, m, "willing", func(c reeve.Command) (*reeve.WorkerStatus, error) {
		return &reeve.WorkerStatus{Done: 12, Concurrency: c.Concurrency, Draining: c.Do == reeve.CommandDrain, Running: 1}, nil
	})
	employ(t, m, "broken", func(reeve.Command) (*reeve.WorkerStatus, error) { return nil, errors.New("no way") })
	ids, err := q.Put(t.Context(), []reeve.Task{{Type: "resize"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := willing.Next(t.Context()); err != nil {
		t.Fatal(err)
	}

	run := func(code int, line string) (stdout, stderr string) {
		t.Helper()
		out, errs := newOutput(), newOutput()
		if got := remotely(t.Context(), t, m, out, errs, strings.Fields(line)...); got != code {
			t.Fatalf("%s: exit %d, want %d\n%s%s", line, got, code, out, errs)
		}
		return out.String(), errs.String()
	}
	stdout, _ := run(0, "workers -json")
	var list []reeve.WorkerInfo
	if err := json.Unmarshal([]byte(stdout), &list); err != nil {
		t.Fatal(err)
	}
	byName := map[string]reeve.WorkerInfo{}
	for _, w := range list {
		byName[w.Name] = w
	}
	w := byName["willing"]
	if w.PID == 0 || w.Host == "" || w.Leased != 1 || len(w.Running) != 1 || w.Running[0].ID != ids[0] ||
		len(w.Queues) != 1 || w.Queues[0].Slots != 4 || w.Queues[0].Used != 1 || fmt.Sprint(w.Queues[0].Types, w.Queues[0].Labels) != "[resize] [gpu]" {
		t.Errorf("%+v", w)
	}
	if stdout, _ := run(0, "workers"); !strings.Contains(stdout, " willing ") || !strings.Contains(stdout, "  tasks   resize  gpu     1/4 ") || !strings.Contains(stdout, ids[0].String()) {
		t.Error(stdout)
	}
	if stdout, _ := run(1, "workers -status"); !strings.Contains(stdout, " 12 ") || !strings.Contains(stdout, "no way") {
		t.Error(stdout)
	}
	if stdout, _ := run(0, fmt.Sprintf("workers drain %d", w.ID)); !strings.Contains(stdout, "draining, 1 running") || !strings.Contains(stdout, "willing@") {
		t.Error(stdout)
	}
	if stdout, stderr := run(1, "workers concurrency 7 -label gpu"); !strings.Contains(stdout, "7 at a time") || !strings.Contains(stdout, "failed: no way") || stderr != "reeve: 1 of 2 workers did not do it\n" {
		t.Error(stdout, stderr)
	}
	if stdout, _ := run(1, "workers drain 999"); !strings.Contains(stdout, "999  -       failed: there is no such worker") {
		t.Error(stdout)
	}
	run(1, "workers drain -label cpu")
}
