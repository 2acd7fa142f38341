package managertest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
)

// declareLocks makes what the tests of this file use, at the master itself.
func declareLocks(t *testing.T, m *managertest.Master) {
	t.Helper()
	ctx, o := t.Context(), m.Manager()
	_, err1 := shared.NewLock(ctx, o, "lock", shared.LockConfig{})
	_, err2 := shared.NewLock(ctx, o, "graceful", shared.LockConfig{Grace: 30 * time.Second})
	_, err3 := shared.NewSemaphore(ctx, o, "semaphore", shared.SemaphoreConfig{Value: 1, Bounded: true})
	_, err4 := shared.NewCondition(ctx, o, "condition", shared.ConditionConfig{})
	_, err5 := shared.NewEvent(ctx, o, "event", shared.EventConfig{})
	_, err6 := shared.NewBarrier(ctx, o, "barrier", shared.BarrierConfig{Parties: 3})
	_, err7 := shared.NewElection(ctx, o, "election", shared.ElectionConfig{})
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatal(err)
	}
}

// A client dies: its process is killed, or its machine vanishes without a sign.
var deaths = map[string]func(*memnet.Cable){
	"killed":     (*memnet.Cable).Kill,
	"black hole": (*memnet.Cable).BlackHole,
}

func TestLocks_OfADeadClientAreFree(t *testing.T) {
	for name, die := range deaths {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				declareLocks(t, m)
				c, cable := plugged(t, m, proxy.Config{})
				h, err := shared.LockOf(c, "lock").Acquire(t.Context())
				s, err2 := shared.SemaphoreOf(c, "semaphore").Acquire(t.Context())
				e, err3 := shared.ElectionOf(c, "election").Campaign(t.Context(), "here")
				if err := errors.Join(err, err2, err3); err != nil {
					t.Fatal(err)
				}
				o := m.Dial(t)
				next := async(func() (*shared.Hold, error) { return shared.LockOf(o, "lock").Acquire(t.Context()) })
				place := async(func() (*shared.Hold, error) { return shared.SemaphoreOf(o, "semaphore").Acquire(t.Context()) })
				leader := async(func() (*shared.Hold, error) { return shared.ElectionOf(o, "election").Campaign(t.Context(), "there") })
				settle()
				die(cable)
				for want, r := range map[*shared.Hold]<-chan result[*shared.Hold]{h: next, s: place, e: leader} {
					if got := <-r; got.err != nil || got.v.Token() <= want.Token() {
						t.Errorf("%+v after token %d", got, want.Token())
					}
				}
				<-h.Context().Done()
				if err := h.Release(t.Context()); !errors.Is(err, reeve.ErrLeaseLost) || !errors.Is(err, reeve.ErrDisconnected) {
					t.Error(err)
				}
			}, brisk)
		})
	}
}

func TestLocks_WhoDiesWhileItWaitsSwallowsNothing(t *testing.T) {
	for name, die := range deaths {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				declareLocks(t, m)
				ctx := t.Context()
				own := m.Manager()
				h, err := shared.LockOf(own, "lock").Acquire(ctx)
				if err != nil {
					t.Fatal(err)
				}
				c, cable := plugged(t, m, proxy.Config{})
				wait := func(o reeve.Objects) (acquired <-chan result[*shared.Hold], waited <-chan result[struct{}]) {
					cond := shared.ConditionOf(o, "condition")
					acquired = async(func() (*shared.Hold, error) { return shared.LockOf(o, "lock").Acquire(ctx) })
					waited = async(func() (struct{}, error) {
						return struct{}{}, cond.With(ctx, func(ctx context.Context, _ *shared.Hold) error { return cond.Wait(ctx) })
					})
					settle()
					return acquired, waited
				}
				wait(c)
				acquired, waited := wait(m.Dial(t))
				die(cable)
				time.Sleep(5 * time.Second) // until the master has noticed
				if err := h.Release(ctx); err != nil {
					t.Fatal(err)
				}
				if got := <-acquired; got.err != nil {
					t.Error(got.err)
				}
				cond := shared.ConditionOf(own, "condition")
				if err := cond.With(ctx, func(ctx context.Context, _ *shared.Hold) error {
					n, err := cond.Notify(ctx, 1)
					if n != 1 {
						t.Errorf("%d were notified", n)
					}
					return err
				}); err != nil {
					t.Error(err)
				}
				if got := <-waited; got.err != nil {
					t.Error(got.err)
				}
			}, brisk)
		})
	}
}

func TestBarrier_BreaksForTheOthersWhenOneDies(t *testing.T) {
	for name, die := range deaths {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				declareLocks(t, m)
				c, cable := plugged(t, m, proxy.Config{Name: "the dead one"})
				go func() { _, _ = shared.BarrierOf(c, "barrier").Wait(t.Context()) }() // ends with the client
				alive := shared.BarrierOf(m.Dial(t), "barrier")
				waits := async(func() (int, error) { return alive.Wait(t.Context()) })
				settle()
				die(cable)
				got := <-waits
				if !errors.Is(got.err, reeve.ErrBrokenBarrier) || !strings.Contains(got.err.Error(), "the dead one") {
					t.Error(got.err)
				}
				if _, err := alive.Wait(t.Context()); !errors.Is(err, reeve.ErrBrokenBarrier) {
					t.Error(err)
				}
				if err := alive.Reset(t.Context()); err != nil {
					t.Error(err)
				}
			}, brisk)
		})
	}
}

func TestLocks_BreakOfTheConnectionCostsNothingWithinTheGrace(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareLocks(t, m)
		c, cable := plugged(t, m, proxy.Config{})
		ctx := t.Context()
		h, err := shared.LockOf(c, "graceful").Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := shared.LockOf(c, "lock").Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		event := async(func() (struct{}, error) { return struct{}{}, shared.EventOf(c, "event").Wait(ctx) })
		settle()
		for range 3 {
			cable.Last().Reset()
			time.Sleep(20 * time.Second) // the client is back long before
		}
		if err := context.Cause(plain.Context()); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Error(err)
		}
		if h.Context().Err() != nil {
			t.Error(context.Cause(h.Context()))
		}
		if err := h.Release(ctx); err != nil {
			t.Error(err)
		}
		if err := shared.EventOf(m.Manager(), "event").Set(ctx); err != nil {
			t.Error(err)
		}
		if got := <-event; got.err != nil {
			t.Error(got.err)
		}
	}, brisk)
}

// The answers to acquires and releases are lost at every byte; asked again, none
// happens twice, and nothing stays held.
func TestLocks_AnswersThatAreLostChangeNothing(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		ctx := t.Context()
		cfg := shared.LockConfig{Grace: 30 * time.Second}
		r, err := shared.NewRLock(ctx, m.Manager(), "r", cfg)
		if err != nil {
			t.Fatal(err)
		}
		c, cable := plugged(t, m, proxy.Config{})
		mine := shared.RLockOf(c, "r")
		broken, whole := 0, 0
		for n := 0; n < 600; n += 3 {
			before := cable.Made()
			settle()
			cable.Last().Peer().CutAfter(n)
			_, err := mine.Acquire(ctx)
			_, err2 := mine.Acquire(ctx)
			if err := errors.Join(err, err2, mine.Release(ctx)); err != nil {
				t.Fatalf("cut after %d bytes: %v", n, err)
			}
			if locked, err := r.Locked(ctx); !locked || err != nil {
				t.Fatalf("cut after %d bytes: locked: %v, %v", n, locked, err)
			}
			if err := mine.Release(ctx); err != nil {
				t.Fatalf("cut after %d bytes: %v", n, err)
			}
			if locked, err := r.Locked(ctx); locked || err != nil {
				t.Fatalf("cut after %d bytes: locked: %v, %v", n, locked, err)
			}
			if cable.Made() > before {
				broken++
			} else {
				whole++
			}
		}
		if broken < 10 || whole == 0 {
			t.Errorf("%d times the connection was cut and %d times not", broken, whole)
		}
	}, brisk)
}

func TestLocks_CancelledCallsHoldNothingAndHarmNothing(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareLocks(t, m)
		c, cable := plugged(t, m, proxy.Config{})
		lock := shared.LockOf(c, "lock")
		for n := range 100 {
			h, err := shared.LockOf(m.Manager(), "lock").Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			call := async(func() (*shared.Hold, error) { return lock.Acquire(ctx) })
			if n%2 == 0 {
				settle()
			}
			go cancel() // at the moment at which it is granted
			if err := h.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := <-call; got.err == nil {
				if err := got.v.Release(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else if !errors.Is(got.err, context.Canceled) {
				t.Fatal(got.err)
			}
			if locked, err := lock.Locked(t.Context()); locked || err != nil {
				t.Fatalf("locked: %v, %v", locked, err)
			}
			cancel()
		}
		if cable.Made() != 1 {
			t.Errorf("%d connections", cable.Made())
		}
	})
}

func TestLocks_DeadlockIsNamedOverTheWire(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareLocks(t, m)
		c := m.Dial(t)
		me := shared.LockOf(c, "lock").As(shared.NewOwner())
		if _, err := me.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := me.Acquire(t.Context())
		d, ok := errors.AsType[*reeve.DeadlockError](err)
		if !errors.Is(err, reeve.ErrDeadlock) || !ok || len(d.Cycle) != 1 || !strings.HasPrefix(d.Cycle[0], "lock lock held by ") {
			t.Error(err)
		}
	})
}

func TestLocks_OfAMasterThatIsAnotherAreGone(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareLocks(t, m)
		c := m.Dial(t)
		h, err := shared.LockOf(c, "graceful").Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		token := h.Token()
		m.Restart(t)
		<-h.Context().Done()
		if err := context.Cause(h.Context()); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Error(err)
		}
		if _, err := shared.LockOf(c, "graceful").Acquire(t.Context()); !errors.Is(err, reeve.ErrNoSuchName) {
			t.Error(err)
		}
		declareLocks(t, m)
		if h, err = shared.LockOf(c, "graceful").Acquire(t.Context()); err != nil || h.Token() <= token {
			t.Errorf("%v: token %d after %d", err, h.Token(), token)
		}
	}, brisk)
}
