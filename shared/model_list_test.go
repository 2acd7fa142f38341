package shared_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func TestList_IsASliceAndTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r, ctx := rand.New(rand.NewPCG(seed, 3)), t.Context()
			j := &memory{}
			declare := func() *shared.List[int] {
				l, err := shared.NewList[int](ctx, callerOf(t, j.master(t)), "l", shared.ListConfig{Durable: true})
				must0(t, err)
				return l
			}
			l, model := declare(), []int{}
			for step := range 400 {
				if r.IntN(60) == 0 {
					l = declare()
				}
				var what string
				model, what = stepList(ctx, t, l, model, r, step)
				got, err := l.Copy(ctx)
				if err != nil || !slices.Equal(got, model) {
					t.Fatalf("step %d, %s: %v, %v, want %v", step, what, got, err, model)
				}
			}
		})
	}
}

// stepList does something at random to both.
func stepList(ctx context.Context, t *testing.T, l *shared.List[int], model []int, r *rand.Rand, step int) ([]int, string) {
	t.Helper()
	n := len(model)
	i := r.IntN(n + 1)
	some := make([]int, r.IntN(5))
	for k := range some {
		some[k] = r.IntN(20)
	}
	switch op := r.IntN(12); op {
	case 0, 1:
		_, err := l.Append(ctx, some...)
		must0(t, err)
		return append(model, some...), "append"
	case 2, 3:
		at := i
		if r.IntN(2) == 0 {
			at = n / 2 // always the same place: keys between keys
		}
		must0(t, l.Insert(ctx, at, step))
		return slices.Insert(model, at, step), "insert"
	case 4:
		v, err := l.PopAt(ctx, i-n) // from the end, or out of range
		if i == n && n > 0 {
			if v != model[0] || err != nil {
				t.Errorf("pop: %d, %v, want %d", v, err, model[0])
			}
			return model[1:], "pop"
		}
		if n == 0 {
			fails(t, "pop", err, reeve.ErrOutOfRange)
			return model, "pop"
		}
		if v != model[i] || err != nil {
			t.Errorf("pop: %d, %v, want %d", v, err, model[i])
		}
		return slices.Delete(model, i, i+1), "pop"
	case 5:
		j := min(i+r.IntN(4), n)
		must0(t, l.SetSlice(ctx, shared.Between(i, j), some))
		return slices.Concat(model[:i], some, model[j:]), "setslice"
	case 6:
		step := 1 + r.IntN(3)
		got, err := l.DeleteSlice(ctx, shared.From(i).By(step))
		var left []int
		for k, v := range model {
			if k < i || (k-i)%step != 0 {
				left = append(left, v)
			}
		}
		if got != n-len(left) || err != nil {
			t.Errorf("deleteslice: %d, %v, want %d", got, err, n-len(left))
		}
		return left, "deleteslice"
	case 7:
		must0(t, l.Reverse(ctx))
		slices.Reverse(model)
		return model, "reverse"
	case 8:
		if r.IntN(2) == 0 {
			must0(t, l.Sort(ctx))
			slices.Sort(model)
			return model, "sort"
		}
		by := func(a, b int) int { return a%5 - b%5 }
		must0(t, l.SortFunc(ctx, by))
		slices.SortStableFunc(model, by)
		return model, "sortfunc"
	case 9:
		if n == 0 {
			return model, "nothing"
		}
		i = min(i, n-1)
		v, err := l.Update(ctx, i, func(old int) int { return old + 1 })
		if model[i]++; v != model[i] || err != nil {
			t.Errorf("update: %d, %v, want %d", v, err, model[i])
		}
		return model, "update"
	case 10:
		if n > 40 {
			must0(t, l.Clear(ctx))
			return []int{}, "clear"
		}
		must0(t, l.Repeat(ctx, 2))
		return slices.Repeat(model, 2), "repeat"
	}
	stride := r.IntN(7) - 3
	if stride == 0 {
		stride = 1
	}
	a, b := r.IntN(2*n+4)-n-2, r.IntN(2*n+4)-n-2
	got, err := l.Slice(ctx, shared.Between(a, b).By(stride))
	if want := pythonSlice(model, a, b, stride); !slices.Equal(got, want) || err != nil {
		t.Errorf("%v[%d:%d:%d]: %v, %v, want %v", model, a, b, stride, got, err, want)
	}
	return model, "slice"
}

// pythonSlice walks from start to stop, as slowly as that is said.
func pythonSlice(list []int, start, stop, step int) []int {
	n := len(list)
	fix := func(i int) int {
		if i < 0 {
			i += n
		}
		if step > 0 {
			return min(max(i, 0), n)
		}
		return min(max(i, -1), n-1)
	}
	part := []int{}
	for i, end := fix(start), fix(stop); step > 0 && i < end || step < 0 && i > end; i += step {
		part = append(part, list[i])
	}
	return part
}

// Inserting at one place for ever makes long keys, which have to be made anew.
func TestList_ThatIsDurableTakesAnyNumberOfInsertsAtOnePlace(t *testing.T) {
	t.Parallel()
	ctx, j := t.Context(), &memory{}
	l, err := shared.NewList[int](ctx, callerOf(t, j.master(t)), "l", shared.ListConfig{Durable: true})
	must0(t, err)
	model := []int{-1, -2, -3}
	_, err = l.Append(ctx, model...)
	must0(t, err)
	for i := range 1500 {
		at := 1 + i%2
		must0(t, l.Insert(ctx, at, i))
		model = slices.Insert(model, at, i)
	}
	for _, l := range []*shared.List[int]{l, shared.ListOf[int](callerOf(t, j.master(t)), "l")} {
		if got, err := l.Copy(ctx); !slices.Equal(got, model) || err != nil {
			t.Fatalf("%v, %v", got, err)
		}
	}
}
