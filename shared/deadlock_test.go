package shared_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

// wantCycle checks that err names a cycle, the owners aside, whose numbers differ
// from run to run.
func wantCycle(t *testing.T, err error, want ...string) {
	t.Helper()
	d, ok := errors.AsType[*reeve.DeadlockError](err)
	if !ok {
		t.Fatalf("got %v, want a deadlock", err)
	}
	got := slices.Clone(d.Cycle)
	for i := range got {
		var n int
		for j := range got[i] {
			if k, _ := fmt.Sscanf(got[i][j:], " as owner %d", &n); k == 1 {
				got[i] = got[i][:j]
				break
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the cycle is %q, want %q", got, want)
	}
}

func TestDeadlock_AcrossTwoClientsIsRefusedAtOnceAndNamed(t *testing.T) {
	locksTest(t, func(p *place) {
		a, b := p.client(1), p.client(2)
		me, you := shared.NewOwner(), shared.NewOwner()
		must[*shared.Lock](t)(shared.NewLock(p.ctx, a, "x", shared.LockConfig{}))
		must[*shared.RLock](t)(shared.NewRLock(p.ctx, a, "y", shared.LockConfig{}))
		must[*shared.Hold](t)(shared.LockOf(a, "x").As(me).Acquire(p.ctx))
		y := must[*shared.Hold](t)(shared.RLockOf(b, "y").As(you).Acquire(p.ctx))
		w := begin(p, func() (*shared.Hold, error) { return shared.RLockOf(a, "y").As(me).Acquire(p.ctx) })
		w.waits()
		_, err := shared.LockOf(b, "x").As(you).Acquire(p.ctx)
		wantCycle(t, err, "lock x held by A (box, pid 1)", "rlock y held by B (box, pid 2)")
		_, err = shared.LockOf(b, "x").As(you).TryAcquire(p.ctx)
		wantErr(t, err, reeve.ErrLocked) // that waits for nobody
		w.waits()
		wantErr(t, y.Release(p.ctx), nil)
		w.ends(nil)
	})
}

func TestDeadlock_OfOneIsNoWaitForItself(t *testing.T) {
	locksTest(t, func(p *place) {
		l := must[*shared.Lock](t)(shared.NewLock(p.ctx, p.client(1), "x", shared.LockConfig{})).As(shared.NewOwner())
		must[*shared.Hold](t)(l.Acquire(p.ctx))
		_, err := l.Acquire(p.within(time.Second))
		wantCycle(t, err, "lock x held by A (box, pid 1)")
	})
}

func TestDeadlock_OfNestedWithsIsSeenWithoutAnOwner(t *testing.T) {
	locksTest(t, func(p *place) {
		a, b := p.client(1), p.client(2)
		must[*shared.Lock](t)(shared.NewLock(p.ctx, a, "x", shared.LockConfig{}))
		must[*shared.Lock](t)(shared.NewLock(p.ctx, a, "y", shared.LockConfig{}))
		nest := func(c reeve.Objects, outer, inner string) *pending[struct{}] {
			return beginErr(p, func() error {
				return shared.LockOf(c, outer).With(p.ctx, func(ctx context.Context, _ *shared.Hold) error {
					time.Sleep(time.Second)
					return shared.LockOf(c, inner).With(ctx, func(context.Context, *shared.Hold) error { return nil })
				})
			})
		}
		first, second := nest(a, "x", "y"), nest(b, "y", "x")
		time.Sleep(time.Second)
		_, err := first.end()
		_, err2 := second.end()
		if err2 != nil {
			err, err2 = err2, err
		}
		wantErr(t, err, reeve.ErrDeadlock)
		wantErr(t, err2, nil) // the other one went on
		c := beginErr(p, func() error {
			l := shared.LockOf(a, "x")
			return l.With(p.ctx, func(ctx context.Context, _ *shared.Hold) error {
				return l.With(ctx, func(context.Context, *shared.Hold) error { return nil })
			})
		})
		_, err = c.end()
		wantErr(t, err, reeve.ErrDeadlock)
	})
}

// Goroutines within one With contend for a lock: that is no deadlock.
func TestDeadlock_IsNoneBetweenGoroutinesOfOneWith(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		x := must[*shared.Lock](t)(shared.NewLock(p.ctx, c, "x", shared.LockConfig{}))
		y := must[*shared.Lock](t)(shared.NewLock(p.ctx, c, "y", shared.LockConfig{}))
		wantErr(t, x.With(p.ctx, func(ctx context.Context, _ *shared.Hold) error {
			var calls []*pending[struct{}]
			for range 5 {
				calls = append(calls, beginErr(p, func() error {
					return y.With(ctx, func(context.Context, *shared.Hold) error { time.Sleep(time.Second); return nil })
				}))
			}
			time.Sleep(5 * time.Second)
			for _, c := range calls {
				c.ends(nil)
			}
			return nil
		}), nil)
	})
}

func TestDeadlock_BehindAWriterWhoWaitsIsSeen(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		me, you, her := shared.NewOwner(), shared.NewOwner(), shared.NewOwner()
		rw := must[*shared.RWLock](t)(shared.NewRWLock(p.ctx, c, "rw", shared.LockConfig{}))
		x := must[*shared.Lock](t)(shared.NewLock(p.ctx, c, "x", shared.LockConfig{}))
		must[*shared.Hold](t)(rw.As(me).AcquireRead(p.ctx))
		must[*shared.Hold](t)(x.As(you).Acquire(p.ctx))
		writer := begin(p, func() (*shared.Hold, error) { return rw.As(her).Acquire(p.ctx) })
		reader := begin(p, func() (*shared.Hold, error) { return rw.As(you).AcquireRead(p.ctx) })
		_, err := x.As(me).Acquire(p.ctx) // held by one who waits behind the writer, who waits for me
		wantCycle(t, err, "lock x held by A (box, pid 1)", "rwlock rw awaited before by A (box, pid 1)", "rwlock rw held by A (box, pid 1)")
		wantErr(t, rw.As(me).Release(p.ctx), nil)
		wantErr(t, writer.ends(nil).Release(p.ctx), nil)
		reader.ends(nil)
	})
}

func TestDeadlock_OfAConditionThatTakesItsLockAgain(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		x := must[*shared.Lock](t)(shared.NewLock(p.ctx, c, "x", shared.LockConfig{}))
		cond := must[*shared.Condition](t)(shared.NewCondition(p.ctx, c, "c", shared.ConditionConfig{}))
		you := shared.NewOwner()
		must[*shared.Hold](t)(x.As(cond.Owner()).Acquire(p.ctx))
		h := must[*shared.Hold](t)(cond.Acquire(p.ctx))
		w := beginErr(p, func() error { return cond.Wait(p.within(time.Second)) })
		must[*shared.Hold](t)(cond.As(you).Acquire(p.ctx))
		other := begin(p, func() (*shared.Hold, error) { return x.As(you).Acquire(p.ctx) })
		other.waits()
		time.Sleep(time.Second)
		w.ends(reeve.ErrDeadlock)
		wantErr(t, h.Release(p.ctx), reeve.ErrLeaseLost)
		wantErr(t, context.Cause(h.Context()), reeve.ErrDeadlock)
		other.waits()
	})
}

func TestDeadlock_LeavesSemaphoresOut(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		s := must[*shared.Semaphore](t)(shared.NewSemaphore(p.ctx, c, "s", shared.SemaphoreConfig{Value: 1}))
		must[*shared.Hold](t)(s.Acquire(p.ctx))
		w := begin(p, func() (*shared.Hold, error) { return s.Acquire(p.ctx) })
		w.waits()
		wantErr(t, shared.SemaphoreOf(c, "s").Release(p.ctx, 1), nil)
		w.ends(nil)
	})
}

// Long chains of waits without a cycle are no deadlock.
func TestDeadlock_IsNotSeenWhereThereIsNone(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		const n = 50
		var calls []*pending[*shared.Hold]
		first := must[*shared.Hold](t)(must[*shared.Lock](t)(shared.NewLock(p.ctx, c, "0", shared.LockConfig{})).Acquire(p.ctx))
		for i := range n {
			l := must[*shared.Lock](t)(shared.NewLock(p.ctx, c, fmt.Sprint(i+1), shared.LockConfig{}))
			o := shared.NewOwner()
			must[*shared.Hold](t)(l.As(o).Acquire(p.ctx))
			calls = append(calls, begin(p, func() (*shared.Hold, error) {
				h, err := shared.LockOf(c, fmt.Sprint(i)).As(o).Acquire(p.ctx)
				if err != nil {
					return nil, err
				}
				return h, errors.Join(h.Release(p.ctx), l.As(o).Release(p.ctx))
			}))
		}
		wantErr(t, first.Release(p.ctx), nil)
		for _, c := range calls {
			c.ends(nil)
		}
	})
}
