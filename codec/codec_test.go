package codec_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

type order struct {
	ID    int               `json:"id"`
	Items []string          `json:"items"`
	At    time.Time         `json:"at"`
	Notes map[string]string `json:"notes"`
}

func TestCodecs_RoundTripAStruct(t *testing.T) {
	t.Parallel()
	in := order{7, []string{"a", "b"}, time.Date(2030, 1, 2, 3, 4, 5, 6789, time.UTC), map[string]string{"k": "v"}}
	for _, c := range []reeve.Codec{codec.CBOR, codec.JSON} {
		b, err := c.Marshal(in)
		if err != nil {
			t.Fatalf("%s: %v", c.Name(), err)
		}
		var out order
		if err := c.Unmarshal(b, &out); err != nil {
			t.Fatalf("%s: %v", c.Name(), err)
		}
		if !reflect.DeepEqual(in, out) {
			t.Errorf("%s: %+v came back as %+v", c.Name(), in, out)
		}
	}
}

func TestCBOR_DecodesMapsToAnyAsStringMaps(t *testing.T) {
	t.Parallel()
	b, err := codec.CBOR.Marshal(map[string]int{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := codec.CBOR.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if _, ok := v.(map[string]any); !ok {
		t.Fatalf("decoded to %T", v)
	}
}

func TestCBOR_RefusesDuplicateKeys(t *testing.T) {
	t.Parallel()
	var m map[string]int
	if err := codec.CBOR.Unmarshal([]byte{0xa2, 0x61, 'a', 1, 0x61, 'a', 2}, &m); err == nil {
		t.Fatal("a map with a key twice was decoded")
	}
}

func TestRaw_CopiesBytesAndRefusesOtherTypes(t *testing.T) {
	t.Parallel()
	data := []byte("abc")
	var out []byte
	if err := codec.Raw.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	data[0] = 'x'
	if string(out) != "abc" {
		t.Fatal("the value shares the payload's bytes")
	}
	var s string
	if err := codec.Raw.Unmarshal([]byte("s"), &s); err != nil || s != "s" {
		t.Fatalf("%q, %v", s, err)
	}
	if _, err := codec.Raw.Marshal(3); err == nil {
		t.Error("raw took an int")
	}
	var n int
	if err := codec.Raw.Unmarshal([]byte("3"), &n); err == nil {
		t.Error("raw filled an int")
	}
}

func FuzzCBORUnmarshal(f *testing.F) {
	f.Add([]byte{0xa1, 0x61, 'a', 1})
	f.Add([]byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0xc1, 0xfa, 0xd6, 0xfa, 0x08, 0x30}) // a time millions of years ago
	f.Fuzz(func(t *testing.T, b []byte) {
		var v any
		if codec.CBOR.Unmarshal(b, &v) == nil && !outOfCalendar(v) {
			if _, err := codec.CBOR.Marshal(v); err != nil {
				t.Fatalf("decoded %x to %#v, which does not encode: %v", b, v, err)
			}
		}
	})
}

// outOfCalendar reports whether v holds a time of a year that no text form can
// tell: a number of seconds is read as any year.
func outOfCalendar(v any) bool {
	switch v := v.(type) {
	case time.Time:
		return v.Year() < 0 || v.Year() > 9999
	case []any:
		return slices.ContainsFunc(v, outOfCalendar)
	case map[any]any:
		for k, e := range v {
			if outOfCalendar(k) || outOfCalendar(e) {
				return true
			}
		}
	case cbor.Tag:
		return outOfCalendar(v.Content)
	}
	return false
}

func TestCBOR_CarriesReferencesAnywhere(t *testing.T) {
	t.Parallel()
	ref := reeve.Ref{ID: 7, Life: 9, Type: "lock"}
	b, err := codec.CBOR.Marshal(map[string]any{"to": []any{ref}})
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := codec.Deterministic.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if got := v.(map[string]any)["to"].([]any)[0]; got != ref {
		t.Errorf("%#v came back, want %#v", got, ref)
	}
	if err := codec.CBOR.Unmarshal([]byte{0xa1, 1, 0x61, 'a'}, new(reeve.Ref)); err == nil {
		t.Error("a map that is not marked as a reference is taken for one")
	}
}

func TestDeterministic_HasOneFormForEachValue(t *testing.T) {
	t.Parallel()
	m := map[string]int{"a": 1, "bb": 2, "c": 3, "dd": 4, "e": 5}
	first, err := codec.Deterministic.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if b, err := codec.Deterministic.Marshal(m); err != nil || !bytes.Equal(b, first) {
			t.Fatalf("% x and % x, %v", b, first, err)
		}
	}
	f, _ := codec.Deterministic.Marshal(1.5)
	if g, _ := codec.Deterministic.Marshal(float32(1.5)); !bytes.Equal(f, g) {
		t.Errorf("1.5 is % x and % x", f, g)
	}
}

func TestCBOR_ReadsWhatItWrites(t *testing.T) {
	t.Parallel()
	long := make([]int, 1<<18)
	b, err := codec.CBOR.Marshal(long)
	if err != nil {
		t.Fatal(err)
	}
	var back []int
	if err := codec.CBOR.Unmarshal(b, &back); err != nil || len(back) != len(long) {
		t.Errorf("%d of %d elements, %v", len(back), len(long), err)
	}
}
