package expose

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"time"

	"github.com/reeveq/reeve"
)

var (
	ctxType   = reflect.TypeFor[context.Context]()
	errorType = reflect.TypeFor[error]()
	refType   = reflect.TypeFor[reeve.Ref]()
)

// referrer is a handle of a shared object, of any kind.
type referrer interface{ Ref() reeve.Ref }

var referrerType = reflect.TypeFor[referrer]()

// known are types that CBOR has although their fields do not say so.
var known = map[reflect.Type]bool{
	refType:                      true,
	reflect.TypeFor[time.Time](): true,
	reflect.TypeFor[big.Int]():   true,
}

type (
	cborMarshaler   interface{ MarshalCBOR() ([]byte, error) }
	cborUnmarshaler interface{ UnmarshalCBOR([]byte) error }
)

// coded reports whether t writes and reads itself.
func coded(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[cborMarshaler]()) && p.Implements(reflect.TypeFor[cborUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[encoding.BinaryMarshaler]()) && p.Implements(reflect.TypeFor[encoding.BinaryUnmarshaler]())
}

// sendable is nil if values of type t can be sent.
func sendable(t reflect.Type) error { return check(t, map[reflect.Type]bool{}) }

func check(t reflect.Type, seen map[reflect.Type]bool) error {
	if seen[t] || known[t] || t.Kind() != reflect.Interface && coded(t) {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128, reflect.Invalid:
		return fmt.Errorf("a %v cannot be sent", t.Kind())
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Errorf("%v, an interface with methods, cannot be sent", t)
		}
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return check(t.Elem(), seen)
	case reflect.Map:
		if err := check(t.Key(), seen); err != nil {
			return fmt.Errorf("key: %w", err)
		}
		return check(t.Elem(), seen)
	case reflect.Struct:
		return checkFields(t, seen)
	}
	return nil
}

var errNoFields = errors.New("a struct without exported fields cannot be sent")

func checkFields(t reflect.Type, seen map[reflect.Type]bool) error {
	sent := 0
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() && !f.Anonymous || f.Tag.Get("cbor") == "-" || f.Tag.Get("cbor") == "" && f.Tag.Get("json") == "-" {
			continue
		}
		sent++
		if err := check(f.Type, seen); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	if sent == 0 && t.NumField() > 0 {
		return errNoFields
	}
	return nil
}
