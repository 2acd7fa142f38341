package shared_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve/shared"
)

// Contention with cancellations at every moment: never two at a time, and in the
// end nothing is held.
func TestLock_UnderContentionAndCancellation(t *testing.T) {
	t.Parallel()
	h := newLockHost()
	defer h.Close()
	own := attach(h, 100)
	lock := must[*shared.Lock](t)(shared.NewLock(t.Context(), own, "l", shared.LockConfig{}))
	sem := must[*shared.Semaphore](t)(shared.NewSemaphore(t.Context(), own, "s", shared.SemaphoreConfig{Value: 3, Bounded: true}))
	var inside, places, got atomic.Int64
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			c := attach(h, byte(n+1))
			defer c.Close(true)
			l, s := shared.LockOf(c, "l"), shared.SemaphoreOf(c, "s")
			for i := range 300 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%20)*10*time.Microsecond)
				contend(ctx, t, &inside, 1, 1, &got, l.Acquire)
				contend(ctx, t, &places, 2, 3, &got, func(ctx context.Context) (*shared.Hold, error) { return s.AcquireN(ctx, 2) })
				cancel()
			}
		})
	}
	all.Wait()
	if got.Load() == 0 {
		t.Error("nobody ever held anything")
	}
	if locked := must[bool](t)(lock.Locked(t.Context())); locked {
		t.Error("the lock is still held")
	}
	if n := must[int](t)(sem.Value(t.Context())); n != 3 {
		t.Errorf("%d places are free", n)
	}
}

// contend acquires n places of what has most, and releases them.
func contend(ctx context.Context, t *testing.T, held *atomic.Int64, n, most int64, got *atomic.Int64, acquire func(context.Context) (*shared.Hold, error)) {
	h, err := acquire(ctx)
	if err != nil {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		return
	}
	got.Add(1)
	if held.Add(n) > most {
		t.Error("more hold it than may")
	}
	held.Add(-n)
	if err := h.Release(context.WithoutCancel(ctx)); err != nil {
		t.Error(err)
	}
}

// A condition as a queue between goroutines: nothing is lost, nobody sleeps on.
func TestCondition_ProducersAndConsumers(t *testing.T) {
	t.Parallel()
	h := newLockHost()
	defer h.Close()
	must[*shared.Condition](t)(shared.NewCondition(t.Context(), attach(h, 100), "c", shared.ConditionConfig{}))
	const each = 200
	queued, taken := 0, 0 // guarded by the condition's lock
	take := func(ctx context.Context, cond *shared.Condition) error {
		for queued == 0 {
			wait, cancel := context.WithTimeout(ctx, time.Millisecond) // over at any moment
			err := cond.Wait(wait)
			cancel()
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
		queued--
		taken++
		return nil
	}
	var all sync.WaitGroup
	for n := range 4 {
		cond := shared.ConditionOf(attach(h, byte(n+1)), "c")
		all.Go(func() {
			for range each {
				err := cond.With(t.Context(), func(ctx context.Context, _ *shared.Hold) error {
					if n%2 == 1 {
						return take(ctx, cond)
					}
					queued++
					_, err := cond.Notify(ctx, 1)
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if queued != 0 || taken != 2*each {
		t.Errorf("%d are queued, %d were taken", queued, taken)
	}
}

func BenchmarkLock(b *testing.B) {
	h := newLockHost()
	defer h.Close()
	lock, err := shared.NewLock(b.Context(), attach(h, 1), "l", shared.LockConfig{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		hold, err := lock.Acquire(b.Context())
		if err == nil {
			err = hold.Release(b.Context())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
