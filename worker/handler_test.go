package worker_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/worker"
)

func square(_ context.Context, n int) (int, error) { return n * n, nil }

// settled runs a worker with the handlers that add registers, until nothing
// happens any more, and stops it.
func settled(t *testing.T, m worker.Source, cfg worker.Config, add func(*worker.Worker)) worker.Stats {
	t.Helper()
	w := worker.New(m, cfg)
	add(w)
	s := start(t, w)
	time.Sleep(time.Minute)
	mustStop(t, s)
	return w.Stats()
}

func TestHandle_CompletesTheResultIntoTheResultQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 7)
		stats := settled(t, m, worker.Config{Results: "results"}, func(w *worker.Worker) { worker.Handle(w, "f", square) })
		ends, out := m.allEnds(), m.out()
		if len(ends) != 1 || ends[0].Verb != reeve.Complete || ends[0].To != "results" {
			t.Fatalf("ends are %+v", ends)
		}
		if out[0].Type != "f" || out[0].Source != 1 || number(t, out[0].Payload) != 49 {
			t.Errorf("result is %+v", out[0])
		}
		if stats.Done != 1 || stats.Failed != 0 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

func TestHandle_ResultGoesWhereTheHandlerSays(t *testing.T) {
	for name, c := range map[string]struct {
		results string
		add     func(*worker.Worker)
		verb    reeve.Verb
		to      string
	}{
		"no result queue":        {"", func(w *worker.Worker) { worker.Handle(w, "f", square) }, reeve.Complete, ""},
		"To overrides":           {"results", func(w *worker.Worker) { worker.Handle(w, "f", square, worker.To("other")) }, reeve.Complete, "other"},
		"To without a Results":   {"", func(w *worker.Worker) { worker.Handle(w, "f", square, worker.To("other")) }, reeve.Complete, "other"},
		"To of nothing":          {"results", func(w *worker.Worker) { worker.Handle(w, "f", square, worker.To("")) }, reeve.Complete, ""},
		"the default handler":    {"results", func(w *worker.Worker) { worker.HandleDefault(w, square) }, reeve.Complete, "results"},
		"HandleAck has none":     {"results", func(w *worker.Worker) { worker.HandleAck(w, "f", func(context.Context, int) error { return nil }) }, reeve.Ack, ""},
		"a raw handler's result": {"results", func(w *worker.Worker) { w.HandleFunc("f", nothing) }, reeve.Complete, "results"},
		"a raw one without any":  {"", func(w *worker.Worker) { w.HandleFunc("f", nothing) }, reeve.Ack, ""},
		"a raw default":          {"results", func(w *worker.Worker) { w.HandleDefaultFunc(nothing) }, reeve.Complete, "results"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks", 7)
				settled(t, m, worker.Config{Results: c.results}, c.add)
				ends := m.allEnds()
				if len(ends) != 1 || ends[0].Verb != c.verb || ends[0].To != c.to {
					t.Errorf("ends are %+v, want verb %d to %q", ends, c.verb, c.to)
				}
			})
		})
	}
}

func nothing(context.Context, *reeve.Task) ([]byte, error) { return nil, nil }

func TestHandle_OwnTypeGoesBeforeTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		for _, typ := range []string{"", "a", "b"} {
			m.put(reeve.Task{Type: typ}, []byte{})
		}
		var got []string
		as := func(name string) func(context.Context, *reeve.Task) ([]byte, error) {
			return func(_ context.Context, task *reeve.Task) ([]byte, error) {
				got = append(got, name+":"+task.Type)
				return nil, nil
			}
		}
		settled(t, m, worker.Config{Concurrency: 1}, func(w *worker.Worker) {
			w.HandleFunc("", as("empty"))
			w.HandleFunc("a", as("a"))
			w.HandleDefaultFunc(as("default"))
		})
		if s := strings.Join(got, " "); s != "empty: a:a default:b" {
			t.Errorf("handlers ran as %q", s)
		}
	})
}

// coded is a source that has a codec.
type coded struct {
	*memory
	codec reeve.Codec
}

func (c coded) Codec() reeve.Codec { return c.codec }

func TestHandle_CodecIsTheSourcesElseTheConfigsElseCBOR(t *testing.T) {
	upper := func(_ context.Context, s string) (string, error) { return strings.ToUpper(s), nil }
	for name, c := range map[string]struct {
		wrap    func(*memory) worker.Source
		cfg     reeve.Codec
		in, out string
	}{
		"source": {func(m *memory) worker.Source { return coded{m, codec.JSON} }, codec.Raw, `"abc"`, `"ABC"`},
		"config": {func(m *memory) worker.Source { return m }, codec.Raw, `abc`, `ABC`},
		"cbor":   {func(m *memory) worker.Source { return m }, nil, "\x63abc", "\x63ABC"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks", []byte(c.in))
				settled(t, c.wrap(m), worker.Config{Results: "r", Codec: c.cfg}, func(w *worker.Worker) { worker.Handle(w, "f", upper) })
				if out := m.out(); len(out) != 1 || string(out[0].Payload) != c.out {
					t.Errorf("results are %+v, want %q", out, c.out)
				}
			})
		})
	}
}

// nilError is an error whose method panics when it is a nil pointer.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// evilError panics wherever it is asked.
type evilError struct{}

func (evilError) Error() string   { return "evil" }
func (evilError) As(any) bool     { panic("asked as what") }
func (evilError) Unwrap() []error { panic("unwrapped") }

func TestHandle_FailureEndsTheAttemptAndTheWorkerLivesOn(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		fail    func() error
		verb    reeve.Verb
		delay   time.Duration
		text    string
		stack   string
		panicks bool
	}{
		"error":                   {fail: func() error { return boom }, verb: reeve.Nack, text: "boom"},
		"retry after":             {fail: func() error { return worker.RetryAfter(boom, time.Hour) }, verb: reeve.Nack, delay: time.Hour, text: "boom"},
		"retry after for ever":    {fail: func() error { return worker.RetryAfter(boom, math.MaxInt64) }, verb: reeve.Nack, delay: reeve.MaxTime, text: "boom"},
		"snooze":                  {fail: func() error { return worker.RetryAfter(nil, time.Hour) }, verb: reeve.Snooze, delay: time.Hour},
		"snooze with a reason":    {fail: func() error { return fmt.Errorf("busy: %w", worker.RetryAfter(nil, time.Hour)) }, verb: reeve.Snooze, delay: time.Hour, text: "busy: worker: retry after 1h0m0s"},
		"skip":                    {fail: func() error { return worker.Skip }, verb: reeve.Skip},
		"skip, wrapped":           {fail: func() error { return fmt.Errorf("old news: %w", worker.Skip) }, verb: reeve.Skip},
		"discard":                 {fail: func() error { return worker.Discard(boom) }, verb: reeve.Discard, text: "boom"},
		"discard without error":   {fail: func() error { return worker.Discard(nil) }, verb: reeve.Discard, text: "worker: discarded"},
		"the first in the table":  {fail: func() error { return errors.Join(worker.RetryAfter(nil, 1), worker.Skip, worker.Discard(nil), boom) }, verb: reeve.Discard, text: "worker: retry after 1ns\nworker: skipped\nworker: discarded\nboom"},
		"permanent before all":    {fail: func() error { return worker.Discard(worker.Permanent(worker.Skip)) }, verb: reeve.Bury, text: "worker: skipped"},
		"retry after less than 0": {fail: func() error { return worker.RetryAfter(boom, -1) }, verb: reeve.Nack, text: "boom"},
		"permanent":               {fail: func() error { return errors.Join(worker.Permanent(boom)) }, verb: reeve.Bury, text: "boom"},
		"permanent without error": {fail: func() error { return worker.Permanent(nil) }, verb: reeve.Bury, text: "worker: permanent failure"},
		"nil pointer as an error": {fail: func() error { return (*nilError)(nil) }, verb: reeve.Nack, text: "<nil>"},
		"error that panics":       {fail: func() error { return evilError{} }, verb: reeve.Nack, text: "panic: asked as what", stack: "evilError", panicks: true},
		"panic":                   {fail: func() error { panic(boom) }, verb: reeve.Nack, text: "panic: boom", stack: "handler_test.go", panicks: true},
		"panic of nil":            {fail: func() error { panic(nil) }, verb: reeve.Nack, text: "panic: panic called with nil argument", stack: "handler_test.go", panicks: true},
		"nil dereference":         {fail: func() error { var p *int; *p = 1; return nil }, verb: reeve.Nack, text: "panic: runtime error: invalid memory address or nil pointer dereference", stack: "handler_test.go", panicks: true},
		"Goexit":                  {fail: func() error { runtime.Goexit(); return nil }, verb: reeve.Nack, text: "the handler ended its goroutine (runtime.Goexit)", panicks: true},
		"a long text is cut":      {fail: func() error { return errors.New(strings.Repeat("é", reeve.MaxErrorText)) }, verb: reeve.Nack, text: strings.Repeat("é", reeve.MaxErrorText/2)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks", 1, 2)
				m.attempts = 1
				stats := settled(t, m, worker.Config{Concurrency: 1}, func(w *worker.Worker) {
					worker.HandleAck(w, "f", func(_ context.Context, n int) error {
						if n == 1 {
							return c.fail()
						}
						return nil
					})
				})
				ends := m.allEnds()
				if len(ends) != 2 || ends[0].Verb != c.verb || ends[1].Verb != reeve.Ack {
					t.Fatalf("ends are %s", verbs(ends))
				}
				e := ends[0]
				if e.Error != c.text || e.Delay != c.delay || e.TimedOut {
					t.Errorf("end is %+v", e.Outcome)
				}
				if len(e.Stack) > reeve.MaxErrorText || !strings.Contains(e.Stack, c.stack) || (e.Stack != "") != (c.stack != "") {
					t.Errorf("stack is %q", e.Stack)
				}
				if (stats.Panicked == 1) != c.panicks || stats.Failed+stats.Buried+stats.Snoozed+stats.Skipped+stats.Discarded != 1 || stats.Done != 1+stats.Skipped {
					t.Errorf("stats are %+v", stats)
				}
			})
		})
	}
}

func TestHandle_UnreadablePayloadIsDeadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", "not a number")
		stats := settled(t, m, worker.Config{}, func(w *worker.Worker) {
			worker.Handle(w, "f", func(context.Context, int) (int, error) {
				t.Error("the handler ran")
				return 0, nil
			})
		})
		dead := m.allDead()
		if len(dead) != 1 || dead[0].Verb != reeve.Bury || !strings.Contains(dead[0].Error, "not readable as cbor: ") {
			t.Errorf("dead are %+v", dead)
		}
		if stats.Buried != 1 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

func TestHandle_UnwritableResultIsDeadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", []byte("1"))
		settled(t, coded{m, codec.JSON}, worker.Config{Results: "r"}, func(w *worker.Worker) {
			worker.Handle(w, "f", func(context.Context, int) (float64, error) { return math.NaN(), nil })
		})
		dead := m.allDead()
		if len(dead) != 1 || !strings.Contains(dead[0].Error, "the result is not writable as json: ") {
			t.Errorf("dead are %+v", dead)
		}
	})
}

func TestRun_TaskWithoutHandlerEndsDeadAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks")
		m.put(reeve.Task{Type: "cube"}, 3)
		log := &logged{}
		stats := settled(t, m, worker.Config{Logger: log.logger()}, func(w *worker.Worker) {
			worker.Handle(w, "square", square)
			worker.Handle(w, "", square)
		})
		ends := m.allEnds()
		if len(ends) != 5 || len(m.allDead()) != 1 {
			t.Fatalf("ends are %s", verbs(ends))
		}
		want := reeve.ErrNoHandler.Error() + `: "cube"; the worker has only: "", "square"`
		if e := ends[4]; e.Verb != reeve.Nack || e.Error != want {
			t.Errorf("end is %+v, want %q", e.Outcome, want)
		}
		if stats.NoHandler != 5 || stats.Failed != 5 {
			t.Errorf("stats are %+v", stats)
		}
		if n := log.count("no handler for a task"); n != 1 {
			t.Errorf("%d log lines for 5 attempts at one time, want 1", n)
		}
	})
}

func TestTaskFrom_GivesTheTaskAndRunsContextItsValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		m := newMemory("tasks", 1)
		w := worker.New(m, worker.Config{MaxTasks: 1})
		var inner context.Context
		worker.HandleAck(w, "f", func(ctx context.Context, _ int) error {
			inner = context.WithValue(ctx, key{}, "of the handler")
			task, ok := worker.TaskFrom(inner)
			if !ok || task.ID != 1 || task.Attempt != 1 || task.Type != "f" {
				t.Errorf("TaskFrom returned %+v, %v", task, ok)
			}
			if ctx.Value(key{}) != "value" {
				t.Error("the value of Run's context is missing")
			}
			return ctx.Err()
		})
		if err := w.Run(context.WithValue(t.Context(), key{}, "value")); err != nil {
			t.Fatal(err)
		}
		if inner.Err() == nil {
			t.Error("the handler's context did not end with the handler")
		}
		if _, ok := worker.TaskFrom(t.Context()); ok {
			t.Error("TaskFrom found a task outside of a handler")
		}
		if ends := m.allEnds(); len(ends) != 1 || ends[0].Verb != reeve.Ack {
			t.Errorf("ends are %s", verbs(ends))
		}
	})
}
