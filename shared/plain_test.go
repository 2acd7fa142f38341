package shared

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/reeveq/reeve/codec"
)

func samePlain[T any](t *testing.T, list []T) {
	t.Helper()
	b, ok := encodePlain(list)
	want, err := codec.Deterministic.Marshal(list)
	if !ok || err != nil || !bytes.Equal(b, want) {
		t.Errorf("%v is % x, %v, and % x of the codec, %v", list, b, ok, want, err)
	}
	got, ok := decodePlain[T](want)
	if !ok || !reflect.DeepEqual(got, list) {
		t.Errorf("%v came back as %v, %v", list, got, ok)
	}
}

func TestPlain_IsWhatTheCodecMakes(t *testing.T) {
	t.Parallel()
	ints := []int64{0, 1, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64}
	for _, n := range ints {
		ints = append(ints, -n, -n-1)
	}
	samePlain(t, ints)
	samePlain(t, []int{1, -1, math.MaxInt, math.MinInt})
	samePlain(t, []int{})
	samePlain(t, []string{"", "a", "é", strings.Repeat("x", 23), strings.Repeat("x", 24), strings.Repeat("x", 70_000)})
	if _, ok := encodePlain([]uint8{1}); ok {
		t.Error("bytes are plain")
	}
}

func fuzzPlain[T any](t *testing.T, b []byte) {
	list, ok := decodePlain[T](b)
	if !ok {
		return
	}
	var want []T
	if err := codec.CBOR.Unmarshal(b, &want); err != nil || !reflect.DeepEqual(list, want) {
		t.Fatalf("% x is %v, and %v of the codec, %v", b, list, want, err)
	}
}

func FuzzDecodePlain(f *testing.F) {
	f.Add([]byte{0x82, 0x01, 0x20})
	f.Add([]byte{0x82, 0x61, 'a', 0x62, 0xc3, 0xa9})
	f.Add([]byte{0x81, 0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzPlain[string](t, b)
		fuzzPlain[int](t, b)
		fuzzPlain[int64](t, b)
	})
}
