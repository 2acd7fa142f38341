package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared/blob"
	public "github.com/reeveq/reeve/shared"
)

// faulty is a Backend whose n-th step fails.
type faulty struct {
	blob.Backend
	err error

	mu    sync.Mutex // guards the fields below
	left  int        // steps until it fails; below 0: never
	steps []string
}

func (b *faulty) step(what string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.steps = append(b.steps, what)
	if b.left--; b.left == 0 {
		return b.err
	}
	return nil
}

func (b *faulty) Create() (blob.Writer, error) {
	if err := b.step("create"); err != nil {
		return nil, err
	}
	w, err := b.Backend.Create()
	return &faultyWriter{w, b}, err
}

func (b *faulty) ReadAt(hash reeve.BlobHash, p []byte, off int64) error {
	if err := b.step("read"); err != nil {
		return err
	}
	return b.Backend.ReadAt(hash, p, off)
}

func (b *faulty) Remove(hash reeve.BlobHash) error {
	if err := b.step("remove"); err != nil {
		return err
	}
	return b.Backend.Remove(hash)
}

type faultyWriter struct {
	blob.Writer
	b *faulty
}

func (w *faultyWriter) Write(p []byte) (int, error) {
	if err := w.b.step("write"); err != nil {
		w.Writer.Write(p[:len(p)/2])
		return len(p) / 2, err
	}
	return w.Writer.Write(p)
}

func (w *faultyWriter) Sync() error {
	if err := w.b.step("sync"); err != nil {
		return err
	}
	return w.Writer.Sync()
}

func (w *faultyWriter) Commit(hash reeve.BlobHash) error {
	if err := w.b.step("commit"); err != nil {
		w.Writer.Abort()
		return err
	}
	return w.Writer.Commit(hash)
}

// Whatever fails on the way, nothing half is to be seen, nothing stays, and the
// next Put is as if there had been none.
func TestPut_ThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	content := contentOf(250)
	full := fmt.Errorf("%w: the disk", reeve.ErrJournalFull)
	for at := 1; at <= 6; at++ {
		dir := t.TempDir()
		b := &faulty{Backend: blob.NewFiles(dir), err: full, left: at}
		f := open(t, blob.Config{Backend: b})
		o := f.client()
		for _, r := range []io.Reader{bytes.NewReader(content), io.MultiReader(bytes.NewReader(content))} {
			b.left = at
			ref, err := public.Blobs(o).Put(context.Background(), r, public.BlobChunk(100))
			if !errors.Is(err, reeve.ErrJournalFull) {
				t.Fatalf("%d: %v, %v; %v", at, ref, err, b.steps)
			}
			missing(t, o, refOf(content))
			f.store.Close(nil) // nothing is under way any more
			if n := f.store.Stats(); n.Blobs != 0 || n.Bytes != 0 || n.Uploads != 0 {
				t.Errorf("%d: %+v", at, n)
			}
			if names := filesIn(t, dir); len(names) > 0 {
				t.Errorf("%d: %q", at, names)
			}
			f.check()
			f.close()
			f = open(t, blob.Config{Backend: b})
			o = f.client()
		}
		b.left = -1
		mustPut(t, o, content)
		mustGet(t, o, content)
		f.check()
	}
}

// What cannot be read is an error of the read, and not the end of the blob.
func TestRead_ThatFailsIsAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	b := &faulty{Backend: blob.NewMemory(), err: errors.New("input/output error"), left: -1}
	f := open(t, blob.Config{Backend: b})
	o := f.client()
	mustPut(t, o, contentOf(100))
	b.left = 1
	if _, err := public.Blobs(o).Get(context.Background(), refOf(contentOf(100))); err == nil || errors.Is(err, reeve.ErrNoSuchBlob) {
		t.Fatalf("%v", err)
	}
	mustGet(t, o, contentOf(100))
	f.check()
}

// A blob that is put again while it is removed stays.
func TestPut_WhileItIsRemoved(t *testing.T) {
	t.Parallel()
	b := &slow{Backend: blob.NewMemory(), removing: make(chan struct{}), pause: make(chan struct{})}
	f := open(t, blob.Config{Backend: b, Grace: time.Nanosecond})
	o := f.client()
	ref := mustPut(t, o, []byte("content"))
	if err := public.Blobs(o).Release(context.Background(), ref); err != nil {
		t.Fatal(err)
	}
	<-b.removing
	missing(t, o, ref)
	if err := f.store.Take([]reeve.BlobRef{ref}); !errors.Is(err, reeve.ErrNoSuchBlob) {
		t.Errorf("%v", err)
	}
	done := make(chan struct{})
	go func() {
		mustPut(t, o, []byte("content"))
		close(done)
	}()
	close(b.pause)
	<-done
	mustGet(t, o, []byte("content"))
}

// slow removes when it may.
type slow struct {
	blob.Backend
	removing, pause chan struct{}
}

func (b *slow) Remove(hash reeve.BlobHash) error {
	close(b.removing)
	<-b.pause
	return b.Backend.Remove(hash)
}
