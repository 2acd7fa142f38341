package managertest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
)

// serveAll gives what calls of blocking wait for, now and then, and takes it back,
// until ctx ends.
func serveAll(ctx context.Context, t *testing.T, m *managertest.Master) {
	o := m.Manager()
	tasks, full := must(o.Lookup("tasks")), must(o.Lookup("full"))
	cond, event := shared.ConditionOf(o, "condition"), shared.EventOf(o, "event")
	for i := 0; ctx.Err() == nil; i++ {
		let := hold(t, o)
		ids, err := tasks.Put(t.Context(), []reeve.Task{{}})
		if err != nil {
			t.Error(err)
			return
		}
		if i%4 == 0 { // makes room for a Put
			for _, l := range takeAll(t, full) {
				if err := l.Ack(t.Context()); err != nil {
					t.Error(err)
				}
			}
			_, err := full.Put(t.Context(), []reeve.Task{{}}, reeve.NoWait())
			if err != nil && !errors.Is(err, reeve.ErrQueueFull) {
				t.Error(err)
			}
		}
		err = cond.With(t.Context(), func(ctx context.Context, _ *shared.Hold) error {
			_, err := cond.Notify(ctx, 1)
			return err
		})
		_, err2 := shared.MapOf[string, int](o, "map").Update(t.Context(), "n", func(n int, _ bool) (int, bool) { return n + 1, true })
		err = errors.Join(err, err2, event.Set(t.Context()), event.Clear(t.Context()), shared.BarrierOf(o, "barrier").Reset(t.Context()))
		if err != nil {
			t.Error(err)
		}
		runtime.Gosched()
		let()
		if err := o.Cancel(t.Context(), ids[0], ""); err != nil && !errors.Is(err, reeve.ErrNoSuchTask) {
			t.Error(err)
		}
		runtime.Gosched()
	}
}

func takeAll(t *testing.T, q reeve.Queue) []*reeve.Lease {
	ls, err := q.TryGet(t.Context(), reeve.MaxBatch)
	if err != nil && !errors.Is(err, reeve.ErrEmpty) {
		t.Error(err)
	}
	return ls
}

// 2,000 calls of every kind that waits are cancelled at random moments: while they
// are on their way, while they wait, while their answer comes. The session stays,
// and nobody holds anything, nor waits.
func TestCancel_OfBlockingCallsNeverHarmsTheSession(t *testing.T) {
	const callers, each = 20, 100
	k := newClerk()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		k.ends = make(chan error, callers*each)
		occupy(t, m)()
		let := hold(t, m.Manager())
		warm(t, m, k, callers)
		time.Sleep(time.Hour) // until who declared them is forgotten
		before, routines := state(t, m), goroutines()
		let()
		c, cable := plugged(t, m, proxy.Config{})

		giving, stop := context.WithCancel(t.Context())
		given := make(chan struct{})
		go func() { defer close(given); serveAll(giving, t, m) }()
		kinds := slices.Sorted(func(yield func(string) bool) {
			for kind := range blocking {
				if kind != "an upload" && !yield(kind) { // which is cancelled below
					return
				}
			}
		})
		var done, cancelled atomic.Int64
		var wg sync.WaitGroup
		for i := range callers {
			rnd := rand.New(rand.NewPCG(*behaveSeed, uint64(i)))
			wg.Go(func() {
				for range each {
					kind := kinds[rnd.IntN(len(kinds))]
					ctx, cancel := context.WithCancel(t.Context())
					wait := rnd.IntN(200)
					go func() { // ends by itself
						for range wait {
							runtime.Gosched()
						}
						cancel()
					}()
					switch err := blocking[kind](ctx, c); {
					case err == nil:
						done.Add(1)
					case errors.Is(err, context.Canceled):
						cancelled.Add(1)
					case kind == "queue get" && errors.Is(err, reeve.ErrLeaseLost): // of a task that serveAll has cancelled
					case !errors.Is(err, reeve.ErrBrokenBarrier):
						t.Errorf("%s: %v", kind, err)
					}
					cancel()
				}
			})
		}
		wg.Wait()
		stop()
		<-given
		if done.Load() == 0 || cancelled.Load() < callers*each/10 {
			t.Errorf("%d calls returned and %d were cancelled", done.Load(), cancelled.Load())
		}
		for range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			up := async(func() (int, error) { return 0, blocking["an upload"](ctx, c) })
			for range rand.IntN(100) {
				runtime.Gosched()
			}
			cancel()
			if err := (<-up).err; !errors.Is(err, context.Canceled) {
				t.Errorf("an upload: %v", err)
			}
		}

		settle()
		if s := c.Stats(); s.Connects != 1 || s.Unanswered != 0 || s.Waiting != 0 || cable.Made() != 1 {
			t.Errorf("%+v", s)
		}
		tryAll(t, c)
		if err := shared.BarrierOf(c, "barrier").Reset(t.Context()); err != nil {
			t.Error(err)
		}
		if err := shared.MapOf[string, int](c, "map").Clear(t.Context()); err != nil {
			t.Error(err)
		}
		if s, err := c.Queue("tasks").Stats(t.Context()); err != nil || s.Leased != 0 {
			t.Errorf("%+v, %v", s, err)
		}
		if n := goroutines(); n > routines+50 { // those of one session, and some that wait for work
			t.Errorf("%d goroutines, and %d before", n, routines)
		}
		c.Close()
		time.Sleep(time.Hour)
		let = hold(t, m.Manager())
		if after := state(t, m); after != before {
			t.Errorf("it was\n%s\nand is\n%s", before, after)
		}
		let()
	}, registers(k))
}

// tryAll wants that nobody holds or waits for anything.
func tryAll(t *testing.T, o reeve.Objects) {
	t.Helper()
	for what, try := range map[string]func(context.Context) (*shared.Hold, error){
		"lock": shared.LockOf(o, "lock").TryAcquire, "rlock": shared.RLockOf(o, "rlock").TryAcquire, "rwlock": shared.RWLockOf(o, "rwlock").TryAcquire,
		"semaphore": shared.SemaphoreOf(o, "semaphore").TryAcquire, "condition": shared.ConditionOf(o, "condition").TryAcquire,
		"election": func(ctx context.Context) (*shared.Hold, error) {
			return shared.ElectionOf(o, "election").TryCampaign(ctx, "")
		},
	} {
		if err := released(try(t.Context())); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The same while the connection is lost again and again, with holds that outlast
// that: whatever was cancelled is not held once every grace is over.
func TestCancel_WhileTheConnectionIsLostLeavesNothing(t *testing.T) {
	const callers, each = 10, 200
	kinds := []string{"lock", "graceful", "semaphore", "condition", "campaign", "queue get", "event"}
	blocked := func(kind string, ctx context.Context, c *proxy.Client) error {
		if kind == "graceful" {
			return released(shared.LockOf(c, "graceful").Acquire(ctx))
		}
		return blocking[kind](ctx, c)
	}
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareLocks(t, m)
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c, cable := plugged(t, m, proxy.Config{MinBackoff: time.Millisecond})
		o := m.Manager()
		giving, stop := context.WithCancel(t.Context())
		given := make(chan struct{})
		go func() {
			defer close(given)
			cond := shared.ConditionOf(o, "condition")
			for giving.Err() == nil {
				err := cond.With(t.Context(), func(ctx context.Context, _ *shared.Hold) error {
					_, err := cond.Notify(ctx, 1)
					return err
				})
				_, err2 := must(o.Lookup("tasks")).Put(t.Context(), []reeve.Task{{}})
				err = errors.Join(err, err2, shared.EventOf(o, "event").Set(t.Context()), shared.EventOf(o, "event").Clear(t.Context()))
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
		broken := make(chan struct{})
		go func() {
			defer close(broken)
			rnd := rand.New(rand.NewPCG(*behaveSeed, 77))
			for giving.Err() == nil {
				time.Sleep(time.Duration(1+rnd.IntN(60)) * time.Millisecond)
				for range rnd.IntN(200) { // what began at this moment is under way
					runtime.Gosched()
				}
				cable.Last().Reset()
			}
		}()
		var cancelled atomic.Int64
		var wg sync.WaitGroup
		for i := range callers {
			rnd := rand.New(rand.NewPCG(*behaveSeed, uint64(i)))
			wg.Go(func() {
				for range each {
					kind := kinds[rnd.IntN(len(kinds))]
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rnd.IntN(100))*time.Millisecond)
					wait := rnd.IntN(400)
					go func() { // ends by itself
						if wait < 200 {
							for range wait {
								runtime.Gosched()
							}
							cancel()
						}
					}()
					err := blocked(kind, ctx, c)
					cancel()
					if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
						cancelled.Add(1)
					} else if err != nil && !errors.Is(err, reeve.ErrLeaseLost) && !errors.Is(err, reeve.ErrDisconnected) {
						t.Errorf("-behave.seed=%d: %s: %v", *behaveSeed, kind, err)
					}
				}
			})
		}
		wg.Wait()
		stop()
		<-given
		<-broken
		if cancelled.Load() < callers*each/10 || cable.Made() < 5 {
			t.Errorf("%d calls were cancelled, over %d connections", cancelled.Load(), cable.Made())
		}
		time.Sleep(2 * time.Minute)
		if locks, err := shared.Locks(t.Context(), o); err != nil || len(locks) != 0 {
			t.Errorf("-behave.seed=%d: held: %+v, %v", *behaveSeed, locks, err)
		}
		if s := c.Stats(); s.Unanswered != 0 || s.Waiting != 0 || s.Leases != 0 {
			t.Errorf("-behave.seed=%d: %+v", *behaveSeed, s)
		}
		if s, err := c.Queue("tasks").Stats(t.Context()); err != nil || s.Leased != 0 {
			t.Errorf("-behave.seed=%d: %+v, %v", *behaveSeed, s, err)
		}
	}, brisk)
}
