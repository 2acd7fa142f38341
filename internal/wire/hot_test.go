package wire_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// build writes a message with the Builder and returns its only frame's body.
func build(t *testing.T, m any) []byte {
	t.Helper()
	var b wire.Builder
	var err error
	switch f := m.(type) {
	case *wire.PutFrame:
		err = b.Put(f.Req, f.Low, f.Queue, f.Flags, f.Tasks)
	case *wire.CompleteFrame:
		for i := range f.Entries {
			e := &f.Entries[i]
			err = errors.Join(err, b.Complete(f.Req+uint64(i), f.Low, f.Queue, f.To, e.ID, e.Attempt, &e.Result))
		}
	case *wire.AckFrame:
		for i, e := range f.Entries {
			err = errors.Join(err, b.Ack(f.Req+uint64(i), f.Low, f.Queue, e.ID, e.Attempt))
		}
	case *wire.ConfirmFrame:
		for _, r := range f.Ranges {
			b.Confirm(r.Req, r.Count, r.First)
		}
	case *wire.DeliverFrame:
		for i := range f.Tasks {
			err = errors.Join(err, b.Deliver(f.Consumer, f.Req, f.Queue, &f.Tasks[i]))
		}
	case *wire.CallFrame:
		err = b.Call(&f.Call)
	case *wire.ReturnFrame:
		err = b.Return(f.Req, f.Value)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := frames(b.Take())
	if len(all) != 1 {
		t.Fatalf("%d frames of %s", len(all), content(m))
	}
	return bodyOf(t, all[0])
}

func bodyOf(t *testing.T, frame []byte) []byte {
	t.Helper()
	_, body, err := wire.ParseType(frame)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestHot_HandAndLibraryReadEachOther(t *testing.T) {
	t.Parallel()
	r := newRandom(7)
	for _, h := range hotMessages {
		t.Run(h.typ.String(), func(t *testing.T) {
			for range 400 {
				m := r.message(h.typ)
				want := content(m)

				got, err := h.oracle(build(t, m))
				if err != nil || content(got) != want {
					t.Fatalf("the library reads %v\n%s, want\n%s", err, content(got), want)
				}
				canonical := must(libraryEnc.Marshal(withoutZero(generic(m))))
				for _, body := range [][]byte{canonical, r.widen(canonical), r.widen(build(t, m))} {
					d := h.fresh()
					if err := d.Decode(body); err != nil || content(d) != want {
						t.Fatalf("by hand: %v\n%s, want\n%s", err, content(d), want)
					}
				}
			}
		})
	}
}

// withoutZero leaves out the absent one of Deliver's two receivers, or keeps
// it as a zero, which means the same.
func withoutZero(m map[uint64]any) map[uint64]any {
	for _, k := range []uint64{1, 4} {
		if v, ok := m[k].(uint64); ok && v == 0 {
			delete(m, k)
		}
	}
	return m
}

func TestHot_DirtyDecodeEqualsFreshDecode(t *testing.T) {
	t.Parallel()
	r := newRandom(8)
	for _, h := range hotMessages {
		t.Run(h.typ.String(), func(t *testing.T) {
			dirty := h.fresh()
			for range 300 {
				m := r.message(h.typ)
				body := build(t, m)
				if r.IntN(10) == 0 {
					_ = dirty.Decode(body[:r.IntN(len(body))]) // leaves it half filled
				}
				if err := dirty.Decode(body); err != nil {
					t.Fatal(err)
				}
				if content(dirty) != content(m) {
					t.Fatalf("reused:\n%s, fresh:\n%s", content(dirty), content(m))
				}
			}
		})
	}
}

func TestHot_DecodeForgetsTheFramesBefore(t *testing.T) {
	t.Parallel()
	var long, short wire.Builder
	for i := range 100 {
		if err := long.Deliver(1, 0, "q", &reeve.Task{ID: reeve.ID(i + 1), Payload: []byte("payload")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := short.Deliver(1, 0, "q", &reeve.Task{ID: 1, Payload: []byte("payload")}); err != nil {
		t.Fatal(err)
	}
	var f wire.DeliverFrame
	for _, b := range []*wire.Builder{&long, &short} {
		if err := f.Decode(bodyOf(t, b.Take()[wire.HeaderLen:])); err != nil {
			t.Fatal(err)
		}
	}
	for _, task := range f.Tasks[1:100] {
		if task.Payload != nil {
			t.Fatal("a payload of the frame before is kept alive")
		}
	}
}

func TestHot_ClearKeepsLittle(t *testing.T) {
	t.Parallel()
	for _, f := range append(benchFrames, ruledFrames...) {
		for _, n := range []int{2, 1000, 3000} {
			var b wire.Builder
			for i := range n {
				f.add(&b, i)
			}
			d := f.dec()
			if err := d.Decode(bodyOf(t, frames(b.Take())[0])); err != nil {
				t.Fatal(err)
			}
			d.(interface{ Clear() }).Clear()
			for _, field := range slicesIn(reflect.ValueOf(d).Elem()) {
				if field.Len() != 0 || field.Cap() > 1024 {
					t.Errorf("%s of %d: %d of %d entries are kept", f.name, n, field.Len(), field.Cap())
				}
				for _, e := range field.Slice(0, field.Cap()).Seq2() {
					if !e.IsZero() {
						t.Errorf("%s of %d: an entry is kept", f.name, n)
					}
				}
			}
		}
	}
}

// slicesIn are the slices in a struct, and in those in it.
func slicesIn(v reflect.Value) (found []reflect.Value) {
	for i := range v.NumField() {
		switch field := v.Field(i); field.Kind() {
		case reflect.Slice:
			found = append(found, field)
		case reflect.Struct:
			found = append(found, slicesIn(field)...)
		}
	}
	return found
}

func TestHot_UnknownKeysAndElementsAreSkipped(t *testing.T) {
	t.Parallel()
	r := newRandom(9)
	later := map[uint64]any{1: []any{1.5, nil, true, "text", []byte("bytes"), -7}, 2: map[string]any{"a": 1}}
	for _, h := range hotMessages {
		for range 50 {
			m := r.message(h.typ)
			g := withoutZero(generic(m))
			g[63], g[200], g[1<<40] = later, 3.25, []any{}
			for _, v := range g {
				entries, ok := v.([]any)
				for i := range entries {
					entry, isEntry := entries[i].([]any)
					if !ok || !isEntry {
						continue
					}
					if extras, ok := entry[len(entry)-1].(map[uint64]any); ok {
						extras[77] = later
						entries[i] = append(entry, later, "more")
					}
				}
			}
			d := h.fresh()
			if err := d.Decode(must(libraryEnc.Marshal(g))); err != nil || content(d) != content(m) {
				t.Fatalf("%v: %v\n%s, want\n%s", h.typ, err, content(d), content(m))
			}
		}
	}
}

// A receiver that keeps a payload copies it: that is its own affair.
func TestHot_EncodingAndDecodingDoNotAllocate(t *testing.T) {
	for _, f := range benchFrames {
		allocates(t, f, 0)
	}
}

// allocates: f is written without an allocation, and read with at most so many
// for each item.
func allocates(t *testing.T, f benchFrame, decoded int) {
	t.Helper()
	for _, n := range benchItems {
		var b wire.Builder
		var buf []byte
		encode := func() {
			for i := range n {
				f.add(&b, i)
			}
			buf = b.Take()
			b.Reset(buf)
		}
		encode() // takes the memory that is used again, as decode does below
		encode()
		if got := testing.AllocsPerRun(100, encode); got != 0 {
			t.Errorf("%s-%d: %v allocations to encode", f.name, n, got)
		}
		d := f.dec()
		decode := func() {
			if err := decodeAll(d, buf); err != nil {
				t.Fatal(err)
			}
		}
		decode()
		if got := testing.AllocsPerRun(100, decode); got > float64(n*decoded) {
			t.Errorf("%s-%d: %v allocations to decode", f.name, n, got)
		}
	}
}
