package cpython_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/reeveq/reeve/shared"
)

type setSubject struct{ handles [3]*shared.Set[any] }

func makeSet(p *play) ([]subject, error) {
	x := &setSubject{}
	s, err := shared.NewSet[any](p.t.Context(), p.objects[0], p.name, shared.SetConfig{})
	if err != nil {
		return nil, err
	}
	for i, o := range p.objects {
		x.handles[i] = shared.SetOf[any](o, p.name)
	}
	if len(p.scenario.Args) == 0 {
		return []subject{x}, nil
	}
	_, err = s.AddMany(p.t.Context(), p.scenario.Args[0].([]any)...)
	return []subject{x}, err
}

// inOrder is a set as the file has it.
func inOrder(list []any, err error) (any, error) {
	slices.SortStableFunc(list, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list, err
}

func (x *setSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	s := x.handles[actor]
	switch c.Call {
	case "__len__":
		return s.Len(ctx)
	case "copy":
		return inOrder(s.Copy(ctx))
	case "iter":
		return collect(s.All(ctx))
	case "clear":
		return nil, s.Clear(ctx)
	case "pop":
		return s.Pop(ctx)
	case "add":
		return nil, s.Add(ctx, c.Args[0])
	case "discard":
		_, err := s.Discard(ctx, c.Args[0])
		return nil, err
	case "remove":
		return nil, s.Remove(ctx, c.Args[0])
	case "__contains__":
		return s.Has(ctx, c.Args[0])
	}
	others := []shared.Operand[any]{}
	for _, arg := range c.Args {
		list, ok := arg.([]any)
		if !ok {
			return nil, errNoSuchCall
		}
		others = append(others, shared.Elements[any](list))
	}
	v, err := ofSeveral(ctx, s, c.Call, others)
	if err == errNoSuchCall && len(others) == 1 {
		return ofTwo(ctx, s, c.Call, others[0])
	}
	return v, err
}

// ofSeveral is a call that takes any number of other sets.
func ofSeveral(ctx context.Context, s *shared.Set[any], call string, others []shared.Operand[any]) (any, error) {
	switch call {
	case "union", "__or__", "__ror__":
		return inOrder(s.Union(ctx, others...))
	case "intersection", "__and__", "__rand__":
		return inOrder(s.Intersection(ctx, others...))
	case "difference", "__sub__":
		return inOrder(s.Difference(ctx, others...))
	case "update":
		return nil, s.Update(ctx, others...)
	case "intersection_update":
		return nil, s.IntersectionUpdate(ctx, others...)
	case "difference_update":
		return nil, s.DifferenceUpdate(ctx, others...)
	case "__ior__":
		return itself{}, s.Update(ctx, others...)
	case "__iand__":
		return itself{}, s.IntersectionUpdate(ctx, others...)
	case "__isub__":
		return itself{}, s.DifferenceUpdate(ctx, others...)
	}
	return nil, errNoSuchCall
}

// ofTwo is a call that takes one other set.
func ofTwo(ctx context.Context, s *shared.Set[any], call string, other shared.Operand[any]) (any, error) {
	switch call {
	case "symmetric_difference", "__xor__", "__rxor__":
		return inOrder(s.SymmetricDifference(ctx, other))
	case "symmetric_difference_update":
		return nil, s.SymmetricDifferenceUpdate(ctx, other)
	case "__ixor__":
		return itself{}, s.SymmetricDifferenceUpdate(ctx, other)
	case "isdisjoint":
		return s.IsDisjoint(ctx, other)
	case "issubset", "__le__":
		return s.IsSubset(ctx, other)
	case "__lt__":
		return s.IsProperSubset(ctx, other)
	case "__gt__":
		return s.IsProperSuperset(ctx, other)
	case "issuperset", "__ge__":
		return s.IsSuperset(ctx, other)
	}
	return nil, errNoSuchCall
}
