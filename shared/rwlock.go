package shared

import (
	"context"

	"github.com/reeveq/reeve"
)

// RWLock is a handle of a lock that any number may hold for reading, or one for
// writing. All get it in the order in which they came, so that neither side waits
// for ever: who wants to read waits behind one who wants to write. Owners are as
// with [Lock].
type RWLock struct{ held }

// NewRWLock declares a lock for readers and writers; see [NewLock].
func NewRWLock(ctx context.Context, o reeve.Objects, name string, cfg LockConfig) (*RWLock, error) {
	x, err := declare(ctx, o, "rwlock", name, cfg, false)
	if err != nil {
		return nil, err
	}
	return rwlockOf(x, 0), nil
}

// RWLockOf is the lock of that name; see [ObjectOf].
func RWLockOf(o reeve.Objects, name string) *RWLock { return RWLockAt(o, reeve.Ref{Name: name}) }

// RWLockAt is the lock that ref names.
func RWLockAt(o reeve.Objects, ref reeve.Ref) *RWLock { return rwlockOf(typed(o, ref, "rwlock"), 0) }

func rwlockOf(x *Object, owner Owner) *RWLock {
	return &RWLock{newHeld(x, "acquire", "release", owner)}
}

// As returns a handle with which it is owner who acquires. An owner that reads and
// wants to write gets a [reeve.ErrDeadlock]: it has to release first.
func (l *RWLock) As(owner Owner) *RWLock { return rwlockOf(l.Object, owner) }

// Acquire acquires the lock for writing; see [Lock.Acquire].
func (l *RWLock) Acquire(ctx context.Context) (*Hold, error) { return l.acquire(ctx, true, true) }

// TryAcquire is Acquire that does not wait: [reeve.ErrLocked].
func (l *RWLock) TryAcquire(ctx context.Context) (*Hold, error) { return l.acquire(ctx, false, true) }

// AcquireRead acquires the lock for reading; see [Lock.Acquire].
func (l *RWLock) AcquireRead(ctx context.Context) (*Hold, error) { return l.acquire(ctx, true, false) }

// TryAcquireRead is AcquireRead that does not wait: [reeve.ErrLocked].
func (l *RWLock) TryAcquireRead(ctx context.Context) (*Hold, error) {
	return l.acquire(ctx, false, false)
}

// Release releases what was acquired last through this handle; see [Lock.Release].
// Where goroutines share a handle, each is to release its own [Hold].
func (l *RWLock) Release(ctx context.Context) error { return l.release(ctx) }

// Locked tells how many hold the lock for reading, and whether one does for
// writing.
func (l *RWLock) Locked(ctx context.Context) (readers int, written bool, err error) {
	var a struct {
		_       struct{} `cbor:",toarray"`
		Readers int
		Written bool
	}
	err = l.call(ctx, "locked", reads, &a)
	return a.Readers, a.Written, err
}

// With calls f while the lock is held for writing; see [Lock.With].
func (l *RWLock) With(ctx context.Context, f func(ctx context.Context, h *Hold) error) error {
	h, err := l.Acquire(ctx)
	if err != nil {
		return err
	}
	return do(ctx, h, f)
}

// WithRead calls f while the lock is held for reading; see [Lock.With].
func (l *RWLock) WithRead(ctx context.Context, f func(ctx context.Context, h *Hold) error) error {
	h, err := l.AcquireRead(ctx)
	if err != nil {
		return err
	}
	return do(ctx, h, f)
}
