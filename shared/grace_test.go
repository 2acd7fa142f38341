package shared_test

import (
	"context"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

var graceful = shared.LockConfig{Grace: 10 * time.Second}

func TestGrace_HoldOutlivesABreakThatIsShort(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, l, "l", graceful))
		h := must[*shared.Hold](t)(lock.Acquire(p.ctx))
		other := p.client(2)
		c := begin(p, func() (*shared.Hold, error) { return shared.LockOf(other, "l").Acquire(p.ctx) })
		for range 3 { // again and again
			l.cut()
			time.Sleep(9 * time.Second)
			c.waits()
			l.connect()
			time.Sleep(20 * time.Second)
			c.waits()
		}
		wantErr(t, context.Cause(h.Context()), nil)
		wantErr(t, h.Release(p.ctx), nil)
		c.ends(nil)
		l.cut()
	})
}

func TestGrace_HoldEndsWhenTheClientIsNotBackInTime(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, l, "l", graceful))
		h := must[*shared.Hold](t)(lock.Acquire(p.ctx))
		other := p.client(2)
		c := begin(p, func() (*shared.Hold, error) { return shared.LockOf(other, "l").Acquire(p.ctx) })
		l.cut()
		time.Sleep(9 * time.Second)
		c.waits()
		time.Sleep(time.Second)
		c.ends(nil)
		l.connect()
		time.Sleep(0)
		wantErr(t, h.Release(p.ctx), reeve.ErrLeaseLost)
		wantErr(t, context.Cause(h.Context()), reeve.ErrLeaseLost)
		l.cut()
	})
}

func TestGrace_OfNothingEndsTheHoldWithTheConnection(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, l, "l", shared.LockConfig{}))
		h := must[*shared.Hold](t)(lock.Acquire(p.ctx))
		l.cut()
		wantErr(t, h.Release(p.ctx), reeve.ErrLeaseLost) // without a connection
		l.connect()
		wantErr(t, context.Cause(h.Context()), errCut)
		h = must[*shared.Hold](t)(lock.Acquire(p.ctx))
		wantErr(t, h.Release(p.ctx), nil)
		l.cut()
	})
}

func TestGrace_AcquireWhoseAnswerIsLostIsOneHold(t *testing.T) {
	for name, cfg := range map[string]shared.LockConfig{"none": {}, "some": graceful} {
		t.Run(name, func(t *testing.T) {
			locksTest(t, func(p *place) {
				l := newLine(p.host, 1)
				lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, &swallow{l, "acquire"}, "l", cfg))
				h := must[*shared.Hold](t)(lock.Acquire(p.ctx))
				time.Sleep(time.Minute / 2)
				wantErr(t, context.Cause(h.Context()), nil)
				wantErr(t, h.Release(p.ctx), nil)
				r := must[*shared.RLock](t)(shared.NewRLock(p.ctx, &swallow{l, "acquire"}, "r", cfg))
				h = must[*shared.Hold](t)(r.Acquire(p.ctx))
				wantErr(t, h.Release(p.ctx), nil)
				if locked := must[bool](t)(r.Locked(p.ctx)); locked {
					t.Error("it was acquired twice")
				}
				l.cut()
			})
		})
	}
}

// The answer to the acquire of one who gave up is lost with the connection: the
// client is back, but does not know that it holds anything.
func TestGrace_HoldThatNobodyClaimsEnds(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, &deaf{l, "acquire"}, "l", graceful))
		ctx, cancel := p.cancellable()
		c := begin(p, func() (*shared.Hold, error) { return lock.Acquire(ctx) })
		c.waits()
		l.cut()
		cancel()
		time.Sleep(time.Second) // for the attempt to undo it
		c.ends(context.Canceled)
		l.connect()
		if locked := must[bool](t)(lock.Locked(p.ctx)); !locked {
			t.Error("the hold ended before its time")
		}
		time.Sleep(9*time.Second + time.Millisecond)
		if locked := must[bool](t)(lock.Locked(p.ctx)); locked {
			t.Error("the hold stands")
		}
		l.cut()
	})
}

func TestGrace_ReleaseWhoseAnswerIsLostIsOneRelease(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		r := must[*shared.RLock](t)(shared.NewRLock(p.ctx, &swallow{l, "release"}, "r", graceful))
		must[*shared.Hold](t)(r.Acquire(p.ctx))
		must[*shared.Hold](t)(r.Acquire(p.ctx))
		wantErr(t, r.Release(p.ctx), nil)
		if locked := must[bool](t)(r.Locked(p.ctx)); !locked {
			t.Error("it was released twice")
		}
		wantErr(t, r.Release(p.ctx), nil)
		l.cut()
	})
}

func TestGrace_OfAClientThatIsGoneForGoodEndsBefore(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		lock := must[*shared.Lock](t)(shared.NewLock(p.ctx, c, "l", shared.LockConfig{Grace: time.Hour}))
		must[*shared.Hold](t)(lock.Acquire(p.ctx))
		other := p.client(2)
		w := begin(p, func() (*shared.Hold, error) { return shared.LockOf(other, "l").Acquire(p.ctx) })
		w.waits()
		c.Close(true)
		w.ends(nil)
	})
}

// A wait goes on across a break, and so does a notify that came during it.
func TestGrace_ConditionWaitOutlivesABreak(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		cond := must[*shared.Condition](t)(shared.NewCondition(p.ctx, l, "c", shared.ConditionConfig{Grace: 10 * time.Second}))
		h := must[*shared.Hold](t)(cond.Acquire(p.ctx))
		w := beginErr(p, func() error { return cond.Wait(p.ctx) })
		w.waits()
		before := h.Token()
		l.cut()
		other := shared.ConditionOf(p.client(2), "c")
		must[*shared.Hold](t)(other.Acquire(p.ctx))
		if n := must[int](t)(other.Notify(p.ctx, 1)); n != 1 {
			t.Fatalf("%d notified", n)
		}
		wantErr(t, other.Release(p.ctx), nil)
		w.waits()
		l.connect()
		w.ends(nil)
		time.Sleep(time.Minute / 2)
		if h.Token() <= before {
			t.Error("the token stayed the same")
		}
		wantErr(t, h.Release(p.ctx), nil)
		l.cut()
	})
}

func TestGrace_NotifyOfOneWhoDoesNotComeBackGoesToTheNext(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		cond := must[*shared.Condition](t)(shared.NewCondition(p.ctx, l, "c", shared.ConditionConfig{Grace: 10 * time.Second}))
		must[*shared.Hold](t)(cond.Acquire(p.ctx))
		ctx, cancel := p.cancellable()
		dead := beginErr(p, func() error { return cond.Wait(ctx) })
		second := shared.ConditionOf(p.client(2), "c")
		must[*shared.Hold](t)(second.Acquire(p.ctx))
		w := beginErr(p, func() error { return second.Wait(p.ctx) })
		l.cut()
		third := shared.ConditionOf(p.client(3), "c")
		must[*shared.Hold](t)(third.Acquire(p.ctx))
		if n := must[int](t)(third.Notify(p.ctx, 1)); n != 1 {
			t.Fatalf("%d notified", n)
		}
		wantErr(t, third.Release(p.ctx), nil)
		time.Sleep(9 * time.Second)
		w.waits()
		time.Sleep(time.Second)
		w.ends(nil)
		l.connect()
		dead.ends(reeve.ErrLeaseLost)
		cancel()
		l.cut()
	})
}

func TestCondition_WaitEndsWithTheConnectionWithoutAGrace(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		cond := must[*shared.Condition](t)(shared.NewCondition(p.ctx, l, "c", shared.ConditionConfig{}))
		h := must[*shared.Hold](t)(cond.Acquire(p.ctx))
		w := beginErr(p, func() error { return cond.Wait(p.ctx) })
		w.waits()
		l.cut()
		w.ends(reeve.ErrLeaseLost) // without waiting for a connection
		wantErr(t, h.Release(p.ctx), reeve.ErrLeaseLost)
		l.connect()
		h = must[*shared.Hold](t)(cond.Acquire(p.ctx))
		wantErr(t, h.Release(p.ctx), nil)
		l.cut()
	})
}

func TestGrace_WaitWhoseAnswerIsLostIsOver(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		cond := must[*shared.Condition](t)(shared.NewCondition(p.ctx, &swallow{l, "wait"}, "c", shared.ConditionConfig{Grace: 10 * time.Second}))
		h := must[*shared.Hold](t)(cond.Acquire(p.ctx))
		w := beginErr(p, func() error { return cond.Wait(p.ctx) })
		other := shared.ConditionOf(p.client(2), "c")
		must[*shared.Hold](t)(other.Acquire(p.ctx))
		must[int](t)(other.NotifyAll(p.ctx))
		wantErr(t, other.Release(p.ctx), nil)
		w.ends(nil)
		wantErr(t, h.Release(p.ctx), nil)
		l.cut()
	})
}

// unsent is where calls of a method end with their context before they are sent.
type unsent struct {
	reeve.Objects
	method string
}

func (u *unsent) CallObject(ctx context.Context, c *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	if c.Method == u.method {
		<-ctx.Done()
		return reeve.ObjectAnswer{}, ctx.Err()
	}
	return u.Objects.CallObject(ctx, c)
}

func TestCondition_WaitThatNeverBeganHasTheLock(t *testing.T) {
	locksTest(t, func(p *place) {
		cond := must[*shared.Condition](t)(shared.NewCondition(p.ctx, &unsent{p.client(1), "wait"}, "c", shared.ConditionConfig{}))
		h := must[*shared.Hold](t)(cond.Acquire(p.ctx))
		wantErr(t, cond.Wait(p.within(time.Second)), context.DeadlineExceeded)
		wantErr(t, h.Release(p.ctx), nil)
	})
}

// The master does not know yet that the wait is over when it is asked for the lock.
func TestCondition_ThatIsAskedForTheLockEndsItsWait(t *testing.T) {
	locksTest(t, func(p *place) {
		c := p.client(1)
		cond := must[*shared.Condition](t)(shared.NewCondition(p.ctx, &hasty{c}, "c", shared.ConditionConfig{}))
		h := must[*shared.Hold](t)(cond.Acquire(p.ctx))
		wantErr(t, cond.Wait(p.within(time.Second)), context.DeadlineExceeded)
		wantErr(t, h.Release(p.ctx), nil)
	})
}

// hasty gives a wait up without telling the master.
type hasty struct{ reeve.Objects }

func (h *hasty) CallObject(ctx context.Context, c *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	if c.Method != "wait" {
		return h.Objects.CallObject(ctx, c)
	}
	go func() { _, _ = h.Objects.CallObject(context.WithoutCancel(ctx), c) }() // ends with the wait
	<-ctx.Done()
	return reeve.ObjectAnswer{}, ctx.Err()
}
