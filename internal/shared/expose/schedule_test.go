package expose_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	inside "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/shared"
)

// gated has a method that waits until it is let go.
type gated interface {
	Enter(id int) int
	Pass(id int) int
}

// doors notes who has entered, and lets them go.
type doors struct {
	mu      sync.Mutex
	entered []int
	running atomic.Int32
	most    atomic.Int32
	open    chan struct{}
}

func newDoors() *doors { return &doors{open: make(chan struct{})} }

func (d *doors) Enter(id int) int {
	n := d.running.Add(1)
	for most := d.most.Load(); n > most && !d.most.CompareAndSwap(most, n); most = d.most.Load() {
	}
	d.mu.Lock()
	d.entered = append(d.entered, id)
	d.mu.Unlock()
	<-d.open
	d.running.Add(-1)
	return id
}

func (d *doors) Pass(id int) int { return id }

func (d *doors) order() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]int(nil), d.entered...)
}

// enter calls Enter from many goroutines, one after the other.
func enter(t *testing.T, o reeve.Objects, name string, ids ...int) *sync.WaitGroup {
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			if got, err := shared.Call[int](t.Context(), shared.ObjectOf(o, name), "Enter", id); err != nil || got != id {
				t.Errorf("Enter(%d) = %d, %v", id, got, err)
			}
		})
		synctest.Wait()
	}
	return &wg
}

func count(from, n int) (ids []int) {
	for i := range n {
		ids = append(ids, from+i)
	}
	return ids
}

func TestCalls_BeyondTheLimitOfAnObjectWaitInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{}, inside.Config{})
		d := newDoors()
		value[gated](w, "doors", d, expose.Options{MaxCalls: 3})
		wg := enter(t, w.client, "doors", count(0, 30)...)
		if got := d.order(); !reflect.DeepEqual(got, []int{0, 1, 2}) {
			t.Errorf("%v run at the same time", got)
		}
		for range 30 {
			d.open <- struct{}{}
			synctest.Wait()
		}
		wg.Wait()
		if got := d.order(); !reflect.DeepEqual(got, count(0, 30)) || d.most.Load() != 3 {
			t.Errorf("they ran in the order %v, %d at a time", got, d.most.Load())
		}
	})
}

func TestCalls_OfManyClientsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{}, inside.Config{})
		d := newDoors()
		value[gated](w, "doors", d, expose.Options{MaxCalls: 1})
		greedy := enter(t, w.client, "doors", count(0, 20)...)
		modest := enter(t, w.caller(2), "doors", 100, 101)
		for range 22 {
			d.open <- struct{}{}
			synctest.Wait()
		}
		greedy.Wait()
		modest.Wait()
		if got := d.order(); !reflect.DeepEqual(got[:5], []int{0, 1, 100, 2, 101}) {
			t.Errorf("they ran in the order %v", got)
		}
	})
}

func TestCalls_OfASlowObjectHoldUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{MaxClientCalls: 8}, inside.Config{})
		slow, fast := newDoors(), newDoors()
		value[gated](w, "slow", slow, expose.Options{MaxCalls: 4})
		value[gated](w, "fast", fast, expose.Options{MaxCalls: 4})
		wg := enter(t, w.client, "slow", count(0, 100)...) // 4 run
		for i := range 10 {
			if n, err := shared.Call[int](t.Context(), shared.ObjectOf(w.client, "fast"), "Pass", i); err != nil || n != i {
				t.Fatalf("Pass = %d, %v", n, err)
			}
		}
		close(slow.open)
		wg.Wait()
	})
}

func TestCalls_OfAClientAtItsLimitHoldUpNoOtherClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{MaxClientCalls: 4}, inside.Config{})
		a, b := newDoors(), newDoors()
		value[gated](w, "a", a, expose.Options{MaxCalls: 5})
		value[gated](w, "b", b, expose.Options{MaxCalls: 5})
		first := enter(t, w.client, "a", count(0, 10)...)
		second := enter(t, w.client, "b", count(100, 10)...)
		if n := len(a.order()) + len(b.order()); n != 4 {
			t.Errorf("%d calls of one client run", n)
		}
		other := enter(t, w.caller(2), "b", 200, 201, 202, 203)
		if got := b.order(); !reflect.DeepEqual(got, []int{200, 201, 202, 203}) {
			t.Errorf("of another client run: %v", got)
		}
		close(a.open)
		first.Wait()
		close(b.open)
		second.Wait()
		other.Wait()
		if n := max(a.most.Load(), b.most.Load()); n > 5 {
			t.Errorf("%d of one object at a time", n)
		}
	})
}

// Every call ends, whatever the limits are, and none is exceeded.
func TestCalls_AllEndWhateverWaitsForWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const objects, clients, calls = 5, 4, 400
		w := newWorld(t, expose.Config{MaxClientCalls: 3}, inside.Config{})
		var all []*doors
		for i := range objects {
			d := newDoors()
			all = append(all, d)
			value[gated](w, fmt.Sprint("object ", i), d, expose.Options{MaxCalls: i + 1})
		}
		var wg sync.WaitGroup
		for c := range clients {
			caller := w.caller(byte(c + 10))
			for i := range calls {
				wg.Go(func() {
					ctx, cancel := t.Context(), func() {}
					if i%5 == 0 { // some give up
						ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*time.Millisecond)
					}
					defer cancel()
					name := fmt.Sprint("object ", (i*7+c)%objects)
					n, err := shared.Call[int](ctx, shared.ObjectOf(caller, name), "Enter", i)
					if err != nil && (i%5 != 0 || !errors.Is(err, context.DeadlineExceeded)) || err == nil && n != i {
						t.Errorf("%d, %v", n, err)
					}
				})
			}
		}
		time.Sleep(200 * time.Millisecond)
		for _, d := range all {
			close(d.open)
		}
		wg.Wait()
		synctest.Wait()
		for i, d := range all {
			if d.most.Load() > int32(i+1) || d.running.Load() != 0 {
				t.Errorf("%d calls of object %d ran at a time, %d run", d.most.Load(), i, d.running.Load())
			}
		}
		if list, err := shared.Objects(t.Context(), w.client); err != nil || list[0].Text != "*expose_test.doors" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestCalls_AreBoundedByTheBytesOfTheirArguments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{MaxClientArgs: 1000}, inside.Config{})
		d := newDoors()
		value[gated](w, "doors", d, expose.Options{})
		wg := enter(t, w.client, "doors", 1)
		big := make([]byte, 2000)
		err := shared.ObjectOf(w.client, "doors").Invoke(t.Context(), "Pass", []any{big})
		if limit, ok := errors.AsType[*reeve.LimitError](err); !ok || limit.Max != 1000 {
			t.Errorf("2,000 bytes besides others: %v", err)
		}
		close(d.open)
		wg.Wait()
		synctest.Wait()
		// Alone it may be as large as it likes: it is decoded, and wrong.
		if err := shared.ObjectOf(w.client, "doors").Invoke(t.Context(), "Pass", []any{big}); !errors.Is(err, reeve.ErrInvalid) || errors.Is(err, reeve.ErrLimit) {
			t.Errorf("2,000 bytes alone: %v", err)
		}
	})
}

func TestCalls_ThatAreTooManyAreRefusedAndDoNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{}, inside.Config{MaxWaiting: 2})
		d := newDoors()
		value[gated](w, "doors", d, expose.Options{})
		wg := enter(t, w.client, "doors", 1, 2)
		if _, err := shared.Call[int](t.Context(), shared.ObjectOf(w.client, "doors"), "Enter", 3); !errors.Is(err, reeve.ErrLimit) {
			t.Errorf("a third one: %v", err)
		}
		synctest.Wait()
		if got := d.order(); len(got) != 2 {
			t.Errorf("these ran: %v", got)
		}
		close(d.open)
		wg.Wait()
	})
}

func TestObjects_CostNoGoroutine(t *testing.T) {
	w := newWorld(t, expose.Config{}, inside.Config{})
	const n = 10_000
	before := runtime.NumGoroutine()
	if err := w.set.Factory("board", reflect.TypeFor[scores](), newBoard, expose.Options{}); err != nil {
		t.Fatal(err)
	}
	handles := make([]*shared.Object, n)
	for i := range handles {
		x, err := shared.Create(t.Context(), w.client, "board")
		if err != nil {
			t.Fatal(err)
		}
		handles[i] = x
	}
	if more := runtime.NumGoroutine() - before; more > 50 {
		t.Errorf("%d goroutines for %d objects", more, n)
	}
	for i := 0; i < n; i += 100 {
		if got, err := shared.Call[int](t.Context(), handles[i], "Add", "ann", i); err != nil || got != i {
			t.Fatalf("object %d has %d, %v", i, got, err)
		}
	}
}
