package pool

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// Args2 is the input of a function of two arguments: an array of two in CBOR
// and JSON, as a tuple of other languages. A worker unpacks it with [Star2].
type Args2[A, B any] struct {
	_ struct{} `cbor:",toarray"`
	A A
	B B
}

// Args3 is [Args2] for three arguments, with [Star3].
type Args3[A, B, C any] struct {
	_ struct{} `cbor:",toarray"`
	A A
	B B
	C C
}

// Pair is the two arguments as one value.
func Pair[A, B any](a A, b B) Args2[A, B] { return Args2[A, B]{A: a, B: b} }

// Triple is the three arguments as one value.
func Triple[A, B, C any](a A, b B, c C) Args3[A, B, C] { return Args3[A, B, C]{A: a, B: b, C: c} }

// Star2 makes a handler for package worker of a function of two arguments:
//
//	worker.Handle(w, "pow", pool.Star2(func(ctx context.Context, x, y int) (int, error) { … }))
func Star2[A, B, Out any](f func(context.Context, A, B) (Out, error)) func(context.Context, Args2[A, B]) (Out, error) {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, in Args2[A, B]) (Out, error) { return f(ctx, in.A, in.B) }
}

// Star3 is [Star2] for a function of three arguments.
func Star3[A, B, C, Out any](f func(context.Context, A, B, C) (Out, error)) func(context.Context, Args3[A, B, C]) (Out, error) {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, in Args3[A, B, C]) (Out, error) { return f(ctx, in.A, in.B, in.C) }
}

// StarMap is Map for a function of two arguments, over the pairs of a sequence:
// of maps.All, slices.All, or one's own. With more arguments, or pairs that are
// in a slice, use Map with [Args3] or [Args2].
func StarMap[A, B, Out any](ctx context.Context, p *Pool[Args2[A, B], Out], pairs iter.Seq2[A, B]) ([]Out, error) {
	return p.Map(ctx, collect(pairs))
}

// StarMapAsync is StarMap that does not wait.
func StarMapAsync[A, B, Out any](p *Pool[Args2[A, B], Out], pairs iter.Seq2[A, B]) *Future[[]Out] {
	return p.MapAsync(collect(pairs))
}

func collect[A, B any](pairs iter.Seq2[A, B]) []Args2[A, B] {
	var all []Args2[A, B]
	for a, b := range pairs {
		all = append(all, Pair(a, b))
	}
	return all
}

// MarshalJSON writes an array of two.
func (x Args2[A, B]) MarshalJSON() ([]byte, error) { return json.Marshal([]any{x.A, x.B}) }

// UnmarshalJSON reads an array of two.
func (x *Args2[A, B]) UnmarshalJSON(b []byte) error { return tuple(b, &x.A, &x.B) }

// MarshalJSON writes an array of three.
func (x Args3[A, B, C]) MarshalJSON() ([]byte, error) { return json.Marshal([]any{x.A, x.B, x.C}) }

// UnmarshalJSON reads an array of three.
func (x *Args3[A, B, C]) UnmarshalJSON(b []byte) error { return tuple(b, &x.A, &x.B, &x.C) }

// tuple reads a JSON array of as many values as there are places for them.
func tuple(b []byte, to ...any) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	if len(parts) != len(to) {
		return fmt.Errorf("pool: %d arguments, want %d", len(parts), len(to))
	}
	for i, p := range parts {
		if err := json.Unmarshal(p, to[i]); err != nil {
			return err
		}
	}
	return nil
}
