package blob_test

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/reeveq/reeve/internal/shared/blob"
	public "github.com/reeveq/reeve/shared"
)

// A program that puts and gets more at once than a master lets one client have
// under way gets it done all the same.
func TestMany_OfOneClientGetTheirTurn(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{})
	o := f.client()
	const size = 1 << 20
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			content := contentOf(size + i)
			ref, err := public.Blobs(o).PutBytes(context.Background(), content, public.BlobChunk(1<<20))
			if err != nil {
				t.Error(err)
				return
			}
			got, err := public.Blobs(o).Get(context.Background(), ref)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if err := public.Blobs(o).Release(context.Background(), ref); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	f.check()
}
