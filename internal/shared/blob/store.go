package blob

import (
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// Store has the blobs of one master. Methods are safe for concurrent use. It is
// the object behind $blobs; see [Methods].
type Store struct {
	cfg     Config
	workers workers

	// commits is held while a blob is committed or removed. It is taken before mu.
	commits sync.Mutex

	mu      sync.Mutex // guards the fields below; taken after queues' mutexes and before those of clients
	blobs   map[reeve.BlobHash]*blob
	idle    idleList
	there   int   // how many blobs are
	bytes   int64 // of the blobs that are there, and of what came of uploads
	parties map[*shared.Client]*party
	uploads map[uint64]*upload
	ended   [64]upEnd // why the last ones ended; used in turn
	ends    int
	timer   *time.Timer
	due     time.Time // when the timer ends; zero: it does not run
	running bool      // what nobody refers to is removed
	closed  bool
}

// blob is one that is there, or that somebody refers to.
type blob struct {
	hash    reeve.BlobHash
	size    int64
	made    time.Time
	there   bool
	leaving bool  // not there any more, but what it was is still to be removed
	whole   bool  // its content was seen to be right by this process
	damage  error // why it is not there

	tasks   int // that name it, results included
	clients int // that have it open
	pins    int // jobs that need it

	checking bool
	waiting  []func(err error) // for the end of the check

	rested     time.Time // since when it is in the idle list
	in         bool
	prev, next *blob
}

// party is what a client does with blobs.
type party struct {
	client  *shared.Client
	holds   map[*blob]int
	uploads map[*upload]struct{}
	pending int64 // what chunks cost that are not written yet
	reading int64 // and those that are read
}

// Open makes a store with what its backend has: nobody refers to any of it, and all
// of it stays until Begin.
func Open(cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, blobs: map[reeve.BlobHash]*blob{}, parties: map[*shared.Client]*party{}, uploads: map[uint64]*upload{},
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := cfg.Backend.Load(func(hash reeve.BlobHash, size int64) {
		b := s.entryLocked(hash)
		b.there, b.size, b.made = true, size, now
		s.there++
		s.bytes += size
		s.restLocked(b)
	})
	if err != nil {
		s.stopLocked()
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return s, nil
}

// Begin says that the tasks of a master before this one have been kept: from now
// on what nobody refers to is removed.
func (s *Store) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = true
	now := time.Now()
	for b := s.idle.head; b != nil; b = b.next {
		b.rested = now
	}
	s.lookLocked(now.Add(s.cfg.Grace))
}

// Close ends uploads and waits for what is being written and read. Blobs stay as
// the backend keeps them. Calls must have ended.
func (s *Store) Close(error) {
	s.mu.Lock()
	if !s.closed {
		s.stopLocked()
		for _, u := range s.uploads {
			s.endUploadLocked(u, reeve.ErrClosed)
		}
	}
	s.mu.Unlock()
	s.workers.wait()
}

func (s *Store) stopLocked() {
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *Store) entryLocked(hash reeve.BlobHash) *blob {
	b := s.blobs[hash]
	if b == nil {
		b = &blob{hash: hash}
		s.blobs[hash] = b
	}
	return b
}

// Take counts a task for each of refs; all or none. [reeve.ErrNoSuchBlob].
func (s *Store) Take(refs []reeve.BlobRef) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range refs {
		b, err := s.findLocked(r.Hash)
		if err != nil {
			s.dropLocked(refs[:i])
			return err
		}
		b.tasks++
		s.idle.remove(b)
	}
	return nil
}

// Keep counts a task for each of refs, which may be missing.
func (s *Store) Keep(refs []reeve.BlobRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range refs {
		b := s.entryLocked(r.Hash)
		b.tasks++
		s.idle.remove(b)
	}
}

// Drop takes a Take or a Keep back.
func (s *Store) Drop(refs []reeve.BlobRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLocked(refs)
}

func (s *Store) dropLocked(refs []reeve.BlobRef) {
	for _, r := range refs {
		b := s.blobs[r.Hash]
		b.tasks--
		s.restLocked(b)
	}
}

// findLocked finds a blob that is there.
func (s *Store) findLocked(hash reeve.BlobHash) (*blob, error) {
	b := s.blobs[hash]
	switch {
	case b != nil && b.there:
		return b, nil
	case b != nil && b.damage != nil:
		return nil, b.damage
	}
	return nil, fmt.Errorf("%w: %v", reeve.ErrNoSuchBlob, hash)
}

// restLocked sees to a blob that may be one to which nobody refers.
func (s *Store) restLocked(b *blob) {
	if b.tasks > 0 || b.clients > 0 || b.pins > 0 {
		return
	}
	switch {
	case b.there:
		s.idle.remove(b)
		b.rested = time.Now()
		s.idle.add(b)
		s.lookLocked(b.rested.Add(s.cfg.Grace))
	case !b.leaving:
		delete(s.blobs, b.hash)
	}
}

// touchLocked notes that somebody has looked at b.
func (s *Store) touchLocked(b *blob) {
	if b.in {
		s.restLocked(b)
	}
}

// info is what people see of b.
func (s *Store) infoLocked(b *blob) reeve.BlobInfo {
	i := reeve.BlobInfo{Ref: reeve.BlobRef{Hash: b.hash, Size: b.size}, Made: b.made, Tasks: b.tasks, Clients: b.clients}
	if b.in {
		i.Until = b.rested.Add(s.cfg.Grace)
	}
	return i
}

// Stats are the numbers of a store.
type Stats struct {
	Blobs   int   // that are there
	Bytes   int64 // of these, and of what came of uploads
	Max     int64
	Uploads int
}

// Stats returns the store's numbers.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Blobs: s.there, Bytes: s.bytes, Max: s.cfg.MaxBytes, Uploads: len(s.uploads)}
}

// idleList has the blobs to which nobody refers, the longest first.
type idleList struct {
	head, tail *blob
	bytes      int64 // of theirs
}

func (l *idleList) add(b *blob) {
	b.prev, b.next, b.in = l.tail, nil, true
	l.bytes += b.size
	if l.tail != nil {
		l.tail.next = b
	} else {
		l.head = b
	}
	l.tail = b
}

func (l *idleList) remove(b *blob) {
	if !b.in {
		return
	}
	if b.prev != nil {
		b.prev.next = b.next
	} else {
		l.head = b.next
	}
	if b.next != nil {
		b.next.prev = b.prev
	} else {
		l.tail = b.prev
	}
	b.prev, b.next, b.in = nil, nil, false
	l.bytes -= b.size
}
