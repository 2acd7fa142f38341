package shared

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// Container is what the handles of all containers have in common.
type Container struct{ x *Object }

// Ref is a reference to the container: a value that can be sent anywhere.
func (c Container) Ref() reeve.Ref { return c.x.ref }

// Object is the container as an object: to be deleted as a whole, released, or
// called by the names of its methods.
func (c Container) Object() *Object { return c.x }

// String names the container. It asks nobody.
func (c Container) String() string { return c.x.String() }

// MarshalCBOR has the handle sent as its reference.
func (c Container) MarshalCBOR() ([]byte, error) { return c.x.MarshalCBOR() }

// limitsSpec is what the configurations of all containers begin with.
type limitsSpec struct {
	MaxLen   int   `cbor:"1,keyasint,omitempty"`
	MaxBytes int64 `cbor:"2,keyasint,omitempty"`
}

// tableSpec is the configuration of a map or set.
type tableSpec struct {
	limitsSpec
	TTL time.Duration `cbor:"3,keyasint,omitempty"`
}

// encode makes the one form of a key or value.
func (x *Object) encode(v any) (codec.Encoded, error) {
	b, err := codec.Deterministic.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: a %T for %v: %w", reeve.ErrUnserializable, v, x, err)
	}
	return b, nil
}

// encodeAll makes an array of the forms of many.
func encodeAll[T any](x *Object, list []T) (codec.Encoded, error) {
	if b, ok := encodePlain(list); ok {
		return b, nil
	}
	if reflect.TypeFor[T]().Kind() != reflect.Uint8 {
		return x.encode(list)
	}
	each := make([]codec.Encoded, len(list)) // else it would be a byte string
	for i := range list {
		b, err := x.encode(list[i])
		if err != nil {
			return nil, err
		}
		each[i] = b
	}
	return x.encode(each)
}

// decode reads a key or value.
func (x *Object) decode(b []byte, v any) error {
	if err := decodeResult(b, v); err != nil {
		return fmt.Errorf("%w: what %v has is no %v: %w", reeve.ErrUnserializable, x, reflect.TypeOf(v).Elem(), err)
	}
	return nil
}

// with calls a method whose arguments are one key or value, and others that are
// encoded already.
func (x *Object) with(ctx context.Context, method string, f flags, out, v any, args ...any) error {
	b, err := x.encode(v)
	if err != nil {
		return err
	}
	return x.call(ctx, method, f, out, append([]any{encoded(b)}, args...)...)
}

// with2 is with for two keys or values.
func (x *Object) with2(ctx context.Context, method string, f flags, out, v, w any, args ...any) error {
	b, err := x.encode(w)
	if err != nil {
		return err
	}
	return x.with(ctx, method, f, out, v, append([]any{encoded(b)}, args...)...)
}

// about adds the key to an error that says there is none.
func about(err error, key any) error {
	if errors.Is(err, reeve.ErrNoSuchKey) {
		return fmt.Errorf("%w: %v", reeve.ErrNoSuchKey, key)
	}
	return err
}

// hashable reports whether keys of type K can always be keys of a Go map. One that
// is an interface may have any value in it.
func hashable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return false
	case reflect.Struct:
		for i := range t.NumField() {
			if !hashable(t.Field(i).Type) {
				return false
			}
		}
	case reflect.Array:
		return hashable(t.Elem())
	}
	return true
}

// checkKey reports a key that cannot be one of a Go map.
func checkKey[K comparable](x *Object, k K) error {
	if hashable(reflect.TypeFor[K]()) || reflect.ValueOf(&k).Elem().Comparable() {
		return nil
	}
	return fmt.Errorf("%w: %v has a key that cannot be one of a Go map", reeve.ErrUnserializable, x)
}

// kindOf is the type of number that v is, as the master knows it.
func kindOf(v any) (string, error) {
	switch k := reflect.ValueOf(v).Kind(); k {
	case reflect.Int:
		return "int64", nil
	case reflect.Uint:
		return "uint64", nil
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		return k.String(), nil
	}
	return "", fmt.Errorf("%w: a %T cannot be added", reeve.ErrInvalid, v)
}

// same reports whether a and b are one connection.
func same(a, b reeve.Objects) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
