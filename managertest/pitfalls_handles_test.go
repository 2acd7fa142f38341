package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

// 10,000 handles of each kind, all used, on one connection: neither end has a
// goroutine for any of them, and 10,000 objects go with their client.
func TestHandles_InThousandsCostNoGoroutine(t *testing.T) {
	const handles, objects = 10_000, 2500 // of each of 4 types
	k := newClerk()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		k.ends = make(chan error, 1)
		declareAll(t, m)
		warm(t, m, k, 1)
		ctx, o := t.Context(), m.Dial(t)
		before := goroutines()
		holds := make([]*shared.Hold, 0, handles)
		for i := range handles {
			v, err := shared.MapOf[string, int](o, "map").Update(ctx, "n", func(n int, _ bool) (int, bool) { return n + 1, true })
			var err2 error
			if i%10 == 0 {
				_, err2 = shared.Call[int](ctx, shared.ObjectOf(o, "desk"), "Peek")
			}
			if err := errors.Join(err, err2); err != nil || v != i+1 {
				t.Fatalf("%d, %v", v, err)
			}
		}
		for range objects {
			x, err := shared.NewMap[string, int](ctx, o, "", shared.MapConfig{})
			l, err2 := shared.NewLock(ctx, o, "", shared.LockConfig{})
			v, err3 := shared.NewValue(ctx, o, "", 0, shared.ValueConfig{})
			b, err4 := shared.NewBarrier(ctx, o, "", shared.BarrierConfig{Parties: 2})
			if err := errors.Join(err, err2, err3, err4); err != nil {
				t.Fatal(err)
			}
			h, err := l.Acquire(ctx)
			_, err2 = v.Add(ctx, 1)
			_, err3 = b.State(ctx)
			if err := errors.Join(err, err2, err3, x.Set(ctx, "a", 1)); err != nil {
				t.Fatal(err)
			}
			holds = append(holds, h)
		}
		if more := goroutines() - before; more > 20 {
			t.Errorf("%d more goroutines", more)
		}
		if list, err := shared.Objects(ctx, m.Manager()); err != nil || len(list) < 4*objects {
			t.Errorf("%d objects, %v", len(list), err)
		}
		o.Close()
		settle()
		if list, err := shared.Objects(ctx, m.Manager()); err != nil || len(list) != len(everything)-3 {
			t.Errorf("%d objects are left, %v", len(list), err)
		}
		for _, h := range holds {
			if err := context.Cause(h.Context()); !errors.Is(err, reeve.ErrLeaseLost) {
				t.Fatalf("a hold of a client that is closed: %v", err)
			}
		}
	}, registers(k))
}

// Calls that wait cost their callers' goroutines, and none at the master.
func TestHandles_CallsThatWaitCostTheMasterNoGoroutine(t *testing.T) {
	const calls = 2000
	k := newClerk()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		k.ends = make(chan error, 1)
		occupy(t, m)
		warm(t, m, k, 1)
		o := m.Dial(t)
		ctx, cancel := context.WithCancel(t.Context())
		before := goroutines()
		kinds := []string{"lock", "event", "watch of a map", "watch of a value", "campaign", "queue get", "observe", "rwlock, to read"}
		var wg sync.WaitGroup
		for i := range calls {
			wg.Go(func() {
				if err := blocking[kinds[i%len(kinds)]](ctx, o); !errors.Is(err, context.Canceled) {
					t.Error(fmt.Errorf("%s: %w", kinds[i%len(kinds)], err))
				}
			})
		}
		if more := goroutines() - before; more < calls || more > calls+20 {
			t.Errorf("%d more goroutines for %d calls", more, calls)
		}
		cancel()
		wg.Wait()
		if more := goroutines() - before; more > 20 {
			t.Errorf("%d more goroutines when all is over", more)
		}
	}, registers(k))
}
