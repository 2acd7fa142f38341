package managertest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
)

// blocking is every call that may wait long, by what it waits for. Each waits when
// the objects are those of occupy.
var blocking = map[string]func(ctx context.Context, c *proxy.Client) error{
	"queue get": func(ctx context.Context, c *proxy.Client) error {
		ls, err := c.Queue("tasks").Get(ctx, 1)
		for _, l := range ls {
			err = errors.Join(err, l.Return(context.Background()))
		}
		return err
	},
	"queue put": func(ctx context.Context, c *proxy.Client) error {
		_, err := c.Queue("full").Put(ctx, []reeve.Task{{}})
		return err
	},
	"queue join": func(ctx context.Context, c *proxy.Client) error { return c.Queue("full").Join(ctx) },
	"lock": func(ctx context.Context, c *proxy.Client) error {
		return released(shared.LockOf(c, "lock").Acquire(ctx))
	},
	"rlock": func(ctx context.Context, c *proxy.Client) error {
		return released(shared.RLockOf(c, "rlock").Acquire(ctx))
	},
	"rwlock, to read": func(ctx context.Context, c *proxy.Client) error {
		return released(shared.RWLockOf(c, "rwlock").AcquireRead(ctx))
	},
	"rwlock, to write": func(ctx context.Context, c *proxy.Client) error {
		return released(shared.RWLockOf(c, "rwlock").Acquire(ctx))
	},
	"semaphore": func(ctx context.Context, c *proxy.Client) error {
		return released(shared.SemaphoreOf(c, "semaphore").Acquire(ctx))
	},
	"condition": func(ctx context.Context, c *proxy.Client) error {
		cond := shared.ConditionOf(c, "condition")
		return cond.With(ctx, func(ctx context.Context, _ *shared.Hold) error { return cond.Wait(ctx) })
	},
	"event": func(ctx context.Context, c *proxy.Client) error { return shared.EventOf(c, "event").Wait(ctx) },
	"barrier": func(ctx context.Context, c *proxy.Client) error {
		_, err := shared.BarrierOf(c, "barrier").Wait(ctx)
		return err
	},
	"campaign": func(ctx context.Context, c *proxy.Client) error {
		return released(shared.ElectionOf(c, "election").Campaign(ctx, "x"))
	},
	"observe": func(ctx context.Context, c *proxy.Client) error {
		for _, err := range shared.ElectionOf(c, "election").Observe(ctx) {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"watch of a map": func(ctx context.Context, c *proxy.Client) error {
		for _, err := range shared.MapOf[string, int](c, "map").Watch(ctx) {
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	},
	"watch of a set": func(ctx context.Context, c *proxy.Client) error {
		for _, err := range shared.SetOf[int](c, "set").Watch(ctx) {
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	},
	"watch of a value": func(ctx context.Context, c *proxy.Client) error {
		for _, err := range shared.ValueOf[int](c, "value").Watch(ctx) {
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	},
	"a method": func(ctx context.Context, c *proxy.Client) error {
		return shared.ObjectOf(c, "desk").Invoke(ctx, "Ask", nil)
	},
	"an upload": func(ctx context.Context, c *proxy.Client) error {
		_, err := shared.Blobs(c).Put(ctx, &stuck{ctx: ctx})
		return err
	},
}

// released releases what was acquired.
func released(h *shared.Hold, err error) error {
	if err == nil {
		err = h.Release(context.Background())
	}
	return err
}

// localName is the master itself, as others see it.
const localName = "master"

// stuck is a content of which the first part comes at once and the rest never does.
type stuck struct {
	ctx  context.Context
	sent int
}

func (s *stuck) Read(b []byte) (int, error) {
	if s.sent < 3<<20 {
		s.sent += len(b)
		return len(b), nil
	}
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// occupy makes the objects and queues, and holds all that can be held, at the
// master itself, until the function it returns lets go of it.
func occupy(t *testing.T, m *managertest.Master) (let func()) {
	t.Helper()
	declareAll(t, m)
	m.Declare(t, "tasks", reeve.QueueConfig{})
	putOne(t, m.Declare(t, "full", reeve.QueueConfig{MaxLen: 1}), reeve.Task{})
	return hold(t, m.Manager())
}

// hold holds all that can be held.
func hold(t *testing.T, o reeve.Objects) (let func()) {
	t.Helper()
	ctx := t.Context()
	var holds []*shared.Hold
	for _, acquire := range []func() (*shared.Hold, error){
		func() (*shared.Hold, error) { return shared.LockOf(o, "lock").Acquire(ctx) },
		func() (*shared.Hold, error) { return shared.RLockOf(o, "rlock").Acquire(ctx) },
		func() (*shared.Hold, error) { return shared.RWLockOf(o, "rwlock").Acquire(ctx) },
		func() (*shared.Hold, error) { return shared.SemaphoreOf(o, "semaphore").Acquire(ctx) },
		func() (*shared.Hold, error) { return shared.ElectionOf(o, "election").Campaign(ctx, "first") },
	} {
		h, err := acquire()
		if err != nil {
			t.Fatal(err)
		}
		holds = append(holds, h)
	}
	return func() {
		t.Helper()
		for _, h := range holds {
			if err := h.Release(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// state is all that a master tells of its objects, holds and blobs, without what
// grows of itself.
func state(t *testing.T, m *managertest.Master) string {
	t.Helper()
	objects, err := shared.Objects(t.Context(), m.Manager())
	locks, err2 := shared.Locks(t.Context(), m.Manager())
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, o := range objects {
		fmt.Fprintf(&b, "%v: %s, %d references by %q\n", o.Ref, o.Text, o.Refs, o.Holders)
	}
	for _, l := range locks {
		fmt.Fprintf(&b, "%v held by %s %s, %d wait\n", l.Object, l.Owner, l.Mode, l.Waiters)
	}
	s := m.Manager().Stats()
	fmt.Fprintf(&b, "%d sessions, %d clients, %d uploads\n", s.Sessions, s.Clients, s.Blobs.Uploads)
	return b.String()
}

// goroutines is how many there are once all has come to rest.
func goroutines() int {
	settle()
	return runtime.NumGoroutine()
}

// warm has the master start what it starts with its first clients, and keeps: it
// has been served, and some methods have run at a time.
func warm(t *testing.T, m *managertest.Master, k *clerk, calls int) {
	t.Helper()
	c := m.Dial(t)
	ctx, cancel := context.WithCancel(t.Context())
	for range calls {
		go func() { _ = blocking["a method"](ctx, c) }() // ends with ctx
	}
	settle()
	cancel()
	for range calls {
		<-k.ends
	}
	c.Close()
	time.Sleep(time.Hour) // until it is forgotten
}

// All that a client can block in, several times over, dies with it: what it waited
// for goes to the next, and nothing of it stays at the master.
func TestDead_WhoeverBlocksSwallowsNothingAndLeavesNothing(t *testing.T) {
	const times = 6
	for name, die := range deaths {
		t.Run(name, func(t *testing.T) {
			k := newClerk()
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				k.ends = make(chan error, 2*times)
				let := occupy(t, m)
				warm(t, m, k, times)
				before, routines := state(t, m), goroutines()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()

				c, cable := plugged(t, m, proxy.Config{Name: "the dead one"})
				ended := make(chan error, times*len(blocking))
				for _, call := range blocking {
					for range times {
						go func() { ended <- call(ctx, c) }()
					}
				}
				settle()
				next := m.Dial(t)
				waits := map[string]<-chan result[int]{}
				for _, what := range []string{"queue get", "lock", "rlock", "rwlock, to write", "semaphore", "condition", "event", "barrier", "campaign"} {
					waits[what] = async(func() (int, error) { return 0, blocking[what](t.Context(), next) })
					settle()
				}
				if s := state(t, m); !strings.Contains(s, "7 of 100 wait") || !strings.Contains(s, "lock held by "+localName+" , 7 wait") {
					t.Errorf("before the death:\n%s", s)
				}
				if len(ended) > 0 {
					t.Fatalf("one does not wait: %v", <-ended)
				}
				die(cable)
				time.Sleep(5 * time.Hour) // until the master has noticed, and every grace is over

				for _, want := range []string{
					"\nlock: held by master, 1 wait,", "\nrlock: held by master, 1 wait,", "\nrwlock: held by master, 1 wait,", "\nsemaphore: 0 free, 1 wait,",
					"\ncondition: 1 wait; its lock: free,", "\nevent: not set, 1 wait,", "\nbarrier: broken,", "\nelection: held by master, 1 wait,", " 0 uploads\n",
				} {
					if s := "\n" + state(t, m); !strings.Contains(s, want) {
						t.Errorf("after the death there is no %q:%s", want, s)
					}
				}
				if w := <-waits["barrier"]; !errors.Is(w.err, reeve.ErrBrokenBarrier) || !strings.Contains(w.err.Error(), "the dead one") {
					t.Errorf("the barrier: %v", w.err)
				}
				if len(k.ends) != times {
					t.Errorf("the ctx of %d methods ended", len(k.ends))
				}
				if err := shared.BarrierOf(next, "barrier").Reset(t.Context()); err != nil {
					t.Fatal(err)
				}
				let()
				if err := shared.EventOf(next, "event").Set(t.Context()); err != nil {
					t.Fatal(err)
				}
				cond := shared.ConditionOf(m.Manager(), "condition")
				if err := cond.With(t.Context(), func(ctx context.Context, _ *shared.Hold) error {
					n, err := cond.Notify(ctx, 100)
					if n != 1 {
						t.Errorf("%d were notified", n)
					}
					return err
				}); err != nil {
					t.Error(err)
				}
				tasks, full := must(m.Manager().Lookup("tasks")), must(m.Manager().Lookup("full"))
				putOne(t, tasks, reeve.Task{})
				for what, w := range waits {
					if what != "barrier" {
						if w := <-w; w.err != nil {
							t.Errorf("the next one, %s: %v", what, w.err)
						}
					}
				}
				if s, err := tasks.Stats(t.Context()); err != nil || s.Ready != 1 || s.Returned != 1 || s.Lost+s.Redelivered != 0 {
					t.Errorf("%+v, %v", s, err)
				}
				get(t, full)
				settle()
				managertest.AssertReady(t, full, 0) // nobody has put more

				if err := shared.EventOf(next, "event").Clear(t.Context()); err != nil {
					t.Fatal(err)
				}
				next.Close()
				cancel()
				c.Close()
				for range times * len(blocking) {
					if err := <-ended; err == nil {
						t.Error("a call of the dead client returned")
					}
				}
				cable.Heal()
				let = hold(t, m.Manager())
				time.Sleep(5 * time.Hour)
				if after := state(t, m); after != before {
					t.Errorf("it was\n%s\nand is\n%s", before, after)
				}
				let()
				if n := goroutines(); n >= routines+times { // some wait for work
					t.Errorf("%d goroutines, and %d before", n, routines)
				}
			}, registers(k))
		})
	}
}
