package wire_test

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// decodeRules reads a Put of one task whose rules are the map in hex.
func decodeRules(t *testing.T, rules string) (*reeve.Rules, error) {
	t.Helper()
	var f wire.PutFrame
	if err := f.Decode(unhex(t, "a3 0101 036171 0581 82 40 a105"+rules)); err != nil {
		return nil, err
	}
	return f.Tasks[0].Rules, nil
}

func TestRules_MalformedIsRefused(t *testing.T) {
	t.Parallel()
	long := "790401" + strings.Repeat("61", 1025)
	for name, rules := range map[string]string{
		"not a map":             "80",
		"nothing":               "",
		"at as text":            "a1 01 6131",
		"at as a float":         "a1 01 f93c00",
		"at beyond int64":       "a1 01 1bffffffffffffffff",
		"at of null":            "a1 01 f6",
		"attempts as a float":   "a1 04 f94500",
		"attempts as a bool":    "a1 04 f5",
		"backoff of three":      "a1 05 83 01 f93c00 01",
		"backoff as a map":      "a1 05 a0",
		"backoff of texts":      "a1 05 84 6131 f93c00 01 f93c00",
		"base as a float":       "a1 05 84 f93c00 f93c00 01 f93c00",
		"factor as text":        "a1 05 84 01 613201 f93c00",
		"factor of null":        "a1 05 84 01 f6 01 f93c00",
		"factor of true":        "a1 05 84 01 f5 01 f93c00",
		"factor as bytes":       "a1 05 84 01 4132 01 f93c00",
		"half a half float":     "a1 05 84 01 f93c",
		"key as bytes":          "a1 06 4161",
		"key not UTF-8":         "a1 06 61ff",
		"key of 1025 bytes":     "a1 06" + long,
		"unique not UTF-8":      "a1 07 61ff",
		"unique of 1025 bytes":  "a1 07" + long,
		"negative mode":         "a1 08 20",
		"mode of 9 bits":        "a1 08 190100",
		"labels as text":        "a1 0a 6161",
		"label as a number":     "a1 0a 8101",
		"label not UTF-8":       "a1 0a 8161ff",
		"label of 256 bytes":    "a1 0a 81790100" + strings.Repeat("61", 256),
		"17 labels":             "a1 0a 91" + strings.Repeat("6161", 17),
		"labels without end":    "a1 0a 9affffffff 6161",
		"keep as text":          "a1 0b 6131",
		"blobs as bytes":        "a1 0c 4161",
		"a hash alone":          "a1 0c 815820" + strings.Repeat("61", 32),
		"hash of 31 bytes":      "a1 0c 82581f" + strings.Repeat("61", 31) + "01",
		"hash as text":          "a1 0c 827820" + strings.Repeat("61", 32) + "01",
		"17 blobs":              "a1 0c 9822" + strings.Repeat("5820"+strings.Repeat("61", 32)+"01", 17),
		"twice the same key":    "a2 0201 0202",
		"text as key":           "a1 616101",
		"indefinite":            "bf ff",
		"tag":                   "c1a0",
		"priority of 33 bits":   "a0 041a80000000",
		"negative priority, 33": "a0 043a80000000",
	} {
		body := rules
		if extra, ok := strings.CutPrefix(rules, "a0 "); ok { // of the extras, beside empty rules
			var f wire.PutFrame
			err := f.Decode(unhex(t, "a3 0101 036171 0581 82 40 a205a0"+extra))
			if !errors.Is(err, reeve.ErrProtocol) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if got, err := decodeRules(t, body); !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
}

// What is well-formed and makes no sense is for the queue to refuse: the one
// who put it gets an answer and keeps the session.
func TestRules_NonsenseIsRead(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string]string{
		"negative expiry":   "a1 02 20",
		"negative attempts": "a1 04 38ff",
		"factor of NaN":     "a1 05 84 01 f97e00 01 f93c00",
		"infinite jitter":   "a1 05 84 01 f93c00 01 f97c00",
		"negative base":     "a1 05 84 20 f93c00 01 f93c00",
		"unknown mode":      "a2 07 6161 08 18ff",
		"empty label":       "a1 0a 8160",
		"mode without key":  "a1 08 01",
		"before 1970":       "a1 01 20",
		"negative blob":     "a1 0c 825820" + strings.Repeat("61", 32) + "20",
		"blob of no hash":   "a1 0c 825820" + strings.Repeat("00", 32) + "01",
	} {
		got, err := decodeRules(t, rules)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := got.Validate(); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%s is taken for valid: %v, %+v", name, err, got)
		}
	}
}

func TestRules_AtTheirLimitsAreRead(t *testing.T) {
	t.Parallel()
	got, err := decodeRules(t, "a4 06 790400"+strings.Repeat("61", 1024)+"07 790400"+strings.Repeat("62", 1024)+
		"0a 90"+strings.Repeat("78ff"+strings.Repeat("63", 255), 16)+"1863 8401f6f5a0")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Key) != 1024 || len(got.Unique) != 1024 || len(got.Labels) != 16 || len(got.Labels[15]) != 255 || got.Validate() != nil {
		t.Errorf("%+v", got)
	}
	if got, err = decodeRules(t, "a2 05 85 01 02 03 f94000 6161 0a80"); err != nil || got.Labels != nil ||
		got.Backoff != (reeve.Backoff{Base: 1, Factor: 2, Max: 3, Jitter: 2}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Floats of every width mean what the library takes them for.
func TestRules_FloatsOfEveryWidth(t *testing.T) {
	t.Parallel()
	var f wire.PutFrame
	head := unhex(t, "a3 0101 036171 0581 82 40 a105 a105 84 01")
	read := func(digits []byte) float64 {
		body := append(head[:len(head):len(head)], digits...)
		if err := f.Decode(append(body, 0, 0)); err != nil {
			t.Fatalf("%x: %v", digits, err)
		}
		return f.Tasks[0].Rules.Backoff.Factor
	}
	same := func(digits []byte) {
		want := must(as[float64](digits, 0, 1, 7))
		if got := read(digits); got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != math.Signbit(want) && !math.IsNaN(want) {
			t.Errorf("%x is %v, want %v", digits, got, want)
		}
	}
	for v := 0; v < 1<<16; v += 7 {
		same(binary.BigEndian.AppendUint16([]byte{0xf9}, uint16(v)))
	}
	for _, v := range []uint16{0, 1, 0x3ff, 0x400, 0x7bff, 0x7c00, 0x7c01, 0x7fff, 0x8000, 0x8001, 0xfbff, 0xfc00, 0xffff} {
		same(binary.BigEndian.AppendUint16([]byte{0xf9}, v))
	}
	r := newRandom(40)
	for range 1000 {
		same(binary.BigEndian.AppendUint32([]byte{0xfa}, r.Uint32()))
		same(binary.BigEndian.AppendUint64([]byte{0xfb}, r.Uint64()))
		same(binary.BigEndian.AppendUint64([]byte{0x1b}, r.Uint64()))
		same(binary.BigEndian.AppendUint64([]byte{0x3b}, r.Uint64()>>1))
	}
}

// 0 is no time: a task that expires when 1970 begins must not live for ever.
func TestRules_TheEpochIsATime(t *testing.T) {
	t.Parallel()
	var b wire.Builder
	sent := &reeve.Rules{ExpireAt: time.Unix(0, 0)}
	if err := b.Put(1, 1, "q", 0, []reeve.Task{{Rules: sent}}); err != nil {
		t.Fatal(err)
	}
	var f wire.PutFrame
	if err := f.Decode(bodyOf(t, b.Take()[wire.HeaderLen:])); err != nil {
		t.Fatal(err)
	}
	if got := f.Tasks[0].Rules.ExpireAt; got.UnixNano() != 1 || !f.Tasks[0].Rules.At.IsZero() {
		t.Errorf("it became %v", got)
	}
}

// A frame is used again, and the rules of its tasks with it; what they point to
// belongs to who took it.
func TestRules_ShareNoTextBetweenFrames(t *testing.T) {
	t.Parallel()
	var f wire.PutFrame
	body := func(key string) []byte {
		var b wire.Builder
		if err := b.Put(1, 1, "q", 0, []reeve.Task{{Rules: &reeve.Rules{Key: key, Labels: []string{key}}}}); err != nil {
			t.Fatal(err)
		}
		return bodyOf(t, b.Take()[wire.HeaderLen:])
	}
	first := body("one")
	if err := f.Decode(first); err != nil {
		t.Fatal(err)
	}
	kept := *f.Tasks[0].Rules
	clear(first)
	if err := f.Decode(body("two")); err != nil {
		t.Fatal(err)
	}
	if kept.Key != "one" || kept.Labels[0] != "one" || f.Tasks[0].Rules.Key != "two" {
		t.Errorf("kept %+v", kept)
	}
}

func TestRules_OfOneFrameAreApart(t *testing.T) {
	t.Parallel()
	var f wire.PutFrame
	for _, n := range []int{1, 100, 3, 3000, 1, 2000} {
		var b wire.Builder
		for i := range n {
			task := reeve.Task{}
			if i%3 != 1 {
				task.Rules = &reeve.Rules{Attempts: i + 1}
				if i%2 == 0 {
					task.Rules.Key = "k"
				}
			}
			if err := b.Put(1+uint64(i), 1, "q", wire.FlagEach, []reeve.Task{task}); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Decode(bodyOf(t, b.Take()[wire.HeaderLen:])); err != nil {
			t.Fatal(err)
		}
		for i, task := range f.Tasks {
			switch r := task.Rules; {
			case i%3 == 1 && r != nil:
				t.Fatalf("task %d of %d has rules: %+v", i, n, r)
			case i%3 == 1:
			case r == nil || r.Attempts != i+1 || (r.Key == "k") != (i%2 == 0):
				t.Fatalf("task %d of %d has %+v", i, n, r)
			}
		}
		if n > 1000 {
			f.Clear()
		}
	}
}

// A task with rules costs what is kept of it: the text, and the rules of one
// that is delivered.
func TestRules_CostWhatIsKept(t *testing.T) {
	for i, f := range ruledFrames {
		allocates(t, f, i) // a priority alone; a Put; a Deliver
	}
}
