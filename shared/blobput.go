package shared

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"time"

	"github.com/reeveq/reeve"
)

const (
	blobChunk  = 512 << 10 // bytes that go at a time, as a rule
	blobMost   = 1 << 20   // and at most
	blobWindow = 4         // chunks under way
	blobTries  = 5         // to begin again while nothing is got done
)

// BlobOption changes how one Put works.
type BlobOption func(*blobOptions)

type blobOptions struct {
	progress func(done, size int64)
	chunk    int
	known    reeve.BlobRef
}

// BlobProgress has f called now and then with how many bytes the master has, and
// with the size; -1: it is not known. It is not called by two goroutines at once.
func BlobProgress(f func(done, size int64)) BlobOption {
	return func(o *blobOptions) { o.progress = f }
}

// BlobChunk sets how many bytes go at a time, 1 to 1 MiB. 0: 512 KiB.
func BlobChunk(n int) BlobOption { return func(o *blobOptions) { o.chunk = n } }

// BlobKnown tells what blob comes, hash and size, where it is known. A Put of what
// cannot be read twice goes on where another one was broken off.
func BlobKnown(ref reeve.BlobRef) BlobOption { return func(o *blobOptions) { o.known = ref } }

// Put makes a blob of what r gives, which is sent in chunks, and returns its
// reference. Nothing is sent of what the master has. It blocks until the master
// has all of it, in a file and synced where it keeps files, or ctx ends. This
// client refers to the blob from then on, until it calls Release as often, or is
// gone.
//
// If r is an [io.Seeker], it is read twice, from where it is to its end: first for
// the hash, so that a Put that was broken off goes on where it was, also in
// another process with the same key for some minutes. Else r is read once, and a
// Put survives a lost connection, but not a restart of the master.
//
// Errors are that of r, [reeve.ErrTooLarge], [reeve.ErrLimit] when the master has
// no room, [reeve.ErrJournalFull] when its disk is full.
func (s *BlobStore) Put(ctx context.Context, r io.Reader, opts ...BlobOption) (reeve.BlobRef, error) {
	p := &blobPut{s: s, r: r}
	for _, f := range opts {
		f(&p.blobOptions)
	}
	p.chunk = cmp.Or(p.chunk, blobChunk)
	if p.chunk < 1 || p.chunk > blobMost {
		return reeve.BlobRef{}, fmt.Errorf("%w: chunks of %d bytes, want 1 to %d", reeve.ErrInvalid, p.chunk, blobMost)
	}
	if err := p.look(ctx); err != nil {
		return reeve.BlobRef{}, err
	}
	return p.run(ctx)
}

// PutBytes is Put of b.
func (s *BlobStore) PutBytes(ctx context.Context, b []byte, opts ...BlobOption) (reeve.BlobRef, error) {
	return s.Put(ctx, bytes.NewReader(b), opts...)
}

// PutFile is Put of a file.
func (s *BlobStore) PutFile(ctx context.Context, name string, opts ...BlobOption) (reeve.BlobRef, error) {
	f, err := os.Open(name)
	if err != nil {
		return reeve.BlobRef{}, err
	}
	defer f.Close()
	if i, err := f.Stat(); err == nil && i.IsDir() {
		return reeve.BlobRef{}, fmt.Errorf("%w: %s is a directory", reeve.ErrInvalid, name)
	}
	return s.Put(ctx, f, opts...)
}

// blobPut is a Put on its way.
type blobPut struct {
	blobOptions
	s    *BlobStore
	r    io.Reader
	seek io.Seeker // nil: r is read once
	base int64     // where in seek it begins
	sum  hash.Hash // of what was read; nil: the hash is known
	pos  int64     // how much was read

	told sync.Mutex // guards the field below
	done int64
}

// look reads what can be read twice, for its hash.
func (p *blobPut) look(ctx context.Context) error {
	if seek, ok := p.r.(io.Seeker); ok {
		if base, err := seek.Seek(0, io.SeekCurrent); err == nil { // a pipe is a file that cannot
			p.seek, p.base = seek, base
		}
	}
	switch {
	case !p.known.IsZero():
		if p.known.Size == 0 && p.known.Hash != sha256.Sum256(nil) {
			p.known.Size = -1
		}
		return nil
	case p.seek == nil:
		p.sum, p.known.Size = sha256.New(), -1
		return nil
	}
	sum := sha256.New()
	n, err := io.Copy(sum, &ctxReader{ctx, p.r})
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	p.known = reeve.BlobRef{Hash: reeve.BlobHash(sum.Sum(nil)), Size: n}
	p.pos = n
	return nil
}

// ctxReader ends with ctx.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *ctxReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

// run begins, and again when the master has forgotten what came.
func (p *blobPut) run(ctx context.Context) (reeve.BlobRef, error) {
	for tries, best := 0, int64(-1); ; tries++ {
		ref, err := p.attempt(ctx)
		if err == nil || !errors.Is(err, reeve.ErrNoSuchObject) && !errors.Is(err, reeve.ErrOutcomeUnknown) {
			return ref, err
		}
		if done := p.progressed(); done > best {
			best, tries = done, 0
		}
		if tries >= blobTries || p.seek == nil && p.pos > 0 {
			return reeve.BlobRef{}, fmt.Errorf("blob: the master forgot what came before: %w", err)
		}
	}
}

func (p *blobPut) progressed() int64 {
	p.told.Lock()
	defer p.told.Unlock()
	return p.done
}

// attempt sends what the master does not have, and commits it.
func (p *blobPut) attempt(ctx context.Context) (reeve.BlobRef, error) {
	var a struct {
		_      struct{} `cbor:",toarray"`
		Have   bool
		Upload uint64
		Offset int64
		Size   int64
	}
	name := []byte{}
	if p.sum == nil {
		name = p.known.Hash[:]
	}
	if err := p.s.o.call(ctx, "begin", 0, &a, name, p.known.Size); err != nil {
		return reeve.BlobRef{}, err
	}
	if a.Have {
		p.tell(a.Size)
		return reeve.BlobRef{Hash: p.known.Hash, Size: a.Size}, nil
	}
	if err := p.goTo(ctx, a.Offset); err != nil {
		return reeve.BlobRef{}, err
	}
	if err := p.send(ctx, a.Upload); err != nil {
		if p.sum != nil && !errors.Is(err, reeve.ErrNoSuchObject) { // nobody can go on with it
			p.abort(ctx, a.Upload)
		}
		return reeve.BlobRef{}, err
	}
	return p.commit(ctx, a.Upload)
}

// abortTimeout is how long a Put that has failed waits for a master that is not
// reached: the upload ends by itself in some minutes.
const abortTimeout = time.Second

// abort gives an upload up.
func (p *blobPut) abort(ctx context.Context, upload uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	p.s.o.call(ctx, "abort", 0, nil, upload)
}

// goTo has the next Read give what is at off.
func (p *blobPut) goTo(ctx context.Context, off int64) error {
	if p.seek != nil {
		_, err := p.seek.Seek(p.base+off, io.SeekStart)
		p.pos = off
		return err
	}
	n, err := io.CopyN(io.Discard, &ctxReader{ctx, p.r}, off-p.pos)
	p.pos += n
	if err == io.EOF {
		err = fmt.Errorf("%w: only %d bytes of the blob came, the master has %d", reeve.ErrInvalid, p.pos, off)
	}
	return err
}

// send sends all from where r is to its end, some chunks at a time.
func (p *blobPut) send(ctx context.Context, upload uint64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan []byte, blobWindow)
	for range blobWindow {
		slots <- nil
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	for {
		buf := <-slots // each is given back, whatever comes
		if context.Cause(ctx) != nil {
			break
		}
		if buf == nil {
			buf = make([]byte, p.chunk)
		}
		n, err := io.ReadFull(p.r, buf)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			err = fmt.Errorf("blob: %w", err)
			cancel(err)
			sending.Wait()
			return err
		}
		if n > 0 {
			off := p.pos
			p.pos += int64(n)
			if p.sum != nil {
				p.sum.Write(buf[:n])
			}
			sending.Go(func() { // waited for before send returns
				defer func() { slots <- buf }()
				var offset int64
				if err := p.s.chunk(ctx, "chunk", &offset, upload, off, buf[:n]); err != nil {
					cancel(err)
					return
				}
				p.tell(offset)
			})
		}
		if err != nil {
			break
		}
	}
	sending.Wait()
	return context.Cause(ctx)
}

// tell notes how much the master has.
func (p *blobPut) tell(done int64) {
	p.told.Lock()
	defer p.told.Unlock()
	if done <= p.done && done > 0 {
		return
	}
	p.done = done
	if p.progress != nil {
		p.progress(done, p.known.Size)
	}
}

// commit makes a blob of what was sent.
func (p *blobPut) commit(ctx context.Context, upload uint64) (reeve.BlobRef, error) {
	ref := reeve.BlobRef{Hash: p.known.Hash}
	if p.sum != nil {
		ref.Hash = reeve.BlobHash(p.sum.Sum(nil))
	}
	err := p.s.o.call(ctx, "commit", 0, &ref.Size, upload, ref.Hash)
	if errors.Is(err, reeve.ErrOutcomeUnknown) || errors.Is(err, reeve.ErrNoSuchObject) {
		if held, holding := p.s.Hold(ctx, ref); holding == nil { // it was done before that
			return held, nil
		}
	}
	if err != nil {
		return reeve.BlobRef{}, err
	}
	return ref, nil
}
