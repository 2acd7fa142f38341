package shared

import (
	"context"
	"iter"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// ArrayConfig is how an array is declared.
type ArrayConfig struct {
	// Durable: the array is kept in the master's journal. It must have a name then.
	Durable bool
	// Len is how many elements the array has, for ever; at most 16,777,216.
	Len int
	// MaxBytes bounds the bytes of the elements and 128 for each; 0: 256 MiB.
	// If it is durable, at most 512 MiB.
	MaxBytes int64
}

// Array is an array that is shared: so many values of one type, zero at first. What
// is said of the methods of [List] holds for those of an array, too.
type Array[T any] struct{ Container }

// NewArray declares an array, as [NewMap] does a map.
func NewArray[T any](ctx context.Context, o reeve.Objects, name string, cfg ArrayConfig) (*Array[T], error) {
	zero, err := (&Object{ref: reeve.Ref{Name: name, Type: "array"}}).encode(*new(T))
	if err != nil {
		return nil, err
	}
	spec := struct {
		limitsSpec
		Len  int    `cbor:"3,keyasint,omitempty"`
		Zero []byte `cbor:"4,keyasint,omitempty"`
	}{limitsSpec{MaxBytes: cfg.MaxBytes}, cfg.Len, zero}
	x, err := declare(ctx, o, "array", name, spec, cfg.Durable)
	if err != nil {
		return nil, err
	}
	return &Array[T]{Container{x}}, nil
}

// ArrayOf is the array of that name. It costs nothing and asks nobody.
func ArrayOf[T any](o reeve.Objects, name string) *Array[T] {
	return ArrayAt[T](o, reeve.Ref{Name: name, Type: "array"})
}

// ArrayAt is the array that ref names.
func ArrayAt[T any](o reeve.Objects, ref reeve.Ref) *Array[T] {
	return &Array[T]{Container{ObjectAt(o, ref)}}
}

// BindObject has the handle stand for x; see [Bound].
func (r *Array[T]) BindObject(x *Object) { r.x = x }

// Len is how many elements there are.
func (r *Array[T]) Len(ctx context.Context) (n int, err error) {
	err = r.x.call(ctx, "len", reads, &n)
	return n, err
}

// Get is the element of an index.
func (r *Array[T]) Get(ctx context.Context, i int) (T, error) { return getAt[T](ctx, r.x, i) }

// Set sets the element of an index.
func (r *Array[T]) Set(ctx context.Context, i int, v T) error {
	return indexed(ctx, r.x, "set", nil, i, v)
}

// Add adds a number to the element of an index, and returns the sum; see
// [Value.Add].
func (r *Array[T]) Add(ctx context.Context, i int, by T) (sum T, err error) {
	kind, err := kindOf(by)
	if err != nil {
		return sum, err
	}
	number, err := r.x.encode(by)
	if err != nil {
		return sum, err
	}
	var b codec.Encoded
	if err := r.x.call(ctx, "add", 0, &b, i, number, kind); err != nil {
		return sum, err
	}
	return sum, r.x.decode(b, &sum)
}

// CompareAndSwap sets the element of an index from old to v, and reports whether it
// was old.
func (r *Array[T]) CompareAndSwap(ctx context.Context, i int, old, v T) (bool, error) {
	return swapAt(ctx, r.x, i, old, v)
}

// Update changes the element of an index to what f makes of it; see [List.Update].
func (r *Array[T]) Update(ctx context.Context, i int, f func(old T) T) (T, error) {
	return updateAt(ctx, r.x, i, f)
}

// Slice lists the elements of a part.
func (r *Array[T]) Slice(ctx context.Context, s Span) ([]T, error) {
	list, _, err := listOf[T](ctx, r.x, "slice", s.args()...)
	return list, err
}

// SetSlice sets the elements of a part, which has as many as list:
// [reeve.ErrInvalid].
func (r *Array[T]) SetSlice(ctx context.Context, s Span, list []T) error {
	return setSlice(ctx, r.x, s, list)
}

// Copy lists the elements.
func (r *Array[T]) Copy(ctx context.Context) ([]T, error) {
	list, _, err := listOf[T](ctx, r.x, "snapshot", false, 0)
	return list, err
}

// All loops over the elements, as all were when it began; see [Map.All].
func (r *Array[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return eachOf[T](ctx, r.x, "snapshot", false, 0)
}

// Reversed is All from the last element to the first.
func (r *Array[T]) Reversed(ctx context.Context) iter.Seq2[T, error] {
	return eachOf[T](ctx, r.x, "snapshot", true, 0)
}

// Watch tells how long the array is, now and each time it has changed; see
// [List.Watch].
func (r *Array[T]) Watch(ctx context.Context) iter.Seq2[State[int], error] {
	return states[int](ctx, r.x)
}
