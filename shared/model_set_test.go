package shared_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

// inSet are the elements below 16 that a model has, in their order.
type inSet [16]bool

func (s inSet) list() []uint8 {
	list := []uint8{}
	for e, in := range s {
		if in {
			list = append(list, uint8(e))
		}
	}
	return list
}

func inSetOf(list []uint8) (s inSet) {
	for _, e := range list {
		s[e] = true
	}
	return s
}

// combine makes a set of those for which f holds.
func (s inSet) combine(o inSet, f func(a, b bool) bool) (r inSet) {
	for e := range s {
		r[e] = f(s[e], o[e])
	}
	return r
}

func TestSet_IsASetAndTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r, ctx := rand.New(rand.NewPCG(seed, 4)), t.Context()
			j := &memory{}
			var sets [2]*shared.Set[uint8] // of bytes: many of them are not a byte string
			declare := func() {
				o := callerOf(t, j.master(t))
				for i := range sets {
					s, err := shared.NewSet[uint8](ctx, o, fmt.Sprint("s", i), shared.SetConfig{Durable: true})
					must0(t, err)
					sets[i] = s
				}
			}
			declare()
			var models [2]inSet
			for step := range 400 {
				if r.IntN(60) == 0 {
					declare()
				}
				i := r.IntN(2)
				what := stepSet(ctx, t, sets[i], sets[1-i], &models[i], models[1-i], r)
				for i := range sets {
					got, err := sets[i].Copy(ctx)
					slices.Sort(got)
					if err != nil || !slices.Equal(got, models[i].list()) {
						t.Fatalf("step %d, %s: set %d is %v, %v, want %v", step, what, i, got, err, models[i].list())
					}
				}
			}
		})
	}
}

// stepSet does something at random to a set and its model. The other set is an
// operand, or what is given is.
func stepSet(ctx context.Context, t *testing.T, s, other *shared.Set[uint8], model *inSet, otherModel inSet, r *rand.Rand) string {
	t.Helper()
	e := uint8(r.IntN(16))
	var operand shared.Operand[uint8] = other
	if r.IntN(2) == 0 {
		list := shared.Elements[uint8]{e, (e + 5) % 16, (e + 9) % 16, e}
		operand, otherModel = list, inSetOf(list)
	}
	has := model[e]
	check := func(what string, got []uint8, err error, want inSet) {
		t.Helper()
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want.list()) {
			t.Errorf("%s: %v, %v, want %v", what, got, err, want.list())
		}
	}
	or := func(a, b bool) bool { return a || b }
	and := func(a, b bool) bool { return a && b }
	not := func(a, b bool) bool { return a && !b }
	xor := func(a, b bool) bool { return a != b }
	switch r.IntN(12) {
	case 0:
		fresh, err := s.AddNew(ctx, e)
		if fresh == has || err != nil {
			t.Errorf("add of %d, there: %v: %v, %v", e, has, fresh, err)
		}
		model[e] = true
		return "add"
	case 1:
		list := []uint8{e, (e + 1) % 16, e}
		fresh, err := s.AddMany(ctx, list...)
		check("addmany", fresh, err, inSetOf(list).combine(*model, not))
		*model = model.combine(inSetOf(list), or)
		return "addmany"
	case 2:
		was, err := s.Discard(ctx, e)
		if was != has || err != nil {
			t.Errorf("discard: %v, %v, want %v", was, err, has)
		}
		model[e] = false
		return "discard"
	case 3:
		if err := s.Remove(ctx, e); has != (err == nil) || !has && !errors.Is(err, reeve.ErrNoSuchKey) {
			t.Errorf("remove: %v, there: %v", err, has)
		}
		model[e] = false
		return "remove"
	case 4:
		got, err := s.Pop(ctx)
		if len(model.list()) == 0 {
			fails(t, "pop", err, reeve.ErrNoSuchKey)
		} else if err != nil || !model[got] {
			t.Errorf("pop: %d, %v, of %v", got, err, model.list())
		}
		model[got] = false
		return "pop"
	case 5:
		got, err := s.Union(ctx, operand, s)
		check("union", got, err, model.combine(otherModel, or))
		got, err = s.Intersection(ctx, operand, s)
		check("intersection", got, err, model.combine(otherModel, and))
		return "union, intersection"
	case 6:
		got, err := s.Difference(ctx, operand)
		check("difference", got, err, model.combine(otherModel, not))
		got, err = s.SymmetricDifference(ctx, operand)
		check("symmetric difference", got, err, model.combine(otherModel, xor))
		return "differences"
	case 7:
		must0(t, s.Update(ctx, operand))
		*model = model.combine(otherModel, or)
		return "update"
	case 8:
		must0(t, s.IntersectionUpdate(ctx, operand))
		*model = model.combine(otherModel, and)
		return "intersection update"
	case 9:
		must0(t, s.DifferenceUpdate(ctx, operand))
		*model = model.combine(otherModel, not)
		return "difference update"
	case 10:
		must0(t, s.SymmetricDifferenceUpdate(ctx, operand))
		*model = model.combine(otherModel, xor)
		return "symmetric difference update"
	}
	both, onlyOther := model.combine(otherModel, and), otherModel.combine(*model, not)
	for what, is := range map[string]struct {
		f    func(context.Context, shared.Operand[uint8]) (bool, error)
		want bool
	}{
		"disjoint":        {s.IsDisjoint, both == inSet{}},
		"subset":          {s.IsSubset, both == *model},
		"superset":        {s.IsSuperset, onlyOther == inSet{}},
		"proper subset":   {s.IsProperSubset, both == *model && *model != otherModel},
		"proper superset": {s.IsProperSuperset, onlyOther == inSet{} && *model != otherModel},
	} {
		if got, err := is.f(ctx, operand); got != is.want || err != nil {
			t.Errorf("%s: %v, %v, want %v", what, got, err, is.want)
		}
	}
	got, err := s.Missing(ctx, e, (e+1)%16)
	check("missing", got, err, inSetOf([]uint8{e, (e + 1) % 16}).combine(*model, not))
	return "comparisons"
}

// Two sets that are operands of each other, both ways at once, must not wait for
// each other for ever.
func TestSet_OperandsOfEachOtherDoNotLockUp(t *testing.T) {
	t.Parallel()
	ctx, h := t.Context(), containers(t)
	var sets [3]*shared.Set[int]
	for i := range sets {
		s, err := shared.NewSet[int](ctx, callerOf(t, h), fmt.Sprint(i), shared.SetConfig{})
		must0(t, err)
		must0(t, s.Add(ctx, i))
		sets[i] = s
	}
	var wg sync.WaitGroup
	for i := range sets {
		// Handles of one connection, so that the sets go by reference.
		o := sets[i].Object().Objects()
		a, b, c := shared.SetOf[int](o, fmt.Sprint(i)), shared.SetOf[int](o, fmt.Sprint((i+1)%3)), shared.SetOf[int](o, fmt.Sprint((i+2)%3))
		wg.Go(func() {
			for range 300 {
				if err := a.Update(ctx, b, c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range sets {
		if n, err := s.Len(ctx); n != 3 || err != nil {
			t.Errorf("%d elements, %v", n, err)
		}
	}
}

func TestSet_OfAllWhoAddTheSameOneIsTold(t *testing.T) {
	t.Parallel()
	ctx, h := t.Context(), containers(t)
	_, err := shared.NewSet[string](ctx, callerOf(t, h), "seen", shared.SetConfig{})
	must0(t, err)
	fresh := make(chan string, 1000)
	var wg sync.WaitGroup
	for range 8 {
		s := shared.SetOf[string](callerOf(t, h), "seen")
		wg.Go(func() {
			for i := range 100 {
				if is, err := s.AddNew(ctx, fmt.Sprint(i)); err != nil {
					t.Error(err)
				} else if is {
					fresh <- fmt.Sprint(i)
				}
			}
		})
	}
	wg.Wait()
	if len(fresh) != 100 {
		t.Errorf("%d were new, of 100", len(fresh))
	}
}
