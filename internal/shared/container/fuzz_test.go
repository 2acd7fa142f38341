package container

import (
	"context"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// specs are a configuration of each type.
var specs = []struct {
	typ  string
	spec any
}{
	{"map", map[int]any{1: 8, 3: int64(1e12)}},
	{"namespace", nil},
	{"set", map[int]any{2: 4096}},
	{"list", map[int]any{1: 8}},
	{"array", map[int]any{3: 4}},
	{"value", map[int]any{3: []byte{5}}},
}

// setUp makes an object of each type, with something in it.
func setUp(t testing.TB) (*shared.Host, *shared.Caller) {
	t.Helper()
	h := shared.New(shared.Config{})
	Add(h)
	c := h.NewCaller(shared.ClientID{}, shared.Who{Name: "test"})
	t.Cleanup(h.Close)
	for _, s := range specs {
		spec, err := codec.Deterministic.Marshal(s.spec)
		if s.spec == nil {
			spec = nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Declare(c.Client(), s.typ, s.typ, spec, false); err != nil {
			t.Fatal(err)
		}
	}
	call(t, c, "map", "setmany", []int{1, 2}, []string{"a", "b"}, 0)
	call(t, c, "set", "addmany", []int{1, 2}, 0)
	call(t, c, "list", "append", []any{1, 2, "x"})
	return h, c
}

func call(t testing.TB, c *shared.Caller, name, method string, args ...any) []byte {
	t.Helper()
	b, err := codec.CBOR.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.CallObject(context.Background(), &reeve.ObjectCall{Ref: reeve.Ref{Name: name}, Method: method, Args: b})
	if err != nil {
		t.Fatalf("%s of %s: %v", method, name, err)
	}
	return a.Value
}

// methodsOf are the names of the methods of a type.
func methodsOf(typ string) (names []string) {
	for _, t := range Types() {
		if t.Name == typ {
			for _, m := range t.Methods {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

// consistent fails if what an object knows of itself is not so.
func consistent(t *testing.T, h *shared.Host, c *shared.Caller, name string) {
	t.Helper()
	o, err := h.Object(c.Client(), reeve.Ref{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	b := o.(interface{ base() *base }).base()
	b.mu.Lock() // something may expire
	defer b.mu.Unlock()
	var bytes int64
	switch s := o.(type) {
	case *served[*mapObject]:
		bytes = s.o.table.sum(t)
	case *served[*setObject]:
		bytes = s.o.table.sum(t)
	case *served[*listObject]:
		s.o.seq.root.check(t)
		for _, e := range s.o.seq.all() {
			bytes += int64(len(e.value)) + overhead
		}
	case *served[*arrayObject]:
		s.o.seq.root.check(t)
		for _, v := range s.o.seq.all() {
			bytes += int64(len(v)) + overhead
		}
	case *served[*valueObject]:
		bytes = int64(len(s.o.value)) + overhead
	}
	if b.bytes != bytes || bytes > b.limits.MaxBytes {
		t.Fatalf("%s counts %d bytes and has %d of at most %d", name, b.bytes, bytes, b.limits.MaxBytes)
	}
}

func (s *served[O]) base() *base { return s.o.common() }

func (t *table) sum(tt *testing.T) (bytes int64) {
	t.order.root.check(tt)
	for i, e := range t.order.all() {
		if t.byKey[e.key] != e || t.place(e) != i {
			tt.Fatalf("key %x is found as another, or in another place than %d", e.key, i)
		}
		bytes += e.size() + overhead
	}
	if len(t.byKey) != t.order.len() || len(t.dues.heap) != len(t.dues.byKey) {
		tt.Fatalf("%d keys in order, %d by name; %d due, %d by name", t.order.len(), len(t.byKey), len(t.dues.heap), len(t.dues.byKey))
	}
	return bytes
}

// What clients send is either carried out and answered with one CBOR item, or is
// an error that says so; it is never an accident.
func FuzzCall(f *testing.F) {
	for i, s := range specs {
		for j := range methodsOf(s.typ) {
			f.Add(byte(i), byte(j), []byte{0x80})
			f.Add(byte(i), byte(j), []byte{0x81, 0x01})
			f.Add(byte(i), byte(j), []byte{0x83, 0x01, 0x61, 'a', 0x00})
			f.Add(byte(i), byte(j), []byte{0x83, 0x82, 0x01, 0x03, 0x82, 0x02, 0x04, 0x00})
			f.Add(byte(i), byte(j), []byte{0x84, 0x00, 0x20, 0xf6, 0x81, 0x05})
			f.Add(byte(i), byte(j), []byte{0x81, 0x81, 0x82, 0xf6, 0x82, 0x01, 0x02})
			f.Add(byte(i), byte(j), []byte{0x81, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
			f.Add(byte(i), byte(j), []byte{0x81, 0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		}
	}
	f.Fuzz(func(t *testing.T, typ, method byte, args []byte) {
		h, c := setUp(t)
		s := specs[int(typ)%len(specs)]
		names := methodsOf(s.typ)
		name := names[int(method)%len(names)]
		ctx, cancel := context.WithCancel(t.Context())
		if name == "changes" { // it may wait
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, 1)
			defer stop()
		}
		defer cancel()
		a, err := c.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: s.typ}, Method: name, Args: args})
		if err == nil && len(a.Value) > 0 {
			if rest, err := skip(a.Value, maxDepth+6); err != nil || len(rest) > 0 {
				t.Fatalf("%s of %s answers % x: %v", name, s.typ, a.Value, err)
			}
		}
		if err == nil {
			var v []codec.Encoded
			if err := codec.CBOR.Unmarshal(args, &v); err != nil {
				t.Fatalf("%s of %s took the arguments % x: %v", name, s.typ, args, err)
			}
		}
		consistent(t, h, c, s.typ)
	})
}

// What is read as one item is what the codec reads as one.
func FuzzSkip(f *testing.F) {
	f.Add([]byte{0x82, 0x01, 0xa1, 0x61, 'a', 0xf5, 0x00})
	f.Add([]byte{0xd9, 0x72, 0x65, 0xa1, 0x01, 0x61, 'a'})
	f.Add([]byte{0x9f, 0x01, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		rest, err := skip(b, maxDepth)
		if err != nil {
			return
		}
		var v codec.Encoded
		if err := codec.CBOR.Unmarshal(b[:len(b)-len(rest)], &v); err != nil {
			t.Fatalf("% x: %v", b[:len(b)-len(rest)], err)
		}
	})
}
