package blob_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared/blob"
	public "github.com/reeveq/reeve/shared"
)

func limitOf(err error) string {
	if l, ok := errors.AsType[*reeve.LimitError](err); ok {
		return l.Limit
	}
	return ""
}

// Small blobs are bounded by how many there are, and make room for others as large
// ones do.
func TestBlobs_AreBoundedByNumber(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{MaxBlobs: 3, Grace: time.Hour})
	o, ctx := f.client(), context.Background()
	for i := range 3 {
		mustPut(t, o, contentOf(i))
	}
	if _, err := public.Blobs(o).PutBytes(ctx, contentOf(3)); limitOf(err) != "blobs" {
		t.Errorf("the fourth: %v", err)
	}
	if err := public.Blobs(o).Release(ctx, refOf(contentOf(1))); err != nil {
		t.Fatal(err)
	}
	mustPut(t, o, contentOf(3))
	missing(t, o, refOf(contentOf(1)))
	f.check()
}

// What is announced removes nothing: bytes may never come.
func TestBegin_RemovesNothing(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{MaxBytes: 1000, Grace: time.Hour})
	o, ctx := f.client(), context.Background()
	content := contentOf(400)
	mustPut(t, o, content)
	if err := public.Blobs(o).Release(ctx, refOf(content)); err != nil {
		t.Fatal(err)
	}
	upload, _ := begin(t, o, nil, 1000)
	mustGet(t, o, content)
	for off := 0; off < 1000; off += 500 {
		if err := rawCall(t, o, "chunk", nil, upload, off, make([]byte, 500)); err != nil {
			t.Fatal(err)
		}
	}
	missing(t, o, refOf(content))
	f.check()
}

// Each upload may have a file open: those that clients have left behind make room.
func TestUploads_OfClientsThatAreGoneMakeRoom(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{})
	hash := func(n int) []byte {
		h := refOf(binaryOf(n)).Hash
		return h[:]
	}
	for n := 0; n < blob.MaxAllUploads; {
		o := f.client()
		for range blob.DefaultMaxUploads {
			begin(t, o, hash(n), 10)
			n++
		}
		o.Close(true)
	}
	if n := f.store.Stats(); n.Uploads != blob.MaxAllUploads {
		t.Fatalf("%+v", n)
	}
	last := f.client()
	begin(t, last, nil, 10)
	if n := f.store.Stats(); n.Uploads != blob.MaxAllUploads {
		t.Errorf("%+v", n)
	}
	f.check()
}

func binaryOf(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }

// However small the pieces are in which it comes, a content takes little more than
// its bytes, and is the same.
func TestMemory_KeepsSmallPiecesTogether(t *testing.T) {
	t.Parallel()
	b := blob.NewMemory()
	w, err := b.Create()
	if err != nil {
		t.Fatal(err)
	}
	var content []byte
	for _, n := range append(slices.Repeat([]int{1, 0, 100, 1000}, 500), 200<<10, 1, 60<<10) {
		p := contentOf(n)
		content = append(content, p...)
		w.Write(p)
	}
	hash := refOf(content).Hash
	if err := w.Commit(hash); err != nil {
		t.Fatal(err)
	}
	if n := blob.Parts(b, hash); n > 16 {
		t.Errorf("%d parts", n)
	}
	for off := 0; off < len(content); off += 12345 {
		p := make([]byte, min(70_001, len(content)-off))
		if err := b.ReadAt(hash, p, int64(off)); err != nil || !bytes.Equal(p, content[off:off+len(p)]) {
			t.Fatalf("at %d: %v", off, err)
		}
	}
}

// gated is a Backend whose Writers wait until they are let.
type gated struct {
	blob.Backend
	open chan struct{}

	mu    sync.Mutex // guards the field below
	order []byte     // the first bytes of what was written
}

func (b *gated) Create() (blob.Writer, error) {
	w, err := b.Backend.Create()
	return &gatedWriter{w, b}, err
}

type gatedWriter struct {
	blob.Writer
	b *gated
}

func (w *gatedWriter) Write(p []byte) (int, error) {
	<-w.b.open
	w.b.mu.Lock()
	w.b.order = append(w.b.order, p[0])
	w.b.mu.Unlock()
	return w.Writer.Write(p)
}

func (w *gatedWriter) Sync() error {
	<-w.b.open
	return w.Writer.Sync()
}

// chunkLater sends a chunk; the error comes later.
func chunkLater(o reeve.Objects, method string, errs chan<- error, args ...any) {
	b, _ := codec.CBOR.Marshal(args)
	go func() {
		_, err := o.CallObject(context.Background(), &reeve.ObjectCall{Ref: reeve.Ref{Name: blob.Name}, Method: method, Args: b})
		errs <- err
	}()
}

// Uploads take turns: one of which much waits does not hold up another.
func TestUploads_TakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &gated{Backend: blob.NewMemory(), open: make(chan struct{})}
		f := open(t, blob.Config{Backend: b})
		busy, other := f.client(), f.client()
		const uploads, each = 10, 20
		errs := make(chan error, uploads*each+1)
		for range uploads {
			upload, _ := begin(t, busy, nil, -1)
			for i := range each {
				chunkLater(busy, "chunk", errs, upload, i, []byte("b"))
			}
		}
		synctest.Wait()
		upload, _ := begin(t, other, nil, -1)
		chunkLater(other, "chunk", errs, upload, 0, []byte("o"))
		synctest.Wait()
		close(b.open)
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if at := bytes.IndexByte(b.order, 'o'); at < 0 || at > 3*uploads {
			t.Errorf("the other one's chunk was written after %d", at)
		}
		f.close()
	})
}

// A small chunk costs, too: nobody has any number of them wait.
func TestChunks_ThatAreSmallCountToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, blob.Config{})
		o := f.client()
		upload, _ := begin(t, o, nil, -1)
		const most = 8192
		errs := make(chan error, most+1)
		for range cap(errs) {
			chunkLater(o, "chunk", errs, upload, 1, []byte{})
		}
		synctest.Wait()
		if err := <-errs; !errors.Is(err, reeve.ErrLimit) {
			t.Errorf("%v", err)
		}
		if len(errs) != 0 {
			t.Errorf("%d more have ended", len(errs))
		}
		if err := rawCall(t, o, "abort", nil, upload); err != nil {
			t.Error(err)
		}
		for range most {
			<-errs
		}
		f.check()
		f.close()
	})
}

// Two ends of one upload that name different hashes are not both right.
func TestCommit_OfAnotherHashIsNotAnsweredWithTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &gated{Backend: blob.NewMemory(), open: make(chan struct{}, 1)}
		f := open(t, blob.Config{Backend: b})
		o := f.client()
		upload, _ := begin(t, o, nil, -1)
		b.open <- struct{}{}
		if err := rawCall(t, o, "chunk", nil, upload, 0, []byte("content")); err != nil {
			t.Fatal(err)
		}
		right, wrong := make(chan error, 1), make(chan error, 1)
		chunkLater(o, "commit", right, upload, refOf([]byte("content")).Hash)
		synctest.Wait()
		chunkLater(o, "commit", wrong, upload, refOf([]byte("another")).Hash)
		synctest.Wait()
		close(b.open)
		if err := <-right; err != nil {
			t.Error(err)
		}
		if err := <-wrong; !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%v", err)
		}
		f.check()
		f.close()
	})
}

// What came of uploads whose clients are gone keeps nobody out.
func TestRoom_IsMadeOfUploadsThatWereLeft(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{MaxBytes: 1000})
	left := f.client()
	hash := refOf(contentOf(700)).Hash
	upload, _ := begin(t, left, hash[:], 700)
	if err := rawCall(t, left, "chunk", nil, upload, 0, contentOf(600)); err != nil {
		t.Fatal(err)
	}
	o := f.client()
	if _, err := public.Blobs(o).PutBytes(context.Background(), contentOf(500)); limitOf(err) != "bytes of blobs" {
		t.Errorf("while its client is there: %v", err)
	}
	left.Close(true)
	mustPut(t, o, contentOf(500))
	if n := f.store.Stats(); n.Uploads != 0 || n.Bytes != 500 {
		t.Errorf("%+v", n)
	}
	f.check()
}

// slowReads is a Backend of which each read of one blob waits until it is let.
type slowReads struct {
	blob.Backend
	of   reeve.BlobHash
	open chan struct{}
}

func (b *slowReads) ReadAt(hash reeve.BlobHash, p []byte, off int64) error {
	if hash == b.of {
		<-b.open
	}
	return b.Backend.ReadAt(hash, p, off)
}

// A large blob that is looked at after a restart does not hold up the end of the
// master, and is no damaged one.
func TestCheck_EndsWithTheStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := contentOf(20 << 20)
	f := open(t, blob.Config{Backend: blob.NewFiles(dir)})
	mustPut(t, f.client(), content)
	f.close()

	synctest.Test(t, func(t *testing.T) {
		b := &slowReads{Backend: blob.NewFiles(dir), of: refOf(content).Hash, open: make(chan struct{})}
		f := open(t, blob.Config{Backend: b})
		o, held, closed := f.client(), make(chan error, 1), make(chan struct{})
		chunkLater(o, "hold", held, b.of)
		synctest.Wait() // it is being looked at
		go func() {
			f.store.Close(nil)
			close(closed)
		}()
		synctest.Wait()
		for reads := 0; ; reads++ {
			select {
			case b.open <- struct{}{}:
				continue
			case <-closed:
			}
			if reads > 8 {
				t.Errorf("closed after %d reads", reads)
			}
			break
		}
		if err := <-held; !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("%v", err)
		}
		f.close()
	})

	f = open(t, blob.Config{Backend: blob.NewFiles(dir)})
	mustGet(t, f.client(), content)
}
