package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared/blob"
	public "github.com/reeveq/reeve/shared"
)

// backends are those of every test that is about both.
func backends(t *testing.T) map[string]blob.Backend {
	return map[string]blob.Backend{"memory": blob.NewMemory(), "files": blob.NewFiles(t.TempDir())}
}

func TestPut_IsReadAsItWas(t *testing.T) {
	t.Parallel()
	for name, backend := range backends(t) {
		t.Run(name, func(t *testing.T) {
			f := open(t, blob.Config{Backend: backend})
			o := f.client()
			const chunk = 100
			for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 5 * chunk, 1234, 3 << 20} {
				b := contentOf(n)
				size := chunk
				if n > 10_000 {
					size = 0
				}
				mustPut(t, o, b, public.BlobChunk(size))
				mustGet(t, o, b)
				// From what can be read once.
				other := append([]byte("once"), b...)
				ref, err := public.Blobs(o).Put(context.Background(), io.MultiReader(bytes.NewReader(other)), public.BlobChunk(size))
				if err != nil || ref != refOf(other) {
					t.Fatalf("%v, %v", ref, err)
				}
				mustGet(t, o, other)
			}
			f.check()
		})
	}
}

func TestPut_SendsNothingOfWhatIsThere(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{})
	b := contentOf(5000)
	mustPut(t, f.client(), b)
	o := &counting{Objects: f.client(), method: "chunk"}
	mustPut(t, o, b)
	if n := o.calls.Load(); n != 0 {
		t.Errorf("%d chunks were sent", n)
	}
	if n := f.store.Stats(); n.Blobs != 1 || n.Bytes != 5000 || n.Uploads != 0 {
		t.Errorf("%+v", n)
	}
	f.check()
}

func TestPut_OfTwoClientsAtOnceIsOneBlob(t *testing.T) {
	t.Parallel()
	for name, backend := range backends(t) {
		t.Run(name, func(t *testing.T) {
			f := open(t, blob.Config{Backend: backend})
			b := contentOf(100_000)
			var putting sync.WaitGroup
			same := f.client()
			for range 8 {
				other := f.client()
				for _, o := range []reeve.Objects{same, other} {
					putting.Go(func() {
						if ref, err := public.Blobs(o).PutBytes(context.Background(), b, public.BlobChunk(1000)); err != nil || ref != refOf(b) {
							t.Errorf("%v, %v", ref, err)
						}
					})
				}
			}
			putting.Wait()
			mustGet(t, same, b)
			if i, err := public.Blobs(same).Stat(context.Background(), refOf(b)); err != nil || i.Clients != 9 {
				t.Errorf("%+v, %v", i, err)
			}
			if n := f.store.Stats(); n.Blobs != 1 || n.Bytes != 100_000 || n.Uploads != 0 {
				t.Errorf("%+v", n)
			}
			f.check()
		})
	}
}

// A blob that a client has open, or that a task names, stays; then it goes after
// the grace.
func TestBlob_LivesAsLongAsSomebodyRefersToIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, blob.Config{Grace: time.Minute})
		o, ctx := f.client(), context.Background()
		other := f.client()
		refs := []reeve.BlobRef{mustPut(t, o, []byte("content"))}
		there := func(after time.Duration) {
			t.Helper()
			time.Sleep(after)
			if i := f.store.Stats(); i.Blobs != 1 {
				t.Fatalf("%+v", i)
			}
		}
		there(time.Hour)
		if _, err := public.Blobs(other).Hold(ctx, refs[0]); err != nil {
			t.Fatal(err)
		}
		if err := public.Blobs(o).Release(ctx, refs[0]); err != nil {
			t.Fatal(err)
		}
		there(time.Hour)
		if err := f.store.Take(refs); err != nil {
			t.Fatal(err)
		}
		other.Close(true)
		there(time.Hour)
		f.store.Keep(refs)
		f.store.Drop(refs)
		there(time.Hour)
		f.store.Drop(refs)
		there(59 * time.Second)
		if i, err := public.Blobs(o).Stat(ctx, refs[0]); err != nil || time.Until(i.Until) != time.Minute { // who looks begins it anew
			t.Fatalf("%+v, %v", i, err)
		}
		there(59 * time.Second)
		time.Sleep(2 * time.Second)
		missing(t, o, refs[0])
		if err := f.store.Take(refs); !errors.Is(err, reeve.ErrNoSuchBlob) {
			t.Errorf("taken: %v", err)
		}
		f.check()
		f.close()
	})
}

// A client that lost its connection keeps what it has open for the grace of
// clients; then it is as if it had said goodbye.
func TestBlob_OutlivesAConnectionButNotItsClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, blob.Config{Grace: time.Second})
		o := f.again(7)
		ref := mustPut(t, o, []byte("content"))
		o.Close(false)
		time.Sleep(50 * time.Second)
		o = f.again(7)
		time.Sleep(time.Hour)
		mustGet(t, o, []byte("content"))
		o.Close(false)
		time.Sleep(time.Minute + 2*time.Second)
		missing(t, f.client(), ref)
		f.check()
		f.close()
	})
}

func TestTake_IsOfAllOrNone(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{})
	o := f.client()
	a, b := mustPut(t, o, []byte("a")), mustPut(t, o, []byte("b"))
	if err := f.store.Take([]reeve.BlobRef{a, b, refOf([]byte("c"))}); !errors.Is(err, reeve.ErrNoSuchBlob) {
		t.Fatal(err)
	}
	for _, ref := range []reeve.BlobRef{a, b} {
		if i, err := public.Blobs(o).Stat(context.Background(), ref); err != nil || i.Tasks != 0 {
			t.Errorf("%+v, %v", i, err)
		}
	}
	f.check()
}

// Who names what is not there, as tasks that outlived it do, has it when it comes.
func TestKeep_OfWhatIsMissingCountsOnceItComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, blob.Config{})
		o := f.client()
		ref := refOf([]byte("late"))
		f.store.Keep([]reeve.BlobRef{ref})
		missing(t, o, ref)
		mustPut(t, o, []byte("late"))
		o.Close(true)
		time.Sleep(time.Hour)
		o = f.client()
		mustGet(t, o, []byte("late"))
		f.store.Drop([]reeve.BlobRef{ref})
		time.Sleep(time.Hour)
		missing(t, o, ref)
		f.store.Keep([]reeve.BlobRef{ref})
		f.store.Drop([]reeve.BlobRef{ref})
		f.check()
		f.close()
	})
}

func TestList_ShowsAllInPages(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{})
	o := f.client()
	const n = 1203 // more than a page
	want := map[reeve.BlobRef]bool{}
	for i := range n {
		want[mustPut(t, o, contentOf(i))] = true
	}
	for i, err := range public.Blobs(o).All(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if !want[i.Ref] || i.Clients != 1 || i.Made.IsZero() || !i.Until.IsZero() {
			t.Fatalf("%+v", i)
		}
		delete(want, i.Ref)
	}
	if len(want) > 0 {
		t.Errorf("%d are not listed", len(want))
	}
	for i, err := range public.Blobs(&counting{Objects: o, method: "list", fail: 2, err: reeve.ErrClosed}).All(context.Background()) {
		if err != nil && !errors.Is(err, reeve.ErrClosed) {
			t.Fatalf("%+v, %v", i, err)
		}
	}
}
