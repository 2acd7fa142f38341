package shared_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func TestValue_AddIsOneStep(t *testing.T) {
	t.Parallel()
	ctx, h := t.Context(), containers(t)
	v, err := shared.NewValue(ctx, callerOf(t, h), "n", 0, shared.ValueConfig{})
	must0(t, err)
	var wg sync.WaitGroup
	for range 8 {
		mine := shared.ValueOf[int](callerOf(t, h), "n")
		wg.Go(func() {
			for range 100 {
				_, err := mine.Add(ctx, 1)
				if err == nil {
					_, err = mine.Update(ctx, func(old int) int { return old + 1 })
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n, err := v.Get(ctx); n != 1600 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// sums adds in T and reports whether that is refused as out of range.
func sums[T comparable](t *testing.T, a, b, want T, fits bool) {
	t.Helper()
	v, err := shared.NewValue(t.Context(), callerOf(t, containers(t)), "", a, shared.ValueConfig{})
	must0(t, err)
	sum, err := v.Add(t.Context(), b)
	if fits && (err != nil || sum != want) {
		t.Errorf("%v + %v = %v, %v, want %v", a, b, sum, err, want)
	}
	if !fits {
		fails(t, fmt.Sprintf("%v + %v as %T", a, b, a), err, reeve.ErrOutOfRange)
		if got, err := v.Get(t.Context()); got != a || err != nil {
			t.Errorf("after a refused sum: %v, %v, want %v", got, err, a)
		}
	}
}

func TestValue_AddKnowsTheRangeOfEveryType(t *testing.T) {
	t.Parallel()
	sums(t, 1, 2, 3, true)
	sums[int64](t, math.MaxInt64, 1, 0, false)
	sums[int64](t, math.MinInt64, -1, 0, false)
	sums[int64](t, math.MinInt64, math.MaxInt64, -1, true)
	sums[uint64](t, math.MaxUint64, 1, 0, false)
	sums[uint64](t, math.MaxUint64-1, 1, math.MaxUint64, true)
	sums[int8](t, 127, 1, 0, false)
	sums[int8](t, -127, -1, -128, true)
	sums[int8](t, -128, -1, 0, false)
	sums[uint16](t, 65535, 1, 0, false)
	sums[int32](t, math.MaxInt32, 0, math.MaxInt32, true)
	sums(t, 0.25, 0.5, 0.75, true)
	sums[float32](t, 0.25, 0.5, 0.75, true)
	sums[float32](t, math.MaxFloat32, math.MaxFloat32, 0, false)
	sums(t, math.MaxFloat64, math.MaxFloat64, 0, false)
	sums(t, math.Inf(1), 1, math.Inf(1), true)
	sums[any](t, uint64(1), int64(2), uint64(3), true)
}

func TestValue_AddRefusesWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	ctx, o := t.Context(), callerOf(t, containers(t))
	text, err := shared.NewValue(ctx, o, "", "1", shared.ValueConfig{})
	must0(t, err)
	_, err = text.Add(ctx, "1")
	fails(t, "add of a text", err, reeve.ErrInvalid)
	mixed, err := shared.NewValue[any](ctx, o, "", 1.5, shared.ValueConfig{})
	must0(t, err)
	_, err = mixed.Add(ctx, 1)
	fails(t, "a whole number added to a floating one", err, reeve.ErrInvalid)
	none, err := shared.NewValue[any](ctx, o, "", nil, shared.ValueConfig{})
	must0(t, err)
	_, err = none.Add(ctx, 1)
	fails(t, "a number added to nothing", err, reeve.ErrInvalid)
	_, err = none.Add(ctx, nil)
	fails(t, "nothing added", err, reeve.ErrInvalid)
}

func TestValue_SwapsWhatItHasOnly(t *testing.T) {
	t.Parallel()
	ctx, j := t.Context(), &memory{}
	v, err := shared.NewValue(ctx, callerOf(t, j.master(t)), "v", "a", shared.ValueConfig{Durable: true})
	must0(t, err)
	for _, c := range []struct {
		old, to string
		done    bool
		want    string
	}{{"b", "c", false, "a"}, {"a", "b", true, "b"}, {"b", "", true, ""}} {
		done, err := v.CompareAndSwap(ctx, c.old, c.to)
		got, err2 := v.Get(ctx)
		if done != c.done || got != c.want || err != nil || err2 != nil {
			t.Errorf("%q to %q: %v, %q, %v, %v", c.old, c.to, done, got, err, err2)
		}
	}
	must0(t, v.Set(ctx, "kept"))
	_, version, err := v.GetVersion(ctx)
	must0(t, err)
	again, err := shared.NewValue(ctx, callerOf(t, j.master(t)), "v", "a", shared.ValueConfig{Durable: true})
	must0(t, err)
	if got, later, err := again.GetVersion(ctx); got != "kept" || later < version || err != nil {
		t.Errorf("after a restart: %q, version %d after %d, %v", got, later, version, err)
	}
}

func TestArray_IsASliceAndTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	r, ctx, j := rand.New(rand.NewPCG(1, 5)), t.Context(), &memory{}
	const n = 12
	declare := func() *shared.Array[int] {
		x, err := shared.NewArray[int](ctx, callerOf(t, j.master(t)), "a", shared.ArrayConfig{Durable: true, Len: n})
		must0(t, err)
		return x
	}
	x, model := declare(), make([]int, n)
	for step := range 500 {
		if r.IntN(60) == 0 {
			x = declare()
		}
		i := r.IntN(n)
		stepArray(ctx, t, x, model, i, step, r)
		if got, err := x.Copy(ctx); err != nil || !slices.Equal(got, model) {
			t.Fatalf("step %d: %v, %v, want %v", step, got, err, model)
		}
	}
	for _, i := range []int{n, -n - 1, math.MaxInt, math.MinInt} {
		_, err := x.Get(ctx, i)
		fails(t, fmt.Sprint("get of ", i), err, reeve.ErrOutOfRange)
		fails(t, fmt.Sprint("set of ", i), x.Set(ctx, i, 1), reeve.ErrOutOfRange)
	}
	fails(t, "a slice of another length", x.SetSlice(ctx, shared.To(3), []int{1, 2}), reeve.ErrInvalid)
}

func stepArray(ctx context.Context, t *testing.T, x *shared.Array[int], model []int, i, step int, r *rand.Rand) {
	t.Helper()
	switch r.IntN(6) {
	case 0:
		must0(t, x.Set(ctx, i-len(model), step))
		model[i] = step
	case 1:
		sum, err := x.Add(ctx, i, 3)
		if model[i] += 3; sum != model[i] || err != nil {
			t.Errorf("add: %d, %v, want %d", sum, err, model[i])
		}
	case 2:
		done, err := x.CompareAndSwap(ctx, i, model[i]+step%2, step)
		if done != (step%2 == 0) || err != nil {
			t.Errorf("compareandswap: %v, %v", done, err)
		}
		if done {
			model[i] = step
		}
	case 3:
		v, err := x.Update(ctx, i, func(old int) int { return old * 2 })
		if model[i] *= 2; v != model[i] || err != nil {
			t.Errorf("update: %d, %v, want %d", v, err, model[i])
		}
		model[i] %= 1000
		must0(t, x.Set(ctx, i, model[i]))
	case 4:
		part := []int{step, step + 1}
		j := min(i, len(model)-2)
		must0(t, x.SetSlice(ctx, shared.Between(j, j+2), part))
		copy(model[j:], part)
	case 5:
		got, err := x.Slice(ctx, shared.From(i).By(-2))
		if want := pythonSlice(model, i, -len(model)-1, -2); !slices.Equal(got, want) || err != nil {
			t.Errorf("slice: %v, %v, want %v", got, err, want)
		}
	}
}

func TestNamespace_SharesAttributesOfAnyNameAndType(t *testing.T) {
	t.Parallel()
	ctx, j := t.Context(), &memory{}
	n, err := shared.NewNamespace(ctx, callerOf(t, j.master(t)), "n", shared.NamespaceConfig{Durable: true})
	must0(t, err)
	must0(t, n.Set(ctx, "x", 1))
	must0(t, n.Set(ctx, "_hidden", []string{"a"}))
	_, err = shared.UpdateAttr(ctx, n, "x", func(old int, ok bool) (int, bool) { return old + 1, ok })
	must0(t, err)
	n = shared.NamespaceOf(callerOf(t, j.master(t)), "n")
	if x, err := shared.Attr[int](ctx, n, "x"); x != 2 || err != nil {
		t.Errorf("x: %d, %v", x, err)
	}
	if h, err := shared.Attr[[]string](ctx, n, "_hidden"); !slices.Equal(h, []string{"a"}) || err != nil {
		t.Errorf("_hidden: %v, %v", h, err)
	}
	_, err = shared.Attr[string](ctx, n, "x")
	fails(t, "a number as a text", err, reeve.ErrUnserializable)
	_, err = shared.Attr[int](ctx, n, "y")
	fails(t, "an attribute that is not there", err, reeve.ErrNoSuchKey)
	if names, err := n.Names(ctx); !slices.Equal(names, []string{"x", "_hidden"}) || err != nil {
		t.Errorf("%v, %v", names, err)
	}
	must0(t, n.Delete(ctx, "x"))
	if has, err := n.Has(ctx, "x"); has || err != nil {
		t.Errorf("has x: %v, %v", has, err)
	}
}
