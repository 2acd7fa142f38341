package shared_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func newSemaphore(p *place, cfg shared.SemaphoreConfig) *shared.Semaphore {
	p.t.Helper()
	return must[*shared.Semaphore](p.t)(shared.NewSemaphore(p.ctx, p.client(1), "s", cfg))
}

func (p *place) wantValue(s *shared.Semaphore, want int) {
	p.t.Helper()
	if n := must[int](p.t)(s.Value(p.ctx)); n != want {
		p.t.Errorf("%d places are free, want %d", n, want)
	}
}

func TestSemaphore_NobodyOvertakesOneWhoWantsSeveral(t *testing.T) {
	locksTest(t, func(p *place) {
		s := newSemaphore(p, shared.SemaphoreConfig{Value: 3, Bounded: true})
		a := must[*shared.Hold](t)(s.AcquireN(p.ctx, 2))
		many := begin(p, func() (*shared.Hold, error) { return s.AcquireN(p.ctx, 3) })
		one := begin(p, func() (*shared.Hold, error) { return s.Acquire(p.ctx) })
		many.waits()
		one.waits()
		_, err := s.TryAcquire(p.ctx)
		wantErr(t, err, reeve.ErrLocked)
		wantErr(t, a.Release(p.ctx), nil)
		h := many.ends(nil)
		one.waits()
		if locked := must[bool](t)(s.Locked(p.ctx)); !locked {
			t.Error("a place is free")
		}
		wantErr(t, h.Release(p.ctx), nil)
		one.ends(nil)
		p.wantValue(s, 2)
	})
}

func TestSemaphore_OneWhoGivesUpLetsTheNextIn(t *testing.T) {
	locksTest(t, func(p *place) {
		s := newSemaphore(p, shared.SemaphoreConfig{Value: 2})
		must[*shared.Hold](t)(s.Acquire(p.ctx))
		many := begin(p, func() (*shared.Hold, error) { return s.AcquireN(p.within(time.Second), 2) })
		one := begin(p, func() (*shared.Hold, error) { return s.Acquire(p.ctx) })
		one.waits()
		time.Sleep(time.Second)
		many.ends(context.DeadlineExceeded)
		one.ends(nil)
	})
}

func TestSemaphore_ReleaseWithoutAHoldAddsAPlaceUnlessBounded(t *testing.T) {
	locksTest(t, func(p *place) {
		s := newSemaphore(p, shared.SemaphoreConfig{})
		c := begin(p, func() (*shared.Hold, error) { return s.AcquireN(p.ctx, 2) })
		wantErr(t, shared.SemaphoreOf(p.client(2), "s").Release(p.ctx, 3), nil)
		c.ends(nil)
		p.wantValue(s, 1)
		b := must[*shared.Semaphore](t)(shared.NewSemaphore(p.ctx, p.client(3), "b", shared.SemaphoreConfig{Value: 2, Bounded: true}))
		wantErr(t, b.Release(p.ctx, 1), reeve.ErrOverRelease)
		must[*shared.Hold](t)(b.Acquire(p.ctx))
		wantErr(t, shared.SemaphoreOf(p.client(2), "b").Release(p.ctx, 1), reeve.ErrOverRelease)
		wantErr(t, b.Release(p.ctx, 2), reeve.ErrOverRelease)
		wantErr(t, b.Release(p.ctx, 1), nil)
		p.wantValue(b, 2)
	})
}

func TestSemaphore_ReleaseTakesTheOldestHoldsOfItsHandle(t *testing.T) {
	locksTest(t, func(p *place) {
		s := newSemaphore(p, shared.SemaphoreConfig{Value: 6, Bounded: true})
		first := must[*shared.Hold](t)(s.AcquireN(p.ctx, 3))
		second := must[*shared.Hold](t)(s.AcquireN(p.ctx, 3))
		wantErr(t, s.Release(p.ctx, 4), nil)
		p.wantValue(s, 4)
		wantErr(t, context.Cause(first.Context()), reeve.ErrNotLocked)
		wantErr(t, first.Release(p.ctx), reeve.ErrNotLocked)
		wantErr(t, second.Context().Err(), nil)
		wantErr(t, second.Release(p.ctx), nil)
		p.wantValue(s, 6)
	})
}

func TestSemaphore_PlacesOfADeadClientComeBack(t *testing.T) {
	locksTest(t, func(p *place) {
		s := newSemaphore(p, shared.SemaphoreConfig{Value: 2})
		c := p.client(2)
		must[*shared.Hold](t)(shared.SemaphoreOf(c, "s").AcquireN(p.ctx, 2))
		w := begin(p, func() (*shared.Hold, error) { return s.AcquireN(p.ctx, 2) })
		w.waits()
		c.Close(false)
		w.ends(nil)
	})
}

func TestSemaphore_RefusesWhatCanNeverBe(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		for _, cfg := range []shared.SemaphoreConfig{{Value: -1}, {Value: 1 << 30}, {Grace: -1}} {
			_, err := shared.NewSemaphore(p.ctx, c, "", cfg)
			wantErr(t, err, reeve.ErrInvalid)
		}
		s := newSemaphore(p, shared.SemaphoreConfig{Value: 2, Bounded: true})
		for _, n := range []int{-1, 0, 3, 1 << 40} {
			_, err := s.AcquireN(p.ctx, n)
			wantErr(t, err, reeve.ErrInvalid)
		}
		wantErr(t, s.Release(p.ctx, 0), reeve.ErrInvalid)
		free := must[*shared.Semaphore](t)(shared.NewSemaphore(p.ctx, c, "", shared.SemaphoreConfig{Value: 1 << 28}))
		wantErr(t, free.Release(p.ctx, 1), reeve.ErrLimit)
	})
}

func TestSemaphore_KeepsNothingOfHoldsThatReleaseEnded(t *testing.T) {
	locksTest(t, func(p *place) {
		s := newSemaphore(p, shared.SemaphoreConfig{Value: 2})
		for i := range 20 {
			h := must[*shared.Hold](t)(s.Acquire(p.ctx))
			if i%2 == 0 {
				wantErr(t, h.Release(p.ctx), nil)
			} else {
				wantErr(t, s.Release(p.ctx, 1), nil)
			}
			wantErr(t, context.Cause(h.Context()), reeve.ErrNotLocked)
		}
		lost := must[*shared.Hold](t)(s.Acquire(p.ctx))
		s.Objects().(interface{ Close(bool) }).Close(false)
		synctest.Wait()
		wantErr(t, context.Cause(lost.Context()), reeve.ErrLeaseLost)
		if n := shared.Open(s); n != 0 {
			t.Errorf("%d holds are kept", n)
		}
	})
}
