package session

import (
	"context"
	"slices"
	"sync"
)

// slots keeps account of the streams that one end has opened and that are not
// over yet. A stream is over when both ends have closed it: until then it may
// cost a window of memory.
type slots struct {
	max  int // that may be reserved
	hard int // that may be admitted

	freed chan struct{} // cap 1: told, without blocking, when it is worth looking for room again

	mu       sync.Mutex // guards the fields below
	used     []slot
	reserved int // calls of Open under way
}

type slot struct {
	stream   uint32
	peerDone bool
	done     bool
}

func newSlots(limit int) *slots {
	return &slots{
		max: limit,
		// The two ends do not see a stream end at the same moment.
		hard:  2 * limit,
		freed: make(chan struct{}, 1),
	}
}

// admit takes a slot for a stream that the peer has opened.
func (s *slots) admit(stream uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.indexLocked(stream) >= 0 {
		return violation("stream %d opened twice", stream)
	}
	if len(s.used) >= s.hard {
		return violation("more than %d streams", s.hard)
	}
	s.used = append(s.used, slot{stream: stream})
	return nil
}

// reserve waits for a slot for a stream to be opened here, until ctx or the
// session ends: the result is false then.
func (s *slots) reserve(ctx context.Context, ended <-chan struct{}) bool {
	for !s.tryReserve() {
		select {
		case <-s.freed:
		case <-ctx.Done():
			return false
		case <-ended:
			return false
		}
	}
	return true
}

func (s *slots) tryReserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.used)+s.reserved >= s.max {
		return false
	}
	s.reserved++
	if len(s.used)+s.reserved < s.max {
		s.tell() // another one may wait as well
	}
	return true
}

// fill makes a reservation the slot of a stream.
func (s *slots) fill(stream uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved--
	s.used = append(s.used, slot{stream: stream})
}

// release gives a reservation back.
func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved--
	s.tell()
}

// done says that this end has closed a stream.
func (s *slots) done(stream uint32) {
	s.end(stream, func(e *slot) { e.done = true })
}

// lingers reports whether this end has closed a stream and the peer has not.
func (s *slots) lingers(stream uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.indexLocked(stream)
	return i >= 0 && s.used[i].done
}

// peerDone says that the peer sends no more on a stream.
func (s *slots) peerDone(stream uint32) {
	s.end(stream, func(e *slot) { e.peerDone = true })
}

func (s *slots) end(stream uint32, mark func(*slot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.indexLocked(stream)
	if i < 0 {
		return
	}
	mark(&s.used[i])
	if s.used[i].done && s.used[i].peerDone {
		s.used = slices.Delete(s.used, i, i+1)
		s.tell()
	}
}

func (s *slots) indexLocked(stream uint32) int {
	return slices.IndexFunc(s.used, func(e slot) bool { return e.stream == stream })
}

func (s *slots) tell() {
	select {
	case s.freed <- struct{}{}:
	default:
	}
}
