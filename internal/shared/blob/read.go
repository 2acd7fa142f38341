package blob

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
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
		size := b.size
		s.workers.do(func() { s.check(b, size) })
	}
}

// check looks at a blob of a master before this one.
func (s *Store) check(b *blob, size int64) {
	reason, err := s.examine(b.hash, size)
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

// examine tells what is wrong with a content; err: it cannot be told.
func (s *Store) examine(hash reeve.BlobHash, size int64) (reason string, err error) {
	sum := sha256.New()
	buf := make([]byte, min(size, MaxChunk))
	for off := int64(0); off < size; {
		p := buf[:min(size-off, MaxChunk)]
		switch err := s.cfg.Backend.ReadAt(hash, p, off); {
		case errors.Is(err, fs.ErrNotExist):
			return "it is gone", nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return "it is cut short", nil
		case err != nil:
			return "", fmt.Errorf("blob: %v: %w", hash, err)
		}
		sum.Write(p)
		off += int64(len(p))
	}
	if got := reeve.BlobHash(sum.Sum(nil)); got != hash {
		return fmt.Sprintf("its content has the hash %v", got), nil
	}
	return "", nil
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
