package managertest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

// uses calls something harmless of each type, by the name of the type, through
// handles that are made once.
func uses(o reeve.Objects) map[string]func(context.Context) error {
	lock, rlock, rw, sem := shared.LockOf(o, "lock"), shared.RLockOf(o, "rlock"), shared.RWLockOf(o, "rwlock"), shared.SemaphoreOf(o, "semaphore")
	cond, event, barrier, el := shared.ConditionOf(o, "condition"), shared.EventOf(o, "event"), shared.BarrierOf(o, "barrier"), shared.ElectionOf(o, "election")
	mp, list, set := shared.MapOf[string, int](o, "map"), shared.ListOf[int](o, "list"), shared.SetOf[int](o, "set")
	array, value, ns := shared.ArrayOf[int](o, "array"), shared.ValueOf[int](o, "value"), shared.NamespaceOf(o, "namespace")
	hold := func(acquire func(context.Context) (*shared.Hold, error)) func(context.Context) error {
		return func(ctx context.Context) error { return released(acquire(ctx)) }
	}
	return map[string]func(context.Context) error{
		"lock": hold(lock.Acquire), "rlock": hold(rlock.Acquire), "rwlock": hold(rw.AcquireRead), "semaphore": hold(sem.Acquire), "condition": hold(cond.Acquire),
		"event":    func(ctx context.Context) error { return errors.Join(event.Set(ctx), event.Wait(ctx), event.Clear(ctx)) },
		"barrier":  func(ctx context.Context) error { _, err := barrier.State(ctx); return err },
		"election": hold(func(ctx context.Context) (*shared.Hold, error) { return el.Campaign(ctx, "") }),
		"map":      func(ctx context.Context) error { return mp.Set(ctx, "a", 1) },
		"list":     func(ctx context.Context) error { _, err := list.Append(ctx, 1); return err },
		"set":      func(ctx context.Context) error { return set.Add(ctx, 1) },
		"array":    func(ctx context.Context) error { return array.Set(ctx, 0, 1) },
		"value":    func(ctx context.Context) error { return value.Set(ctx, 1) },
		"namespace": func(ctx context.Context) error {
			return ns.Set(ctx, "_a", 1)
		},
		"desk": func(ctx context.Context) error { return shared.ObjectOf(o, "desk").Invoke(ctx, "Peek", nil) },
	}
}

// Handles of a master that was restarted and has none of their objects say so; and
// work again when the objects do.
func TestRestart_HandlesSayThatTheirObjectsAreGone(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareAll(t, m)
		c := m.Dial(t)
		use := uses(c)
		for what, f := range use {
			if err := f(t.Context()); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		m.Restart(t)
		for what, f := range use {
			err := f(t.Context())
			unknown, ok := errors.AsType[*reeve.NoSuchNameError](err)
			if what == "desk" { // which the program registers each time
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			} else if !errors.Is(err, reeve.ErrNoSuchName) || !ok || unknown.Name != what || len(unknown.Known) != 1 || unknown.Known[0] != "desk" {
				t.Errorf("%s: %v", what, err)
			}
		}
		declareAll(t, m)
		for what, f := range use {
			if err := f(t.Context()); err != nil {
				t.Errorf("%s, declared again: %v", what, err)
			}
		}
		if s := c.Stats(); s.Connects != 2 || s.Unanswered != 0 {
			t.Errorf("%+v", s)
		}
	}, registers(newClerk()))
}

// What waits when the master is restarted ends with the reason where what it waited
// for is gone; where a program declares it again each time, it goes on.
func TestRestart_WhatWaitsSaysWhyOrGoesOn(t *testing.T) {
	kinds := []string{
		"lock", "rlock", "rwlock, to read", "rwlock, to write", "semaphore", "condition", "event", "barrier", "campaign", "observe",
		"watch of a map", "watch of a set", "watch of a value",
	}
	for _, again := range []bool{false, true} {
		t.Run(map[bool]string{false: "gone", true: "declared again"}[again], func(t *testing.T) {
			k := newClerk()
			cfg := registers(k)
			if again {
				start := cfg.OnStart
				cfg.OnStart = func(ctx context.Context, m *manager.Master) error {
					return errors.Join(declareAllAs(ctx, m, false), start(ctx, m))
				}
			}
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				k.ends = make(chan error, 10)
				c := m.Dial(t)
				if !again {
					declareAll(t, m)
				}
				hold(t, m.Manager())
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				waits := map[string]<-chan result[int]{}
				for _, kind := range kinds {
					waits[kind] = async(func() (int, error) { return 0, blocking[kind](ctx, c) })
				}
				settle()
				m.Restart(t)
				time.Sleep(time.Minute)
				for kind, w := range waits {
					waitsNow := strings.HasPrefix(kind, "watch") || kind == "observe" || kind == "event" || kind == "barrier"
					if len(w) == 0 {
						if !again || !waitsNow {
							t.Errorf("%s waits still", kind)
						}
						continue
					}
					switch got := <-w; {
					case kind == "condition": // its lock was held, and is lost
						if !errors.Is(got.err, reeve.ErrLeaseLost) {
							t.Errorf("%s: %v", kind, got.err)
						}
					case !again:
						if !errors.Is(got.err, reeve.ErrNoSuchName) && !errors.Is(got.err, reeve.ErrNoSuchObject) {
							t.Errorf("%s: %v", kind, got.err)
						}
					case strings.HasPrefix(kind, "watch of a ") && kind != "watch of a value":
						if !errors.Is(got.err, reeve.ErrMissed) {
							t.Errorf("%s: %v", kind, got.err)
						}
					case waitsNow:
						t.Errorf("%s has ended: %v", kind, got.err)
					case got.err != nil:
						t.Errorf("%s: %v", kind, got.err)
					}
				}
				if again {
					if err := shared.EventOf(m.Manager(), "event").Set(t.Context()); err != nil {
						t.Error(err)
					}
					if got := <-waits["event"]; got.err != nil {
						t.Errorf("event: %v", got.err)
					}
					if s := state(t, m); !strings.Contains(s, "barrier: 1 of 100 wait") {
						t.Errorf("the barrier:\n%s", s)
					}
					tryAll(t, c)
				}
				cancel()
			}, cfg)
		})
	}
}

// A loop over changes outlasts masters: it is told that it missed some, and then
// all that is there, so that it has what the map has.
func TestRestart_WatchBeginsAnewWithWhatIsThere(t *testing.T) {
	j, _ := powerCuts(t)
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		x, err := shared.NewMap[string, int](ctx, m.Dial(t), "m", shared.MapConfig{Durable: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Set(ctx, "old", 1); err != nil {
			t.Fatal(err)
		}
		mine := map[string]int{}
		missed := 0
		over := async(func() (int, error) {
			for ch, err := range x.Follow(ctx) {
				switch {
				case errors.Is(err, reeve.ErrMissed):
					missed++
					clear(mine)
				case err != nil:
					return 0, err
				case ch.Kind == shared.KeySet, ch.Kind == shared.KeyPresent:
					mine[ch.Key] = ch.Value
				case ch.Kind == shared.KeyDeleted:
					delete(mine, ch.Key)
				}
			}
			return 0, nil
		})
		for i, key := range []string{"a", "b", "c"} {
			time.Sleep(time.Second) // versions are times
			m.Restart(t)
			if err := x.Set(ctx, key, i); err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				if err := x.Delete(ctx, "old"); err != nil {
					t.Fatal(err)
				}
			}
			settle()
		}
		cancel()
		if got := <-over; got.err != nil {
			t.Error(got.err)
		}
		if missed != 3 || len(mine) != 3 || mine["a"] != 0 || mine["b"] != 1 || mine["c"] != 2 {
			t.Errorf("missed %d times: %v", missed, mine)
		}
	}, manager.Config{Journal: j})
}

// With a journal the same handles find what is durable as it was, again and again;
// what is not is gone, and says so.
func TestRestart_DurableObjectsAreAsTheyWere(t *testing.T) {
	durable := map[string]bool{"map": true, "list": true, "set": true, "array": true, "value": true, "namespace": true}
	j, _ := powerCuts(t)
	cfg := registers(newClerk())
	cfg.Journal = j
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		if err := declareAllAs(t.Context(), c, true); err != nil {
			t.Fatal(err)
		}
		use := uses(c)
		for round := range 3 {
			for what, f := range use {
				err := f(t.Context())
				if gone := round > 0 && !durable[what] && what != "desk"; gone && !errors.Is(err, reeve.ErrNoSuchName) || !gone && err != nil {
					t.Errorf("round %d: %s: %v", round, what, err)
				}
			}
			n, err := shared.ListOf[int](c, "list").Len(t.Context())
			v, err2 := shared.ValueOf[int](c, "value").Get(t.Context())
			a, err3 := shared.MapOf[string, int](c, "map").Get(t.Context(), "a")
			in, err4 := shared.SetOf[int](c, "set").Has(t.Context(), 1)
			first, err5 := shared.ArrayOf[int](c, "array").Get(t.Context(), 0)
			if err := errors.Join(err, err2, err3, err4, err5); err != nil || n != round+1 || v != 1 || a != 1 || !in || first != 1 {
				t.Errorf("round %d: %d, %d, %d, %v, %d, %v", round, n, v, a, in, first, err)
			}
			m.Restart(t)
		}
		// The same declarations find what there is; another one says what differs.
		if err := declareAllAs(t.Context(), c, true); err != nil {
			t.Error(err)
		}
		if _, err := shared.NewMap[string, int](t.Context(), c, "map", shared.MapConfig{}); !errors.Is(err, reeve.ErrObjectExists) {
			t.Errorf("as one that is not durable: %v", err)
		}
	}, cfg)
}

// Holds and objects without a name end with the master, with a grace or without,
// with a journal or without.
func TestRestart_HoldsAreLostAndTell(t *testing.T) {
	for _, journaled := range []bool{false, true} {
		var cfg manager.Config
		if journaled {
			cfg.Journal, _ = powerCuts(t)
		}
		managertest.Run(t, func(t *testing.T, m *managertest.Master) {
			declareLocks(t, m)
			c, ctx := m.Dial(t), t.Context()
			holds := map[string]*shared.Hold{}
			for what, acquire := range map[string]func(context.Context) (*shared.Hold, error){
				"lock": shared.LockOf(c, "lock").Acquire, "with a grace": shared.LockOf(c, "graceful").Acquire, "semaphore": shared.SemaphoreOf(c, "semaphore").Acquire,
				"condition": shared.ConditionOf(c, "condition").Acquire, "election": func(ctx context.Context) (*shared.Hold, error) {
					return shared.ElectionOf(c, "election").Campaign(ctx, "")
				},
			} {
				h, err := acquire(ctx)
				if err != nil {
					t.Fatal(err)
				}
				holds[what] = h
			}
			anonymous, err := shared.NewMap[string, int](ctx, c, "", shared.MapConfig{})
			lock, err2 := shared.NewLock(ctx, c, "", shared.LockConfig{Grace: time.Minute})
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			own, err := lock.Acquire(ctx)
			if err != nil {
				t.Fatal(err)
			}
			holds["without a name"] = own
			inside := async(func() (int, error) {
				return 0, shared.LockOf(c, "lock").As(shared.NewOwner()).With(ctx, func(ctx context.Context, _ *shared.Hold) error {
					<-ctx.Done()
					return context.Cause(ctx)
				})
			})
			settle()
			m.Restart(t)
			declareLocks(t, m)
			for what, h := range holds {
				select {
				case <-h.Context().Done():
				case <-time.After(time.Minute):
					t.Fatalf("%s: the hold stands", what)
				}
				if err := context.Cause(h.Context()); !errors.Is(err, reeve.ErrLeaseLost) {
					t.Errorf("%s: %v", what, err)
				}
				if err := h.Release(ctx); !errors.Is(err, reeve.ErrLeaseLost) {
					t.Errorf("%s: Release: %v", what, err)
				}
			}
			if err := anonymous.Set(ctx, "a", 1); !errors.Is(err, reeve.ErrNoSuchObject) {
				t.Errorf("a map without a name: %v", err)
			}
			if _, err := lock.Acquire(ctx); !errors.Is(err, reeve.ErrNoSuchObject) {
				t.Errorf("a lock without a name: %v", err)
			}
			m.Restart(t) // the wait inside has the lock by now, or is told that it is gone
			if got := <-inside; !errors.Is(got.err, reeve.ErrLeaseLost) && !errors.Is(got.err, reeve.ErrNoSuchName) {
				t.Errorf("With: %v", got.err)
			}
		}, cfg)
	}
}
