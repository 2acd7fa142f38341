package codec_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/reeveq/reeve/codec"
)

func TestFirst_ReadsAnArrayItemByItem(t *testing.T) {
	t.Parallel()
	array, err := codec.CBOR.Marshal([]any{"a", 7, []int{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	var s string
	var i int
	var list []int
	n, items, err := codec.OpenArray(array)
	if err != nil || n != 3 {
		t.Fatalf("%d items, %v", n, err)
	}
	for _, v := range []any{&s, &i, &list} {
		if items, err = codec.First(items, v); err != nil {
			t.Fatal(err)
		}
	}
	if s != "a" || i != 7 || len(list) != 2 || len(items) != 0 {
		t.Errorf("%q %d %v, and % x", s, i, list, items)
	}
	if _, err := codec.First(items, &i); err == nil {
		t.Error("nothing was read as a number")
	}
}

func TestOpenArray_RefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	for _, b := range [][]byte{nil, {0x80 - 1}, {0xa0}, {0x9f, 0xff}, {0x81}, {0x98}, {0x99, 0}, {0x9c, 0, 0}, {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}} {
		if n, items, err := codec.OpenArray(b); err == nil {
			t.Errorf("% x has %d items in % x", b, n, items)
		}
	}
}

func fuzzFirst[T comparable](t *testing.T, items []byte) {
	var got, want T
	rest, err := codec.First(items, &got)
	if err != nil {
		return
	}
	if err := codec.CBOR.Unmarshal(items[:len(items)-len(rest)], &want); err != nil || got != want {
		t.Fatalf("% x is %v, and %v by itself, %v", items, got, want, err)
	}
}

// The first item is what it is by itself.
func FuzzFirst(f *testing.F) {
	f.Add([]byte{0x18, 7, 1})
	f.Add([]byte{0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x62, 0xc3, 0xa9, 0x20})
	f.Add([]byte{0x61, 0xff})
	f.Fuzz(func(t *testing.T, items []byte) {
		fuzzFirst[int](t, items)
		fuzzFirst[int64](t, items)
		fuzzFirst[string](t, items)
		fuzzFirst[uint8](t, items)
	})
}

// Read item by item, an array has what it has as a whole.
func FuzzItems(f *testing.F) {
	f.Add([]byte{0x82, 1, 0x61, 'a'})
	f.Add([]byte{0x98, 2, 1, 0x9f, 1, 0xff})
	f.Add([]byte{0x81, 0xc1, 1})
	f.Fuzz(func(t *testing.T, array []byte) {
		var whole []codec.Encoded
		wholeErr := codec.CBOR.Unmarshal(array, &whole)
		n, items, err := codec.OpenArray(array)
		if err != nil {
			if wholeErr == nil && len(array) > 0 && array[0]>>5 == 4 && array[0] != 0x9f {
				t.Fatalf("% x: %v", array, err)
			}
			return
		}
		for i := range n {
			var one codec.Encoded
			if items, err = codec.First(items, &one); err != nil {
				break
			}
			if wholeErr == nil && !bytes.Equal(one, whole[i]) {
				t.Fatalf("item %d of % x is % x", i, array, one)
			}
		}
		var deep *cbor.MaxNestedLevelError
		if errors.As(wholeErr, &deep) {
			return // of the items by themselves one level more is read
		}
		if (err == nil && len(items) == 0) != (wholeErr == nil) {
			t.Fatalf("% x: %v and %d bytes, as a whole: %v", array, err, len(items), wholeErr)
		}
	})
}
