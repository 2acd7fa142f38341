package shared

import (
	"context"
)

// Operand is another set, shared or not: a [*Set], or [Elements].
type Operand[T any] interface {
	// operand is what is sent to the master of x.
	operand(ctx context.Context, x *Object) ([2]any, error)
}

// Elements are elements of the caller's own.
type Elements[T any] []T

func (e Elements[T]) operand(_ context.Context, x *Object) ([2]any, error) {
	b, err := encodeAll(x, []T(e))
	return [2]any{nil, b}, err
}

func (s *Set[T]) operand(ctx context.Context, x *Object) ([2]any, error) {
	if same(s.x.o, x.o) {
		return [2]any{s.x.ref, nil}, nil
	}
	list, err := s.Copy(ctx) // of another master
	if err != nil {
		return [2]any{}, err
	}
	return Elements[T](list).operand(ctx, x)
}

func (s *Set[T]) operands(ctx context.Context, others []Operand[T]) ([][2]any, error) {
	list := make([][2]any, len(others))
	for i, o := range others {
		var err error
		if list[i], err = o.operand(ctx, s.x); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Set[T]) ask(ctx context.Context, method string, others []Operand[T]) ([]T, error) {
	operands, err := s.operands(ctx, others)
	if err != nil {
		return nil, err
	}
	list, _, err := listOf[T](ctx, s.x, method, operands)
	return list, err
}

func (s *Set[T]) update(ctx context.Context, method string, others []Operand[T]) error {
	operands, err := s.operands(ctx, others)
	if err != nil {
		return err
	}
	return s.x.call(ctx, method, 0, nil, operands)
}

func (s *Set[T]) compare(ctx context.Context, method string, other Operand[T]) (is bool, err error) {
	operands, err := s.operands(ctx, []Operand[T]{other})
	if err != nil {
		return false, err
	}
	err = s.x.call(ctx, method, reads, &is, operands)
	return is, err
}

// Union lists the elements that are in the set or in any of others. It is one step
// for all sets that this master has, as are the methods below.
func (s *Set[T]) Union(ctx context.Context, others ...Operand[T]) ([]T, error) {
	return s.ask(ctx, "union", others)
}

// Intersection lists the elements that are in the set and all of others.
func (s *Set[T]) Intersection(ctx context.Context, others ...Operand[T]) ([]T, error) {
	return s.ask(ctx, "intersection", others)
}

// Difference lists the elements of the set that are in none of others.
func (s *Set[T]) Difference(ctx context.Context, others ...Operand[T]) ([]T, error) {
	return s.ask(ctx, "difference", others)
}

// SymmetricDifference lists the elements that are in one of the two only.
func (s *Set[T]) SymmetricDifference(ctx context.Context, other Operand[T]) ([]T, error) {
	return s.ask(ctx, "symmetricdifference", []Operand[T]{other})
}

// Update adds the elements of others, all or none: a [*reeve.LimitError].
func (s *Set[T]) Update(ctx context.Context, others ...Operand[T]) error {
	return s.update(ctx, "update", others)
}

// IntersectionUpdate removes the elements that are not in all of others.
func (s *Set[T]) IntersectionUpdate(ctx context.Context, others ...Operand[T]) error {
	return s.update(ctx, "intersectionupdate", others)
}

// DifferenceUpdate removes the elements that are in any of others.
func (s *Set[T]) DifferenceUpdate(ctx context.Context, others ...Operand[T]) error {
	return s.update(ctx, "differenceupdate", others)
}

// SymmetricDifferenceUpdate removes the elements that other has, too, and adds
// those that only other has.
func (s *Set[T]) SymmetricDifferenceUpdate(ctx context.Context, other Operand[T]) error {
	return s.update(ctx, "symmetricdifferenceupdate", []Operand[T]{other})
}

// IsDisjoint reports whether no element is in both.
func (s *Set[T]) IsDisjoint(ctx context.Context, other Operand[T]) (bool, error) {
	return s.compare(ctx, "isdisjoint", other)
}

// IsSubset reports whether other has all elements of the set.
func (s *Set[T]) IsSubset(ctx context.Context, other Operand[T]) (bool, error) {
	return s.compare(ctx, "issubset", other)
}

// IsSuperset reports whether the set has all elements of other.
func (s *Set[T]) IsSuperset(ctx context.Context, other Operand[T]) (bool, error) {
	return s.compare(ctx, "issuperset", other)
}

// IsProperSubset is IsSubset of a set that other is more than.
func (s *Set[T]) IsProperSubset(ctx context.Context, other Operand[T]) (bool, error) {
	return s.compare(ctx, "ispropersubset", other)
}

// IsProperSuperset is IsSuperset of a set that is more than other.
func (s *Set[T]) IsProperSuperset(ctx context.Context, other Operand[T]) (bool, error) {
	return s.compare(ctx, "ispropersuperset", other)
}
