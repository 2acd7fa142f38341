package shared_test

import (
	"context"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func newCondition(p *place) *shared.Condition {
	p.t.Helper()
	return must[*shared.Condition](p.t)(shared.NewCondition(p.ctx, p.client(1), "c", shared.ConditionConfig{}))
}

// waiter is another client that waits at the condition.
func (p *place) waiter(n byte) (*shared.Condition, *pending[struct{}]) {
	p.t.Helper()
	c := shared.ConditionOf(p.client(n), "c")
	must[*shared.Hold](p.t)(c.Acquire(p.ctx))
	w := beginErr(p, func() error { return c.Wait(p.ctx) })
	w.waits()
	return c, w
}

func TestCondition_NotifyLetsThoseGoWhoCameFirst(t *testing.T) {
	locksTest(t, func(p *place) {
		c := newCondition(p)
		first, w1 := p.waiter(2)
		second, w2 := p.waiter(3)
		_, w3 := p.waiter(4)
		must[*shared.Hold](t)(c.Acquire(p.ctx))
		if n := must[int](t)(c.Notify(p.ctx, 2)); n != 2 {
			t.Errorf("%d were notified", n)
		}
		w1.waits() // for the lock
		wantErr(t, c.Release(p.ctx), nil)
		w1.ends(nil)
		w2.waits()
		wantErr(t, first.Release(p.ctx), nil)
		w2.ends(nil)
		w3.waits()
		if n := must[int](t)(second.NotifyAll(p.ctx)); n != 1 {
			t.Errorf("%d were notified", n)
		}
		wantErr(t, second.Release(p.ctx), nil)
		w3.ends(nil)
	})
}

func TestCondition_WaitGivesUpAndTakesBackAllAcquires(t *testing.T) {
	locksTest(t, func(p *place) {
		c := newCondition(p)
		h := must[*shared.Hold](t)(c.Acquire(p.ctx))
		must[*shared.Hold](t)(c.Acquire(p.ctx))
		before := h.Token()
		w := beginErr(p, func() error { return c.Wait(p.ctx) })
		other := shared.ConditionOf(p.client(2), "c")
		taken := must[*shared.Hold](t)(other.TryAcquire(p.ctx))
		must[int](t)(other.NotifyAll(p.ctx))
		wantErr(t, other.Release(p.ctx), nil)
		w.ends(nil)
		if h.Token() <= taken.Token() || taken.Token() <= before {
			t.Errorf("tokens %d, %d, %d", before, taken.Token(), h.Token())
		}
		wantErr(t, h.Release(p.ctx), nil)
		_, err := other.TryAcquire(p.ctx)
		wantErr(t, err, reeve.ErrLocked)
		wantErr(t, c.Release(p.ctx), nil)
		must[*shared.Hold](t)(other.TryAcquire(p.ctx))
	})
}

func TestCondition_NeedsTheLock(t *testing.T) {
	locksTest(t, func(p *place) {
		c := newCondition(p)
		wantErr(t, c.Wait(p.ctx), reeve.ErrNotLocked)
		_, err := c.Notify(p.ctx, 1)
		wantErr(t, err, reeve.ErrNotLocked)
		must[*shared.Hold](t)(c.Acquire(p.ctx))
		other := shared.ConditionOf(p.client(2), "c")
		wantErr(t, other.Wait(p.ctx), reeve.ErrNotOwner)
		_, err = other.NotifyAll(p.ctx)
		wantErr(t, err, reeve.ErrNotOwner)
		wantErr(t, other.Release(p.ctx), reeve.ErrNotOwner)
	})
}

func TestCondition_WaitThatEndsWithItsContextHasTheLock(t *testing.T) {
	for name, end := range map[string]error{"deadline": context.DeadlineExceeded, "cancel": context.Canceled} {
		t.Run(name, func(t *testing.T) {
			locksTest(t, func(p *place) {
				c := newCondition(p)
				h := must[*shared.Hold](t)(c.Acquire(p.ctx))
				ctx, cancel := p.cancellable()
				if end == context.DeadlineExceeded {
					ctx = p.within(time.Second)
				}
				w := beginErr(p, func() error { return c.Wait(ctx) })
				other := shared.ConditionOf(p.client(2), "c")
				held := must[*shared.Hold](t)(other.TryAcquire(p.ctx))
				cancel()
				time.Sleep(time.Minute)
				w.waits() // until the lock is free
				if n := must[int](t)(other.Notify(p.ctx, 1)); n != 0 {
					t.Error("one was notified who waited no more")
				}
				wantErr(t, held.Release(p.ctx), nil)
				w.ends(end)
				_, err := other.TryAcquire(p.ctx)
				wantErr(t, err, reeve.ErrLocked)
				wantErr(t, h.Context().Err(), nil)
				wantErr(t, h.Release(p.ctx), nil)
			})
		})
	}
}

func TestCondition_NotifyCountsThoughTheContextEndsBeforeTheLockIsFree(t *testing.T) {
	locksTest(t, func(p *place) {
		c := newCondition(p)
		must[*shared.Hold](t)(c.Acquire(p.ctx))
		w := beginErr(p, func() error { return c.Wait(p.within(time.Second)) })
		other := shared.ConditionOf(p.client(2), "c")
		must[*shared.Hold](t)(other.Acquire(p.ctx))
		must[int](t)(other.Notify(p.ctx, 1))
		time.Sleep(time.Minute)
		w.waits()
		wantErr(t, other.Release(p.ctx), nil)
		w.ends(nil)
	})
}

func TestCondition_NotifyOfOneWhoDiesGoesToTheNext(t *testing.T) {
	locksTest(t, func(p *place) {
		c := newCondition(p)
		dead := p.client(2)
		d := shared.ConditionOf(dead, "c")
		must[*shared.Hold](t)(d.Acquire(p.ctx))
		w := beginErr(p, func() error { return d.Wait(p.ctx) })
		_, next := p.waiter(3)
		must[*shared.Hold](t)(c.Acquire(p.ctx))
		must[int](t)(c.Notify(p.ctx, 1))
		dead.Close(false)
		if _, err := w.end(); err == nil {
			t.Error("the dead go on")
		}
		wantErr(t, c.Release(p.ctx), nil)
		next.ends(nil)
	})
}

func TestCondition_SharesALockThatIsGiven(t *testing.T) {
	for _, typ := range []string{"lock", "rlock"} {
		t.Run(typ, func(t *testing.T) {
			locksTest(t, func(p *place) {
				me := p.client(1)
				var ref reeve.Ref
				if typ == "lock" {
					ref = must[*shared.Lock](t)(shared.NewLock(p.ctx, me, "l", graceful)).Ref()
				} else {
					ref = must[*shared.RLock](t)(shared.NewRLock(p.ctx, me, "", graceful)).Ref()
				}
				filled := must[*shared.Condition](t)(shared.NewCondition(p.ctx, me, "filled", shared.ConditionConfig{Lock: ref}))
				emptied := must[*shared.Condition](t)(shared.NewCondition(p.ctx, me, "emptied", shared.ConditionConfig{Lock: ref}))
				emptied = emptied.On(filled)
				h := must[*shared.Hold](t)(filled.Acquire(p.ctx))
				before := h.Token()
				w := beginErr(p, func() error { return emptied.Wait(p.ctx) })
				other := p.client(2)
				o := shared.ConditionOf(other, "emptied")
				must[*shared.Hold](t)(o.TryAcquire(p.ctx))
				if n := must[int](t)(shared.ConditionOf(other, "filled").As(o.Owner()).NotifyAll(p.ctx)); n != 0 {
					t.Error("another condition was notified")
				}
				must[int](t)(o.NotifyAll(p.ctx))
				wantErr(t, o.Release(p.ctx), nil)
				w.ends(nil)
				if h.Token() <= before {
					t.Error("the token is the same")
				}
				wantErr(t, filled.Release(p.ctx), nil)
				wantErr(t, filled.Release(p.ctx), reeve.ErrNotLocked)
				l := shared.LockOf(me, "l") // whose Acquires are owners of their own
				if typ == "lock" {
					must[*shared.Hold](t)(l.Acquire(p.ctx))
					must[int](t)(emptied.On(l).NotifyAll(p.ctx))
					wantErr(t, emptied.On(l).Wait(p.within(time.Second)), context.DeadlineExceeded)
					wantErr(t, l.Release(p.ctx), nil)
				}
			})
		})
	}
}

func TestCondition_IsDeclaredWithALockOnly(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		e := must[*shared.Event](t)(shared.NewEvent(p.ctx, c, "e", shared.EventConfig{}))
		for _, cfg := range []shared.ConditionConfig{{Lock: e.Ref()}, {Lock: reeve.Ref{Name: "none"}}, {Grace: -1}} {
			_, err := shared.NewCondition(p.ctx, c, "c", cfg)
			wantErr(t, err, reeve.ErrInvalid)
		}
		l := must[*shared.Lock](t)(shared.NewLock(p.ctx, c, "l", shared.LockConfig{}))
		must[*shared.Condition](t)(shared.NewCondition(p.ctx, c, "c", shared.ConditionConfig{Lock: l.Ref()}))
		must[*shared.Condition](t)(shared.NewCondition(p.ctx, c, "c", shared.ConditionConfig{Lock: reeve.Ref{Name: "l"}}))
		_, err := shared.NewCondition(p.ctx, c, "c", shared.ConditionConfig{})
		wantErr(t, err, reeve.ErrObjectExists)
	})
}

func TestCondition_EndsWithItsLock(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		l := must[*shared.Lock](t)(shared.NewLock(p.ctx, c, "l", shared.LockConfig{}))
		cond := must[*shared.Condition](t)(shared.NewCondition(p.ctx, c, "c", shared.ConditionConfig{Lock: l.Ref()}))
		must[*shared.Hold](t)(cond.Acquire(p.ctx))
		w := beginErr(p, func() error { return cond.Wait(p.ctx) })
		wantErr(t, l.Delete(p.ctx), nil)
		w.ends(reeve.ErrNoSuchObject)
		_, err := cond.Acquire(p.ctx)
		wantErr(t, err, reeve.ErrNoSuchObject)
		_, err = cond.Notify(p.ctx, 1)
		wantErr(t, err, reeve.ErrNoSuchObject)
	})
}

func TestCondition_WaitForEvaluatesItsPredicateWithTheLock(t *testing.T) {
	locksTest(t, func(p *place) {
		c := newCondition(p)
		other := shared.ConditionOf(p.client(2), "c")
		n := 0
		ready := func() bool {
			if locked := must[bool](t)(c.Locked(p.ctx)); !locked {
				t.Error("without the lock")
			}
			return n == 2
		}
		w := beginErr(p, func() error {
			return c.With(p.ctx, func(ctx context.Context, _ *shared.Hold) error { return c.WaitFor(ctx, ready) })
		})
		for range 2 {
			w.waits()
			wantErr(t, other.With(p.ctx, func(ctx context.Context, _ *shared.Hold) error {
				n++
				_, err := other.Notify(ctx, 1)
				return err
			}), nil)
		}
		w.ends(nil)
		must[*shared.Hold](t)(c.Acquire(p.ctx))
		wantErr(t, c.WaitFor(p.within(time.Second), func() bool { return false }), context.DeadlineExceeded)
		start := time.Now()
		wantErr(t, c.WaitFor(p.within(time.Second), func() bool { return time.Since(start) > 0 }), nil)
	})
}

// A Wait that is refused gives nothing up.
func TestCondition_AWaitThatIsRefusedLeavesTheLockHeld(t *testing.T) {
	locksTest(t, func(p *place) {
		a := p.client(1)
		c := must[*shared.Condition](t)(shared.NewCondition(p.ctx, a, "c", shared.ConditionConfig{}))
		must[*shared.Hold](t)(c.Acquire(p.ctx))
		first := beginErr(p, func() error { return c.Wait(p.ctx) })
		h := must[*shared.Hold](t)(c.Acquire(p.ctx)) // another goroutine with the same handle
		wantErr(t, c.Wait(p.ctx), reeve.ErrInvalid)
		wantErr(t, h.Context().Err(), nil)
		must[int](t)(c.NotifyAll(p.ctx)) // the lock cannot be had again by who holds it
		first.ends(reeve.ErrDeadlock)
		wantErr(t, h.Release(p.ctx), nil)

		l := must[*shared.Lock](t)(shared.NewLock(p.ctx, a, "l", shared.LockConfig{})).As(shared.NewOwner())
		deleted := must[*shared.Condition](t)(shared.NewCondition(p.ctx, a, "d", shared.ConditionConfig{Lock: l.Ref()})).On(l)
		h = must[*shared.Hold](t)(l.Acquire(p.ctx))
		wantErr(t, deleted.Delete(p.ctx), nil)
		wantErr(t, deleted.Wait(p.ctx), reeve.ErrNoSuchName)
		wantErr(t, h.Release(p.ctx), nil)
		for _, locked := range []func(context.Context) (bool, error){c.Locked, l.Locked} {
			if must[bool](t)(locked(p.ctx)) {
				t.Error("a lock stays held for good")
			}
		}
	})
}
