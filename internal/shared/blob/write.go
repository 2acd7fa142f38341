package blob

import (
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

// work does what is next for an upload, in the order of the content. What comes
// after that has to wait for its turn: one that is fast does not hold up others.
func (s *Store) work(u *upload) {
	s.mu.Lock()
	c, e := u.nextLocked()
	switch {
	case u.ended:
		s.mu.Unlock()
		u.abort()
		return
	case c == nil && e == nil:
		u.busy = false
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	if c != nil {
		s.write(u, c)
	} else {
		s.finish(u, e)
	}
	s.workers.do(func() { s.work(u) })
}

// nextLocked is the chunk, or else the end, that is next; neither: those have yet
// to come.
func (u *upload) nextLocked() (*chunk, *ending) {
	for i, c := range u.chunks {
		if c.off <= u.offset {
			u.chunks = slices.Delete(u.chunks, i, i+1)
			return c, nil
		}
	}
	if len(u.ends) > 0 && len(u.chunks) == 0 {
		return nil, u.ends[0]
	}
	return nil, nil
}

func (u *upload) abort() {
	if u.w != nil {
		u.w.Abort()
		u.w = nil
	}
}

// write writes what is new of a chunk.
func (s *Store) write(u *upload, c *chunk) {
	fresh := c.data
	if came := u.offset - c.off; came < int64(len(fresh)) { // only this job changes the offset
		fresh = fresh[came:]
	} else {
		fresh = nil
	}
	err := u.open(s.cfg.Backend)
	if err == nil && len(fresh) > 0 {
		u.sum.Write(fresh)
		_, err = u.w.Write(fresh)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.by.pending -= pendingCost(int64(len(c.data)))
	s.bytes -= int64(len(c.data) - len(fresh))
	if u.ended {
		s.bytes -= int64(len(fresh))
		return
	}
	u.offset += int64(len(fresh))
	u.heard = time.Now()
	if err != nil {
		err = fmt.Errorf("blob: upload %d: %w", u.id, err)
		c.call.Fail(err)
		s.endUploadLocked(u, err)
		return
	}
	returnInt(c.call, u.offset)
}

func (u *upload) open(b Backend) (err error) {
	if u.w == nil {
		u.w, err = b.Create()
	}
	return err
}

// finish makes a blob of an upload, if it is what it should be.
func (s *Store) finish(u *upload, e *ending) {
	sum := reeve.BlobHash(u.sum.Sum(nil))
	var err error
	switch {
	case u.size >= 0 && u.offset != u.size:
		err = fmt.Errorf("%w: %d bytes came of a blob of %d", reeve.ErrInvalid, u.offset, u.size)
	case sum != e.hash:
		err = notTheHash(sum, e.hash)
	default:
		if err = u.open(s.cfg.Backend); err == nil {
			err = u.w.Sync()
		}
		if err == nil {
			err = s.publish(u, sum)
		}
		if err == nil {
			return
		}
		err = fmt.Errorf("blob: %v: %w", sum, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endUploadLocked(u, err)
}

// notTheHash says that what came is another blob than the one that was named.
func notTheHash(came, named reeve.BlobHash) error {
	return fmt.Errorf("%w: what came is the blob %v, not %v", reeve.ErrInvalid, came, named)
}

// publish makes what was uploaded a blob, unless it is one already, of which
// those have a reference then who wait for it.
func (s *Store) publish(u *upload, sum reeve.BlobHash) error {
	s.commits.Lock()
	defer s.commits.Unlock()
	s.mu.Lock()
	b := s.entryLocked(sum)
	have := b.there && b.whole
	b.pins++ // it does not go meanwhile
	s.idle.remove(b)
	s.mu.Unlock()
	var err error
	if have {
		u.w.Abort()
	} else {
		err = u.w.Commit(sum)
	}
	u.w = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	b.pins--
	defer s.restLocked(b)
	if err != nil || u.ended && have {
		return err
	}
	if !have {
		if b.there { // it was not looked at since the start: what is there now is right
			s.there--
			s.bytes -= b.size
		}
		b.there, b.whole, b.leaving, b.damage = true, true, false, nil
		b.size, b.made = u.offset, time.Now()
		s.there++
		s.bytes += b.size
	}
	if u.ended {
		return nil
	}
	s.bytes -= u.offset // it counted so far
	ends := u.ends
	u.ends = nil
	s.takeOutLocked(u, noSuchUpload(u.id, "it is a blob now"))
	for _, e := range ends {
		if e.hash == sum {
			s.returnHeldLocked(e, b)
		} else {
			e.call.Fail(notTheHash(sum, e.hash))
		}
	}
	return nil
}
