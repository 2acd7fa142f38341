package shared_test

import (
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func TestRLock_IsReleasedAsOftenAsAcquired(t *testing.T) {
	locksTest(t, func(p *place) {
		a := must[*shared.RLock](t)(shared.NewRLock(p.ctx, p.client(1), "r", shared.LockConfig{}))
		b := shared.RLockOf(p.client(2), "r")
		first := must[*shared.Hold](t)(a.Acquire(p.ctx))
		second := must[*shared.Hold](t)(a.TryAcquire(p.ctx))
		if first.Token() != second.Token() {
			t.Errorf("tokens %d and %d", first.Token(), second.Token())
		}
		c := begin(p, func() (*shared.Hold, error) { return b.Acquire(p.ctx) })
		third := must[*shared.Hold](t)(a.Acquire(p.ctx)) // past the one who waits
		wantErr(t, third.Release(p.ctx), nil)
		wantErr(t, third.Release(p.ctx), reeve.ErrNotLocked)
		wantErr(t, a.Release(p.ctx), nil)
		c.waits()
		wantErr(t, first.Context().Err(), nil)
		wantErr(t, b.Release(p.ctx), reeve.ErrNotOwner)
		wantErr(t, first.Release(p.ctx), nil)
		c.ends(nil)
		if first.Context().Err() == nil {
			t.Error("the context goes on after the last release")
		}
		wantErr(t, second.Release(p.ctx), reeve.ErrNotLocked)
		wantErr(t, a.Release(p.ctx), reeve.ErrNotOwner)
		wantErr(t, b.Release(p.ctx), nil)
		wantErr(t, b.Release(p.ctx), reeve.ErrNotLocked)
	})
}

func TestRLock_EachHandleIsAnOwnerUnlessToldOtherwise(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		a := must[*shared.RLock](t)(shared.NewRLock(p.ctx, c, "r", shared.LockConfig{}))
		must[*shared.Hold](t)(a.Acquire(p.ctx))
		_, err := shared.RLockOf(c, "r").TryAcquire(p.ctx)
		wantErr(t, err, reeve.ErrLocked)
		must[*shared.Hold](t)(shared.RLockOf(c, "r").As(a.Owner()).TryAcquire(p.ctx))
		_, err = shared.RLockOf(p.client(2), "r").As(a.Owner()).TryAcquire(p.ctx) // of another client
		wantErr(t, err, reeve.ErrLocked)
	})
}

func TestRLock_OfADeadClientIsFreeHoweverOftenItWasAcquired(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		a := must[*shared.RLock](t)(shared.NewRLock(p.ctx, c, "r", shared.LockConfig{}))
		h := must[*shared.Hold](t)(a.Acquire(p.ctx))
		must[*shared.Hold](t)(a.Acquire(p.ctx))
		c.Close(false)
		must[*shared.Hold](t)(shared.RLockOf(p.client(2), "r").TryAcquire(p.ctx))
		wantErr(t, h.Release(p.ctx), reeve.ErrLeaseLost)
	})
}
