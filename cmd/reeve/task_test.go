package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/reeveq/reeve"
)

// rich is a task of which everything is known.
func rich() reeve.TaskInfo {
	put := time.Now().Add(-long)
	return reeve.TaskInfo{
		Queue: "tasks", State: reeve.StateLeased, Size: 9, Since: put, Due: time.Now().Add(long), Worker: "w@host:77#3",
		LeaseUntil: time.Now().Add(long), TimeoutAt: time.Now().Add(long), Progress: &reeve.Progress{Percent: 7, Text: "half\nway", At: put},
		Counts: reeve.Counts{Failed: 1, TimedOut: 2, Lost: 3, Returned: 4, Snoozed: 5},
		Reason: "no\treason", Error: "connection refused", Stack: "main.go:1\n\tmain.f()\n",
		History: []reeve.AttemptRecord{
			{Attempt: 1, Worker: "v@host:76#2", Start: put, End: put.Add(1500 * time.Millisecond), Outcome: "failed", Error: "connection\nrefused"},
			{Attempt: 2, Start: put, End: put.Add(time.Hour), Outcome: "lost"},
		},
		Task: reeve.Task{
			ID: 0xc05, Payload: []byte("square 12"), Type: "square", Priority: 7, Timeout: time.Minute, Attempt: 3, Source: 0xb01, PutAt: put,
			Rules: &reeve.Rules{
				At: put, Expiry: time.Hour, ExpireAt: put, Attempts: 9, Backoff: reeve.Backoff{Base: time.Second, Max: time.Minute},
				Key: "customer-7", Unique: "u\x1b", UniqueMode: reeve.UniqueForTime, UniqueFor: time.Hour, Labels: []string{"gpu", "big"}, KeepResult: time.Hour,
			},
		},
	}
}

func TestShow_ShowsEverything(t *testing.T) {
	t.Parallel()
	task := rich()
	s := &stand{tasks: []reeve.TaskInfo{task}}
	past, coming := stamp(task.PutAt)+" (12d04h ago)", stamp(task.Due)+" (in 12d04h)"
	s.wants(t, []string{"show", "c05"}, 0, `id:           0000000000000c05
queue:        tasks
state:        leased for 12d04h
type:         square
priority:     7
put:          `+past+`
result of:    0000000000000b01
due:          `+coming+`
attempts:     3 (1 failed, 2 timed out, 3 lost, 4 returned, 5 snoozed, 9 failures make it dead)
worker:       w@host:77#3
lease until:  `+coming+`
timeout at:   `+coming+`
timeout:      1m
progress:     7 % half way (12d04h ago)
not before:   `+past+`
expires:      1h after it was put
expires at:   `+past+`
backoff:      1s..1m
key:          customer-7
unique:       u? (for 1h)
labels:       gpu, big
keep result:  1h
reason:       no reason
last error:   connection refused
payload:      9 bytes of text
  square 12
stack of the last error:
  main.go:1
      main.f()
attempts that did not succeed:
  ATTEMPT  OUTCOME  BEGAN                 TOOK   WORKER       ERROR
  1        failed   `+stamp(task.PutAt)+`  1.5s   v@host:76#2  connection refused
  2        lost     `+stamp(task.PutAt)+`  1h00m  -            -
`, "")
	s.wants(t, []string{"show", "0000000000000c05", "-raw"}, 0, "square 12", "")
}

func TestShow_OfALittleTaskIsLittle(t *testing.T) {
	t.Parallel()
	task := reeve.TaskInfo{State: reeve.StateDone, EndedAt: time.Now().Add(-long)}
	task.ID = 1
	s := &stand{tasks: []reeve.TaskInfo{task}}
	s.wants(t, []string{"show", "1"}, 0, `id:        0000000000000001
state:     done
attempts:  0
ended:     `+stamp(task.EndedAt)+` (12d04h ago)
`, "")
	s.wants(t, []string{"show", "1", "-raw"}, 66, "",
		`reeve: task 0000000000000001 is done, and its payload is not kept: "reeve result 0000000000000001" tells what became of it`+"\n")
}

func TestShow_JSONHasEverythingUnderItsName(t *testing.T) {
	t.Parallel()
	code, stdout, _ := (&stand{tasks: []reeve.TaskInfo{rich()}}).run(t, "", "show", "c05", "-json")
	var got map[string]any
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 {
		t.Fatal(code, err, stdout)
	}
	for name, want := range map[string]any{
		"id": "0000000000000c05", "source": "0000000000000b01", "timeout_ns": 6e10, "max_attempts": 9.0, "backoff": "1s..1m", "key": "customer-7",
		"unique": "u\x1b", "unique_mode": "for-time", "unique_for_ns": 3.6e12, "keep_result_ns": 3.6e12, "expiry_ns": 3.6e12, "payload": "square 12",
		"stack": "main.go:1\n\tmain.f()\n",
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	for _, name := range []string{"put_at", "since", "due", "lease_until", "timeout_at", "at", "expire_at"} {
		if _, err := time.Parse(time.RFC3339Nano, fmt.Sprint(got[name])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	h := got["history"].([]any)[0].(map[string]any)
	if h["outcome"] != "failed" || h["worker"] != "v@host:76#2" || got["labels"].([]any)[1] != "big" {
		t.Errorf("%s", stdout)
	}
}

func TestDescribePayload_ShowsEachKindAsItIsReadBest(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		"":                               "empty",
		"zwölf\n\tmal":                   "11 bytes of text|zwölf|    mal",
		"dogma":                          `5 bytes of text|dogma|or, read as CBOR: "ogma"`,
		"\xa1an\x0c":                     "4 bytes of CBOR|{|  \"n\": 12|}",
		"\xf9\x7e\x00":                   `3 bytes of CBOR|"NaN"`,
		"\x82\xf9\x7c\x00\x61<":          `6 bytes of CBOR|[|  "+Inf",|  "<"|]`,
		"\x41\xff":                       `2 bytes of CBOR|"/w=="`,
		"\x1b[31m":                       "5 bytes|00000000  1b 5b 33 31 6d ",
		"\xff" + strings.Repeat("x", 16): "17 bytes",
	} {
		kind, content := describePayload([]byte(payload))
		if got := strings.Join(append([]string{kind}, content...), "|"); !strings.HasPrefix(got, want) || strings.Contains(got, "\x1b") || !utf8.ValidString(got) {
			t.Errorf("%q: %q, want %q", payload, got, want)
		}
	}
	for _, huge := range [][]byte{make([]byte, 1<<20), []byte(strings.Repeat("é\n", 1<<19)), append([]byte{0x5a, 0, 15, 0, 0}, make([]byte, 15<<16)...)} {
		_, content := describePayload(huge)
		if n := len(strings.Join(content, "\n")); n > shownBytes+100 || !strings.Contains(content[len(content)-1], "-raw") {
			t.Errorf("%d lines, %d bytes, the last %.100q", len(content), n, content[len(content)-1])
		}
	}
}

func TestPreview_IsOneShortLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		payload string
		size    int
		want    string
	}{
		{"", 0, "(empty)"},
		{"", 7, "(7 bytes)"},
		{"", 1, "(1 byte)"},
		{"a\nb\tc", 5, "a b c"},
		{"zw\xc3", 9, "zw…"},
		{"zw\xc3", 3, "0x7a77c3"},
		{"\xa1an\x0c", 4, `{"n":12}`},
		{"\xa1an\x0c", 5, "0xa1616e0c…"},
		{strings.Repeat("é", 100), 200, strings.Repeat("é", 59) + "…"},
		{strings.Repeat("\xff", 100), 100, "0x" + strings.Repeat("ff", 28) + "…"},
		{"\xe2\x80\xae", 3, "0xe280ae"}, // turns the text after it around
	} {
		if got := preview([]byte(c.payload), c.size); got != c.want {
			t.Errorf("%q of %d: %q, want %q", c.payload, c.size, got, c.want)
		}
	}
}

func TestWhy_IsALineForEachReason(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several(), reasons: map[reeve.ID][]reeve.Reason{5: {
		{Code: reeve.ReasonPaused, Text: "the queue is paused: moving\nthe disk"},
		{Code: reeve.ReasonConcurrency, Text: "4 of 4 are running", Have: 4, Limit: 4, Tasks: []reeve.ID{7}},
	}}}
	s.wants(t, []string{"why", "5"}, 0, "paused: the queue is paused: moving the disk\nconcurrency: 4 of 4 are running\n", "")
	s.wants(t, []string{"why", "6"}, 0, "next: nothing keeps it from being handed over\n", "")
	s.wants(t, []string{"why", "5", "-json"}, 0, `{"id":"0000000000000005","queue":"tasks","state":"ready","now":"0001-01-01T00:00:00Z","reasons":[`+
		`{"code":"paused","text":"the queue is paused: moving\nthe disk"},{"code":"concurrency","text":"4 of 4 are running","tasks":["0000000000000007"],"have":4,"limit":4}]}`+"\n", "")
	if _, stdout, _ := s.run(t, "", "why", "6", "-json"); !strings.Contains(stdout, `"reasons":[]`) {
		t.Error(stdout)
	}
}

const unknown = "reeve: there is no task 0000000000000099: it never was, or it has ended and its outcome was not kept (put -keep-result keeps it)\n"

func TestTaskVerbs_SayThatThereIsNoSuchTask(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several()}
	for _, verb := range []string{"show", "why", "result", "wait"} {
		s.wants(t, []string{verb, "99"}, 66, "", unknown)
	}
}
