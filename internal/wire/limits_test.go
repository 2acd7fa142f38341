package wire_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// nested is an array in arrays, n in all.
func nested(n int) any {
	var v any = []any{}
	for range n - 1 {
		v = []any{v}
	}
	return v
}

func pairs(n int) map[uint64]any {
	m := map[uint64]any{}
	for i := range n {
		m[uint64(i+1000)] = nil
	}
	return m
}

// TestLimits_ApplyToEveryMessage puts what is as large as it may be, and what
// is one larger, under a key that no version has.
func TestLimits_ApplyToEveryMessage(t *testing.T) {
	t.Parallel()
	limits := []struct {
		name     string
		max      int64
		in, over any
	}{
		{"nesting", 8, nested(7), nested(8)},
		{"array elements", 1 << 16, make([]int, 1<<16), make([]int, 1<<16+1)},
		{"map pairs", 256, pairs(256), pairs(257)},
	}
	r := newRandom(5)
	for _, l := range limits {
		for _, h := range hotMessages {
			g := withoutZero(generic(r.message(h.typ)))
			g[99] = l.in
			if err := h.fresh().Decode(must(libraryEnc.Marshal(g))); err != nil {
				t.Errorf("%v, %s at the limit: %v", h.typ, l.name, err)
			}
			g[99] = l.over
			wantLimit(t, h.fresh().Decode(must(libraryEnc.Marshal(g))), l.name, l.max)
		}
		for _, m := range coldMessages() {
			typ := typeOf(t, fill(m))
			body := must(libraryEnc.Marshal(map[uint64]any{99: l.over}))
			wantLimit(t, wire.Decode(typ, body, m), l.name, l.max)
		}
		body := must(libraryEnc.Marshal(map[uint64]any{1: 5, 99: l.in}))
		var m wire.Join
		if err := wire.Decode(wire.TypeJoin, body, &m); err != nil || m.Req != 5 {
			t.Errorf("Join, %s at the limit: %v", l.name, err)
		}
	}
}

func wantLimit(t *testing.T, err error, name string, max int64) {
	t.Helper()
	var le *reeve.LimitError
	if !errors.Is(err, reeve.ErrProtocol) || !errors.As(err, &le) || le.Limit != name || le.Max != max || le.Value != max+1 {
		t.Errorf("one over the limit of %s: %v", name, err)
	}
	if wire.Code(err) != wire.Code(reeve.ErrProtocol) {
		t.Errorf("code %d of %v", wire.Code(err), err)
	}
}

// tasks is n empty ones.
func tasks(n int) []reeve.Task {
	ts := make([]reeve.Task, n)
	for i := range ts {
		ts[i].Payload = []byte{}
	}
	return ts
}

// A name comes back in errors and stays with the outcome of its request.
func TestLimits_QueueNameOfEveryMessage(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, m := range coldMessages() {
		if _, ok := reflect.TypeOf(m).Elem().FieldByName("Queue"); !ok {
			continue
		}
		seen++
		named := func(size int) wire.Message {
			v := fill(m)
			e := reflect.ValueOf(v).Elem()
			e.FieldByName("Queue").SetString(strings.Repeat("q", size))
			if req := e.FieldByName("Req"); req.IsValid() {
				req.SetUint(1)
			}
			return v
		}
		typ := typeOf(t, m)
		if err := wire.Decode(typ, must(libraryEnc.Marshal(named(wire.MaxName))), m); err != nil {
			t.Errorf("%v with a name at the limit: %v", typ, err)
		}
		long := must(libraryEnc.Marshal(named(wire.MaxName + 1)))
		wantLimit(t, wire.Decode(typ, long, m), "name bytes", wire.MaxName)
		if _, err := wire.Append(nil, named(wire.MaxName+1)); !errors.Is(err, reeve.ErrTooLarge) {
			t.Errorf("%v with a name over the limit was encoded: %v", typ, err)
		}
	}
	if seen < 18 {
		t.Errorf("only %d messages with a queue name", seen)
	}
}

func TestLimits_EntriesOfOneFrame(t *testing.T) {
	t.Parallel()
	r := newRandom(6)
	for _, h := range hotMessages {
		m := r.message(h.typ)
		resize := func(n int) any {
			switch f := m.(type) {
			case *wire.PutFrame:
				f.Tasks = tasks(n)
			case *wire.CompleteFrame:
				f.Entries = make([]wire.CompleteEntry, n)
				for i, task := range tasks(n) {
					f.Entries[i].Result = task
				}
			case *wire.AckFrame:
				f.Entries = make([]wire.Pair, n)
			case *wire.ConfirmFrame:
				f.Ranges = make([]wire.Range, n)
				for i := range f.Ranges {
					f.Ranges[i] = wire.Range{Req: 1, Count: 1}
				}
			case *wire.DeliverFrame:
				f.Tasks = tasks(n)
			}
			return withoutZero(generic(m))
		}
		if h.typ == wire.TypeCall || h.typ == wire.TypeReturn {
			continue // which are one entry
		}
		if err := h.fresh().Decode(must(libraryEnc.Marshal(resize(reeve.MaxBatch)))); err != nil {
			t.Errorf("%v with %d entries: %v", h.typ, reeve.MaxBatch, err)
		}
		wantLimit(t, h.fresh().Decode(must(libraryEnc.Marshal(resize(reeve.MaxBatch+1)))), "entries", reeve.MaxBatch)
	}
}

func TestLimits_TheSenderRefusesWhatReceiversWould(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("q", wire.MaxName+1)
	bad := "tasks\xff"
	ruled := func(r *reeve.Rules) func(b *wire.Builder) error {
		return func(b *wire.Builder) error {
			return b.Put(1, 1, "q", wire.FlagEach, []reeve.Task{{}, {Payload: []byte("x"), Rules: r}})
		}
	}
	one := func(size int) []reeve.Task { return []reeve.Task{{Payload: make([]byte, size)}} }
	cases := []struct {
		name string
		want error
		add  func(b *wire.Builder) error
	}{
		{"no tasks", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Put(1, 1, "q", 0, nil) }},
		{"no tasks, each", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Put(1, 1, "q", wire.FlagEach, nil) }},
		{"batch", reeve.ErrTooLarge, func(b *wire.Builder) error { return b.Put(1, 1, "q", 0, tasks(reeve.MaxBatch+1)) }},
		{"frame of a Put", reeve.ErrTooLarge, func(b *wire.Builder) error { return b.Put(1, 1, "q", 0, one(1<<20)) }},
		{"frame of all tasks", reeve.ErrTooLarge, func(b *wire.Builder) error {
			return b.Put(1, 1, "q", 0, append(one(600<<10), one(600<<10)...))
		}},
		{"second of each", reeve.ErrTooLarge, func(b *wire.Builder) error {
			return b.Put(1, 1, "q", wire.FlagEach, append(one(10), one(1<<20)...))
		}},
		{"frame of a Complete", reeve.ErrTooLarge, func(b *wire.Builder) error {
			return b.Complete(1, 1, "q", "r", 1, 1, &one(1 << 20)[0])
		}},
		{"frame of a Deliver", reeve.ErrTooLarge, func(b *wire.Builder) error { return b.Deliver(1, 0, "q", &one(1 << 20)[0]) }},
		{"frame of a Call", reeve.ErrTooLarge, func(b *wire.Builder) error { return b.Call(&wire.Call{Req: 1, Args: make([]byte, 1<<20)}) }},
		{"frame of a Return", reeve.ErrTooLarge, func(b *wire.Builder) error { return b.Return(1, make([]byte, 1<<20)) }},
		{"name of a Call", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Call(&wire.Call{Req: 1, Name: bad}) }},
		{"type of a Call", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Call(&wire.Call{Req: 1, Type: bad}) }},
		{"method of a Call", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Call(&wire.Call{Req: 1, Method: bad}) }},
		{"frame of a message", reeve.ErrTooLarge, func(b *wire.Builder) error {
			return b.Message(wire.Answer{Req: 1, Dead: []wire.Dead{{Payload: make([]byte, 1<<20)}}})
		}},
		{"array of a message", reeve.ErrTooLarge, func(b *wire.Builder) error {
			return b.Message(wire.Answer{Req: 1, Kept: make([]bool, 1<<16+1)})
		}},
		{"long queue", reeve.ErrTooLarge, func(b *wire.Builder) error { return b.Ack(1, 1, long, 1, 1) }},
		{"long type", reeve.ErrTooLarge, func(b *wire.Builder) error { return b.Put(1, 1, "q", 0, []reeve.Task{{Type: long}}) }},
		{"queue", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Put(1, 1, bad, wire.FlagEach, one(1)) }},
		{"queue of an Ack", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Ack(1, 1, bad, 1, 1) }},
		{"destination", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Complete(1, 1, "q", bad, 1, 1, &reeve.Task{}) }},
		{"key of rules", reeve.ErrTooLarge, ruled(&reeve.Rules{Key: strings.Repeat("k", reeve.MaxKey+1)})},
		{"unique key of rules", reeve.ErrTooLarge, ruled(&reeve.Rules{Unique: strings.Repeat("k", reeve.MaxKey+1)})},
		{"labels", reeve.ErrTooLarge, ruled(&reeve.Rules{Labels: make([]string, reeve.MaxLabels+1)})},
		{"long label", reeve.ErrTooLarge, ruled(&reeve.Rules{Labels: []string{long}})},
		{"key that is not UTF-8", reeve.ErrInvalid, ruled(&reeve.Rules{Key: bad})},
		{"unique key that is not UTF-8", reeve.ErrInvalid, ruled(&reeve.Rules{Unique: bad})},
		{"label that is not UTF-8", reeve.ErrInvalid, ruled(&reeve.Rules{Labels: []string{bad}})},
		{"blobs", reeve.ErrTooLarge, ruled(&reeve.Rules{Blobs: make([]reeve.BlobRef, reeve.MaxTaskBlobs+1)})},
		{"time that cannot be told", reeve.ErrInvalid, ruled(&reeve.Rules{At: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)})},
		{"rules of a Put of all", reeve.ErrTooLarge, func(b *wire.Builder) error {
			return b.Put(1, 1, "q", 0, []reeve.Task{{}, {Rules: &reeve.Rules{Labels: []string{long}}}})
		}},
		{"rules of a Complete", reeve.ErrTooLarge, func(b *wire.Builder) error {
			return b.Complete(1, 1, "q", "r", 1, 1, &reeve.Task{Rules: &reeve.Rules{Labels: []string{long}}})
		}},
		{"rules of a Deliver", reeve.ErrTooLarge, func(b *wire.Builder) error {
			return b.Deliver(1, 0, "q", &reeve.Task{Rules: &reeve.Rules{Labels: []string{long}}})
		}},
		{"rules of a message", reeve.ErrInvalid, func(b *wire.Builder) error {
			return b.Message(wire.Answer{Req: 1, Tasks: []wire.TaskInfo{{Rules: &wire.Rules{Labels: []string{long}}}}})
		}},
		{"type", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Deliver(1, 0, "q", &reeve.Task{Type: bad}) }},
		{"queue of a message", reeve.ErrInvalid, func(b *wire.Builder) error { return b.Message(wire.Get{Req: 1, Queue: bad}) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b wire.Builder
			b.SetMaxFrame(1 << 20)
			if err := b.Put(7, 7, "q", wire.FlagEach, one(5)); err != nil {
				t.Fatal(err)
			}
			err := c.add(&b)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v", err)
			}
			if err := b.Put(8, 7, "q", wire.FlagEach, one(6)); err != nil {
				t.Fatal(err)
			}
			// What was there and what comes is not harmed.
			var got []int
			for _, frame := range frames(b.Take()) {
				var f wire.PutFrame
				if err := f.Decode(bodyOf(t, frame)); err != nil {
					t.Fatal(err)
				}
				for i := range f.Tasks {
					got = append(got, int(f.Req)+i, len(f.Tasks[i].Payload))
				}
			}
			if fmt.Sprint(got) != "[7 5 8 6]" {
				t.Errorf("requests and sizes are %v", got)
			}
		})
	}
}

// largestRules take as many bytes as rules can.
func largestRules() *reeve.Rules {
	return &reeve.Rules{
		At: unix(-1 << 62), Expiry: -1 << 63, ExpireAt: unix(-1 << 62), Attempts: -1 << 63,
		Backoff: reeve.Backoff{Base: -1 << 63, Factor: 0.1, Max: -1 << 63, Jitter: 0.1},
		Key:     strings.Repeat("k", reeve.MaxKey), Unique: strings.Repeat("u", reeve.MaxKey), UniqueMode: 255, UniqueFor: -1 << 63,
		Labels: slices.Repeat([]string{strings.Repeat("l", wire.MaxName)}, reeve.MaxLabels), KeepResult: -1 << 63,
		Blobs: slices.Repeat([]reeve.BlobRef{{Hash: reeve.BlobHash{31: 1}, Size: -1 << 63}}, reeve.MaxTaskBlobs),
	}
}

// A task of the largest payload fits into a frame that is Overhead larger, on
// its way in and on its way out, whatever else it has.
func TestLimits_OverheadIsEnough(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("n", wire.MaxName)
	task := reeve.Task{
		Payload: make([]byte, 1<<20), Type: name, Delay: -1 << 63, Timeout: -1 << 63,
		ID: 1<<64 - 1, Attempt: 1<<32 - 1, Source: 1<<64 - 1, PutAt: unix(1 << 62), Priority: -1 << 31,
		Rules: largestRules(),
	}
	var b wire.Builder
	b.SetMaxFrame(1<<20 + wire.Overhead)
	err := errors.Join(
		b.Put(1<<62, 1<<62, name, 1<<63, []reeve.Task{task}),
		b.Complete(1<<62, 1<<62, name, name, 1<<63, 1<<31, &task),
		b.Deliver(1<<62, 0, name, &task),
		b.Deliver(0, 1<<62, name, &task),
		b.Call(&wire.Call{
			Req: 1<<64 - 2, Low: 1<<64 - 2, Name: name, ID: 1<<64 - 1, Life: 1<<64 - 1, Type: name, Method: name,
			Args: task.Payload, Flags: 1<<64 - 1, Timeout: -1 << 63,
		}),
		b.Return(1<<64-1, task.Payload),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames(b.Take()) {
		if len(f) > 1<<20+wire.Overhead {
			t.Errorf("a frame of %d bytes", len(f))
		}
	}
}

// The bounds that callers reckon with are bounds: of a task with nothing, with
// some and with all there can be.
func TestLimits_SizesOfTasksAreEnough(t *testing.T) {
	t.Parallel()
	r := newRandom(41)
	largest := reeve.Task{Payload: r.bytes(1 << 16), Type: strings.Repeat("t", wire.MaxName), Delay: -1 << 63, Timeout: -1 << 63,
		ID: 1<<64 - 1, Attempt: 1<<32 - 1, Source: 1<<64 - 1, PutAt: unix(-1 << 62), Priority: -1 << 31, Rules: largestRules()}
	for i := range 1000 {
		put, deliver := r.putTask(), r.deliverTask()
		if i == 0 {
			put, deliver = largest, largest
		}
		// The frame of a task without anything is what is not the task's.
		size := func(add func(b *wire.Builder, t *reeve.Task) error, task *reeve.Task) int {
			var with, without wire.Builder
			with.SetMaxFrame(1 << 20)
			if err := errors.Join(add(&with, task), add(&without, &reeve.Task{})); err != nil {
				t.Fatal(err)
			}
			return len(with.Take()) - len(without.Take()) + 1
		}
		if n := size(func(b *wire.Builder, t *reeve.Task) error { return b.Put(1, 1, "q", 0, []reeve.Task{*t}) }, &put); n > wire.PutSize(&put) {
			t.Fatalf("%d bytes of %s, PutSize is %d", n, taskContent(&put), wire.PutSize(&put))
		}
		if n := size(func(b *wire.Builder, t *reeve.Task) error { return b.Complete(1, 1, "q", "", 0, 0, t) }, &put); n > wire.PutSize(&put)+16 {
			t.Fatalf("%d bytes of %s, PutSize is %d", n, taskContent(&put), wire.PutSize(&put))
		}
		if n := size(func(b *wire.Builder, t *reeve.Task) error { return b.Deliver(1, 0, "q", t) }, &deliver); n > wire.DeliverSize(&deliver) {
			t.Fatalf("%d bytes of %s, DeliverSize is %d", n, taskContent(&deliver), wire.DeliverSize(&deliver))
		}
	}
}

// Names that are not in a field called Queue.
func TestLimits_OtherQueueNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("q", wire.MaxName+1)
	for _, m := range []wire.Message{
		&wire.Act{Req: 1, Queue: "q", To: long},
		&wire.Events{Req: 1, Queues: []string{"q", long}},
		&wire.Get{Req: 1, Sources: []wire.Source{{Queue: "q"}, {Queue: long}}},
		&wire.Consume{Req: 1, Sources: []wire.Source{{Queue: long}, {Queue: "q"}}},
	} {
		if _, err := wire.Append(nil, m); !errors.Is(err, reeve.ErrTooLarge) {
			t.Errorf("%T was encoded: %v", m, err)
		}
		body := must(libraryEnc.Marshal(m))
		short := reflect.New(reflect.TypeOf(m).Elem()).Interface().(wire.Message)
		wantLimit(t, wire.Decode(typeOf(t, short), body, short), "name bytes", wire.MaxName)
	}
}

// A head that claims as many entries as a frame may have, without them.
func TestHot_ClaimedEntriesCostNothing(t *testing.T) {
	for _, h := range hotMessages {
		for key := byte(1); key < 6; key++ {
			body := append([]byte{0xa1, key, 0x99, 0x30, 0x00}, make([]byte, 20)...)
			d := h.fresh()
			var err error
			cost := allocated(func() { err = d.Decode(body) })
			if !errors.Is(err, reeve.ErrProtocol) || cost >= 4<<10 {
				t.Errorf("%v, key %d: %v, %d bytes were allocated", h.typ, key, err, cost)
			}
		}
	}
}

// An entry without enough elements must not take those of the next one for its
// own.
func TestHot_ShortEntriesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		frame decoder
		body  string
	}{
		"Put":      {new(wire.PutFrame), "a5 0101 0201 036171 0400 0582 80 40"},
		"Complete": {new(wire.CompleteFrame), "a5 0101 0201 036171 046172 0582 8201 01 40"},
		"Deliver":  {new(wire.DeliverFrame), "a3 0101 026171 0382 8201 01 40"},
	} {
		if err := c.frame.Decode(unhex(t, c.body)); !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestHot_MalformedIsRefused(t *testing.T) {
	t.Parallel()
	// {1: 5, 2: 3, 3: "q", 4: [7, 1]} is an Ack.
	for name, body := range map[string]string{
		"nothing":               "",
		"not a map":             "84010203",
		"cut off":               "a401050203036171048207",
		"trailing":              "a401050203036171048207 0100",
		"indefinite map":        "bf01050203036171048207 01ff",
		"indefinite array":      "a4010502030361710 49f0701ff",
		"indefinite text":       "a4010502030 37f6171ff04820701",
		"tag":                   "a4010502030 3c0617104820701",
		"tag under unknown key": "a5010502030 361710482070109c100",
		"bignum":                "a401c24105020303617104820701",
		"float for an integer":  "a401f94500020303617104820701",
		"negative request":      "a40124020303617104820701",
		"request as text":       "a4016135020303617104820701",
		"null":                  "a401f6020303617104820701",
		"duplicate key":         "a5010501050203036171048207 01",
		"duplicate unknown key": "a6010502030361710482070118631801186318 01",
		"text as key":           "a5010502030361710482070161780 0",
		"not UTF-8":             "a40105020303 61ff04820701",
		"queue as bytes":        "a40105020303417104820701",
		"odd number of values":  "a40105020303617104830 70102",
		"no entries":            "a40105020303617104 80",
		"entries absent":        "a3010502030 36171",
		"no request":            "a3020003617104820701",
		"low above request":     "a401050206036171 04820701",
		"attempt of 33 bits":    "a40105020303617104 82071b0000000100000000",
		"count beyond the end":  "a401050203036171 0499ffff0701",
		"huge count":            "a401050203036171 049bffffffffffffffff0701",
		"huge text":             "a40105020303 7bffffffffffffffff04820701",
		"reserved head":         "a4011c020303617104820701",
		"request overflows":     "a4011bffffffffffffffff020303617104820701",
		"simple value below 32": "a5010502030361710482070109f810",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f wire.AckFrame
			if err := f.Decode(unhex(t, body)); !errors.Is(err, reeve.ErrProtocol) {
				t.Fatalf("got %v", err)
			}
		})
	}
	var f wire.AckFrame
	if err := f.Decode(unhex(t, "a401050203036171 04820701")); err != nil || len(f.Entries) != 1 || f.Entries[0] != (wire.Pair{ID: 7, Attempt: 1}) {
		t.Fatalf("the message without a fault: %v, %s", err, content(&f))
	}
}
