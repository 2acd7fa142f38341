package managertest_test

import (
	"testing"

	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

// BenchmarkBlobs is the way of a large value from one client to another, with the
// handshake's encryption, but without a wire.
func BenchmarkBlobs(b *testing.B) {
	const size = 16 << 20
	m := managertest.Start(b)
	c := shared.Blobs(m.Dial(b))
	content := bulk(size)
	b.Run("put", func(b *testing.B) {
		b.SetBytes(size)
		for i := 0; b.Loop(); i++ {
			content[i%size]++
			ref, err := c.PutBytes(b.Context(), content)
			if err == nil {
				err = c.Release(b.Context(), ref)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		ref, err := c.PutBytes(b.Context(), content)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(size)
		for b.Loop() {
			if got, err := c.Get(b.Context(), ref); err != nil || len(got) != size {
				b.Fatalf("%d bytes, %v", len(got), err)
			}
		}
	})
}
