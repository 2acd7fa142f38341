package shared

import (
	"context"
	"time"

	"github.com/reeveq/reeve"
)

// Lock is a handle of a lock: one at a time holds it, in the order in which they
// came. Any number of goroutines may use one handle, as they use a sync.Mutex:
// each Acquire counts as an owner of its own, unless [Lock.As] was called. The
// master ends the holds of a client whose connection is lost.
//
// Within a [Lock.With] the master knows that acquiring another lock keeps the
// first one from being released, and refuses what would be a deadlock, across
// clients. Outside, [Lock.As] says which locks have one owner.
type Lock struct{ held }

// LockConfig configures a lock. The zero value is fine.
type LockConfig struct {
	// Grace is how long a hold outlives the connection of its client, which has to
	// be back by then; 0: not at all. The master forgets a client after a minute at
	// most. With a grace a short break costs no hold, and the others wait that much
	// longer for one that is dead.
	Grace time.Duration `cbor:"1,keyasint,omitempty"`
}

// NewLock declares a lock. It blocks until the master has answered.
// [reeve.ErrObjectExists]: there is another object of that name.
func NewLock(ctx context.Context, o reeve.Objects, name string, cfg LockConfig) (*Lock, error) {
	x, err := declare(ctx, o, "lock", name, cfg, false)
	if err != nil {
		return nil, err
	}
	return lockOf(x, 0), nil
}

// LockOf is the lock of that name; see [ObjectOf].
func LockOf(o reeve.Objects, name string) *Lock { return LockAt(o, reeve.Ref{Name: name}) }

// LockAt is the lock that ref names.
func LockAt(o reeve.Objects, ref reeve.Ref) *Lock { return lockOf(typed(o, ref, "lock"), 0) }

func lockOf(x *Object, owner Owner) *Lock {
	return &Lock{newHeld(x, "acquire", "release", owner)}
}

// As returns a handle with which it is owner who acquires. One who holds the lock
// and acquires it again gets a [reeve.ErrDeadlock].
func (l *Lock) As(owner Owner) *Lock { return lockOf(l.Object, owner) }

// Acquire acquires the lock. It blocks until it is free, or ctx ends, after which
// nothing is held. [reeve.ErrDeadlock]: it would never become free, because
// its holder waits for this owner; a [*reeve.DeadlockError] tells the locks.
func (l *Lock) Acquire(ctx context.Context) (*Hold, error) { return l.acquire(ctx, true, nil) }

// TryAcquire is Acquire that does not wait: [reeve.ErrLocked], with who holds it.
func (l *Lock) TryAcquire(ctx context.Context) (*Hold, error) { return l.acquire(ctx, false, nil) }

// Release releases what was acquired last through this handle, as does the Release
// of that hold. [reeve.ErrNotLocked]: nobody holds the lock; [reeve.ErrNotOwner]:
// somebody else does; [reeve.ErrLeaseLost]: it was lost.
func (l *Lock) Release(ctx context.Context) error { return l.release(ctx) }

// Locked reports whether somebody holds the lock.
func (l *Lock) Locked(ctx context.Context) (bool, error) { return l.locked(ctx) }

// With calls f while the lock is held and releases it. The context that f gets
// ends when the hold is lost, with the cause. With returns the error of Acquire, or
// those of f and of Release.
func (l *Lock) With(ctx context.Context, f func(ctx context.Context, h *Hold) error) error {
	h, err := l.Acquire(ctx)
	if err != nil {
		return err
	}
	return do(ctx, h, f)
}

// typed is the object of a reference that has a type.
func typed(o reeve.Objects, ref reeve.Ref, typ string) *Object {
	if ref.Type == "" {
		ref.Type = typ
	}
	return ObjectAt(o, ref)
}
