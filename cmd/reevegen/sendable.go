package main

import (
	"errors"
	"fmt"
	"go/types"
	"reflect"
)

// What can be sent is decided by package manager when a value is registered; here
// the same is said earlier, to who writes the interface.

// known are types that can be sent although their fields do not say so.
var known = map[string]bool{"time.Time": true, "math/big.Int": true, refName: true}

const refName = module + ".Ref"

// typeName is the full name of a named type; "": it has none.
func typeName(t types.Type) string {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	return named.Obj().Pkg().Path() + "." + named.Obj().Name()
}

// hasMethod reports whether t, or a pointer to it, has a method.
func hasMethod(t types.Type, name string) bool {
	o, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	_, ok := o.(*types.Func)
	return ok
}

// coded reports whether values of type t write and read themselves.
func coded(t types.Type) bool {
	return hasMethod(t, "MarshalCBOR") && hasMethod(t, "UnmarshalCBOR") || hasMethod(t, "MarshalBinary") && hasMethod(t, "UnmarshalBinary")
}

// sendable is nil if values of type t can be sent.
func sendable(t types.Type) error { return check(t, map[types.Type]bool{}) }

func check(t types.Type, seen map[types.Type]bool) error {
	t = types.Unalias(t)
	if _, ok := t.Underlying().(*types.Interface); seen[t] || known[typeName(t)] || !ok && coded(t) {
		return nil
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Kind() == types.Invalid {
			return errors.New("the type is not known: the package does not compile there")
		}
		if u.Kind() == types.UnsafePointer || u.Info()&types.IsComplex != 0 {
			return fmt.Errorf("a %v cannot be sent", u)
		}
	case *types.Chan:
		return errors.New("a channel cannot be sent")
	case *types.Signature:
		return errors.New("a function cannot be sent")
	case *types.Interface:
		if !u.Empty() {
			return errors.New("an interface with methods cannot be sent inside of a value")
		}
	case *types.Pointer:
		return check(u.Elem(), seen)
	case *types.Slice:
		return check(u.Elem(), seen)
	case *types.Array:
		return check(u.Elem(), seen)
	case *types.Map:
		return errors.Join(check(u.Key(), seen), check(u.Elem(), seen))
	case *types.Struct:
		return checkFields(u, seen)
	}
	return nil
}

func checkFields(t *types.Struct, seen map[types.Type]bool) error {
	sent := 0
	for i := range t.NumFields() {
		f, tag := t.Field(i), reflect.StructTag(t.Tag(i))
		if !f.Exported() && !f.Anonymous() || tag.Get("cbor") == "-" || tag.Get("cbor") == "" && tag.Get("json") == "-" {
			continue
		}
		sent++
		if err := check(f.Type(), seen); err != nil {
			return fmt.Errorf("field %s: %w", f.Name(), err)
		}
	}
	if sent == 0 && t.NumFields() > 0 {
		return errors.New("a struct without exported fields cannot be sent")
	}
	return nil
}
