package shared

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

type grade string

func TestArgs_AreWhatTheCodecMakes(t *testing.T) {
	t.Parallel()
	for _, args := range [][]any{
		{},
		{nil, true, false, "", "é", "\xff", strings.Repeat("x", 300), grade("good")},
		{0, 23, -1, -24, math.MaxInt, math.MinInt, int64(math.MinInt64), int64(7), uint64(math.MaxUint64), uint8(200), int32(-5)},
		{time.Second, -time.Hour, Owner(7), []Owner{1, 300}, []Owner{}, 1.5, math.NaN(), []byte("b"), []int{1}, time.Unix(5, 6)},
		{reeve.Ref{Name: "n"}, codec.Encoded{0x82, 1, 2}, map[string]any{"k": nil}, struct{ A int }{5}, new(int)},
		make([]any, 30),
	} {
		b, err := encodeArgs(args)
		want, wantErr := codec.CBOR.Marshal(args)
		if err != nil || wantErr != nil || !bytes.Equal(b, want) {
			t.Errorf("%v: % x, %v, and % x of the codec, %v", args, b, err, want, wantErr)
		}
	}
	for _, bad := range []any{make(chan int), codec.Encoded{0x82, 1}} {
		if b, err := encodeArgs([]any{1, bad}); err == nil {
			t.Errorf("%T: % x", bad, b)
		}
	}
	if b, err := encodeArgs([]any{encoded{0x61, 'a'}}); err != nil || !bytes.Equal(b, []byte{0x81, 0x61, 'a'}) {
		t.Errorf("% x, %v", b, err)
	}
}

func fuzzScalar[T any](t *testing.T, b []byte) {
	var got, want T
	if !decodeScalar(b, &got) {
		return
	}
	if err := codec.CBOR.Unmarshal(b, &want); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("% x is %v, and %v of the codec, %v", b, got, want, err)
	}
}

func FuzzDecodeScalar(f *testing.F) {
	for _, v := range []any{1, -300, true, "é", uint64(math.MaxUint64), nil} {
		b, err := codec.CBOR.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0x61, 0xff})
	f.Add([]byte{0x01, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzScalar[int](t, b)
		fuzzScalar[int64](t, b)
		fuzzScalar[bool](t, b)
		fuzzScalar[string](t, b)
	})
}

func TestScalars_AreRead(t *testing.T) {
	t.Parallel()
	var i int
	var n int64
	var yes bool
	var s string
	for _, c := range []struct {
		v any
		p any
	}{{7, &i}, {int64(math.MinInt64), &n}, {true, &yes}, {"text", &s}} {
		b, err := codec.CBOR.Marshal(c.v)
		if err != nil || !decodeScalar(b, c.p) || reflect.ValueOf(c.p).Elem().Interface() != c.v {
			t.Errorf("% x is not read as %v: %v", b, c.v, err)
		}
	}
}
