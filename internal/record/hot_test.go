package record_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
)

// hot are the records of every day.
var hot = []struct {
	name string
	r    decoder
	size int // of the record at most
}{
	{"Put", &record.Put{Queue: 1, ID: 1 << 40, Body: record.Body{Type: "mail", Payload: bytes.Repeat([]byte("x"), 100), PutAt: goldenAt}}, 128},
	{"Lease", &record.Lease{Queue: 1, ID: 1 << 40, Attempt: 1, Client: 9}, 13},
	{"End", &record.End{Queue: 1, ID: 1 << 40}, 11},
	{"Request", &record.Request{Client: 9, Req: 10_000, Count: 64, First: 1 << 40}, 15},
	{"Stand", &record.Stand{Queue: 1, ID: 1 << 40, Now: record.Standing{State: record.Delayed, Due: goldenAt, Attempt: 1, Counts: reeve.Counts{Failed: 1}, Error: "refused"}}, 40},
	{"Extend", &record.Extend{Queue: 1, ID: 1 << 40, Until: goldenAt}, 19},
	{"Result", &record.Result{Queue: 1, ID: 1 << 40, State: reeve.StateDone, Attempts: 1, EndedAt: time.Unix(0, goldenAt), Until: goldenAt}, 30},
}

func appendHot(t testing.TB, r decoder) func(b []byte) []byte {
	switch r := r.(type) {
	case *record.Put:
		return func(b []byte) []byte { return record.AppendPut(b, r) }
	case *record.Lease:
		return func(b []byte) []byte { return record.AppendLease(b, r) }
	case *record.End:
		return func(b []byte) []byte { return record.AppendEnd(b, r) }
	case *record.Request:
		return func(b []byte) []byte { return record.AppendRequest(b, r) }
	case *record.Stand:
		return func(b []byte) []byte { return record.AppendStand(b, r) }
	case *record.Extend:
		return func(b []byte) []byte { return record.AppendExtend(b, r) }
	case *record.Result:
		return func(b []byte) []byte { return record.AppendResult(b, r) }
	}
	t.Fatalf("%T is not hot", r)
	return nil
}

// It counts allocations, and so runs alone.
func TestHot_RecordsAreSmallAndAllocateNothing(t *testing.T) {
	buf := make([]byte, 0, 1024)
	for _, h := range hot {
		add := appendHot(t, h.r)
		if n := testing.AllocsPerRun(100, func() { buf = add(buf[:0]) }); n != 0 {
			t.Errorf("to write a %s takes %v allocations", h.name, n)
		}
		if len(buf) > h.size {
			t.Errorf("a %s takes %d bytes, want at most %d", h.name, len(buf), h.size)
		}
		r := codecOf(t, mustKind(t, buf)).fresh()
		if n := testing.AllocsPerRun(100, func() {
			_, body, _, err := record.Next(buf)
			if err != nil || r.Decode(body) != nil {
				t.Error("not read")
			}
		}); n != 0 {
			t.Errorf("to read a %s again takes %v allocations", h.name, n)
		}
	}
}

// What equal records have in common is there once.
func TestDecode_OfEqualRecordsSharesTexts(t *testing.T) {
	b := record.AppendPut(nil, &record.Put{Body: goldenBody})
	var r record.Put
	if n := testing.AllocsPerRun(100, func() {
		_, body, _, err := record.Next(b)
		if err != nil || r.Decode(body) != nil {
			t.Error("not read")
		}
	}); n != 1 {
		t.Errorf("%v allocations, want 1, of the Extra", n)
	}
	stand := record.AppendStand(nil, &record.Stand{Now: record.Standing{History: []reeve.AttemptRecord{
		{Worker: "w", Outcome: "failed", Error: "e", Stack: "s"}, {Worker: "w", Outcome: "failed", Error: "e", Stack: "s"},
	}}})
	var s record.Stand
	if n := testing.AllocsPerRun(100, func() {
		_, body, _, err := record.Next(stand)
		if err != nil || s.Decode(body) != nil {
			t.Error("not read")
		}
	}); n > 5 {
		t.Errorf("%v allocations, want 5, of the history and the texts of an attempt", n)
	}
}

func mustKind(t testing.TB, b []byte) record.Kind {
	kind, _ := only(t, b)
	return kind
}

func BenchmarkAppend(b *testing.B) {
	for _, h := range hot {
		b.Run(h.name, func(b *testing.B) {
			buf, add := make([]byte, 0, 1024), appendHot(b, h.r)
			b.ReportAllocs()
			for b.Loop() {
				buf = add(buf[:0])
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, h := range hot {
		b.Run(h.name, func(b *testing.B) {
			buf := appendHot(b, h.r)(nil)
			r := codecOf(b, mustKind(b, buf)).fresh()
			b.ReportAllocs()
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				_, body, _, err := record.Next(buf)
				if err != nil || r.Decode(body) != nil {
					b.Fatal("not read")
				}
			}
		})
	}
}

func BenchmarkMarshalLine(b *testing.B) {
	kind, body := only(b, appendHot(b, hot[0].r)(nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := record.MarshalLine(1, goldenAt, kind, body); err != nil {
			b.Fatal(err)
		}
	}
}
