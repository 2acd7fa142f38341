package shared

import (
	"context"
	"iter"
	"slices"

	"github.com/reeveq/reeve"
)

// Slice lists the elements of a part.
func (l *List[T]) Slice(ctx context.Context, s Span) ([]T, error) {
	list, _, err := listOf[T](ctx, l.x, "slice", s.args()...)
	return list, err
}

// SetSlice puts list in the place of a part. It may have another length, unless the
// span has a step: [reeve.ErrInvalid].
func (l *List[T]) SetSlice(ctx context.Context, s Span, list []T) error {
	return setSlice(ctx, l.x, s, list)
}

func setSlice[T any](ctx context.Context, x *Object, s Span, list []T) error {
	b, err := encodeAll(x, list)
	if err != nil {
		return err
	}
	return x.call(ctx, "setslice", 0, nil, append(s.args(), b)...)
}

// DeleteSlice takes out a part and returns how many elements that were.
func (l *List[T]) DeleteSlice(ctx context.Context, s Span) (n int, err error) {
	err = l.x.call(ctx, "deleteslice", 0, &n, s.args()...)
	return n, err
}

// Copy lists the elements.
func (l *List[T]) Copy(ctx context.Context) ([]T, error) {
	list, _, err := l.Snapshot(ctx)
	return list, err
}

// Snapshot is Copy that tells the list's version, too: a number that is another one
// after each change.
func (l *List[T]) Snapshot(ctx context.Context) (list []T, version uint64, err error) {
	return listOf[T](ctx, l.x, "snapshot", false, 0)
}

// Concat is a copy with more behind it; Python's +. The list stays as it is.
func (l *List[T]) Concat(ctx context.Context, more []T) ([]T, error) {
	list, err := l.Copy(ctx)
	if err != nil {
		return nil, err
	}
	return append(list, more...), nil
}

// Repeated is a copy that is the list so many times; Python's *. The list stays as
// it is. Below 1: it is empty.
func (l *List[T]) Repeated(ctx context.Context, times int) ([]T, error) {
	list, err := l.Copy(ctx)
	if err != nil {
		return nil, err
	}
	times = max(times, 0)
	if times > 0 && len(list) > maxRepeated/times {
		return nil, &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "elements of a repeated list", Value: -1, Max: maxRepeated}
	}
	return slices.Repeat(list, times), nil
}

// maxRepeated bounds what Repeated makes.
const maxRepeated = 1<<31 - 1

// Repeat makes the list so many times itself; Python's *=. Below 1: it is emptied.
func (l *List[T]) Repeat(ctx context.Context, times int) error {
	return l.x.call(ctx, "repeat", 0, nil, times)
}

// All loops over the elements, as all were when it began; see [Map.All].
func (l *List[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return eachOf[T](ctx, l.x, "snapshot", false, 0)
}

// Reversed is All from the last element to the first.
func (l *List[T]) Reversed(ctx context.Context) iter.Seq2[T, error] {
	return eachOf[T](ctx, l.x, "snapshot", true, 0)
}
