package shared

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/reeveq/reeve"
)

// Blob is a blob that is open to be read: an [io.ReadSeekCloser] and an
// [io.ReaderAt]. Read and Seek are for one goroutine at a time; what is next is
// under way before Read asks for it. Who reads from the beginning to the end gets
// [io.EOF] only if the content has the right hash, [reeve.ErrProtocol] else.
type Blob struct {
	s   *BlobStore
	ref reeve.BlobRef

	ctx   context.Context
	end   context.CancelFunc
	gone  sync.WaitGroup
	ahead []*blobPart // from pos on, or before it
	pos   int64
	sum   hash.Hash // of all before pos; nil: it is not known
}

// blobPart is a part of a blob that is under way, or has come.
type blobPart struct {
	off  int64
	data []byte
	err  error
	came chan struct{}
}

// Open opens a blob, which lives at least until Close, as long as the master does:
// one that was restarted has forgotten who reads, and keeps the blob for its grace
// after each Read. ctx bounds what is read, too. [reeve.ErrNoSuchBlob].
func (s *BlobStore) Open(ctx context.Context, ref reeve.BlobRef) (*Blob, error) {
	ref, err := s.Hold(ctx, ref)
	if err != nil {
		return nil, err
	}
	b := &Blob{s: s, ref: ref, sum: sha256.New()}
	b.ctx, b.end = context.WithCancel(ctx)
	return b, nil
}

// Ref is the reference, with the size.
func (b *Blob) Ref() reeve.BlobRef { return b.ref }

// Size is the blob's, in bytes.
func (b *Blob) Size() int64 { return b.ref.Size }

// closeTimeout is how long Close waits for a master that is not reached.
const closeTimeout = 5 * time.Second

// Close ends reading and releases the blob. Further calls return
// [reeve.ErrClosed]. It blocks for five seconds if the master is not reached, and
// returns why: the blob is released when this client is gone.
func (b *Blob) Close() error {
	if b.s == nil {
		return reeve.ErrClosed
	}
	b.end()
	b.gone.Wait()
	s := b.s
	b.s, b.ahead = nil, nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), closeTimeout)
	defer cancel()
	return s.Release(ctx, b.ref)
}

// Read reads what is next.
func (b *Blob) Read(p []byte) (int, error) {
	switch {
	case b.s == nil:
		return 0, reeve.ErrClosed
	case len(p) == 0:
		return 0, nil
	case b.pos >= b.ref.Size:
		if b.sum != nil {
			if err := sameHash(b.ref, [sha256.Size]byte(b.sum.Sum(nil))); err != nil {
				return 0, err
			}
		}
		return 0, io.EOF
	}
	b.fetchAhead()
	part := b.ahead[0]
	select {
	case <-part.came:
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
	if part.err != nil {
		b.ahead = nil // the next Read tries again
		return 0, part.err
	}
	n := copy(p, part.data[b.pos-part.off:])
	b.pos += int64(n)
	if b.sum != nil {
		b.sum.Write(p[:n])
	}
	if b.pos == part.off+int64(len(part.data)) {
		b.ahead = b.ahead[1:]
	}
	return n, nil
}

// fetchAhead has as many parts under way as there may be.
func (b *Blob) fetchAhead() {
	next := b.pos
	if n := len(b.ahead); n > 0 {
		next = b.ahead[n-1].off + blobChunk
	}
	for ; len(b.ahead) < blobWindow && next < b.ref.Size; next += blobChunk {
		part := &blobPart{off: next, came: make(chan struct{})}
		b.ahead = append(b.ahead, part)
		s, n := b.s, min(blobChunk, b.ref.Size-next)
		b.gone.Go(func() { // ends with b.ctx; Close waits for it
			defer close(part.came)
			part.data = make([]byte, n)
			part.err = s.readPart(b.ctx, b.ref, part.data, part.off)
		})
	}
}

// readPart fills p with what the blob has from off on.
func (s *BlobStore) readPart(ctx context.Context, ref reeve.BlobRef, p []byte, off int64) error {
	var data []byte
	if err := s.chunk(ctx, "read", &data, ref.Hash, off, len(p)); err != nil {
		return err
	}
	if len(data) != len(p) {
		return fmt.Errorf("%w: %d bytes of the blob %v at %d, want %d", reeve.ErrProtocol, len(data), ref.Hash, off, len(p))
	}
	copy(p, data)
	return nil
}

// Seek sets where the next Read begins; [reeve.ErrInvalid].
func (b *Blob) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.pos
	case io.SeekEnd:
		offset += b.ref.Size
	}
	switch {
	case b.s == nil:
		return 0, reeve.ErrClosed
	case offset < 0 || whence < io.SeekStart || whence > io.SeekEnd:
		return 0, fmt.Errorf("%w: seek to %d", reeve.ErrInvalid, offset)
	case offset == b.pos:
		return b.pos, nil
	}
	b.pos, b.ahead, b.sum = offset, nil, nil
	if offset == 0 {
		b.sum = sha256.New()
	}
	return offset, nil
}

// ReadAt reads what is at off, several chunks at a time. It may be called by any
// number of goroutines, but not during Close.
func (b *Blob) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case b.s == nil:
		return 0, reeve.ErrClosed
	case off < 0:
		return 0, fmt.Errorf("%w: offset %d", reeve.ErrInvalid, off)
	case off >= b.ref.Size:
		return 0, io.EOF
	}
	n := min(int64(len(p)), b.ref.Size-off)
	if err := b.fill(b.ctx, p[:n], off); err != nil {
		return 0, err
	}
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// fill fills p with what is from off on.
func (b *Blob) fill(ctx context.Context, p []byte, off int64) error {
	if len(p) <= blobChunk {
		if len(p) == 0 {
			return nil
		}
		return b.s.readPart(ctx, b.ref, p, off)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type part struct {
		p   []byte
		off int64
	}
	parts := make(chan part)
	var reading sync.WaitGroup
	for range min(blobWindow, (len(p)+blobChunk-1)/blobChunk) {
		reading.Go(func() { // waited for below
			for x := range parts {
				if err := b.s.readPart(ctx, b.ref, x.p, x.off); err != nil {
					cancel(err)
				}
			}
		})
	}
	for len(p) > 0 && ctx.Err() == nil {
		n := min(blobChunk, len(p))
		parts <- part{p[:n], off}
		p, off = p[n:], off+int64(n)
	}
	close(parts)
	reading.Wait()
	return context.Cause(ctx)
}

var (
	_ io.ReadSeekCloser = (*Blob)(nil)
	_ io.ReaderAt       = (*Blob)(nil)
)
