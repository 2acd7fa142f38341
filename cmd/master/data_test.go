package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
)

func TestExplainData_NamesCauseAndCure(t *testing.T) {
	t.Parallel()
	o := &options{data: "DIR"}
	for _, c := range []struct {
		err  error
		code int
		want []string
	}{
		{&journal.LockedError{Name: "DIR", PID: 4711}, 69, []string{"-data DIR is in use by process 4711: stop that master"}},
		{fmt.Errorf("open: %w", &journal.LockedError{Name: "DIR"}), 69, []string{"-data DIR is in use by another process: stop that master"}},
		{fmt.Errorf("replay: %w", &journal.CorruptError{File: "DIR/0001.seg", Offset: 4096, Pos: 7, Reason: "CRC of the data"}), 65, []string{
			"DIR/0001.seg at byte 4096 (frame 7): CRC of the data", "reeve journal check DIR", "reeve journal salvage DIR NEWDIR"}},
		{fmt.Errorf("%w: version 9", journal.ErrNewer), 65, []string{"a newer master", "nothing was changed", "version 9"}},
		{fmt.Errorf("%w: disk", reeve.ErrJournalFull), 74, []string{"-data DIR", "make some on its disk and start again"}},
		{io.ErrUnexpectedEOF, 74, []string{"cannot use -data DIR: unexpected EOF"}},
	} {
		got := o.explainData(c.err)
		if program.ExitCode(got) != c.code {
			t.Errorf("%v: %v, exit code %d", c.err, got, program.ExitCode(got))
		}
		for _, want := range c.want {
			if !strings.Contains(got.Error(), want) {
				t.Errorf("%v: no %q in %q", c.err, want, got)
			}
		}
	}
	if o.explainData(nil) != nil {
		t.Error("no error became one")
	}
}

func TestExplainFailure_SaysThatNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	err := (&options{data: "DIR"}).explainFailure(fmt.Errorf("%w: sync: input/output error", reeve.ErrJournal))
	if program.ExitCode(err) != 74 || !strings.Contains(err.Error(), "DIR") || !strings.Contains(err.Error(), "input/output error") || !strings.Contains(err.Error(), "what was acknowledged is there") {
		t.Errorf("%v, exit code %d", err, program.ExitCode(err))
	}
}

func TestRecoveredText_CountsInWords(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]manager.Recovered{
		"recovered 0 tasks (0 results) in 0 queues, 0.0 MiB, in 0s from DIR":              {},
		"recovered 2 tasks (0 results) in 1 queue and 3 objects, 0.0 MiB, in 0s from DIR": {Tasks: 2, Queues: 1, Objects: 3},
		"recovered 1 task (1 result) in 1 queue, 1.5 MiB, in 12ms from DIR":               {Tasks: 1, Results: 1, Queues: 1, Bytes: 3 << 19, Took: 12_345 * time.Microsecond},
		"recovered 1000000 tasks (2 results) in 3 queues, 250.0 MiB, in 1.9s from DIR":    {Tasks: 1e6, Results: 2, Queues: 3, Bytes: 250 << 20, Took: 1900 * time.Millisecond},
	} {
		if got := recoveredText(r, "DIR"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestRecovering_SaysNowAndThenHowFarItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := &recovering{Journal: filled(t, 10, 100), stop: context.Background(), log: (&program.LogFlags{}).New(&out), size: 1100}
		frames := 0
		last, err := r.Replay(t.Context(), func(journal.Pos, []byte) error {
			frames++
			time.Sleep(time.Second)
			return nil
		})
		if err != nil || last != 10 || frames != 10 {
			t.Fatalf("%d frames, the last is %d, %v", frames, last, err)
		}
		got := strings.Count(out.String(), "recovering percent=")
		if got != 4 || !strings.Contains(out.String(), "percent=27\n") || !strings.Contains(out.String(), "percent=81\n") {
			t.Errorf("%d lines: %s", got, out.String())
		}
	})
}

func TestRecovering_EndsWhenTheProgramIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("a signal")
		stop, cancel := context.WithCancelCause(t.Context())
		r := &recovering{Journal: filled(t, 3, 1), stop: stop, log: (&program.LogFlags{}).New(io.Discard)}
		frames := 0
		_, err := r.Replay(context.Background(), func(journal.Pos, []byte) error {
			frames++
			cancel(stopped)
			synctest.Wait()
			return nil
		})
		if !errors.Is(err, stopped) || frames != 1 {
			t.Errorf("%v after %d frames", err, frames)
		}
	})
}

// filled is a journal of frames of so many bytes.
func filled(t *testing.T, frames, size int) journal.Journal {
	t.Helper()
	m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	for p := range frames {
		if err := m.Append(t.Context(), journal.Pos(p+1), make([]byte, size), journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return m.Crash(journaltest.Kill())
}

func TestCheckKeyIsElsewhere_KeepsTheKeyOutOfTheData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		data, key string
		ok        bool
	}{
		{"", filepath.Join(dir, "reeve.key"), true},
		{data, filepath.Join(dir, "reeve.key"), true},
		{data, filepath.Join(dir, "data.key"), true},
		{data, filepath.Join(data, "reeve.key"), false},
		{data, filepath.Join(data, "sub", "reeve.key"), false},
		{data, filepath.Join(dir, "x", "..", "data", "reeve.key"), false},
		{dir, filepath.Join(data, "reeve.key"), false},
		{filepath.Join(dir, "new", "data"), filepath.Join(dir, "new", "reeve.key"), true},
		{filepath.Join(dir, "new"), filepath.Join(dir, "new", "reeve.key"), false},
		{data, "-", true},
	} {
		o := &options{data: c.data}
		err := o.checkKeyIsElsewhere(program.Env{Getenv: func(name string) string {
			return map[string]string{"REEVE_AUTHKEY_FILE": c.key}[name]
		}})
		if (err == nil) != c.ok {
			t.Errorf("-data %s, key %s: %v", c.data, c.key, err)
		}
	}
	if err := (&options{data: dir}).checkKeyIsElsewhere(program.Env{Getenv: getenv}); err != nil {
		t.Errorf("a key that is in no file: %v", err)
	}
}
