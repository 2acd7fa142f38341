package shared

import (
	"context"
	"iter"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// ValueConfig is how a value is declared. The zero value is good.
type ValueConfig struct {
	// Durable: the value is kept in the master's journal. It must have a name then.
	Durable bool
	// MaxBytes bounds the bytes of the value and 128; 0: 256 MiB.
	// If it is durable, at most 512 MiB.
	MaxBytes int64
}

// Value is one value that is shared. What is said of the methods of [Map] holds
// for those of a value, too.
type Value[T any] struct{ Container }

// NewValue declares a value, as [NewMap] does a map. It is initial until it is set;
// initial is a part of the configuration.
func NewValue[T any](ctx context.Context, o reeve.Objects, name string, initial T, cfg ValueConfig) (*Value[T], error) {
	first, err := (&Object{ref: reeve.Ref{Name: name, Type: "value"}}).encode(initial)
	if err != nil {
		return nil, err
	}
	spec := struct {
		limitsSpec
		Initial []byte `cbor:"3,keyasint,omitempty"`
	}{limitsSpec{MaxBytes: cfg.MaxBytes}, first}
	x, err := declare(ctx, o, "value", name, spec, cfg.Durable)
	if err != nil {
		return nil, err
	}
	return &Value[T]{Container{x}}, nil
}

// ValueOf is the value of that name. It costs nothing and asks nobody.
func ValueOf[T any](o reeve.Objects, name string) *Value[T] {
	return ValueAt[T](o, reeve.Ref{Name: name, Type: "value"})
}

// ValueAt is the value that ref names.
func ValueAt[T any](o reeve.Objects, ref reeve.Ref) *Value[T] {
	return &Value[T]{Container{ObjectAt(o, ref)}}
}

// BindObject has the handle stand for x; see [Bound].
func (v *Value[T]) BindObject(x *Object) { v.x = x }

// Get is the value.
func (v *Value[T]) Get(ctx context.Context) (T, error) {
	got, _, err := v.GetVersion(ctx)
	return got, err
}

// GetVersion is Get that tells the version, too: a number that is another one after
// each change.
func (v *Value[T]) GetVersion(ctx context.Context) (got T, version uint64, err error) {
	var a versioned
	if err := v.x.call(ctx, "get", reads, &a); err != nil {
		return got, 0, err
	}
	return got, a.Version, v.x.decode(a.Value, &got)
}

// Set sets the value.
func (v *Value[T]) Set(ctx context.Context, to T) error { return v.x.with(ctx, "set", 0, nil, to) }

// Add adds a number in one step and returns the sum. A sum that a T, or the type of
// by if T is an interface, cannot have is [reeve.ErrOutOfRange], and the value stays
// as it is. [reeve.ErrInvalid] if the two are no numbers, or a whole and a floating
// one.
func (v *Value[T]) Add(ctx context.Context, by T) (sum T, err error) {
	kind, err := kindOf(by)
	if err != nil {
		return sum, err
	}
	var b codec.Encoded
	if err := v.x.with(ctx, "add", 0, &b, by, kind); err != nil {
		return sum, err
	}
	return sum, v.x.decode(b, &sum)
}

// CompareAndSwap sets the value from old to to, and reports whether it was old.
// Values are compared as they are encoded.
func (v *Value[T]) CompareAndSwap(ctx context.Context, old, to T) (done bool, err error) {
	err = v.x.with2(ctx, "compareandswap", 0, &done, old, to)
	return done, err
}

// Update changes the value to what f makes of it, which it returns. Nothing is
// locked: if somebody else changes the value meanwhile, f is called again.
func (v *Value[T]) Update(ctx context.Context, f func(old T) T) (T, error) {
	var zero T
	var a versioned
	if err := v.x.call(ctx, "get", reads, &a); err != nil {
		return zero, err
	}
	for {
		var old T
		if err := v.x.decode(a.Value, &old); err != nil {
			return zero, err
		}
		to := f(old)
		b, err := v.x.encode(to)
		if err != nil {
			return zero, err
		}
		var r swapped
		if err := v.x.call(ctx, "cas", 0, &r, a.Version, b); err != nil {
			return zero, err
		}
		if r.Done {
			return to, nil
		}
		a.Version, a.Value = r.Version, r.Value
	}
}

// Watch tells the value, now and each time it has changed, without an end but that
// of ctx. Of changes that come while the loop is busy, the last is told. What cannot
// be decoded comes as [reeve.ErrUnserializable], and the loop goes on; any other
// error is the last.
func (v *Value[T]) Watch(ctx context.Context) iter.Seq2[State[T], error] {
	return states[T](ctx, v.x)
}
