package shared

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// ListConfig is how a list is declared. The zero value is good.
type ListConfig struct {
	// Durable: the list is kept in the master's journal. It must have a name then.
	Durable bool
	// MaxLen bounds the elements; 0: no bound.
	MaxLen int
	// MaxBytes bounds the bytes of the elements and 128 for each; 0: 256 MiB.
	// If it is durable, at most 512 MiB.
	MaxBytes int64
}

// List is a list that is shared, as Python's. Indexes count from the end if they
// are negative; those that are out of range are [reeve.ErrOutOfRange]. Every
// place is reached in the same short time. Elements are compared as they are
// encoded. What is said of the methods of [Map] holds for those of a list, too:
// what Get returns is a copy, and Update changes an element.
type List[T any] struct{ Container }

// NewList declares a list, as [NewMap] does a map.
func NewList[T any](ctx context.Context, o reeve.Objects, name string, cfg ListConfig) (*List[T], error) {
	x, err := declare(ctx, o, "list", name, limitsSpec{cfg.MaxLen, cfg.MaxBytes}, cfg.Durable)
	if err != nil {
		return nil, err
	}
	return &List[T]{Container{x}}, nil
}

// ListOf is the list of that name. It costs nothing and asks nobody.
func ListOf[T any](o reeve.Objects, name string) *List[T] {
	return ListAt[T](o, reeve.Ref{Name: name, Type: "list"})
}

// ListAt is the list that ref names.
func ListAt[T any](o reeve.Objects, ref reeve.Ref) *List[T] {
	return &List[T]{Container{ObjectAt(o, ref)}}
}

// BindObject has the handle stand for x; see [Bound].
func (l *List[T]) BindObject(x *Object) { l.x = x }

// Len is how many elements there are.
func (l *List[T]) Len(ctx context.Context) (n int, err error) {
	err = l.x.call(ctx, "len", reads, &n)
	return n, err
}

// Get is the element of an index.
func (l *List[T]) Get(ctx context.Context, i int) (T, error) { return getAt[T](ctx, l.x, i) }

func getAt[T any](ctx context.Context, x *Object, i int) (v T, err error) {
	var b codec.Encoded
	if err := x.call(ctx, "get", reads, &b, i); err != nil {
		return v, err
	}
	return v, x.decode(b, &v)
}

// Set sets the element of an index.
func (l *List[T]) Set(ctx context.Context, i int, v T) error {
	return indexed(ctx, l.x, "set", nil, i, v)
}

// indexed calls a method with an index and a value.
func indexed(ctx context.Context, x *Object, method string, out any, i int, v any) error {
	b, err := x.encode(v)
	if err != nil {
		return err
	}
	return x.call(ctx, method, 0, out, i, b)
}

// Delete deletes the element of an index. To delete the list itself, use
// Object().Delete.
func (l *List[T]) Delete(ctx context.Context, i int) error { return l.x.call(ctx, "delete", 0, nil, i) }

// Append adds elements at the end, all or none, and returns the length.
func (l *List[T]) Append(ctx context.Context, list ...T) (n int, err error) {
	b, err := encodeAll(l.x, list)
	if err != nil {
		return 0, err
	}
	err = l.x.call(ctx, "append", 0, &n, b)
	return n, err
}

// Extend is Append of a slice; Python's +=.
func (l *List[T]) Extend(ctx context.Context, list []T) error {
	_, err := l.Append(ctx, list...)
	return err
}

// Insert puts v before the element of an index; out of range: at the beginning, or
// at the end.
func (l *List[T]) Insert(ctx context.Context, i int, v T) error {
	return indexed(ctx, l.x, "insert", nil, i, v)
}

// Pop takes out the last element.
func (l *List[T]) Pop(ctx context.Context) (T, error) { return l.PopAt(ctx, -1) }

// PopAt takes out the element of an index.
func (l *List[T]) PopAt(ctx context.Context, i int) (v T, err error) {
	var b codec.Encoded
	if err := l.x.call(ctx, "pop", 0, &b, i); err != nil {
		return v, err
	}
	return v, l.x.decode(b, &v)
}

// notFound adds the value to an error that says there is none.
func notFound(err error, v any) error {
	if errors.Is(err, reeve.ErrNotFound) {
		return fmt.Errorf("%w: %v", reeve.ErrNotFound, v)
	}
	return err
}

// Remove takes out the first element that is v, or returns [reeve.ErrNotFound].
func (l *List[T]) Remove(ctx context.Context, v T) error {
	return notFound(l.x.with(ctx, "remove", 0, nil, v), v)
}

// Index is the place of the first element that is v, or [reeve.ErrNotFound].
func (l *List[T]) Index(ctx context.Context, v T) (int, error) { return l.IndexIn(ctx, v, Span{}) }

// IndexIn is Index in a part of the list. The span's step is of no account.
func (l *List[T]) IndexIn(ctx context.Context, v T, in Span) (i int, err error) {
	err = l.x.with(ctx, "index", reads, &i, v, in.start, in.stop)
	return i, notFound(err, v)
}

// Has reports whether any element is v.
func (l *List[T]) Has(ctx context.Context, v T) (bool, error) {
	_, err := l.Index(ctx, v)
	if errors.Is(err, reeve.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Count is how many elements are v.
func (l *List[T]) Count(ctx context.Context, v T) (n int, err error) {
	err = l.x.with(ctx, "count", reads, &n, v)
	return n, err
}

// Clear takes out all elements.
func (l *List[T]) Clear(ctx context.Context) error { return l.x.call(ctx, "clear", 0, nil) }

// Reverse turns the order of the elements round.
func (l *List[T]) Reverse(ctx context.Context) error { return l.x.call(ctx, "reverse", 0, nil) }

// Sort sorts elements by their natural order, in one step. They must all be
// numbers, texts, byte strings, or arrays of those: [reeve.ErrInvalid]. Equal ones
// keep their order.
func (l *List[T]) Sort(ctx context.Context) error { return l.x.call(ctx, "sort", 0, nil, false) }

// SortDescending is Sort from the highest to the lowest. Equal elements keep their
// order.
func (l *List[T]) SortDescending(ctx context.Context) error {
	return l.x.call(ctx, "sort", 0, nil, true)
}

// SortFunc sorts by an order of the caller's. Equal elements keep their order.
// Nothing is locked: if the list is changed by somebody else meanwhile, it is read
// and sorted again.
func (l *List[T]) SortFunc(ctx context.Context, cmp func(a, b T) int) error {
	for {
		list, version, err := l.Snapshot(ctx)
		if err != nil {
			return err
		}
		places := make([]uint32, len(list))
		for i := range places {
			places[i] = uint32(i)
		}
		slices.SortStableFunc(places, func(a, b uint32) int { return cmp(list[a], list[b]) })
		packed := make([]byte, 0, 4*len(places))
		for _, p := range places {
			packed = binary.BigEndian.AppendUint32(packed, p)
		}
		var done bool
		if err := l.x.call(ctx, "reorder", 0, &done, version, packed); err != nil || done {
			return err
		}
	}
}

// CompareAndSwap sets the element of an index from old to v, and reports whether it
// was old.
func (l *List[T]) CompareAndSwap(ctx context.Context, i int, old, v T) (bool, error) {
	return swapAt(ctx, l.x, i, old, v)
}

func swapAt(ctx context.Context, x *Object, i int, old, v any) (done bool, err error) {
	a, err := x.encode(old)
	if err != nil {
		return false, err
	}
	b, err := x.encode(v)
	if err != nil {
		return false, err
	}
	err = x.call(ctx, "compareandswap", 0, &done, i, a, b)
	return done, err
}

// Update changes the element of an index to what f makes of it, which it returns.
// Nothing is locked: if somebody else changes it meanwhile, f is called again.
func (l *List[T]) Update(ctx context.Context, i int, f func(old T) T) (T, error) {
	return updateAt(ctx, l.x, i, f)
}

func updateAt[T any](ctx context.Context, x *Object, i int, f func(old T) T) (T, error) {
	var zero T
	for {
		var b codec.Encoded
		if err := x.call(ctx, "get", reads, &b, i); err != nil {
			return zero, err
		}
		var old T
		if err := x.decode(b, &old); err != nil {
			return zero, err
		}
		v := f(old)
		if done, err := swapAt(ctx, x, i, b, v); err != nil {
			return zero, err
		} else if done {
			return v, nil
		}
	}
}

// Watch tells how long the list is, now and each time it has changed, without an
// end but that of ctx. Changes that come while the loop is busy are told as one.
// Any error is the last.
func (l *List[T]) Watch(ctx context.Context) iter.Seq2[State[int], error] {
	return states[int](ctx, l.x)
}
