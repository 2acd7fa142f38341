package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
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

// rawCall calls a method of the service as it is.
func rawCall(t testing.TB, o reeve.Objects, method string, out any, args ...any) error {
	t.Helper()
	b, err := codec.CBOR.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	a, err := o.CallObject(context.Background(), &reeve.ObjectCall{Ref: reeve.Ref{Name: blob.Name}, Method: method, Args: b})
	if err == nil && out != nil {
		err = codec.CBOR.Unmarshal(a.Value, out)
	}
	return err
}

// begin begins an upload and returns its number and how much of it came before.
func begin(t testing.TB, o reeve.Objects, hash []byte, size int64) (upload uint64, offset int64) {
	t.Helper()
	var a struct {
		_      struct{} `cbor:",toarray"`
		Have   bool
		Upload uint64
		Offset int64
		Size   int64
	}
	if err := rawCall(t, o, "begin", &a, hash, size); err != nil || a.Have {
		t.Fatalf("%+v, %v", a, err)
	}
	return a.Upload, a.Offset
}

// Wherever a Put breaks off, the next one, of another process with the same key,
// sends only what did not come, and what it puts is right.
func TestPut_GoesOnWhereItWasBrokenOff(t *testing.T) {
	t.Parallel()
	const chunk, chunks = 100, 9
	content := contentOf(chunk*(chunks-1) + 17)
	for name, backend := range backends(t) {
		for at := int64(1); at <= chunks; at++ {
			f := open(t, blob.Config{Backend: backend})
			o := f.client()
			broken := &counting{Objects: o, method: "chunk", fail: at, err: reeve.ErrDisconnected}
			if _, err := public.Blobs(broken).PutBytes(context.Background(), content, public.BlobChunk(chunk)); !errors.Is(err, reeve.ErrDisconnected) {
				t.Fatalf("%s, %d: %v", name, at, err)
			}
			o.Close(at%2 == 0) // gone at once, or only disconnected
			next := &counting{Objects: f.client(), method: "chunk"}
			hash := refOf(content).Hash
			_, came := begin(t, next, hash[:], int64(len(content)))
			if came < (at-4)*chunk { // those under way beside the one that failed may be lost
				t.Errorf("%s: broken off at %d, %d bytes came", name, at, came)
			}
			mustPut(t, next, content, public.BlobChunk(chunk))
			if n := next.calls.Load(); n > chunks-came/chunk {
				t.Errorf("%s: broken off at %d, then %d chunks behind %d", name, at, n, came)
			}
			mustGet(t, next, content)
			f.check()
			f.close()
			if name == "files" { // the next begins with nothing
				if err := backend.Remove(refOf(content).Hash); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// What can be read once goes on if it is known what comes.
func TestPut_OfWhatIsReadOnceGoesOnIfItIsKnown(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{})
	o := f.client()
	content := contentOf(1000)
	known := public.BlobKnown(refOf(content))
	broken := &counting{Objects: o, method: "chunk", fail: 10, err: reeve.ErrClosed}
	if _, err := public.Blobs(broken).Put(context.Background(), io.MultiReader(bytes.NewReader(content)), known, public.BlobChunk(100)); !errors.Is(err, reeve.ErrClosed) {
		t.Fatal(err)
	}
	next := &counting{Objects: o, method: "chunk"}
	ref, err := public.Blobs(next).Put(context.Background(), io.MultiReader(bytes.NewReader(content)), known, public.BlobChunk(100))
	if err != nil || ref != refOf(content) || next.calls.Load() > 4 {
		t.Fatalf("%v, %v, %d chunks", ref, err, next.calls.Load())
	}
	// The size need not be.
	content = contentOf(1001)
	ref, err = public.Blobs(o).Put(context.Background(), io.MultiReader(bytes.NewReader(content)), public.BlobKnown(reeve.BlobRef{Hash: refOf(content).Hash}))
	if err != nil || ref != refOf(content) {
		t.Fatalf("%v, %v", ref, err)
	}
	// What comes is another content.
	for _, wrong := range [][]byte{content[1:], append(content, 'x'), slices.Concat(content[1:], content[:1])} {
		other := contentOf(1002)
		known := reeve.BlobRef{Hash: refOf(other).Hash, Size: int64(len(content))}
		if ref, err = public.Blobs(o).Put(context.Background(), bytes.NewReader(wrong), public.BlobKnown(known)); !errors.Is(err, reeve.ErrInvalid) {
			t.Fatalf("%v, %v", ref, err)
		}
		missing(t, o, refOf(wrong))
	}
	f.check()
}

// A master that forgot what came, as one that was restarted, is sent it again,
// if it can be read again.
func TestPut_BeginsAgainWhenTheMasterForgot(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{})
	content := contentOf(1000)
	for _, method := range []string{"chunk", "commit"} {
		for _, lost := range []error{reeve.ErrNoSuchObject, reeve.ErrOutcomeUnknown} {
			o := &forgetful{Objects: f.client(), method: method, err: lost}
			ref, err := public.Blobs(o).PutBytes(context.Background(), append(content, method+lost.Error()...), public.BlobChunk(100))
			if err != nil {
				t.Fatalf("%s, %v: %v", method, lost, err)
			}
			mustGet(t, o.Objects, append(content, method+lost.Error()...))
			if ref.Size != int64(len(content)+len(method+lost.Error())) {
				t.Errorf("%v", ref)
			}
		}
	}
	always := &counting{Objects: f.client(), method: "chunk", fail: 1, err: reeve.ErrNoSuchObject}
	if _, err := public.Blobs(always).PutBytes(context.Background(), content); !errors.Is(err, reeve.ErrNoSuchObject) {
		t.Errorf("a master that always forgets: %v", err)
	}
	once := &forgetful{Objects: f.client(), method: "chunk", err: reeve.ErrNoSuchObject}
	if _, err := public.Blobs(once).Put(context.Background(), io.MultiReader(bytes.NewReader(content)), public.BlobChunk(100)); !errors.Is(err, reeve.ErrNoSuchObject) {
		t.Errorf("what can be read once: %v", err)
	}
}

// forgetful carries the third call of a method out, and then says that it knows
// nothing.
type forgetful struct {
	reeve.Objects
	method string
	err    error
	mu     sync.Mutex
	calls  int
}

func (o *forgetful) CallObject(ctx context.Context, c *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	a, err := o.Objects.CallObject(ctx, c)
	if c.Method == o.method {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.calls++; o.calls == 3 || o.method == "commit" && o.calls == 1 {
			return reeve.ObjectAnswer{}, o.err
		}
	}
	return a, err
}

// Chunks may come in any order, twice, and over each other.
func TestChunks_OfAnyOrderMakeTheContent(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{})
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		o, content := f.client(), contentOf(500+int(seed))
		upload, _ := begin(t, o, nil, -1)
		type span struct{ from, to int }
		var spans []span
		for from := 0; from < len(content); {
			to := min(len(content), from+1+r.IntN(60))
			spans = append(spans, span{from, to})
			if r.IntN(3) == 0 {
				spans = append(spans, span{max(0, from-r.IntN(50)), to})
			}
			from = to
		}
		r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		var sending sync.WaitGroup
		for _, s := range spans {
			sending.Go(func() {
				var offset int64
				if err := rawCall(t, o, "chunk", &offset, upload, s.from, content[s.from:s.to]); err != nil || offset < int64(s.to) {
					t.Errorf("%d to %d: %d, %v", s.from, s.to, offset, err)
				}
			})
		}
		sending.Wait()
		var size int64
		if err := rawCall(t, o, "commit", &size, upload, refOf(content).Hash); err != nil || size != int64(len(content)) {
			t.Fatalf("seed %d: %d, %v", seed, size, err)
		}
		mustGet(t, o, content)
	}
	f.check()
}

func TestCommit_OfAnotherContentIsRefused(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{})
	o := f.client()
	upload, _ := begin(t, o, nil, -1)
	if err := rawCall(t, o, "chunk", nil, upload, 0, []byte("content")); err != nil {
		t.Fatal(err)
	}
	if err := rawCall(t, o, "commit", nil, upload, refOf([]byte("other")).Hash); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("%v", err)
	}
	// It is over, nothing stays of it, and who comes late is told why.
	if err := rawCall(t, o, "chunk", nil, upload, 7, []byte("more")); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("%v", err)
	}
	hash := refOf([]byte("content")).Hash
	upload, _ = begin(t, o, hash[:], 7)
	if err := rawCall(t, o, "chunk", nil, upload, 0, []byte("con")); err != nil {
		t.Fatal(err)
	}
	if err := rawCall(t, o, "commit", nil, upload, refOf([]byte("content")).Hash); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("too early: %v", err)
	}
	// Nobody else's uploads.
	upload, _ = begin(t, o, nil, -1)
	for _, method := range []string{"chunk", "commit"} {
		args := []any{upload, 0, []byte("x")}
		if method == "commit" {
			args = []any{upload, refOf(nil).Hash}
		}
		if err := rawCall(t, f.client(), method, nil, args...); !errors.Is(err, reeve.ErrNoSuchObject) {
			t.Errorf("%s of another's: %v", method, err)
		}
	}
	if err := rawCall(t, o, "abort", nil, upload); err != nil {
		t.Fatal(err)
	}
	if n := f.store.Stats(); n.Blobs != 0 || n.Bytes != 0 || n.Uploads != 0 {
		t.Errorf("%+v", n)
	}
	f.check()
}

func TestLimits_AreCheckedBeforeAnythingIsTaken(t *testing.T) {
	t.Parallel()
	f := open(t, blob.Config{MaxBytes: 1000, MaxBlob: 600, MaxUploads: 2})
	o, ctx := f.client(), context.Background()
	s := public.Blobs(o)
	limit := func(err, kind error, name string) {
		t.Helper()
		l, ok := errors.AsType[*reeve.LimitError](err)
		if !ok || !errors.Is(err, kind) || l.Limit != name {
			t.Errorf("%v, want a limit of %s", err, name)
		}
	}
	_, err := s.PutBytes(ctx, make([]byte, 601))
	limit(err, reeve.ErrTooLarge, "bytes of a blob")
	_, err = s.Put(ctx, io.MultiReader(bytes.NewReader(make([]byte, 601))), public.BlobChunk(100))
	limit(err, reeve.ErrTooLarge, "bytes of a blob")
	mustPut(t, o, contentOf(600))
	_, err = s.PutBytes(ctx, contentOf(401))
	limit(err, reeve.ErrLimit, "bytes of blobs")
	_, err = s.Put(ctx, io.MultiReader(bytes.NewReader(contentOf(401))), public.BlobChunk(100))
	limit(err, reeve.ErrLimit, "bytes of blobs")
	mustPut(t, o, contentOf(400))

	upload, _ := begin(t, o, nil, -1)
	begin(t, o, nil, -1)
	limit(rawCall(t, o, "begin", nil, []byte{}, -1), reeve.ErrLimit, "uploads of one client")
	for name, args := range map[string][]any{
		"a chunk that is too large": {upload, 0, make([]byte, blob.MaxChunk+1)},
		"a negative offset":         {upload, -1, []byte("x")},
		"an offset that overflows":  {upload, int64(1<<63 - 1), []byte("x")},
	} {
		if err := rawCall(t, o, "chunk", nil, args...); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := rawCall(t, o, "begin", nil, []byte{}, -2); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("a size of -2: %v", err)
	}
	if err := rawCall(t, o, "begin", nil, []byte{1}, 1); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("a hash of one byte: %v", err)
	}
	for _, args := range [][]any{{refOf(contentOf(600)).Hash, 0, 0}, {refOf(contentOf(600)).Hash, 0, blob.MaxChunk + 1}} {
		if err := rawCall(t, o, "read", nil, args...); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("read%v: %v", args, err)
		}
	}
	for _, off := range []int{-1, 601} {
		if err := rawCall(t, o, "read", nil, refOf(contentOf(600)).Hash, off, 1); !errors.Is(err, reeve.ErrOutOfRange) {
			t.Errorf("read at %d: %v", off, err)
		}
	}
	for _, max := range []int{0, 1001} {
		if err := rawCall(t, o, "list", nil, []byte{}, max); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("a page of %d: %v", max, err)
		}
	}
	f.check()
}

// Chunks that wait for one that does not come take no more than so much, and are
// given up with their callers.
func TestChunks_ThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, blob.Config{})
		o := f.client()
		upload, _ := begin(t, o, nil, -1)
		ctx, cancel := context.WithCancel(context.Background())
		errs := make(chan error, 64)
		for i := range 33 {
			go func() {
				b, _ := codec.CBOR.Marshal([]any{upload, 1 + i<<20, make([]byte, 1<<20)})
				_, err := o.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: blob.Name}, Method: "chunk", Args: b})
				errs <- err
			}()
		}
		synctest.Wait()
		if n := f.store.Stats(); n.Bytes != 32<<20 {
			t.Errorf("%+v", n)
		}
		if err := <-errs; !errors.Is(err, reeve.ErrLimit) {
			t.Errorf("the 33rd: %v", err)
		}
		cancel()
		for range 32 {
			if err := <-errs; !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		}
		synctest.Wait()
		if n := f.store.Stats(); n.Bytes != 0 {
			t.Errorf("%+v", n)
		}
		f.check()
		f.close()
	})
}

func TestUpload_OfWhichNothingComesEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, blob.Config{Idle: time.Minute})
		o := f.client()
		upload, _ := begin(t, o, nil, -1)
		waits := make(chan error)
		go func() { waits <- rawCall(t, o, "chunk", nil, upload, 5, []byte("early")) }()
		time.Sleep(50 * time.Second)
		if err := rawCall(t, o, "chunk", nil, upload, 0, []byte("a")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second)
		if n := f.store.Stats(); n.Uploads != 1 || n.Bytes != 6 {
			t.Fatalf("%+v", n)
		}
		time.Sleep(2 * time.Second)
		if err := <-waits; !errors.Is(err, reeve.ErrNoSuchObject) {
			t.Errorf("who waited: %v", err)
		}
		if n := f.store.Stats(); n.Uploads != 0 || n.Bytes != 0 {
			t.Errorf("%+v", n)
		}
		f.check()
		f.close()
	})
}

// Where there is no room, those go first to which nobody refers for longest.
func TestRoom_IsMadeOfWhatNobodyNeeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, blob.Config{MaxBytes: 1000, Grace: time.Hour})
		o, ctx := f.client(), context.Background()
		s := public.Blobs(o)
		var refs []reeve.BlobRef
		for i := range 4 {
			refs = append(refs, mustPut(t, o, contentOf(240+i)))
		}
		for _, i := range []int{2, 0, 3} {
			if err := s.Release(ctx, refs[i]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		mustPut(t, o, contentOf(200))
		synctest.Wait()
		missing(t, o, refs[2])
		mustGet(t, o, contentOf(240))
		// Who looked at the second made the fourth the one that nobody needs for longest.
		mustPut(t, o, contentOf(230))
		synctest.Wait()
		missing(t, o, refs[3])
		mustGet(t, o, contentOf(240))
		mustGet(t, o, contentOf(241))
		f.check()
		f.close()
	})
}
