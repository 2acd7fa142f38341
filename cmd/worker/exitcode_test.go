package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/command"
	"github.com/reeveq/reeve/worker"
)

func TestVerdict_TheExitCodeSaysWhatBecomesOfTheTask(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want reeve.Outcome
	}{
		"1":              {&command.ExitError{Code: 1, State: "exit status 1"}, reeve.Outcome{Verb: reeve.Nack, Error: "exit status 1"}},
		"a signal":       {&command.ExitError{Code: -1, State: "signal: killed"}, reeve.Outcome{Verb: reeve.Nack, Error: "signal: killed"}},
		"no exit code":   {errors.New("no such program"), reeve.Outcome{Verb: reeve.Nack, Error: "no such program"}},
		"65":             {&command.ExitError{Code: 65, State: "exit status 65", Stderr: "no such user"}, reeve.Outcome{Verb: reeve.Bury, Error: "exit status 65: no such user"}},
		"75":             {&command.ExitError{Code: 75, State: "exit status 75", Stderr: "busy"}, reeve.Outcome{Verb: reeve.Snooze, Delay: time.Minute, Error: "exit status 75: busy: worker: retry after 1m0s"}},
		"75, and a time": {&command.ExitError{Code: 75, State: "exit status 75", Stdout: []byte("log\n 90s \n")}, reeve.Outcome{Verb: reeve.Snooze, Delay: 90 * time.Second, Error: "exit status 75: worker: retry after 1m30s"}},
		"115":            {&command.ExitError{Code: 115, State: "exit status 115"}, reeve.Outcome{Verb: reeve.Skip}},
		"116":            {&command.ExitError{Code: 116, State: "exit status 116", Stderr: "gone"}, reeve.Outcome{Verb: reeve.Discard, Error: "exit status 116: gone"}},
	} {
		s := &oneTask{task: reeve.Task{ID: 1, Attempt: 1}}
		w := worker.New(s, worker.Config{Concurrency: 1, MaxTasks: 1})
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) { return nil, verdict(c.err) })
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%+v", s.end) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%s: %+v, want %+v", name, s.end, c.want)
		}
	}
}

func TestLater_IsTheLastLineIfThatIsATime(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]time.Duration{
		"": time.Minute, "\n\n": time.Minute, "0s": 0, "250ms\n": 250 * time.Millisecond, "a\nb\r\n1h30m\r\n": 90 * time.Minute,
		"12": time.Minute, "-5s": time.Minute, "30s\nbye": time.Minute, "1000000h": time.Minute, "99999999999999999999h": time.Minute,
		"5m " + string(make([]byte, 1<<20)): time.Minute,
	} {
		if d := later([]byte(out)); d != want {
			t.Errorf("%.20q: %v, want %v", out, d, want)
		}
	}
}
