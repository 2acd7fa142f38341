package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/command"
	"github.com/reeveq/reeve/internal/demo"
	"github.com/reeveq/reeve/worker"
)

// oneTask is a source of one task that notes how it ends.
type oneTask struct {
	task   reeve.Task
	end    reeve.Outcome
	wanted reeve.GetOptions
}

func (s *oneTask) Consume(_ context.Context, _ int, opts ...reeve.GetOption) (reeve.Consumer, error) {
	s.wanted = reeve.NewGetOptions(opts...)
	return s, nil
}

func (s *oneTask) Next(context.Context) (*reeve.Lease, error) {
	return reeve.NewLease("jobs", s.task, s), nil
}

func (s *oneTask) SetSlots(int) error { return nil }
func (s *oneTask) Close() error       { return nil }

func (s *oneTask) Settle(_ *reeve.Lease, o *reeve.Outcome, done func(error)) {
	s.end = *o
	done(nil)
}

func (s *oneTask) Extend(context.Context, *reeve.Lease, time.Duration) error { return nil }
func (s *oneTask) Progress(*reeve.Lease, float64, string)                    {}

func TestRegister_TakesTheTypesThatAreMeant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		argv, types []string
		want        []string
	}{
		"the demo, its functions and no type": {nil, nil, append([]string{""}, demo.Names()...)},
		"the demo, those that are given":      {nil, []string{"square", ""}, []string{"", "square"}},
		"a command, all":                      {[]string{"cat"}, nil, nil},
		"a command, those that are given":     {[]string{"cat"}, []string{"b", "a"}, []string{"a", "b"}},
	} {
		s := &oneTask{task: reeve.Task{ID: 1}}
		w := worker.New(s, worker.Config{Concurrency: 1, MaxTasks: 1})
		o := &options{argv: c.argv, types: c.types}
		o.register(w, func(context.Context, *reeve.Task) ([]byte, error) { return nil, nil })
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.wanted.Types; !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestCommandTask_TellsWhatTheTaskIs(t *testing.T) {
	t.Parallel()
	s := &oneTask{task: reeve.Task{
		ID: 0xa1, Attempt: 3, Type: "resize", Priority: -7, Payload: []byte("x"), Rules: &reeve.Rules{Key: "host"},
	}}
	w := worker.New(s, worker.Config{Concurrency: 1, MaxTasks: 1})
	var got command.Task
	w.HandleDefaultFunc(func(ctx context.Context, task *reeve.Task) ([]byte, error) {
		got = commandTask(ctx, task)
		return nil, nil
	})
	if err := w.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := command.Task{ID: "00000000000000a1", Queue: "jobs", Type: "resize", Key: "host", Attempt: 3, Priority: -7, Payload: []byte("x")}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
