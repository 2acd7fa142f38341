package blob_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/reeveq/reeve/internal/shared/blob"
	public "github.com/reeveq/reeve/shared"
)

// The store alone, in the process of its client; over a connection see
// managertest.
func BenchmarkPutGet(b *testing.B) {
	for name, backend := range map[string]func() blob.Backend{
		"memory": blob.NewMemory, "files": func() blob.Backend { return blob.NewFiles(b.TempDir()) },
	} {
		const size = 16 << 20
		content := contentOf(size)
		b.Run("put/"+name, func(b *testing.B) {
			o := open(b, blob.Config{Backend: backend(), MaxBytes: 1 << 40}).client()
			b.SetBytes(size)
			for i := 0; b.Loop(); i++ {
				content[i%size]++
				ref, err := public.Blobs(o).PutBytes(context.Background(), content)
				if err == nil {
					err = public.Blobs(o).Release(context.Background(), ref)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("get/"+name, func(b *testing.B) {
			o := open(b, blob.Config{Backend: backend()}).client()
			ref := mustPut(b, o, content)
			b.SetBytes(size)
			for b.Loop() {
				got, err := public.Blobs(o).Get(context.Background(), ref)
				if err != nil || len(got) != size {
					b.Fatal(fmt.Errorf("%d bytes, %w", len(got), err))
				}
			}
		})
	}
}
