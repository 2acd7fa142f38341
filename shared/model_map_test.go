package shared_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

// orderedMap is what a map is to be: Python's dict.
type orderedMap struct {
	keys   []int
	values map[int]string
}

func (m *orderedMap) set(k int, v string) {
	if _, ok := m.values[k]; !ok {
		m.keys = append(m.keys, k)
	}
	m.values[k] = v
}

func (m *orderedMap) delete(k int) {
	delete(m.values, k)
	m.keys = slices.DeleteFunc(m.keys, func(x int) bool { return x == k })
}

func (m *orderedMap) items() []shared.Entry[int, string] {
	list := []shared.Entry[int, string]{}
	for _, k := range m.keys {
		list = append(list, shared.Entry[int, string]{Key: k, Value: m.values[k]})
	}
	return list
}

func TestMap_IsAnOrderedMapAndTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r, ctx := rand.New(rand.NewPCG(seed, 2)), t.Context()
			j := &memory{}
			declare := func() *shared.Map[int, string] {
				m, err := shared.NewMap[int, string](ctx, callerOf(t, j.master(t)), "m", shared.MapConfig{Durable: true})
				must0(t, err)
				return m
			}
			m, model := declare(), &orderedMap{values: map[int]string{}}
			for step := range 400 {
				if r.IntN(60) == 0 {
					m = declare()
				}
				what := stepMap(ctx, t, m, model, r, step)
				got, err := m.Items(ctx)
				if err != nil || !slices.Equal(got, model.items()) {
					t.Fatalf("step %d, %s: %v, %v, want %v", step, what, got, err, model.items())
				}
			}
		})
	}
}

// stepMap does something at random to both.
func stepMap(ctx context.Context, t *testing.T, m *shared.Map[int, string], model *orderedMap, r *rand.Rand, step int) string {
	t.Helper()
	k, v := r.IntN(30), fmt.Sprint("v", step)
	old, has := model.values[k]
	switch op := r.IntN(12); op {
	case 0, 1:
		must0(t, m.Set(ctx, k, v))
		model.set(k, v)
		return "set"
	case 2:
		err := m.Delete(ctx, k)
		if has != (err == nil) || err != nil && !errors.Is(err, reeve.ErrNoSuchKey) {
			t.Errorf("delete of %d, there: %v: %v", k, has, err)
		}
		model.delete(k)
		return "delete"
	case 3:
		got, err := m.PopItem(ctx)
		if n := len(model.keys); n == 0 {
			fails(t, "popitem", err, reeve.ErrNoSuchKey)
		} else if last := model.keys[n-1]; err != nil || got.Key != last || got.Value != model.values[last] {
			t.Errorf("popitem: %v, %v, want %d", got, err, last)
		} else {
			model.delete(last)
		}
		return "popitem"
	case 4:
		got, err := m.PopOr(ctx, k, "none")
		if want := map[bool]string{true: old, false: "none"}[has]; got != want || err != nil {
			t.Errorf("pop of %d: %q, %v, want %q", k, got, err, want)
		}
		model.delete(k)
		return "pop"
	case 5:
		got, err := m.SetDefault(ctx, k, v)
		if !has {
			model.set(k, v)
		}
		if got != model.values[k] || err != nil {
			t.Errorf("setdefault: %q, %v, want %q", got, err, model.values[k])
		}
		return "setdefault"
	case 6:
		entries := []shared.Entry[int, string]{{Key: k, Value: v}, {Key: k + 1, Value: v + "+"}, {Key: k, Value: v + "*"}}
		must0(t, m.SetMany(ctx, entries...))
		for _, e := range entries {
			model.set(e.Key, e.Value)
		}
		return "setmany"
	case 7:
		n, err := m.DeleteMany(ctx, k, k+1, k)
		want := len(model.keys)
		model.delete(k)
		model.delete(k + 1)
		if want -= len(model.keys); n != want || err != nil {
			t.Errorf("deletemany: %d, %v, want %d", n, err, want)
		}
		return "deletemany"
	case 8:
		got, err := m.GetMany(ctx, k, k+1, k+2)
		for i := range 3 {
			v, ok := got[k+i]
			if want, has := model.values[k+i]; v != want || ok != has || err != nil {
				t.Errorf("getmany: %v, %v", got, err)
			}
		}
		values, there, err := m.GetEach(ctx, k, k+1, k+2, k)
		for i, key := range []int{k, k + 1, k + 2, k} {
			if want, has := model.values[key]; err != nil || values[i] != want || there[i] != has {
				t.Errorf("geteach: %v, %v, %v", values, there, err)
			}
		}
		return "getmany"
	case 9:
		done, err := m.CompareAndSwap(ctx, k, old, v)
		if done != has || err != nil {
			t.Errorf("compareandswap: %v, %v, want %v", done, err, has)
		}
		if has {
			model.set(k, v)
		}
		return "compareandswap"
	case 10:
		keep := r.IntN(3) > 0
		_, err := m.Update(ctx, k, func(got string, ok bool) (string, bool) {
			if got != old || ok != has {
				t.Errorf("update is given %q, %v, want %q, %v", got, ok, old, has)
			}
			return got + "u", keep
		})
		must0(t, err)
		if keep {
			model.set(k, old+"u")
		} else {
			model.delete(k)
		}
		return "update"
	}
	if r.IntN(15) == 0 {
		must0(t, m.Clear(ctx))
		*model = orderedMap{values: map[int]string{}}
		return "clear"
	}
	var back []int
	for e, err := range m.Reversed(ctx) {
		must0(t, err)
		back = append(back, e.Key)
	}
	slices.Reverse(back)
	if !slices.Equal(back, model.keys) {
		t.Errorf("reversed: %v, want %v", back, model.keys)
	}
	return "reversed"
}

func TestMap_KeepsVersionsAndTTLAcrossARestart(t *testing.T) {
	t.Parallel()
	ctx, j := t.Context(), &memory{}
	m, err := shared.NewMap[string, int](ctx, callerOf(t, j.master(t)), "m", shared.MapConfig{Durable: true})
	must0(t, err)
	must0(t, m.SetTTL(ctx, "a", 1, 1<<40))
	must0(t, m.SetTTL(ctx, "over", 1, 0))
	must0(t, m.Set(ctx, "b", 2))
	_, version, err := m.GetVersion(ctx, "a")
	must0(t, err)
	after := shared.MapOf[string, int](callerOf(t, j.master(t)), "m")
	_, again, err := after.GetVersion(ctx, "a")
	if again != version || err != nil {
		t.Errorf("version %d, %v, was %d", again, err, version)
	}
	if ttl, err := after.TTL(ctx, "a"); ttl <= 0 || ttl > 1<<40 || err != nil {
		t.Errorf("TTL %v, %v", ttl, err)
	}
	if keys, err := after.Keys(ctx); !slices.Equal(keys, []string{"a", "b"}) || err != nil {
		t.Errorf("%v, %v", keys, err)
	}
	must0(t, after.Delete(ctx, "b"))
	must0(t, after.Set(ctx, "b", 3))
	if _, next, err := after.GetVersion(ctx, "b"); next <= version || err != nil {
		t.Errorf("version %d, %v after %d", next, err, version)
	}
}
