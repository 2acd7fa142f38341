package shared

import (
	"context"
	"time"

	"github.com/reeveq/reeve"
)

// Semaphore is a handle of a semaphore: places that are held. Those who wait get
// theirs in the order in which they came, also one who wants several. A place
// comes back with its hold: released, or lost with its client.
//
// A semaphore that is not bounded is a counter, too, as Python's: who releases
// without a hold adds a place. But one that was acquired is held until it is
// released: what is used up for good is better put into a queue. The search for deadlocks leaves semaphores out.
type Semaphore struct {
	held
	open *places
}

// SemaphoreConfig configures a semaphore.
type SemaphoreConfig struct {
	// Value is how many places there are at first. With 0 there is none before a
	// Release.
	Value int `cbor:"1,keyasint,omitempty"`
	// Bounded: there are never more places than Value.
	Bounded bool `cbor:"2,keyasint,omitempty"`
	// Grace is that of [LockConfig].
	Grace time.Duration `cbor:"3,keyasint,omitempty"`
}

// NewSemaphore declares a semaphore; see [NewLock].
func NewSemaphore(ctx context.Context, o reeve.Objects, name string, cfg SemaphoreConfig) (*Semaphore, error) {
	x, err := declare(ctx, o, "semaphore", name, cfg, false)
	if err != nil {
		return nil, err
	}
	return semaphoreOf(x), nil
}

// SemaphoreOf is the semaphore of that name; see [ObjectOf].
func SemaphoreOf(o reeve.Objects, name string) *Semaphore {
	return SemaphoreAt(o, reeve.Ref{Name: name})
}

// SemaphoreAt is the semaphore that ref names.
func SemaphoreAt(o reeve.Objects, ref reeve.Ref) *Semaphore {
	return semaphoreOf(typed(o, ref, "semaphore"))
}

func semaphoreOf(x *Object) *Semaphore {
	return &Semaphore{newHeld(x, "acquire", "end", NewOwner()), newPlaces()}
}

// Acquire acquires a place. It blocks until there is one, or ctx ends, after which
// nothing is held.
func (s *Semaphore) Acquire(ctx context.Context) (*Hold, error) { return s.take(ctx, true, 1) }

// AcquireN is Acquire of n places in one hold; at least 1, at most as many as a
// bounded semaphore has, or [reeve.ErrInvalid].
func (s *Semaphore) AcquireN(ctx context.Context, n int) (*Hold, error) {
	return s.take(ctx, true, n)
}

// TryAcquire is Acquire that does not wait: [reeve.ErrLocked].
func (s *Semaphore) TryAcquire(ctx context.Context) (*Hold, error) { return s.take(ctx, false, 1) }

// TryAcquireN is AcquireN that does not wait: [reeve.ErrLocked].
func (s *Semaphore) TryAcquireN(ctx context.Context, n int) (*Hold, error) {
	return s.take(ctx, false, n)
}

func (s *Semaphore) take(ctx context.Context, wait bool, n int) (*Hold, error) {
	h, err := s.acquire(ctx, wait, n)
	if err == nil {
		s.open.add(h)
	}
	return h, err
}

// Release gives n places back without a Hold: first those that were acquired
// through this handle, the oldest ones first, whose holds end with their last place,
// and beyond these new ones.
// [reeve.ErrOverRelease]: the semaphore is bounded and so many are not held
// through this handle; none was released then.
func (s *Semaphore) Release(ctx context.Context, n int) error {
	var ended []uint64
	if err := s.call(ctx, "release", 0, &ended, s.owner, n); err != nil {
		return err
	}
	s.open.ended(ended)
	return nil
}

// Locked reports whether no place is free.
func (s *Semaphore) Locked(ctx context.Context) (bool, error) { return s.locked(ctx) }

// Value is how many places are free.
func (s *Semaphore) Value(ctx context.Context) (int, error) {
	var n int
	err := s.call(ctx, "value", reads, &n)
	return n, err
}

// With calls f while a place is held; see [Lock.With].
func (s *Semaphore) With(ctx context.Context, f func(ctx context.Context, h *Hold) error) error {
	h, err := s.Acquire(ctx)
	if err != nil {
		return err
	}
	return do(ctx, h, f)
}
