package shared

import (
	"context"
	"errors"
	"time"

	"github.com/reeveq/reeve"
)

// Condition is a handle of a condition variable: who holds its lock waits, without
// the lock, until another one who holds it notifies. Each handle is an owner of its
// own, whatever goroutine uses it; see [Condition.As] and [Condition.On]. The methods
// that acquire and release are those of its lock.
type Condition struct{ held }

// ConditionConfig configures a condition. The zero value is fine: the condition
// has a re-entrant lock of its own.
type ConditionConfig struct {
	// Lock is the [Lock] or [RLock] of the condition; zero: one of its own.
	Lock reeve.Ref `cbor:"1,keyasint,omitzero"`
	// Grace is that of [LockConfig], for a lock of its own.
	Grace time.Duration `cbor:"2,keyasint,omitempty"`
}

// NewCondition declares a condition; see [NewLock].
func NewCondition(ctx context.Context, o reeve.Objects, name string, cfg ConditionConfig) (*Condition, error) {
	cfg.Lock.Type = "" // one reference is as good as another
	x, err := declare(ctx, o, "condition", name, cfg, false)
	if err != nil {
		return nil, err
	}
	return conditionOf(x, NewOwner()), nil
}

// ConditionOf is the condition of that name; see [ObjectOf].
func ConditionOf(o reeve.Objects, name string) *Condition {
	return ConditionAt(o, reeve.Ref{Name: name})
}

// ConditionAt is the condition that ref names.
func ConditionAt(o reeve.Objects, ref reeve.Ref) *Condition {
	return conditionOf(typed(o, ref, "condition"), NewOwner())
}

func conditionOf(x *Object, owner Owner) *Condition {
	return &Condition{newHeld(x, "acquire", "release", owner)}
}

// As returns a handle with which it is owner who acquires.
func (c *Condition) As(owner Owner) *Condition { return conditionOf(c.Object, owner) }

// On returns a handle of c for one who uses l, a handle of its lock or of another
// condition of that: what was acquired through either is held by both, and a Wait
// gives it up for both.
func (c *Condition) On(l interface{ handle() *held }) *Condition {
	h := l.handle()
	on := conditionOf(c.Object, h.owner)
	on.last = h.last
	return on
}

func (h *held) handle() *held { return h }

// Owner is who acquires with this handle.
func (c *Condition) Owner() Owner { return c.owner }

// Acquire acquires the lock; see [Lock.Acquire].
func (c *Condition) Acquire(ctx context.Context) (*Hold, error) { return c.acquire(ctx, true, nil) }

// TryAcquire is Acquire that does not wait: [reeve.ErrLocked].
func (c *Condition) TryAcquire(ctx context.Context) (*Hold, error) {
	return c.acquire(ctx, false, nil)
}

// Release takes back one Acquire; see [Lock.Release].
func (c *Condition) Release(ctx context.Context) error { return c.release(ctx) }

// Locked reports whether somebody holds the lock.
func (c *Condition) Locked(ctx context.Context) (bool, error) { return c.locked(ctx) }

// With calls f while the lock is held; see [Lock.With].
func (c *Condition) With(ctx context.Context, f func(ctx context.Context, h *Hold) error) error {
	h, err := c.Acquire(ctx)
	if err != nil {
		return err
	}
	return do(ctx, h, f)
}

// Wait releases the lock, however often it was acquired, waits to be notified, and
// acquires it again as often. It ends with ctx, too, and returns its error; but not
// before it has the lock again, so that the lock is held whether Wait returns nil
// or ctx's error. [reeve.ErrNotLocked] and [reeve.ErrNotOwner] say that the lock
// was not held; with [reeve.ErrLeaseLost], because the connection was lost, and
// [reeve.ErrDeadlock], because it cannot be had again, it is not held any more.
// [reeve.ErrInvalid]: somebody waits with this handle, or owner, already; the lock
// stays held.
func (c *Condition) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g := c.current() // nil: acquired in another way, if at all
	if err := g.whyLost(); err != nil {
		return err
	}
	lost, end := g.suspend()
	defer end()
	owners, try := chain(ctx, c.holder(g)), numbers.Add(1)
	ask := func(ctx context.Context, method string) (granted, reeve.ObjectAnswer, error) {
		ctx, stop := lost.bind(ctx)
		defer stop()
		var a granted
		answer, err := c.answer(ctx, method, reads|waits, &a, owners, try)
		return a, answer, err
	}
	a, answer, err := ask(ctx, "wait")
	var over error
	if err != nil && lost.err() == nil && (isOver(err) || errors.Is(err, reeve.ErrLimit)) {
		over = err
		a, answer, err = ask(context.WithoutCancel(ctx), "resume")
	}
	switch cause := lost.err(); {
	case cause != nil:
		g.lose(cause)
		return g.whyLost()
	case err == nil:
		g.regrant(a.Token, answer.Session)
		if a.Notified {
			return nil
		}
		return over
	case isNotHeld(err) && g != nil:
		g.lose(err)
		return g.whyLost()
	}
	if !g.stands(ctx) {
		g.lose(err)
	}
	return err
}

// WaitFor waits until predicate, which is called with the lock held, returns true.
// It is called once more when ctx has ended. See [Condition.Wait].
func (c *Condition) WaitFor(ctx context.Context, predicate func() bool) error {
	for !predicate() {
		err := c.Wait(ctx)
		if err != nil && (!isOver(err) || !predicate()) {
			return err
		}
		if err != nil {
			return nil
		}
	}
	return nil
}

// Notify lets n of those who wait, those who came first, go on when they get the
// lock, which is to be held: [reeve.ErrNotLocked], [reeve.ErrNotOwner]. It returns
// how many these are: fewer if fewer wait.
func (c *Condition) Notify(ctx context.Context, n int) (int, error) {
	return c.notify(ctx, max(n, 0))
}

// NotifyAll is Notify of all who wait.
func (c *Condition) NotifyAll(ctx context.Context) (int, error) { return c.notify(ctx, -1) }

func (c *Condition) notify(ctx context.Context, n int) (told int, err error) {
	err = c.call(ctx, "notify", 0, &told, c.holder(c.current()), n)
	return told, err
}

// holder is who has g, or, without one, whom c acts for.
func (c *Condition) holder(g *grip) Owner {
	if g != nil {
		return g.owner
	}
	return c.owner
}
