package shared

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reeveq/reeve"
)

// granted is the answer to a method that makes a hold.
type granted struct {
	_        struct{} `cbor:",toarray"`
	Token    uint64
	Grace    time.Duration
	Notified bool
}

// held is the part of a handle of what can be held.
type held struct {
	*Object
	acquireBy, releaseBy string // methods
	owner                Owner  // 0: each hold has one of its own
	last                 *last
}

// last is what was acquired last through a handle, or several of one lock.
type last struct {
	mu   sync.Mutex // guards the field below
	grip *grip      // it may have ended
}

func newHeld(x *Object, acquireBy, releaseBy string, owner Owner) held {
	return held{x, acquireBy, releaseBy, owner, &last{}}
}

// undoTime is how long an acquire whose context ended waits for the master to say
// that nothing is held.
const undoTime = time.Second

// acquire makes a hold. with is what the type's method wants besides.
func (h *held) acquire(ctx context.Context, wait bool, with any) (*Hold, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	owner := h.owner
	if owner == 0 {
		owner = NewOwner()
	}
	f := reads // it may be made again: the master knows it by its number
	if wait {
		f |= waits
	}
	var a granted
	try := numbers.Add(1)
	answer, err := h.answer(ctx, h.acquireBy, f, &a, chain(ctx, owner), try, wait, with)
	if err != nil {
		if ctx.Err() != nil && !errors.Is(err, reeve.ErrDisconnected) {
			h.undo(ctx, owner, try)
		}
		return nil, err
	}
	return &Hold{grip: h.grip(owner, a, answer.Session)}, nil
}

// undo takes back what an acquire got whose caller was gone by then. If the
// connection is lost the master does so by itself.
func (h *held) undo(ctx context.Context, owner Owner, try uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	_ = h.call(ctx, "undo", reads, nil, owner, try)
}

// grip is that of an answer: a new one, or that of a lock which is held already.
func (h *held) grip(owner Owner, a granted, session context.Context) *grip {
	l := h.last
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.grip; g != nil && g.owner == owner && g.number() == a.Token && g.ctx.Err() == nil {
		g.again()
		return g
	}
	l.grip = newGrip(h.Object, h.releaseBy, owner, a, session)
	return l.grip
}

// current is what is held through this handle; nil: nothing.
func (h *held) current() *grip {
	h.last.mu.Lock()
	defer h.last.mu.Unlock()
	if g := h.last.grip; g != nil && (g.ctx.Err() == nil || g.whyLost() != nil) {
		return g
	}
	return nil
}

// release ends what was acquired last through this handle.
func (h *held) release(ctx context.Context) error {
	if g := h.current(); g != nil {
		return g.release(ctx, false)
	}
	return h.call(ctx, h.releaseBy, 0, nil, h.owner, 0, -1)
}

// do calls f while hold is held, and releases it.
func do(ctx context.Context, hold *Hold, f func(context.Context, *Hold) error) (err error) {
	in, cancel := context.WithCancelCause(within(ctx, hold.grip.owner))
	defer cancel(nil)
	stop := context.AfterFunc(hold.Context(), func() { cancel(context.Cause(hold.Context())) })
	defer stop()
	// Also when f panics, or ctx has ended.
	defer func() {
		stop()
		released := hold.Release(context.WithoutCancel(ctx))
		if !errors.Is(released, reeve.ErrNotLocked) { // f may have done it
			err = errors.Join(err, released)
		}
	}()
	return f(in, hold)
}

func (h *held) locked(ctx context.Context) (bool, error) {
	var locked bool
	err := h.call(ctx, "locked", reads, &locked)
	return locked, err
}
