package shared_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func TestLock_IsHeldByOneAtATimeInTheOrderOfTheirComing(t *testing.T) {
	locksTest(t, func(p *place) {
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, p.client(1), "l", shared.LockConfig{}))
		first := must[*shared.Hold](t)(lock.Acquire(p.ctx))
		var calls []*pending[*shared.Hold]
		for n := range 5 {
			l := shared.LockOf(p.client(byte(n+2)), "l")
			calls = append(calls, begin(p, func() (*shared.Hold, error) { return l.Acquire(p.ctx) }))
		}
		held, last := first, uint64(0)
		for _, c := range calls {
			c.waits()
			if held.Token() <= last {
				t.Errorf("token %d after %d", held.Token(), last)
			}
			last = held.Token()
			wantErr(t, held.Release(p.ctx), nil)
			held = c.ends(nil)
		}
		wantErr(t, held.Release(p.ctx), nil)
		if locked := must[bool](t)(lock.Locked(p.ctx)); locked {
			t.Error("locked when all is released")
		}
	})
}

func TestLock_OneHandleServesManyGoroutines(t *testing.T) {
	locksTest(t, func(p *place) {
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, p.client(1), "", shared.LockConfig{}))
		n, inside := 0, 0
		var calls []*pending[struct{}]
		for range 50 {
			calls = append(calls, beginErr(p, func() error {
				return lock.With(p.ctx, func(context.Context, *shared.Hold) error {
					inside++
					time.Sleep(time.Millisecond)
					if inside != 1 {
						t.Errorf("%d inside", inside)
					}
					inside--
					n++
					return nil
				})
			}))
		}
		time.Sleep(time.Second)
		for _, c := range calls {
			c.ends(nil)
		}
		if n != 50 {
			t.Errorf("%d of 50 were inside", n)
		}
	})
}

func TestLock_TryAcquireSaysWhoHoldsIt(t *testing.T) {
	locksTest(t, func(p *place) {
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, p.client(1), "l", shared.LockConfig{}))
		must[*shared.Hold](t)(lock.TryAcquire(p.ctx))
		_, err := shared.LockOf(p.client(2), "l").TryAcquire(p.ctx)
		wantErr(t, err, reeve.ErrLocked)
		if !strings.Contains(err.Error(), "lock l, by A (box, pid 1)") {
			t.Error(err)
		}
	})
}

func TestLock_ReleaseTellsWhatIsWrong(t *testing.T) {
	locksTest(t, func(p *place) {
		a := must[*shared.Lock](t)(shared.NewLock(p.ctx, p.client(1), "l", shared.LockConfig{}))
		b := shared.LockOf(p.client(2), "l")
		wantErr(t, a.Release(p.ctx), reeve.ErrNotLocked)
		h := must[*shared.Hold](t)(a.Acquire(p.ctx))
		wantErr(t, b.Release(p.ctx), reeve.ErrNotOwner)
		wantErr(t, a.Release(p.ctx), nil)
		wantErr(t, h.Release(p.ctx), reeve.ErrNotLocked)
		h = must[*shared.Hold](t)(a.Acquire(p.ctx))
		wantErr(t, h.Release(p.ctx), nil)
		wantErr(t, h.Release(p.ctx), reeve.ErrNotLocked)
		wantErr(t, context.Cause(h.Context()), reeve.ErrNotLocked)
		wantErr(t, a.Release(p.ctx), reeve.ErrNotLocked)
	})
}

func TestLock_OfADeadClientGoesToTheNextAtOnce(t *testing.T) {
	for _, farewell := range []bool{false, true} {
		t.Run(map[bool]string{false: "killed", true: "closed"}[farewell], func(t *testing.T) {
			locksTest(t, func(p *place) {
				a, b := p.client(1), p.client(2)
				h := must[*shared.Hold](t)(must[*shared.Lock](t)(shared.NewLock(p.ctx, a, "l", shared.LockConfig{})).Acquire(p.ctx))
				c := begin(p, func() (*shared.Hold, error) { return shared.LockOf(b, "l").Acquire(p.ctx) })
				c.waits()
				start := time.Now()
				a.Close(farewell)
				next := c.ends(nil)
				if time.Since(start) != 0 || next.Token() <= h.Token() {
					t.Errorf("after %v: token %d after %d", time.Since(start), next.Token(), h.Token())
				}
				wantErr(t, context.Cause(h.Context()), reeve.ErrLeaseLost)
				wantErr(t, h.Release(p.ctx), reeve.ErrLeaseLost)
				wantErr(t, h.Release(p.ctx), reeve.ErrNotLocked)
			})
		})
	}
}

func TestLock_WhoWaitsAndDiesIsPassedOver(t *testing.T) {
	locksTest(t, func(p *place) {
		h := must[*shared.Hold](t)(must[*shared.Lock](t)(shared.NewLock(p.ctx, p.client(1), "l", shared.LockConfig{})).Acquire(p.ctx))
		b := p.client(2)
		dead := begin(p, func() (*shared.Hold, error) { return shared.LockOf(b, "l").Acquire(p.ctx) })
		c := p.client(3)
		alive := begin(p, func() (*shared.Hold, error) { return shared.LockOf(c, "l").Acquire(p.ctx) })
		b.Close(false)
		dead.ends(reeve.ErrClosed)
		wantErr(t, h.Release(p.ctx), nil)
		alive.ends(nil)
	})
}

func TestLock_CancelledAcquireHoldsNothing(t *testing.T) {
	locksTest(t, func(p *place) {
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, p.client(1), "l", shared.LockConfig{}))
		h := must[*shared.Hold](t)(lock.Acquire(p.ctx))
		ctx, cancel := p.cancellable()
		c := begin(p, func() (*shared.Hold, error) { return lock.Acquire(ctx) })
		late := begin(p, func() (*shared.Hold, error) { return lock.Acquire(p.within(time.Second)) })
		cancel()
		c.ends(context.Canceled)
		time.Sleep(time.Second)
		late.ends(context.DeadlineExceeded)
		wantErr(t, h.Release(p.ctx), nil)
		if locked := must[bool](t)(lock.Locked(p.ctx)); locked {
			t.Error("somebody holds the lock")
		}
		_, err := lock.Acquire(ctx)
		wantErr(t, err, context.Canceled)
	})
}

// deaf answers a call as one that ended with its context, although the master has
// carried it out: its answer was on the way.
type deaf struct {
	reeve.Objects
	method string
}

func (d *deaf) CallObject(ctx context.Context, c *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	if c.Method != d.method {
		return d.Objects.CallObject(ctx, c)
	}
	a, err := d.Objects.CallObject(context.WithoutCancel(ctx), c)
	if err == nil {
		<-ctx.Done()
		return reeve.ObjectAnswer{}, ctx.Err()
	}
	return a, err
}

func TestLock_AcquireThatWasGrantedWhileItWasCancelledIsUndone(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, &deaf{c, "acquire"}, "l", shared.LockConfig{}))
		_, err := lock.Acquire(p.within(time.Second))
		wantErr(t, err, context.DeadlineExceeded)
		if locked := must[bool](t)(lock.Locked(p.ctx)); locked {
			t.Error("the lock is still held")
		}
		once := must[*shared.RLock](t)(shared.NewRLock(p.ctx, c, "r", shared.LockConfig{}))
		h := must[*shared.Hold](t)(once.Acquire(p.ctx))
		_, err = shared.RLockOf(&deaf{c, "acquire"}, "r").As(once.Owner()).Acquire(p.within(time.Second))
		wantErr(t, err, context.DeadlineExceeded)
		wantErr(t, h.Release(p.ctx), nil)
		if locked := must[bool](t)(once.Locked(p.ctx)); locked {
			t.Error("it was acquired once too often")
		}
	})
}

// defer hold.Release(ctx) is what everybody writes.
func TestHold_IsReleasedByOneWhoseCtxHasEnded(t *testing.T) {
	locksTest(t, func(p *place) {
		ctx, cancel := context.WithCancel(p.ctx)
		c := p.client(1)
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, c, "lock", shared.LockConfig{}))
		hold := must[*shared.Hold](t)(lock.Acquire(ctx))
		cancel()
		wantErr(t, hold.Release(ctx), nil)
		if hold.Context().Err() == nil {
			t.Error("its context goes on")
		}
		if _, err := shared.LockOf(p.client(2), "lock").TryAcquire(p.ctx); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
}

func TestHold_ReleaseThatWasCancelledCanBeCalledAgain(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, &deaf{c, "release"}, "l", shared.LockConfig{}))
		h := must[*shared.Hold](t)(lock.Acquire(p.ctx))
		wantErr(t, h.Release(p.within(time.Second)), nil) // it is asked for again
		wantErr(t, h.Release(p.ctx), reeve.ErrNotLocked)
		r := shared.RLockOf(c, "r")
		must[*shared.RLock](t)(shared.NewRLock(p.ctx, c, "r", shared.LockConfig{}))
		must[*shared.Hold](t)(r.Acquire(p.ctx))
		second := must[*shared.Hold](t)(r.Acquire(p.ctx))
		ctx, cancel := p.cancellable()
		cancel()
		wantErr(t, second.Release(ctx), nil)
		wantErr(t, second.Release(p.ctx), reeve.ErrNotLocked)
		if locked := must[bool](t)(r.Locked(p.ctx)); !locked {
			t.Error("it was released twice")
		}
		r = shared.RLockOf(&deaf{c, "release"}, "r")
		wantErr(t, shared.ObjectOf(c, "r").Delete(p.ctx), nil)
		must[*shared.RLock](t)(shared.NewRLock(p.ctx, c, "r", shared.LockConfig{}))
		must[*shared.Hold](t)(r.Acquire(p.ctx))
		second = must[*shared.Hold](t)(r.Acquire(p.ctx))
		for range 2 { // carried out, and not known to be
			wantErr(t, second.Release(p.within(time.Second)), context.DeadlineExceeded)
		}
		if locked := must[bool](t)(r.Locked(p.ctx)); !locked {
			t.Error("it was released twice")
		}
	})
}

func TestLock_WithEndsWhenTheHoldIsLostAndReleasesInAnyCase(t *testing.T) {
	locksTest(t, func(p *place) {
		a := p.client(1)
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, a, "l", shared.LockConfig{}))
		failed := errors.New("failed")
		wantErr(t, lock.With(p.ctx, func(context.Context, *shared.Hold) error { return failed }), failed)
		func() {
			defer func() { _ = recover() }()
			_ = lock.With(p.ctx, func(context.Context, *shared.Hold) error { panic("at the disco") })
		}()
		if locked := must[bool](t)(lock.Locked(p.ctx)); locked {
			t.Fatal("still held after a panic")
		}
		c := beginErr(p, func() error {
			return lock.With(p.ctx, func(ctx context.Context, _ *shared.Hold) error {
				<-ctx.Done()
				return context.Cause(ctx)
			})
		})
		c.waits()
		a.Close(false)
		c.ends(reeve.ErrLeaseLost)
	})
}

func TestLock_ThatIsDeletedEndsTheWaits(t *testing.T) {
	locksTest(t, func(p *place) {
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, p.client(1), "l", shared.LockConfig{}))
		h := must[*shared.Hold](t)(lock.Acquire(p.ctx))
		c := begin(p, func() (*shared.Hold, error) { return lock.Acquire(p.ctx) })
		wantErr(t, lock.Delete(p.ctx), nil)
		c.ends(reeve.ErrNoSuchObject)
		wantErr(t, h.Release(p.ctx), reeve.ErrNoSuchName)
	})
}

func TestLocks_AreListedWithHoldersAndWaiters(t *testing.T) {
	locksTest(t, func(p *place) {
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, p.client(1), "l", shared.LockConfig{}))
		h := must[*shared.Hold](t)(lock.Acquire(p.ctx))
		since := time.Now()
		begin(p, func() (*shared.Hold, error) { return lock.Acquire(p.within(time.Second)) })
		rw := must[*shared.RWLock](t)(shared.NewRWLock(p.ctx, p.client(2), "rw", shared.LockConfig{}))
		must[*shared.Hold](t)(rw.AcquireRead(p.ctx))
		got := must[[]reeve.HoldInfo](t)(shared.Locks(p.ctx, p.client(3)))
		slices.SortFunc(got, func(a, b reeve.HoldInfo) int { return strings.Compare(a.Object.Name, b.Object.Name) })
		if len(got) != 2 {
			t.Fatalf("%+v", got)
		}
		l := got[0]
		if l.Owner != "A" || l.Host != "box" || l.PID != 1 || l.Token != h.Token() || !l.Since.Equal(since) || l.Waiters != 1 || l.Mode != "" {
			t.Errorf("%+v", l)
		}
		if got[1].Mode != "read" || got[1].Owner != "B" {
			t.Errorf("%+v", got[1])
		}
	})
}

func TestLock_ManyHoldsCostNoGoroutine(t *testing.T) {
	locksTest(t, func(p *place) {
		sem := must[*shared.Semaphore](t)(shared.NewSemaphore(p.ctx, p.client(1), "s", shared.SemaphoreConfig{Value: 1000, Bounded: true}))
		for range 1000 {
			must[*shared.Hold](t)(sem.Acquire(p.ctx))
		}
		synctest.Wait()
		if n := goroutines(); n > 500 {
			t.Errorf("%d goroutines", n)
		}
	})
}
