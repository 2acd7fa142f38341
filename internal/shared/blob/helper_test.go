package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/blob"
	public "github.com/reeveq/reeve/shared"
)

// fixture is a store with a Host around it.
type fixture struct {
	t     testing.TB
	host  *shared.Host
	store *blob.Store
	last  byte

	once   sync.Once
	common *shared.Caller
}

func open(t testing.TB, cfg blob.Config) *fixture {
	t.Helper()
	f := &fixture{t: t, host: shared.New(shared.Config{})}
	var err error
	if f.store, err = blob.Open(cfg); err != nil {
		t.Fatal(err)
	}
	f.store.Begin()
	f.host.Serve(blob.Name, f.store, blob.Methods)
	t.Cleanup(f.close)
	return f
}

// close ends all, after which the same directory may be opened again.
func (f *fixture) close() {
	f.host.Close()
	f.store.Close(nil)
}

// check has the store add up. Nothing is under way.
func (f *fixture) check() {
	f.t.Helper()
	if err := f.store.Check(); err != nil {
		f.t.Error(err)
	}
}

// client is a new one with the key "k".
func (f *fixture) client() *shared.Caller {
	f.last++
	return f.again(f.last)
}

// again is a connection of the client with a number.
func (f *fixture) again(n byte) *shared.Caller {
	return f.host.NewCaller(shared.ClientID{Key: "k", Process: [16]byte{n}}, shared.Who{Name: "client"})
}

func contentOf(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	r.Read(b)
	return b
}

func refOf(b []byte) reeve.BlobRef {
	return reeve.BlobRef{Hash: sha256.Sum256(b), Size: int64(len(b))}
}

func mustPut(t testing.TB, o reeve.Objects, b []byte, opts ...public.BlobOption) reeve.BlobRef {
	t.Helper()
	ref, err := public.Blobs(o).PutBytes(context.Background(), b, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if ref != refOf(b) {
		t.Fatalf("%v, want %v", ref, refOf(b))
	}
	return ref
}

func mustGet(t testing.TB, o reeve.Objects, want []byte) {
	t.Helper()
	got, err := public.Blobs(o).Get(context.Background(), refOf(want))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v; want %d", len(got), err, len(want))
	}
}

// missing wants that there is no such blob.
func missing(t testing.TB, o reeve.Objects, ref reeve.BlobRef) {
	t.Helper()
	if i, err := public.Blobs(o).Stat(context.Background(), ref); !errors.Is(err, reeve.ErrNoSuchBlob) {
		t.Fatalf("%+v, %v", i, err)
	}
}

// counting counts calls, and fails those of a method from the n-th on.
type counting struct {
	reeve.Objects
	method string
	calls  atomic.Int64
	fail   int64 // 0: never
	err    error
}

func (o *counting) CallObject(ctx context.Context, c *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	if c.Method == o.method {
		if n := o.calls.Add(1); o.fail > 0 && n >= o.fail {
			return reeve.ObjectAnswer{}, o.err
		}
	}
	return o.Objects.CallObject(ctx, c)
}

// client0 is one that goroutines may share.
func (f *fixture) client0() *shared.Caller {
	f.once.Do(func() { f.common = f.client() })
	return f.common
}
