package main

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

func TestPut_EachFlagIsInTheTask(t *testing.T) {
	t.Parallel()
	at := time.Date(2150, 1, 31, 18, 30, 0, 0, time.UTC)
	for flags, want := range map[string]reeve.Task{
		"":                                    {},
		"-type square -priority -5":           {Type: "square", Priority: -5},
		"-priority 2147483647":                {Priority: 1<<31 - 1},
		"-delay 5m -timeout 10s":              {Delay: 5 * time.Minute, Timeout: 10 * time.Second},
		"-at 2150-01-31T18:30:00Z":            {Rules: &reeve.Rules{At: at}},
		"-expires 1h":                         {Rules: &reeve.Rules{Expiry: time.Hour}},
		"-expire-at 2150-01-31T18:30:00Z":     {Rules: &reeve.Rules{ExpireAt: at}},
		"-attempts 3 -backoff 1s..10mx3":      {Rules: &reeve.Rules{Attempts: 3, Backoff: reeve.Backoff{Base: time.Second, Max: 10 * time.Minute, Factor: 3}}},
		"-key k":                              {Rules: &reeve.Rules{Key: "k"}},
		"-key a-{}-{}":                        {Rules: &reeve.Rules{Key: "a-12-12"}},
		"-unique u":                           {Rules: &reeve.Rules{Unique: "u"}},
		"-unique {} -unique-mode until-start": {Rules: &reeve.Rules{Unique: "12", UniqueMode: reeve.UniqueUntilStart}},
		"-unique {} -unique-mode for-time":    {Rules: &reeve.Rules{Unique: "12", UniqueMode: reeve.UniqueForTime}},
		"-unique {} -unique-for 1h":           {Rules: &reeve.Rules{Unique: "12", UniqueMode: reeve.UniqueForTime, UniqueFor: time.Hour}},
		"-unique {} -unique-mode for-time -unique-for 24h": {Rules: &reeve.Rules{Unique: "12", UniqueMode: reeve.UniqueForTime, UniqueFor: 24 * time.Hour}},
		"-label gpu -label big":                            {Rules: &reeve.Rules{Labels: []string{"gpu", "big"}}},
		"-keep-result 1h":                                  {Rules: &reeve.Rules{KeepResult: time.Hour}},
		"-keep-result none":                                {Rules: &reeve.Rules{KeepResult: -1}},
	} {
		s := &stand{}
		code, stdout, stderr := s.run(t, "", append([]string{"put", "tasks", "12"}, strings.Fields(flags)...)...)
		want.Payload = []byte("12")
		if code != 0 || stdout != "0000000000000001\n" || len(s.put) != 1 {
			t.Errorf("%s: exit %d, %s%s", flags, code, stdout, stderr)
		} else if !reflect.DeepEqual(s.put[0], want) {
			t.Errorf("%s: %+v, %+v", flags, s.put[0], s.put[0].Rules)
		}
	}
}

func TestPut_WritesTheIDsOfArgumentsAndThoseOfLinesWhenAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stdin, args, want string
	}{
		{"", "put tasks a b", "0000000000000001\n0000000000000002\n"},
		{"", "put tasks a -json", `{"id":"0000000000000001"}` + "\n"},
		{"a\nb\n", "put tasks", ""},
		{"a\nb\n", "put tasks -ids", "0000000000000001\n0000000000000002\n"},
		{"a\n", "put tasks -json", `{"id":"0000000000000001"}` + "\n"},
	} {
		if code, stdout, stderr := (&stand{}).run(t, c.stdin, strings.Fields(c.args)...); code != 0 || stdout != c.want || stderr != "" {
			t.Errorf("%s: exit %d, %q, %q", c.args, code, stdout, stderr)
		}
	}
}

func TestPut_TellsDuplicatesAndPutsTheRest(t *testing.T) {
	t.Parallel()
	s := &stand{}
	code, stdout, stderr := s.run(t, "a\nb\na\na\n", "put", "tasks", "-unique", "{}", "-ids")
	if code != 0 || stdout != "0000000000000001\n0000000000000002\n0000000000000001\n0000000000000001\n" ||
		stderr != "reeve: 2 of 4 tasks were there already, and were not put again\n" || len(s.put) != 2 {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = s.run(t, "", "put", "tasks", "c", "b", "-unique", "{}", "-json", "-fail-duplicates")
	if code != 1 || stdout != `{"id":"0000000000000003"}`+"\n"+`{"id":"0000000000000002","duplicate":true}`+"\n" ||
		stderr != "reeve: 1 of 2 tasks was there already, and was not put again\n" {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := s.run(t, "", "put", "tasks", "d", "-unique", "{}", "-fail-duplicates"); code != 0 || stderr != "" {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestPut_JSONLinesSayWhatTheFlagsDoNot(t *testing.T) {
	t.Parallel()
	s := &stand{}
	lines := `{"payload": "square 12"}

{"payload_base64": "AAE=", "type": "", "priority": 0, "delay": "0s", "attempts": 7, "backoff": "2s", "key": "{}", "labels": [], "keep_result": "none", "timeout": "1m"}
{"payload_json": {"n": 12, "s": "<"}, "at": "2150-01-31T18:30:00Z", "expires": "1h"}
{"payload_cbor": {"n": 12, "big": 18446744073709551615, "f": [1.5]}, "key": "", "unique": "u", "unique_for": "1h", "expire_at": "2150-01-31T18:30:00Z"}
{"payload": "", "unique": "v", "unique_mode": "until-start", "id": "0000000000000c05", "attempt": 1, "source": "0000000000000c05", "put_at": "x"}`
	code, _, stderr := s.run(t, lines, "put", "tasks", "-jsonl", "-type", "t", "-priority", "5", "-delay", "1h", "-key", "k-{}", "-expires", "2h", "-label", "l", "-unique", "x{}", "-unique-mode", "for-time")
	if code != 0 || len(s.put) != 5 || stderr != "" {
		t.Fatalf("exit %d, %d tasks, %s", code, len(s.put), stderr)
	}
	at := time.Date(2150, 1, 31, 18, 30, 0, 0, time.UTC)
	hour := time.Hour
	for i, want := range []reeve.Task{
		{Payload: []byte("square 12"), Type: "t", Priority: 5, Delay: hour, Rules: &reeve.Rules{Key: "k-square 12", Expiry: 2 * hour, Labels: []string{"l"}, Unique: "xsquare 12", UniqueMode: reeve.UniqueForTime}},
		{Payload: []byte{0, 1}, Timeout: time.Minute, Rules: &reeve.Rules{
			Key: "{}", Expiry: 2 * hour, Labels: []string{}, Unique: "x\x00\x01", UniqueMode: reeve.UniqueForTime, Attempts: 7, Backoff: reeve.Backoff{Base: 2 * time.Second}, KeepResult: -1,
		}},
		{Payload: []byte(`{"n":12,"s":"<"}`), Type: "t", Priority: 5, Rules: &reeve.Rules{Key: `k-{"n":12,"s":"<"}`, At: at, Expiry: hour, Labels: []string{"l"}, Unique: `x{"n":12,"s":"<"}`, UniqueMode: reeve.UniqueForTime}},
		{Type: "t", Priority: 5, Delay: hour, Rules: &reeve.Rules{ExpireAt: at, Labels: []string{"l"}, Unique: "u", UniqueMode: reeve.UniqueForTime, UniqueFor: hour}},
		{Payload: []byte{}, Type: "t", Priority: 5, Delay: hour, Rules: &reeve.Rules{Key: "k-", Expiry: 2 * hour, Labels: []string{"l"}, Unique: "v", UniqueMode: reeve.UniqueUntilStart}},
	} {
		got := s.put[i]
		if i == 3 {
			var v map[string]any
			cbor, ok := cborAsJSON(got.Payload)
			if err := json.Unmarshal(cbor, &v); !ok || err != nil || !strings.Contains(string(cbor), "18446744073709551615") || v["n"] != 12.0 {
				t.Errorf("%s, %v", cbor, err)
			}
			want.Payload = got.Payload
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d: %+v\n%+v\nwant %+v\n%+v", i, got, got.Rules, want, want.Rules)
		}
	}
}

func TestPut_RefusesAWrongLineWithItsNumberAndPutsThoseBefore(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{}`:                                  "want one of payload, payload_base64, payload_json and payload_cbor",
		`{"payload": "a", "type": null}`:      "",
		`{"payload": "a", "payload_json": 1}`: "want one of payload",
		`{"payload": "a", "priorty": 1}`:      `unknown field "priorty"; there are: payload, `,
		`{"payload": "a"} {"payload": "b"}`:   "want one JSON object in a line",
		`{"payload": "a"`:                     "not a whole JSON object",
		`square 12`:                           "want a JSON object with the fields of a task",
		`[]`:                                  "want a JSON object with the fields of a task",
		`{"payload": "a", "priority": 2147483648}`:                     "priority: want a whole number of 32 bits, not the number ",
		`{"payload": "a", "priority": 1e999}`:                          "priority: want a whole number of 32 bits, not the number ",
		`{"payload": "a", "delay": "-1s"}`:                             `"-1s": want a time with its unit`,
		`{"payload": "a", "delay": 5}`:                                 "delay: want a text in quotes, not the number",
		`{"payload": "a", "delay": "2000000h"}`:                        "delay of 2000000h0m0s, want 0 to 100 years",
		`{"payload": "a", "attempts": -1}`:                             "-1 attempts",
		`{"payload": "a", "backoff": "0"}`:                             "want a first wait",
		`{"payload": "a", "at": "yesterday"}`:                          "want a time as 18:30",
		`{"payload": "a", "unique_mode": "for-ever"}`:                  "unique mode",
		`{"payload": "a", "unique_mode": "for-time"}`:                  "a unique mode or time without a key",
		`{"payload": "a", "keep_result": "0s"}`:                        "or none",
		`{"payload": "a", "labels": [""]}`:                             "label",
		`{"payload_base64": "%"}`:                                      "illegal base64 data",
		`{"payload": "a", "key": "` + strings.Repeat("k", 1025) + `"}`: "key bytes 1025, limit 1024",
	} {
		s := &stand{}
		code, _, stderr := s.run(t, `{"payload": "before"}`+"\n"+line+"\n", "put", "tasks", "-jsonl")
		switch {
		case want == "":
			if code != 0 || len(s.put) != 2 {
				t.Errorf("%s: exit %d, %s", line, code, stderr)
			}
		case code != 65 || !strings.HasPrefix(stderr, "reeve: line 2: ") || !strings.Contains(stderr, want) || len(s.put) != 1 || strings.Count(stderr, "\n") != 1:
			t.Errorf("%.200s: exit %d, %d put, %s", line, code, len(s.put), stderr)
		}
	}
	s := &stand{}
	if code, _, stderr := s.run(t, "", "put", "tasks", "a", strings.Repeat("k", 1025), "-key", "{}"); code != 65 || len(s.put) != 1 || !strings.Contains(stderr, "key bytes 1025, limit 1024") {
		t.Errorf("exit %d, %d put, %s", code, len(s.put), stderr)
	}
}

// refusing is a queue that takes a number of tasks in one request.
type refusing struct {
	reeve.Queue
	most int
}

func (q refusing) Put(ctx context.Context, tasks []reeve.Task, opts ...reeve.PutOption) ([]reeve.ID, error) {
	if len(tasks) > q.most {
		return nil, &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "tasks", Value: int64(len(tasks)), Max: int64(q.most)}
	}
	return q.Queue.Put(ctx, tasks, opts...)
}

func TestPut_SendsLessAtATimeWhenTheQueueCannotTakeSoMany(t *testing.T) {
	t.Parallel()
	s := &stand{}
	p := &putter{v: &putVerb{session: (&tool{}).session(), batch: 100}, queue: refusing{s.Queue("tasks"), 3}}
	for i := range 10 {
		if err := p.add(t.Context(), reeve.Task{Payload: []byte{byte(i)}, Rules: &reeve.Rules{Unique: string(rune('a' + i%5))}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.flush(t.Context()); err != nil || p.put != 5 || p.duplicates != 5 || len(s.put) != 5 || s.put[4].Payload[0] != 4 {
		t.Errorf("%v, %d put, %d duplicates", err, p.put, p.duplicates)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`{"payload_cbor": {"n": [1, -2.5e3, null]}, "at": "18:30", "backoff": "1s..10mx2~0.1"}`))
	f.Add([]byte(`{"payload_base64": "/wAB", "unique": "u", "unique_mode": "for-time", "keep_result": "none"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		task, err := parseLine(line, taskSpec{key: "{}"})
		if err != nil {
			return
		}
		describePayload(task.Payload)
		if p := preview(task.Payload, len(task.Payload)); p != printable(p) || len([]rune(p)) > previewWidth {
			t.Errorf("%q", p)
		}
	})
}
