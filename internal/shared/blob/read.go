package blob

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// wholeLocked calls then, in a job, when the content of b was seen to be right, or
// not: it is looked at if it is of a master before this one. b does not go
// meanwhile.
func (s *Store) wholeLocked(b *blob, then func(error)) {
	b.pins++
	s.idle.remove(b)
	job := func(err error) {
		then(err)
		s.mu.Lock()
		defer s.mu.Unlock()
		b.pins--
		s.restLocked(b)
	}
	if b.whole {
		s.workers.do(func() { job(nil) })
		return
	}
	b.waiting = append(b.waiting, job)
	if !b.checking {
		b.checking = true
		x := &examination{hash: b.hash, size: b.size, sum: sha256.New()}
		s.workers.do(func() { s.check(b, x) })
	}
}

// check looks at a blob of a master before this one, at a part of it at a time: what
// is large does not hold up others, nor the end of the master.
func (s *Store) check(b *blob, x *examination) {
	done, reason, err := x.next(s.cfg.Backend)
	if !done {
		s.mu.Lock()
		closed := s.closed
		s.mu.Unlock()
		if !closed {
			s.workers.do(func() { s.check(b, x) })
			return
		}
		err = reeve.ErrClosed
	}
	s.commits.Lock()
	defer s.commits.Unlock()
	s.mu.Lock()
	if b.whole { // it was put again meanwhile
		reason, err = "", nil
	}
	s.mu.Unlock()
	if reason != "" {
		file, aside := s.cfg.Backend.SetAside(b.hash)
		err = &DamagedError{Hash: b.hash, File: file, Reason: reason}
		s.cfg.Logger.Error("a blob is damaged: it is set aside, and may be put again", "blob", b.hash, "file", file, "reason", reason, "err", aside)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := b.waiting
	b.waiting, b.checking = nil, false
	switch {
	case reason != "" && b.there:
		b.there, b.damage = false, err
		s.there--
		s.bytes -= b.size
	case err == nil:
		b.whole = true
	}
	for _, then := range waiting {
		s.workers.do(func() { then(err) })
	}
}

// examination is a look at a content.
type examination struct {
	hash      reeve.BlobHash
	size, off int64
	sum       hash.Hash
}

// maxExamined is how much is looked at at a time.
const maxExamined = 8 << 20

// next looks at the next part. When it is done, reason is what is wrong with the
// content; err: it cannot be told.
func (x *examination) next(from Backend) (done bool, reason string, err error) {
	buf := make([]byte, min(x.size, MaxChunk))
	for end := min(x.size, x.off+maxExamined); x.off < end; {
		p := buf[:min(end-x.off, MaxChunk)]
		switch err := from.ReadAt(x.hash, p, x.off); {
		case errors.Is(err, fs.ErrNotExist):
			return true, "it is gone", nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return true, "it is cut short", nil
		case err != nil:
			return true, "", fmt.Errorf("blob: %v: %w", x.hash, err)
		}
		x.sum.Write(p)
		x.off += int64(len(p))
	}
	if x.off < x.size {
		return false, "", nil
	}
	if got := reeve.BlobHash(x.sum.Sum(nil)); got != x.hash {
		return true, fmt.Sprintf("its content has the hash %v", got), nil
	}
	return true, "", nil
}

// read answers with what b has from off on.
func (s *Store) read(c *shared.Call, b *blob, off, n int64, err error) {
	if err != nil {
		c.Fail(err)
		return
	}
	value := bytesHead(int(n))
	head := len(value)
	value = append(value, make([]byte, n)...)
	if err := s.cfg.Backend.ReadAt(b.hash, value[head:], off); err != nil {
		c.Fail(fmt.Errorf("blob: %v: %w", b.hash, err))
		return
	}
	c.Return(value)
}

// bytesHead is how a CBOR byte string of n bytes begins, with room for these.
func bytesHead(n int) []byte {
	const major = 2 << 5
	b := make([]byte, 0, 5+n)
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
}
