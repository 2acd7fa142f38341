package shared

import (
	"context"

	"github.com/reeveq/reeve"
)

// RLock is a handle of a lock that its owner may acquire again, and has to release
// as often. Each handle is an owner of its own, whatever goroutine uses it; see
// [RLock.As].
type RLock struct{ held }

// NewRLock declares a re-entrant lock; see [NewLock].
func NewRLock(ctx context.Context, o reeve.Objects, name string, cfg LockConfig) (*RLock, error) {
	x, err := declare(ctx, o, "rlock", name, cfg, false)
	if err != nil {
		return nil, err
	}
	return rlockOf(x, NewOwner()), nil
}

// RLockOf is the re-entrant lock of that name; see [ObjectOf].
func RLockOf(o reeve.Objects, name string) *RLock { return RLockAt(o, reeve.Ref{Name: name}) }

// RLockAt is the re-entrant lock that ref names.
func RLockAt(o reeve.Objects, ref reeve.Ref) *RLock {
	return rlockOf(typed(o, ref, "rlock"), NewOwner())
}

func rlockOf(x *Object, owner Owner) *RLock {
	return &RLock{newHeld(x, "acquire", "release", owner)}
}

// As returns a handle with which it is owner who acquires.
func (l *RLock) As(owner Owner) *RLock { return rlockOf(l.Object, owner) }

// Owner is who acquires with this handle.
func (l *RLock) Owner() Owner { return l.owner }

// Acquire acquires the lock, at once if its owner holds it already; all its holds
// have one token then. See [Lock.Acquire].
func (l *RLock) Acquire(ctx context.Context) (*Hold, error) { return l.acquire(ctx, true, nil) }

// TryAcquire is Acquire that does not wait: [reeve.ErrLocked].
func (l *RLock) TryAcquire(ctx context.Context) (*Hold, error) { return l.acquire(ctx, false, nil) }

// Release takes back one Acquire of this owner; see [Lock.Release].
func (l *RLock) Release(ctx context.Context) error { return l.release(ctx) }

// Locked reports whether somebody holds the lock.
func (l *RLock) Locked(ctx context.Context) (bool, error) { return l.locked(ctx) }

// With calls f while the lock is held; see [Lock.With].
func (l *RLock) With(ctx context.Context, f func(ctx context.Context, h *Hold) error) error {
	h, err := l.Acquire(ctx)
	if err != nil {
		return err
	}
	return do(ctx, h, f)
}
