package blob

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// upload is a blob on its way. It is guarded by Store.mu, but for what its job
// has.
type upload struct {
	id    uint64
	key   string // of the client that began it
	party *party // whose it is; nil: the client is gone, and another may go on
	named bool   // hash is known beforehand
	hash  reeve.BlobHash
	size  int64 // -1: not known
	heard time.Time

	offset int64    // up to here all is written
	chunks []*chunk // that wait, for their turn or for those before them
	ends   []*ending
	busy   bool // a job is at it
	ended  bool

	// Owned by the job.
	w   Writer
	sum hash.Hash
}

// upEnd is the end of an upload: chunks that come late are told of it.
type upEnd struct {
	id    uint64
	by    *shared.Client
	cause error
}

// chunk is a part of a content that waits to be written.
type chunk struct {
	call *shared.Call
	by   *party // whose it counts as
	off  int64
	data []byte
}

// ending is a call that waits for the end of an upload.
type ending struct {
	call *shared.Call
	hash reeve.BlobHash
}

func noSuchUpload(id uint64, why string) error {
	return fmt.Errorf("%w: upload %d: %s", reeve.ErrNoSuchObject, id, why)
}

// beginLocked begins an upload, or finds the one that a client can go on with.
func (s *Store) beginLocked(cl *shared.Client, named bool, hash reeve.BlobHash, size int64) (*upload, error) {
	if size > s.cfg.MaxBlob {
		return nil, &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of a blob", Value: size, Max: s.cfg.MaxBlob, Set: "-blob-bytes"}
	}
	p := s.partyLocked(cl)
	defer s.leaveLocked(p)
	if u := s.resumeLocked(p, named, hash, size); u != nil {
		return u, nil
	}
	if n := len(p.uploads); n >= s.cfg.MaxUploads {
		return nil, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "uploads of one client", Value: int64(n) + 1, Max: int64(s.cfg.MaxUploads)}
	}
	if err := s.placeLocked(max(size, 0)); err != nil {
		return nil, err
	}
	u := &upload{key: cl.ID().Key, party: p, named: named, hash: hash, size: size, heard: time.Now(), sum: sha256.New()}
	for u.id == 0 || s.uploads[u.id] != nil {
		u.id = rand.Uint64() >> 1
	}
	s.uploads[u.id] = u
	p.uploads[u] = struct{}{}
	s.lookLocked(u.heard.Add(s.cfg.Idle))
	return u, nil
}

// resumeLocked finds an upload of the same content that is the client's, or was
// that of one with the same key which is not connected; nil: there is none.
func (s *Store) resumeLocked(p *party, named bool, hash reeve.BlobHash, size int64) *upload {
	if !named {
		return nil
	}
	for _, u := range s.uploads {
		if !u.named || u.hash != hash || u.size != size || u.key != p.client.ID().Key {
			continue
		}
		if u.party != p {
			if u.party != nil && u.party.client.Connected() || len(p.uploads) >= s.cfg.MaxUploads {
				continue
			}
			s.adoptLocked(u, p)
		}
		u.heard = time.Now()
		return u
	}
	return nil
}

func (s *Store) adoptLocked(u *upload, p *party) {
	if was := u.party; was != nil {
		delete(was.uploads, u)
		s.leaveLocked(was)
	}
	u.party = p
	p.uploads[u] = struct{}{}
}

// findUploadLocked finds an upload of a client.
func (s *Store) findUploadLocked(cl *shared.Client, id uint64) (*upload, error) {
	u := s.uploads[id]
	for i := range s.ended {
		if e := &s.ended[i]; u == nil && e.id == id && e.by == cl && e.cause != nil {
			return nil, e.cause
		}
	}
	if u == nil || u.party == nil || u.party.client != cl {
		return nil, noSuchUpload(id, "it has ended, or was begun by another client")
	}
	u.heard = time.Now()
	return u, nil
}

// addLocked takes a chunk in, whose call waits until it is written.
func (s *Store) addLocked(u *upload, c *chunk) error {
	n, p := int64(len(c.data)), u.party
	end := c.off + n
	switch {
	case c.off < 0 || n > MaxChunk || end < c.off:
		return fmt.Errorf("%w: chunk of %d bytes at %d, want at most %d", reeve.ErrInvalid, n, c.off, MaxChunk)
	case u.size >= 0 && end > u.size:
		return fmt.Errorf("%w: chunk up to %d of a blob of %d bytes", reeve.ErrInvalid, end, u.size)
	case end > s.cfg.MaxBlob:
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of a blob", Value: end, Max: s.cfg.MaxBlob, Set: "-blob-bytes"}
	case end <= u.offset: // it came before
		shared.ReturnValue(c.call, u.offset)
		return nil
	}
	if err := p.pendingError(n); err != nil {
		return err
	}
	if err := s.roomLocked(n); err != nil {
		return err
	}
	s.bytes += n
	p.pending += pendingCost(n)
	c.by = p
	u.chunks = append(u.chunks, c)
	c.call.Park(func(error) { s.dropChunk(u, c) })
	s.workLocked(u)
	return nil
}

// dropChunk forgets a chunk whose caller waits no more, if it still waits itself.
func (s *Store) dropChunk(u *upload, c *chunk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(u.chunks, c); i >= 0 {
		u.chunks = slices.Delete(u.chunks, i, i+1)
		s.refundLocked(c)
	}
}

// refundLocked gives back what a chunk counted for that will not be written.
func (s *Store) refundLocked(c *chunk) {
	s.bytes -= int64(len(c.data))
	c.by.pending -= pendingCost(int64(len(c.data)))
}

// endLocked has an upload end as soon as all is written.
func (s *Store) endLocked(u *upload, e *ending) {
	u.ends = append(u.ends, e)
	e.call.Park(func(error) {}) // it ends all the same
	s.workLocked(u)
}

// workLocked has a job see to u.
func (s *Store) workLocked(u *upload) {
	if !u.busy {
		u.busy = true
		s.workers.do(func() { s.work(u) })
	}
}

// endUploadLocked gives an upload up.
func (s *Store) endUploadLocked(u *upload, cause error) {
	if u.ended {
		return
	}
	s.takeOutLocked(u, cause)
	s.bytes -= u.offset
	s.workLocked(u) // which aborts it
}

// takeOutLocked makes u unknown, and answers who waits for something else than
// its end.
func (s *Store) takeOutLocked(u *upload, cause error) {
	u.ended = true
	delete(s.uploads, u.id)
	for _, c := range u.chunks {
		s.refundLocked(c)
		c.call.Fail(cause)
	}
	for _, e := range u.ends {
		e.call.Fail(cause)
	}
	u.chunks, u.ends = nil, nil
	if p := u.party; p != nil {
		s.ended[s.ends%len(s.ended)] = upEnd{u.id, p.client, cause}
		s.ends++
		delete(p.uploads, u)
		s.leaveLocked(p)
	}
}
