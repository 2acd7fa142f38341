package record_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
)

var fillings = []filling{all, some, extreme, readable}

func TestRecords_AreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, c := range codecs {
		same(t, read(t, c.append(nil, c.fresh())), c.fresh()) // nothing set
	}
	seeds(t, 20, func(t *testing.T, seed uint64) {
		for _, how := range fillings {
			for _, r := range filled(seed, how) {
				same(t, read(t, write(t, r)), r)
			}
		}
	})
}

// Records of a frame follow each other, and what is before them stays.
func TestRecords_FollowEachOther(t *testing.T) {
	t.Parallel()
	seeds(t, 20, func(t *testing.T, seed uint64) {
		records := append(filled(seed, all), filled(seed, some)...)
		b := record.AppendHead(nil, record.Head{Time: int64(seed)})
		for _, r := range records {
			b = append(b, write(t, r)...)
		}
		whole := record.AppendHead(make([]byte, 0, 10), record.Head{Time: int64(seed)})
		for i, r := range records {
			whole = codecs[i%len(codecs)].append(whole, r)
		}
		if !bytes.Equal(whole, b) {
			t.Fatalf("one behind the other\n%x, each alone\n%x", whole, b)
		}
		head, rest, err := record.ParseHead(b)
		if err != nil || head.Time != int64(seed) {
			t.Fatalf("%+v, %v", head, err)
		}
		for i, want := range records {
			var kind record.Kind
			var body []byte
			if kind, body, rest, err = record.Next(rest); err != nil {
				t.Fatal(err)
			}
			r := codecOf(t, kind).fresh()
			if err := r.Decode(body); err != nil {
				t.Fatalf("record %d: %v", i, err)
			}
			same(t, r, want)
		}
		if len(rest) != 0 {
			t.Fatalf("%d bytes left", len(rest))
		}
	})
}

// Nothing of the record before is left in a struct that is read into again,
// and nothing that was read before changes.
func TestDecode_IntoTheSameStructIsAsIntoANewOne(t *testing.T) {
	t.Parallel()
	seeds(t, 30, func(t *testing.T, seed uint64) {
		for i, c := range codecs {
			r := c.fresh()
			for round := range 8 {
				want := filled(seed+uint64(round/2), []filling{all, some}[round%2])[i]
				kept := reflect.New(reflect.TypeOf(r).Elem()) // what somebody kept of the record before
				kept.Elem().Set(reflect.ValueOf(r).Elem())
				before := write(t, kept.Interface().(decoder))
				_, body := only(t, write(t, want))
				if err := r.Decode(body); err != nil {
					t.Fatal(err)
				}
				same(t, r, want)
				if after := write(t, kept.Interface().(decoder)); !bytes.Equal(before, after) {
					t.Fatalf("%v: what was read before has changed", c.kind)
				}
			}
		}
	})
}

func TestDecode_BytesAliasTheRecord(t *testing.T) {
	t.Parallel()
	_, body := only(t, record.AppendPut(nil, &record.Put{Body: record.Body{Payload: []byte("payload"), Extra: &record.Extra{}}}))
	var r record.Put
	if err := r.Decode(body); err != nil {
		t.Fatal(err)
	}
	body[bytes.Index(body, []byte("payload"))] = 'P'
	if string(r.Body.Payload) != "Payload" {
		t.Error("the payload was copied")
	}
	before := slices.Clone(body)
	if _ = append(r.Body.Payload, "beyond"...); !bytes.Equal(body, before) {
		t.Error("who appends to a payload writes over the record")
	}
}

// A part of a record is none, however much of it there is; more than a record
// is one that a later version has written.
func TestDecode_WantsEveryFieldAndNoMore(t *testing.T) {
	t.Parallel()
	seeds(t, 10, func(t *testing.T, seed uint64) {
		for _, how := range []filling{all, some} {
			for _, want := range filled(seed, how) {
				kind, body := only(t, write(t, want))
				for n := range body {
					if err := codecOf(t, kind).fresh().Decode(body[:n]); !errors.Is(err, record.ErrMalformed) {
						t.Fatalf("%v: %d bytes of %d: %v", kind, n, len(body), err)
					}
				}
				r := codecOf(t, kind).fresh()
				if err := r.Decode(append(slices.Clone(body), "of a later version"...)); err != nil {
					t.Fatal(err)
				}
				same(t, r, want)
			}
		}
	})
}

func TestDecode_OfNumbersBeyondTheirWidthIsMalformed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		r    decoder
		body []byte
	}{
		"queue of 33 bits":    {&record.End{}, []byte{0x80, 0x80, 0x80, 0x80, 0x10, 1, 2, 3, 4, 5, 6, 7, 8}},
		"queue of 65 bits":    {&record.End{}, []byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		"text beyond the end": {&record.Queue{}, []byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}},
		"priority of 33 bits": {&record.Put{}, append(append([]byte{1}, make([]byte, 8)...), append([]byte{2, 0, 0, 0, 0, 0, 0, 0, 0}, 0x80, 0x80, 0x80, 0x80, 0x10, 0)...)},
	} {
		if err := c.r.Decode(c.body); !errors.Is(err, record.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The length of a list is held against the bytes that are there before anything
// is made of it: these would need gigabytes.
func TestDecode_BelievesNoCount(t *testing.T) {
	t.Parallel()
	var none record.Task
	_, body := only(t, record.AppendTask(nil, &none))
	const stateLen = 1 + 1 + 1 // state, bits, attempt
	history := append(slices.Clone(body[:len(body)-stateLen]), 1, 0x80, 1, 0, 255, 255, 255, 255, 15)
	labels := append(make([]byte, 9), 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1<<7, 0, 255, 255, 255, 255, 15)
	for name, c := range map[string]struct {
		r    decoder
		body []byte
	}{
		"history":                 {&record.Task{}, history},
		"history and a few bytes": {&record.Task{}, append(history, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)},
		"labels":                  {&record.Put{}, labels},
		"labels and a few bytes":  {&record.Put{}, append(labels, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)},
	} {
		if err := c.r.Decode(c.body); !errors.Is(err, record.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNext_PassesOverWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := record.Append(nil, 200, []byte("of a later version"))
	b = record.Append(b, 201, nil)
	b = record.AppendEnd(b, &record.End{Queue: 1, ID: 2})
	kind, body, rest, err := record.Next(b)
	if err != nil || kind != 200 || string(body) != "of a later version" {
		t.Fatalf("%v, %q, %v", kind, body, err)
	}
	if kind, body, rest, err = record.Next(rest); err != nil || kind != 201 || len(body) != 0 {
		t.Fatalf("%v, %q, %v", kind, body, err)
	}
	same(t, read(t, rest), &record.End{Queue: 1, ID: 2})
}

func TestNext_RefusesWhatIsNoRecord(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"nothing":               {},
		"zeros":                 make([]byte, 100),
		"length without end":    {255, 255},
		"length of 65 bits":     {255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 1, 1},
		"length beyond the end": {3, 1, 1},
		"largest length":        {255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1, 1},
		"no kind":               {2, 0, 1},
	} {
		if _, _, _, err := record.Next(b); !errors.Is(err, record.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseHead_TellsNewerFromMalformed(t *testing.T) {
	t.Parallel()
	good := record.AppendHead(nil, record.Head{Time: math.MinInt64})
	h, rest, err := record.ParseHead(append(slices.Clone(good), 7))
	if err != nil || h.Time != math.MinInt64 || !bytes.Equal(rest, []byte{7}) || len(good) != record.HeadLen {
		t.Errorf("%+v, %x, %v", h, rest, err)
	}
	newer := append([]byte{record.Version + 1}, good[1:]...)
	for _, b := range [][]byte{newer, newer[:1]} { // whatever it has behind its version
		if _, _, err := record.ParseHead(b); !errors.Is(err, record.ErrNewer) || errors.Is(err, record.ErrMalformed) {
			t.Errorf("%x: %v", b, err)
		}
	}
	for _, b := range [][]byte{{}, good[:1], good[:len(good)-1], append([]byte{0}, good[1:]...)} {
		if _, _, err := record.ParseHead(b); !errors.Is(err, record.ErrMalformed) || errors.Is(err, record.ErrNewer) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

// A time that int64 nanoseconds cannot tell is the nearest that they can.
func TestResult_TimesBeyondTheRangeAreItsEnds(t *testing.T) {
	t.Parallel()
	for in, want := range map[time.Time]int64{
		time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC): math.MinInt64,
		time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC): math.MaxInt64,
		time.Unix(0, 0): 0,
	} {
		r := read(t, record.AppendResult(nil, &record.Result{EndedAt: in})).(*record.Result)
		if !r.EndedAt.Equal(time.Unix(0, want)) {
			t.Errorf("%v is read as %v", in, r.EndedAt)
		}
	}
}

func TestState_NamesAreThoseOfTheVocabulary(t *testing.T) {
	t.Parallel()
	for s, want := range map[record.State]reeve.State{
		record.Ready: reeve.StateReady, record.Delayed: reeve.StateDelayed, record.Leased: reeve.StateLeased, record.Dead: reeve.StateDead,
	} {
		var back record.State
		if s.String() != want.String() || back.UnmarshalText([]byte(s.String())) != nil || back != s {
			t.Errorf("%v is %v, read as %v", want, s, back)
		}
	}
	if s := record.State(9); s.String() != "state 9" || !errors.Is(s.UnmarshalText([]byte("state 9")), record.ErrMalformed) {
		t.Errorf("%v", s)
	}
}
