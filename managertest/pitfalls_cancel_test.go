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
					case !errors.Is(err, reeve.ErrBrokenBarrier) && !errors.Is(err, reeve.ErrCancelled): // which serveAll does to tasks
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
		"election": func(ctx context.Context) (*shared.Hold, error) { return shared.ElectionOf(o, "election").TryCampaign(ctx, "") },
	} {
		if err := released(try(t.Context())); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
