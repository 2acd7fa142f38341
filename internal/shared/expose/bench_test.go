package expose_test

import (
	"context"
	"testing"

	"github.com/reeveq/reeve"
	inside "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/shared"
)

func benchWorld(b *testing.B) *world {
	h := inside.New(inside.Config{})
	w := &world{host: h, set: expose.New(expose.Config{Host: h})}
	w.client = w.caller(1)
	b.Cleanup(func() { h.Close(); w.set.Close() })
	if err := share[scores](w, "scores", newBoard()); err != nil {
		b.Fatal(err)
	}
	return w
}

// BenchmarkCall is a method of a registered value; BenchmarkService, a method that
// the master answers at once, is what a call costs without it.
func BenchmarkCall(b *testing.B) {
	w := benchWorld(b)
	x := shared.ObjectOf(w.client, "scores")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := shared.Call[int](context.Background(), x, "Add", "ann", 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallParallel(b *testing.B) {
	w := benchWorld(b)
	x := shared.ObjectOf(w.client, "scores")
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := shared.Call[int](context.Background(), x, "Add", "ann", 1); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkService(b *testing.B) {
	w := benchWorld(b)
	args := []byte{0x80}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.client.CallObject(context.Background(), &reeve.ObjectCall{Ref: reeve.Ref{Name: "$master"}, Method: "release", Args: args}); err != nil {
			b.Fatal(err)
		}
	}
}
