package shared

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/reeveq/reeve"
)

// BlobStore is where a master keeps blobs: large values that are put once, in
// chunks, and named by their content. Methods are safe for concurrent use.
type BlobStore struct{ o *Object }

// Blobs is the master's store of blobs. It costs nothing and asks nobody.
func Blobs(o reeve.Objects) *BlobStore { return &BlobStore{o: ObjectOf(o, "$blobs")} }

// Stat tells of a blob. [reeve.ErrNoSuchBlob].
func (s *BlobStore) Stat(ctx context.Context, ref reeve.BlobRef) (reeve.BlobInfo, error) {
	var i reeve.BlobInfo
	err := s.o.call(ctx, "stat", reads, &i, ref.Hash)
	return i, err
}

// Hold has this client refer to a blob, until Release is called as often or the
// client is gone, and returns the reference with the size. [reeve.ErrNoSuchBlob].
func (s *BlobStore) Hold(ctx context.Context, ref reeve.BlobRef) (reeve.BlobRef, error) {
	err := s.o.call(ctx, "hold", 0, &ref.Size, ref.Hash)
	return ref, err
}

// Release takes back that this client refers to a blob, because of a Put or a
// Hold. When no client and no task does any more, the blob is removed after a
// grace, a minute as a rule. To release what is not held does nothing.
func (s *BlobStore) Release(ctx context.Context, ref reeve.BlobRef) error {
	return s.o.call(ctx, "release", 0, nil, ref.Hash)
}

// All lists the blobs, in the order of their hashes. An error is the last that is
// yielded.
func (s *BlobStore) All(ctx context.Context) iter.Seq2[reeve.BlobInfo, error] {
	return func(yield func(reeve.BlobInfo, error) bool) {
		for after, more := []byte{}, true; more; {
			var page struct {
				_     struct{} `cbor:",toarray"`
				Items []reeve.BlobInfo
				Next  []byte
			}
			if err := s.o.call(ctx, "list", reads, &page, after, pageSize); err != nil {
				yield(reeve.BlobInfo{}, err)
				return
			}
			for _, i := range page.Items {
				if !yield(i, nil) {
					return
				}
			}
			after, more = page.Next, len(page.Next) > 0
		}
	}
}

// Get returns the whole content of a blob, in memory, after a look at its hash.
// Several chunks are under way at a time. [reeve.ErrNoSuchBlob].
func (s *BlobStore) Get(ctx context.Context, ref reeve.BlobRef) ([]byte, error) {
	b, err := s.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	content := make([]byte, b.Size())
	err = b.fill(ctx, content, 0)
	if closing := b.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	if err := sameHash(ref, sha256.Sum256(content)); err != nil {
		return nil, err
	}
	return content, nil
}

// pendingLimit is what a master says when too much of this client is under way: a
// little later there is room again.
const pendingLimit = "bytes of one client's chunks under way"

// chunk calls a method that carries a part of a content. It may wait for those before it.
func (s *BlobStore) chunk(ctx context.Context, method string, out any, args ...any) error {
	for wait := time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := s.o.call(ctx, method, reads|waits, out, args...)
		if limit, ok := errors.AsType[*reeve.LimitError](err); !ok || limit.Limit != pendingLimit {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// sameHash tells when what came is not what was asked for.
func sameHash(ref reeve.BlobRef, sum [sha256.Size]byte) error {
	if ref.Hash == sum {
		return nil
	}
	return fmt.Errorf("%w: what the master sent of the blob %v has the hash %v", reeve.ErrProtocol, ref.Hash, reeve.BlobHash(sum))
}
