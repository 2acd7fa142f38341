package blob

import (
	"time"

	"github.com/reeveq/reeve"
)

// lookLocked has sweep called at a time, or before.
func (s *Store) lookLocked(at time.Time) {
	if s.closed || !s.running || !s.due.IsZero() && !at.Before(s.due) {
		return
	}
	s.due = at
	if s.timer == nil {
		s.timer = time.AfterFunc(time.Until(at), s.sweep)
	} else {
		s.timer.Reset(time.Until(at))
	}
}

// sweep removes the blobs whose grace is over, and ends uploads of which nothing
// has been heard for too long.
func (s *Store) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = time.Time{}
	if s.closed {
		return
	}
	now := time.Now()
	for b := s.idle.head; b != nil && !b.rested.Add(s.cfg.Grace).After(now); b = s.idle.head {
		s.evictLocked(b)
	}
	for _, u := range s.uploads {
		if at := u.heard.Add(s.cfg.Idle); !at.After(now) {
			s.endUploadLocked(u, noSuchUpload(u.id, "nothing came for too long"))
		} else {
			s.lookLocked(at)
		}
	}
	if b := s.idle.head; b != nil {
		s.lookLocked(b.rested.Add(s.cfg.Grace))
	}
}

// evictLocked takes away a blob to which nobody refers.
func (s *Store) evictLocked(b *blob) {
	s.idle.remove(b)
	b.there, b.leaving, b.whole = false, true, false
	s.there--
	s.bytes -= b.size
	s.workers.do(func() { s.remove(b) })
}

// remove removes the content of a blob that was evicted, unless it was put again.
func (s *Store) remove(b *blob) {
	s.commits.Lock()
	defer s.commits.Unlock()
	s.mu.Lock()
	leaving := b.leaving
	s.mu.Unlock()
	if !leaving {
		return
	}
	if err := s.cfg.Backend.Remove(b.hash); err != nil {
		s.cfg.Logger.Error("a blob that nobody needs cannot be removed, and takes space until the next start", "blob", b.hash, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b.leaving = false
	s.restLocked(b)
}

// roomLocked makes room for so many more bytes, by removing blobs to which nobody
// refers, and then what came of uploads whose clients are gone.
func (s *Store) roomLocked(n int64) error {
	for s.bytes+n > s.cfg.MaxBytes {
		if s.idle.head != nil {
			s.evictLocked(s.idle.head)
		} else if !s.endOldestLocked() {
			return s.noRoomLocked(n)
		}
	}
	return nil
}

func (s *Store) noRoomLocked(n int64) error {
	return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "bytes of blobs", Value: s.bytes + n, Max: s.cfg.MaxBytes, Set: "-blob-bytes"}
}

// placeLocked makes room for one more upload, and tells when n bytes that it will
// have cannot come in now. No blob is removed for bytes that may never come.
func (s *Store) placeLocked(n int64) error {
	for s.bytes-s.idle.bytes+n > s.cfg.MaxBytes {
		if !s.endOldestLocked() {
			return s.noRoomLocked(n)
		}
	}
	if len(s.uploads) >= maxAllUploads && !s.endOldestLocked() {
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "uploads", Value: int64(len(s.uploads)) + 1, Max: maxAllUploads}
	}
	for s.there+len(s.uploads) >= s.cfg.MaxBlobs {
		if s.idle.head == nil {
			return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "blobs", Value: int64(s.there+len(s.uploads)) + 1, Max: int64(s.cfg.MaxBlobs)}
		}
		s.evictLocked(s.idle.head)
	}
	return nil
}

// endOldestLocked ends the upload of a client that is gone of which nothing has been
// heard for the longest; false: there is none.
func (s *Store) endOldestLocked() bool {
	var oldest *upload
	for _, u := range s.uploads {
		if u.party == nil && (oldest == nil || u.heard.Before(oldest.heard)) {
			oldest = u
		}
	}
	if oldest != nil {
		s.endUploadLocked(oldest, noSuchUpload(oldest.id, "others need its place"))
	}
	return oldest != nil
}
