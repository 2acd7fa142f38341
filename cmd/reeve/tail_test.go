package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
)

var noon = time.Date(2024, 2, 29, 12, 0, 0, 250e6, time.Local)

// story is what happened, and then nothing more.
func story(events ...reeve.Event) func(context.Context, func(reeve.Event, error) bool) {
	return func(ctx context.Context, yield func(reeve.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
		<-ctx.Done()
	}
}

func few() []reeve.Event {
	return []reeve.Event{
		{Time: noon, Queue: "tasks", Kind: reeve.EventPut, ID: 255, Type: "resize"},
		{Time: noon, Queue: "tasks", Kind: reeve.EventStarted, ID: 255, Type: "resize", Attempt: 2, Worker: "w@h:1#17"},
		{Time: noon, Queue: "tasks", Kind: reeve.EventFailed, ID: 255, Attempt: 2, Text: "no\nluck\x1b[0m", Missed: 3},
		{Time: noon, Queue: "other", Kind: reeve.EventPaused, Text: "upgrade"},
	}
}

func TestTail_WritesALineForEachEventAndEndsWithExitCode0(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := &staged{events: func(ctx context.Context, yield func(reeve.Event, error) bool) {
		for _, e := range few() {
			yield(e, nil)
		}
		cancel() // as Ctrl-C does
		<-ctx.Done()
	}}
	code, stdout, stderr := s.run(ctx, t, "tail", "tasks", "other")
	want := `12:00:00.250  tasks  put        00000000000000ff  resize
12:00:00.250  tasks  started    00000000000000ff  resize  #2  w@h:1#17
12:00:00.250  tasks  failed     00000000000000ff  #2  no luck?[0m
12:00:00.250  other  paused     upgrade
`
	if code != 0 || stdout != want || stderr != "reeve: 3 events were missed: they came faster than they were read\n" {
		t.Fatalf("exit %d, stderr %q, stdout\n%s\nwant\n%s", code, stderr, stdout, want)
	}
	if fmt.Sprint(s.of) != "[tasks other]" {
		t.Errorf("followed %v", s.of)
	}
}

func TestTail_JSONIsALineForEachEventAndTellsWhatWasMissedBefore(t *testing.T) {
	t.Parallel()
	s := &staged{events: story(few()...)}
	code, stdout, _ := s.run(t.Context(), t, "tail", "-json", "-kind", "started,paused", "-n", "2")
	var got []reeve.Event
	for d := json.NewDecoder(strings.NewReader(stdout)); d.More(); {
		var e reeve.Event
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if code != 0 || strings.Count(stdout, "\n") != 2 || len(got) != 2 || got[0].Kind != reeve.EventStarted || got[0].ID != 255 || got[0].Missed != 0 ||
		got[1].Kind != reeve.EventPaused || got[1].Missed != 3 {
		t.Fatalf("exit %d\n%s", code, stdout)
	}
	if !strings.HasPrefix(stdout, `{"time":"2024-02-29T12:00:00.25`) || !strings.Contains(stdout, `"event":"started","id":"00000000000000ff","type":"resize","attempt":2,"worker":"w@h:1#17"}`) {
		t.Errorf("%s", stdout)
	}
}

func TestTail_EndsAfterN(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 4; n++ {
		s := &staged{events: story(few()...)}
		if code, stdout, _ := s.run(t.Context(), t, "tail", "-n", fmt.Sprint(n)); code != 0 || strings.Count(stdout, "\n") != n {
			t.Errorf("-n %d: exit %d\n%s", n, code, stdout)
		}
	}
}

func TestTail_SaysOnceThatTheConnectionIsLostAndThatItIsBack(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	v := &tailVerb{session: &session{tool: &tool{stderr: &errs}}}
	down, up := proxy.State{Err: errors.New("\x07gone")}, proxy.State{Connected: true}
	for _, s := range []proxy.State{down, down, up, up, down, down, up, down, up} { // it waited for the master at first
		v.connection(s)
	}
	want := strings.Repeat("reeve: ?gone; events go on when the connection is back\n"+
		"reeve: connected again; what happened in between was missed\n", 2)
	if errs.String() != want {
		t.Errorf("%q", errs.String())
	}
}

func TestTail_OtherErrorsEndIt(t *testing.T) {
	t.Parallel()
	s := &staged{events: func(_ context.Context, yield func(reeve.Event, error) bool) {
		yield(reeve.Event{}, &reeve.NoSuchQueueError{Name: "nosuch", Known: []string{"tasks"}})
	}}
	if code, _, stderr := s.run(t.Context(), t, "tail", "nosuch"); code != 78 || !strings.Contains(stderr, "the master has: tasks") {
		t.Errorf("exit %d, %q", code, stderr)
	}
	s.events = story(few()...)
	v := &tailVerb{session: &session{tool: &tool{stdout: full{}, stderr: &bytes.Buffer{}}}}
	if err := v.follow(t.Context(), s, nil); err == nil || !strings.Contains(err.Error(), "cannot write the output") {
		t.Errorf("a full disk: %v", err)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("no room") }

func TestTail_RefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"tail -kind done,begun": `there is no event "begun"; there are: put, ready`,
		"tail -n -1":            "want a whole number from 0",
		"tail a  b":             "the name of a queue is empty",
	} {
		if code, stdout, stderr := (&staged{}).run(t.Context(), t, strings.Split(args, " ")...); code != 2 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

func TestTail_ColoursOnlyTheKind(t *testing.T) {
	t.Parallel()
	v := &tailVerb{colours: true}
	for _, k := range eventKinds {
		e := reeve.Event{Time: noon, Queue: "q", Kind: k}
		line := string(v.line(nil, &e))
		plain := "12:00:00.250  q  " + fmt.Sprintf("%-9s", k)
		if c := kindColours[k]; c != "" {
			plain = strings.Replace(plain, fmt.Sprintf("%-9s", k), fmt.Sprintf("\x1b[%sm%-9s\x1b[0m", c, k), 1)
		}
		if line != plain {
			t.Errorf("%q, want %q", line, plain)
		}
	}
}
