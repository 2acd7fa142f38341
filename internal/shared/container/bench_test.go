package container

import (
	"context"
	"fmt"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// BenchmarkGetMany is what 1,000 keys cost at the master, without their way.
func BenchmarkGetMany(b *testing.B) {
	_, c := setUp(b)
	keys, values := make([]string, 1000), make([]int, 1000)
	for i := range keys {
		keys[i], values[i] = fmt.Sprint("key-", i), i
	}
	ctx := context.Background()
	spec, err := codec.CBOR.Marshal([]any{"map", "big", codec.Encoded{0xa0}, false})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := c.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: "$master"}, Method: "declare", Args: spec}); err != nil {
		b.Fatal(err)
	}
	call(b, c, "big", "setmany", keys, values, 0)
	args, err := codec.CBOR.Marshal([]any{keys})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		a, err := c.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: "big"}, Method: "getmany", Args: args, Reads: true})
		if err != nil || len(a.Value) < 2000 {
			b.Fatal(len(a.Value), err)
		}
	}
}
