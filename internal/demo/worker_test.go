package demo_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/demo"
	"github.com/reeveq/reeve/worker"
)

// source hands one task over again and again until it has not failed.
type source struct {
	typ, payload string

	mu      sync.Mutex // guards the fields below
	attempt uint32
	ends    []reeve.Verb
	result  string
	told    []float64
}

func (s *source) Consume(context.Context, int, ...reeve.GetOption) (reeve.Consumer, error) {
	return s, nil
}

func (s *source) Next(context.Context) (*reeve.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.ends); n > 0 && s.ends[n-1] != reeve.Nack {
		return nil, reeve.ErrShutdown
	}
	s.attempt++
	return reeve.NewLease("tasks", reeve.Task{ID: 1, Attempt: s.attempt, Type: s.typ, Payload: []byte(s.payload)}, s), nil
}

func (s *source) SetSlots(int) error { return nil }
func (s *source) Close() error       { return nil }

func (s *source) Settle(_ *reeve.Lease, o *reeve.Outcome, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, o.Verb)
	s.result = string(o.Result.Payload)
	done(nil)
}

func (s *source) Extend(context.Context, *reeve.Lease, time.Duration) error { return nil }

func (s *source) Progress(_ *reeve.Lease, percent float64, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, percent)
}

func run(t *testing.T, typ, payload string) *source {
	t.Helper()
	s := &source{typ: typ, payload: payload}
	w := worker.New(s, worker.Config{Concurrency: 1, Results: "results"})
	w.HandleDefaultFunc(func(ctx context.Context, task *reeve.Task) ([]byte, error) {
		return demo.Run(ctx, task.Type, task.Payload)
	})
	if err := w.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRun_InAWorkerFlakyFailsAsOftenAsAsked(t *testing.T) {
	s := run(t, "flaky", "2")
	if want := []reeve.Verb{reeve.Nack, reeve.Nack, reeve.Complete}; !slices.Equal(s.ends, want) || s.result != "done at attempt 3" {
		t.Errorf("ends are %v, result %q", s.ends, s.result)
	}
}

func TestRun_InAWorkerWhatCannotSucceedIsDeadAtOnce(t *testing.T) {
	for typ, payload := range map[string]string{"": "cube 3", "square": "x", "sleep": "long", "flaky": "?", "checksum": t.TempDir()} {
		if s := run(t, typ, payload); !slices.Equal(s.ends, []reeve.Verb{reeve.Bury}) {
			t.Errorf("%s: ends are %v", typ, s.ends)
		}
	}
}

func TestRun_InAWorkerSleepTellsItsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := run(t, "sleep", "1000")
		if n := len(s.told); n < 99 || n > 100 || !slices.IsSorted(s.told) || s.told[0] != 1 || s.told[n-1] > 100 {
			t.Errorf("told %v", s.told)
		}
	})
}
