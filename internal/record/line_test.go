package record_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
)

// lineOf writes a line and checks that it is one, and says what it was made of.
func lineOf(t testing.TB, frame uint64, at int64, kind record.Kind, body []byte) string {
	t.Helper()
	line, err := record.MarshalLine(frame, at, kind, body)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsRune(line, '\n') || !utf8.Valid(line) {
		t.Fatalf("not a line of text: %q", line)
	}
	gotFrame, gotAt, back, err := record.ParseLine(line)
	if err != nil || gotFrame != frame || gotAt != at || !bytes.Equal(back, record.Append(nil, kind, body)) {
		t.Fatalf("%s\nframe %d, time %d: %v\n%x, was\n%x", line, gotFrame, gotAt, err, back, record.Append(nil, kind, body))
	}
	return string(line)
}

func TestLines_AreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, c := range codecs {
		kind, body := only(t, c.append(nil, c.fresh()))
		lineOf(t, 0, 0, kind, body)
	}
	seeds(t, 10, func(t *testing.T, seed uint64) {
		for _, how := range fillings {
			for _, r := range filled(seed, how) {
				kind, body := only(t, write(t, r))
				if how == extreme && len(body) > 50_000 {
					continue // takes its time
				}
				lineOf(t, math.MaxUint64-seed, int64(seed), kind, body)
			}
		}
	})
}

func TestLines_SayInWordsWhatIsInARecord(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 31, 18, 30, 0, 1, time.UTC).UnixNano()
	for _, c := range []struct {
		r    decoder
		want string
	}{
		{&record.Put{Queue: 1, ID: 0xc05, Body: record.Body{Type: "mail", Payload: []byte("<hé>\n"), PutAt: at}},
			`"record":"put","queue_no":1,"id":"0000000000000c05","type":"mail","put_at":"2030-01-31T18:30:00.000000001Z","payload":"<hé>\n"}`},
		{&record.Put{Queue: 1, ID: 2, Due: at, Wall: true, Body: record.Body{Payload: []byte{0xff}, Extra: &record.Extra{Unique: "u", Mode: reeve.UniqueForTime}}},
			`"record":"put","queue_no":1,"id":"0000000000000002","due":"2030-01-31T18:30:00.000000001Z","due_wall":true,` +
				`"rules":{"unique":"u","unique_mode":"for-time"},"payload_base64":"/w=="}`},
		{&record.Queue{No: 1, Name: "mail", Config: []byte(`{"a":"<"}`)}, `"record":"queue","queue_no":1,"name":"mail","config":{"a":"<"}}`},
		{&record.Queue{No: 1, Name: "mail", Config: []byte(`no JSON`)}, `"record":"queue","queue_no":1,"name":"mail","config_base64":"bm8gSlNPTg=="}`},
		{&record.Queue{No: 1, Name: "mail", Config: []byte("{\"\xff\":1}")}, `"record":"queue","queue_no":1,"name":"mail","config_base64":"eyL/IjoxfQ=="}`},
		{&record.Lease{Queue: 1, ID: 2, Attempt: 3, Client: 4}, `"record":"lease","queue_no":1,"id":"0000000000000002","attempt":3,"client_no":4}`},
		{&record.Stand{Queue: 1, ID: 2, Now: record.Standing{State: record.Dead, Attempt: 3}},
			`"record":"state","queue_no":1,"id":"0000000000000002","state":"dead","attempt":3}`},
		{&record.Client{No: 1, Key: "k", Process: [16]byte{15: 0xab}},
			`"record":"client","client_no":1,"key":"k","process":"000000000000000000000000000000ab"}`},
	} {
		kind, body := only(t, write(t, c.r))
		if got, want := lineOf(t, 12, at, kind, body), `{"frame":12,"time":"2030-01-31T18:30:00.000000001Z",`+c.want; got != want {
			t.Errorf("the line is\n%s, want\n%s", got, want)
		}
	}
}

// What words do not say exactly is there as it is, beside the words.
func TestLines_KeepWhatWordsDoNotSay(t *testing.T) {
	t.Parallel()
	_, end := only(t, record.AppendEnd(nil, &record.End{Queue: 1, ID: 2}))
	for name, c := range map[string]struct {
		b    []byte
		want string // a part of the line
	}{
		"a field of a later version": {record.Append(nil, record.KindEnd, append(end, 7)), `"record":"end","body_base64":"`},
		"a longer number":            {record.Append(nil, record.KindGone, []byte{0x81, 0}), `"client_no":1}`},
		"a text that is not UTF-8":   {record.AppendPause(nil, &record.Pause{Reason: "\xff"}), `"body_base64":"`},
		"a configuration with space": {record.AppendQueue(nil, &record.Queue{Config: []byte("{ }")}), `"body_base64":"`},
		"a state that is not known":  {record.AppendStand(nil, &record.Stand{Now: record.Standing{State: 77}}), `"state":"state 77"`},
		"an unknown mode":            {record.AppendUnique(nil, &record.Unique{Mode: 77}), `"unique_mode":"unique mode 77"`},
		"no number": {record.AppendPut(nil, &record.Put{Body: record.Body{Extra: &record.Extra{
			Backoff: &reeve.Backoff{Base: 1, Factor: math.NaN(), Jitter: math.Inf(1)}}}}), `"backoff":{"base_ns":1}`},
		"an unknown kind":            {record.Append(nil, 99, []byte("abc")), `"record":"unknown","kind":99,"body_base64":"YWJj"}`},
		"an unknown kind of nothing": {record.Append(nil, 99, nil), `"record":"unknown","kind":99,"body_base64":""}`},
	} {
		kind, body := only(t, c.b)
		line := lineOf(t, 1, 2, kind, body)
		if !strings.Contains(line, c.want) || !strings.Contains(line, "body_base64") {
			t.Errorf("%s: %s", name, line)
		}
	}
}

func TestMarshalLine_OfWhatIsNoRecordIsMalformed(t *testing.T) {
	t.Parallel()
	for kind, body := range map[record.Kind][]byte{record.KindEnd: {1}, 0: {1}} {
		if line, err := record.MarshalLine(1, 2, kind, body); !errors.Is(err, record.ErrMalformed) {
			t.Errorf("%v: %s, %v", kind, line, err)
		}
	}
}

// A dump from here, with an unknown record of a kind that is known there.
func TestParseLine_OfAKindThatHasBecomeKnown(t *testing.T) {
	t.Parallel()
	_, _, b, err := record.ParseLine([]byte(`{"frame":1,"record":"unknown","kind":5,"body_base64":"Bw=="}`))
	if err != nil {
		t.Fatal(err)
	}
	same(t, read(t, b), &record.Gone{Client: 7})
}

func TestParseLine_TellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		``:                                      "unexpected end",
		`null`:                                  `named ""`,
		`[]`:                                    "cannot unmarshal",
		`{"record":"end"} {}`:                   "after top-level",
		`{"record":"nonsense"}`:                 `named "nonsense"`,
		`{"record":"unknown","kind":99}`:        "without body_base64",
		`{"record":"unknown","body_base64":""}`: `named "unknown"`,
		`{"record":"end","body_base64":"Bw=="}`: "are no end",
		`{"record":"end","body_base64":"%"}`:    "illegal base64",
		`{"record":"end","ide":"1"}`:            `unknown field "ide"`,
		`{"record":"end","id":"x"}`:             "not a task id",
		`{"record":"end","time":"1066-10-14T09:00:00Z"}`:            "want the years",
		`{"record":"end","time":"today"}`:                           "cannot parse",
		`{"record":"client","process":"ab"}`:                        "want 32 hexadecimal digits",
		`{"record":"state","state":"ended"}`:                        "want ready, delayed, leased or dead",
		`{"record":"unique","unique_mode":"never"}`:                 "want until-done",
		`{"record":"lease","queue_no":4294967296}`:                  "cannot unmarshal",
		`{"record":"put","payload_base64":"`:                        "unexpected end",
		`{"record":"put","rules":{"backoff":{"base_ns":1e400}}}`:    "cannot unmarshal",
		`{"record":"state","state":"dead","history":[{"end":"x"}]}`: "cannot parse",
	} {
		if _, _, b, err := record.ParseLine([]byte(line)); !errors.Is(err, record.ErrMalformed) || b != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %x, %v, want %q", line, b, err, want)
		}
	}
}

func TestParseLine_ReadsWhatIsWrittenByHand(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]decoder{
		`{"record":"put","queue_no":1,"id":"c05","put_at":"2030-01-31T19:30:00+01:00","rules":{"labels":["gpu"]}}`: &record.Put{
			Queue: 1, ID: 0xc05, Body: record.Body{
				PutAt: time.Date(2030, 1, 31, 18, 30, 0, 0, time.UTC).UnixNano(), Extra: &record.Extra{Labels: []string{"gpu"}}}},
		`{"record":"put","payload":"a","payload_base64":"Yg=="}`: &record.Put{Body: record.Body{Payload: []byte("b")}},
		`{"record":"queue","queue_no":1,"config": {"a": 1} }`:    &record.Queue{No: 1, Config: []byte(`{"a": 1}`)},
	} {
		_, _, b, err := record.ParseLine([]byte(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		same(t, read(t, b), want)
	}
}
