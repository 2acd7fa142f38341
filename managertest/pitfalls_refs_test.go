package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
)

// post is an object that takes references and gives them.
type post interface {
	Keep(ref reeve.Ref)
	Kept() reeve.Ref
	NameOf(of child) string
}

type office struct {
	mu  sync.Mutex
	ref reeve.Ref
}

func (o *office) Keep(ref reeve.Ref) { o.mu.Lock(); defer o.mu.Unlock(); o.ref = ref }
func (o *office) Kept() reeve.Ref    { o.mu.Lock(); defer o.mu.Unlock(); return o.ref }

func (o *office) NameOf(of child) string { return of.Name() }

func offices() manager.Config {
	return manager.Config{OnStart: func(ctx context.Context, m *manager.Master) error {
		return errors.Join(
			manager.RegisterFactory[child](m, "kids", func() *kid { return &kid{} }),
			manager.Register[post](m, "post", &office{}),
		)
	}}
}

// ways are how a reference gets from one client to another.
var ways = map[string]func(t *testing.T, from, to *proxy.Client, ref reeve.Ref) reeve.Ref{
	"in a task": func(t *testing.T, from, to *proxy.Client, ref reeve.Ref) reeve.Ref {
		if _, err := proxy.QueueOf[reeve.Ref](from, "tasks").Put(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		it, err := proxy.QueueOf[reeve.Ref](to, "tasks").Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := it.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		return it.Value
	},
	"in a map": func(t *testing.T, from, to *proxy.Client, ref reeve.Ref) reeve.Ref {
		if err := shared.MapOf[string, map[string]reeve.Ref](from, "map").Set(t.Context(), "a", map[string]reeve.Ref{"b": ref}); err != nil {
			t.Fatal(err)
		}
		v, err := shared.MapOf[string, map[string]reeve.Ref](to, "map").Get(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		return v["b"]
	},
	"as an argument and a result": func(t *testing.T, from, to *proxy.Client, ref reeve.Ref) reeve.Ref {
		if err := shared.ObjectOf(from, "post").Invoke(t.Context(), "Keep", []any{ref}); err != nil {
			t.Fatal(err)
		}
		got, err := shared.Call[reeve.Ref](t.Context(), shared.ObjectOf(to, "post"), "Kept")
		if err != nil {
			t.Fatal(err)
		}
		return got
	},
	"as its bytes": func(t *testing.T, _, _ *proxy.Client, ref reeve.Ref) (got reeve.Ref) {
		b, err := codec.CBOR.Marshal(ref)
		if err == nil {
			err = codec.CBOR.Unmarshal(b, &got)
		}
		if err != nil {
			t.Fatal(err)
		}
		return got
	},
}

// references is how many clients refer to an object; below 0: it is gone.
func references(t *testing.T, m *managertest.Master, ref reeve.Ref) int {
	t.Helper()
	list, err := shared.Objects(t.Context(), m.Manager())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		if o.Ref == ref {
			return o.Refs
		}
	}
	return -1
}

func TestReferences_KeepAnObjectForWhomeverUsesThem(t *testing.T) {
	for way, pass := range ways {
		t.Run(way, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				ctx := t.Context()
				m.Declare(t, "tasks", reeve.QueueConfig{})
				if _, err := shared.NewMap[string, map[string]reeve.Ref](ctx, m.Manager(), "map", shared.MapConfig{}); err != nil {
					t.Fatal(err)
				}
				from, to, third := m.Dial(t), m.Dial(t), m.Dial(t)
				x, err := shared.NewValue(ctx, from, "", 41, shared.ValueConfig{})
				if err != nil {
					t.Fatal(err)
				}
				ref := x.Ref()
				got := pass(t, from, to, ref)
				if got != ref || references(t, m, ref) != 1 {
					t.Fatalf("%+v arrived of %+v; %d references", got, ref, references(t, m, ref))
				}
				mine := shared.ValueAt[int](to, got)
				if n, err := mine.Add(ctx, 1); err != nil || n != 42 || references(t, m, ref) != 2 {
					t.Errorf("%d, %v; %d references", n, err, references(t, m, ref))
				}
				// Two handles of one object are the same object.
				if other := shared.ValueAt[int](to, got); other.Ref() != mine.Ref() {
					t.Errorf("%v and %v", other.Ref(), mine.Ref())
				}
				if err := x.Object().Release(ctx); err != nil {
					t.Error(err)
				}
				if n, err := mine.Get(ctx); err != nil || n != 42 || references(t, m, ref) != 1 {
					t.Errorf("after one release: %d, %v; %d references", n, err, references(t, m, ref))
				}
				for range 2 { // a second one does no harm
					if err := mine.Object().Release(ctx); err != nil {
						t.Error(err)
					}
				}
				// It is gone, and no use of old references brings it back.
				for _, o := range []reeve.Objects{from, to, third, m.Manager()} {
					if _, err := shared.ValueAt[int](o, ref).Get(ctx); !errors.Is(err, reeve.ErrNoSuchObject) {
						t.Errorf("%T: %v", o, err)
					}
					if err := shared.ObjectAt(o, ref).Delete(ctx); !errors.Is(err, reeve.ErrNoSuchObject) {
						t.Errorf("%T: delete: %v", o, err)
					}
				}
				next, err := shared.NewValue(ctx, third, "", 0, shared.ValueConfig{})
				if err != nil || next.Ref() == ref || references(t, m, ref) != -1 {
					t.Errorf("the next one: %+v, %v", next.Ref(), err)
				}
			}, offices())
		})
	}
}

// Who refers is a client, not a connection: a break costs nothing, an end does.
func TestReferences_OutliveAConnectionAndNotTheirClient(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		ctx := t.Context()
		c, cable := plugged(t, m, proxy.Config{})
		x, err := shared.Create(ctx, c, "kids")
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			cable.Last().Reset()
			time.Sleep(50 * time.Second)
			if name, err := shared.Call[string](ctx, x, "Name"); err != nil || name != "kid" {
				t.Fatalf("%q, %v", name, err)
			}
		}
		cable.Kill()
		time.Sleep(50 * time.Second)
		if n := references(t, m, x.Ref()); n != 1 {
			t.Errorf("within the grace: %d references", n)
		}
		other := m.Dial(t)
		if _, err := shared.Call[string](ctx, shared.ObjectAt(other, x.Ref()), "Name"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if n := references(t, m, x.Ref()); n != 1 {
			t.Errorf("of another client: %d references", n)
		}
		other.Close()
		settle()
		if n := references(t, m, x.Ref()); n != -1 {
			t.Errorf("of nobody: %d references", n)
		}
	}, offices())
}

// A method that is given a reference gets the value while it is there, and its
// caller a typed error once it is not, or if it is something else.
func TestReferences_AsArgumentsAreValuesOrTypedErrors(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		ctx := t.Context()
		from, to := m.Dial(t), m.Dial(t)
		x, err := shared.Create(ctx, from, "kids")
		l, err2 := shared.NewLock(ctx, from, "", shared.LockConfig{})
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		p := shared.ObjectOf(to, "post")
		if name, err := shared.Call[string](ctx, p, "NameOf", x.Ref()); err != nil || name != "kid" {
			t.Errorf("%q, %v", name, err)
		}
		if n := references(t, m, x.Ref()); n != 1 { // only what is called is referred to
			t.Errorf("%d references", n)
		}
		from.Close()
		settle()
		for _, arg := range []any{x.Ref(), x, reeve.Ref{ID: 1 << 40, Life: 1}} {
			if _, err := shared.Call[string](ctx, p, "NameOf", arg); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), "argument 1 of NameOf") || !strings.Contains(err.Error(), "no such object") {
				t.Errorf("%v: %v", arg, err)
			}
		}
		for _, arg := range []any{l.Ref(), reeve.Ref{Name: "post"}, reeve.Ref{Name: "nobody"}, reeve.Ref{}, reeve.Ref{Name: "$master"}, "kid", 7} {
			if _, err := shared.Call[string](ctx, p, "NameOf", arg); !typed(err) || errors.Is(err, reeve.ErrMethod) {
				t.Errorf("%v: %v", arg, err)
			}
		}
	}, offices())
}

// Numbers of one life mean nothing in another, though they come again.
func TestReferences_OfAnEarlierLifeReachNothing(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		ctx, c := t.Context(), m.Dial(t)
		seen := map[reeve.Ref]bool{}
		numbers := map[uint64]int{}
		var old []reeve.Ref
		for life := range 4 {
			for i := range 50 {
				v, err := shared.NewValue(ctx, c, "", fmt.Sprint(life, i), shared.ValueConfig{})
				if err != nil {
					t.Fatal(err)
				}
				if ref := v.Ref(); seen[ref] || ref.ID == 0 || ref.Life == 0 {
					t.Errorf("%+v", ref)
				}
				seen[v.Ref()] = true
				numbers[v.Ref().ID]++
				if i%2 == 0 {
					old = append(old, v.Ref())
				} else if err := v.Object().Release(ctx); err != nil {
					t.Error(err)
				}
			}
			m.Restart(t)
			for _, ref := range old {
				if _, err := shared.ValueAt[string](c, ref).Get(ctx); !errors.Is(err, reeve.ErrNoSuchObject) {
					t.Errorf("%v: %v", ref, err)
				}
			}
		}
		if len(numbers) == len(seen) {
			t.Error("no number came again: that says nothing")
		}
	}, offices())
}

// What is in a container is a copy: to change it in place changes nothing, and
// Update does, whoever else does so at the same time.
func TestContainers_NestedValuesAreCopies(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		ctx := t.Context()
		x, err := shared.NewMap[string, []int](ctx, m.Dial(t), "m", shared.MapConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Set(ctx, "a", []int{1}); err != nil {
			t.Fatal(err)
		}
		for _, o := range []reeve.Objects{m.Dial(t), m.Manager()} { // also in the master's process
			got, err := shared.MapOf[string, []int](o, "m").Get(ctx, "a")
			if err != nil {
				t.Fatal(err)
			}
			got[0] = 99
			if got, err := shared.MapOf[string, []int](o, "m").Get(ctx, "a"); err != nil || len(got) != 1 || got[0] != 1 {
				t.Errorf("%T: %v, %v", o, got, err)
			}
		}
		const clients, each = 4, 25
		var wg sync.WaitGroup
		for i := range clients {
			y := shared.MapOf[string, []int](m.Dial(t), "m")
			wg.Go(func() {
				for k := range each {
					if _, err := y.Update(ctx, "a", func(old []int, _ bool) ([]int, bool) { return append(old, i*each+k), true }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got, err := x.Get(ctx, "a"); err != nil || len(got) != 1+clients*each {
			t.Errorf("%d elements, %v", len(got), err)
		}
		// A container in a container is itself when it is there by reference.
		inner, err := shared.NewList[int](ctx, m.Manager(), "inner", shared.ListConfig{})
		if err != nil {
			t.Fatal(err)
		}
		refs, err := shared.NewMap[string, reeve.Ref](ctx, m.Manager(), "refs", shared.MapConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if err := refs.Set(ctx, "x", inner.Ref()); err != nil {
			t.Fatal(err)
		}
		c := m.Dial(t)
		ref, err := shared.MapOf[string, reeve.Ref](c, "refs").Get(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := shared.ListAt[int](c, ref).Append(ctx, 7); err != nil {
			t.Error(err)
		}
		if n, err := inner.Len(ctx); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}
