package session

import (
	"context"
	"slices"
	"sync"
	"time"
)

// slots keeps account of the streams that one end has opened and that are not
// over yet. A stream is over when both ends have closed it, or some time
// after this end has: yamux then gives it up, and until then it may still
// cost a window of memory.
type slots struct {
	max    int           // that may be reserved
	hard   int           // that may be admitted
	linger time.Duration // how long a stream closed here waits for the peer
	clock  func() time.Duration

	freed chan struct{} // cap 1: told, without blocking, when it is worth looking for room again

	mu       sync.Mutex // guards the fields below
	used     []slot
	reserved int // calls of Open under way
}

type slot struct {
	stream   uint32
	peerDone bool
	done     bool
	doneAt   time.Duration
}

func newSlots(limit int, linger time.Duration, clock func() time.Duration) *slots {
	return &slots{
		max: limit,
		// The two ends do not see a stream end at the same moment.
		hard:   2 * limit,
		linger: linger,
		clock:  clock,
		freed:  make(chan struct{}, 1),
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
		s.sweepLocked()
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
	for {
		ok, next := s.tryReserve()
		if ok {
			return true
		}
		if !s.waitRoom(ctx, ended, next) {
			return false
		}
	}
}

// tryReserve also tells how long it is until a slot is given up, if that is
// known, else 0.
func (s *slots) tryReserve() (bool, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.sweepLocked()
	if len(s.used)+s.reserved >= s.max {
		return false, next
	}
	s.reserved++
	if len(s.used)+s.reserved < s.max {
		s.tell() // another one may wait as well
	}
	return true, 0
}

func (s *slots) waitRoom(ctx context.Context, ended <-chan struct{}, next time.Duration) bool {
	var expiry <-chan time.Time
	if next > 0 {
		t := time.NewTimer(next)
		defer t.Stop()
		expiry = t.C
	}
	select {
	case <-s.freed:
	case <-expiry:
	case <-ctx.Done():
		return false
	case <-ended:
		return false
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
	now := s.clock()
	s.end(stream, func(e *slot) {
		e.done = true
		e.doneAt = now
	})
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
	}
	s.tell() // there is room, or there will be at a known time
}

// sweepLocked gives up the slots that lingered long enough, and returns the
// time until the next will have, 0 if there is none.
func (s *slots) sweepLocked() time.Duration {
	now := s.clock()
	var next time.Duration
	s.used = slices.DeleteFunc(s.used, func(e slot) bool {
		left := e.doneAt + s.linger - now
		if e.done && left > 0 && (next == 0 || left < next) {
			next = left
		}
		return e.done && left <= 0
	})
	return next
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
