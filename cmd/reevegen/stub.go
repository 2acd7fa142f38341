package main

import (
	"fmt"
	"go/types"
	"slices"
)

const module = "github.com/reeveq/reeve"

// stub is a handle to be written.
type stub struct {
	iface *types.TypeName
	doc   string
	calls []*call
	// exact: it has the methods of the interface as they are, and so is one.
	exact bool
}

func (s *stub) name() string { return s.iface.Name() + "Stub" }

// call is one method.
type call struct {
	fn       *types.Func
	doc      string
	reads    bool
	variadic bool
	in, out  []value // without ctx and error
}

// value is an argument or a result.
type value struct {
	name string // as in the interface; empty: it has none
	typ  types.Type
	kind kind
	stub *stub // whose object it is; nil: an object without a handle that is written now
}

// kind is how a value travels.
type kind uint8

const (
	plain  kind = iota
	object      // it is an object, and a reference travels
	handle      // a handle of an object, of which the reference arrives
)

// stubs looks at the interfaces.
func (s *source) stubs(names []string) ([]*stub, error) {
	list := make([]*stub, 0, len(names))
	byName := map[*types.TypeName]*stub{}
	for _, name := range names {
		t, _, err := s.iface(name)
		if err != nil {
			return nil, err
		}
		st := &stub{iface: t, doc: s.doc(t), exact: true}
		for _, taken := range []string{st.name(), name + "Of", name + "At"} {
			if err := s.free(taken); err != nil {
				return nil, err
			}
		}
		list = append(list, st)
		byName[t] = st
	}
	for _, st := range list {
		if err := s.look(st, byName); err != nil {
			return nil, err
		}
	}
	settle(list)
	return list, nil
}

// own are the methods that each handle has.
var own = []string{"Ref", "Object", "BindObject", "String"}

// look fills in the methods of a handle.
func (s *source) look(st *stub, byName map[*types.TypeName]*stub) error {
	_, iface, err := s.iface(st.iface.Name())
	if err != nil {
		return err
	}
	methods := s.methods(iface)
	if len(methods) == 0 {
		return fmt.Errorf("%s has no exported method", st.iface.Name())
	}
	st.exact = len(methods) == iface.NumMethods()
	for _, fn := range methods {
		if slices.Contains(own, fn.Name()) {
			return fmt.Errorf("%s.%s: each handle has a method %s of its own; name yours differently", st.iface.Name(), fn.Name(), fn.Name())
		}
		c, err := s.call(st, fn, byName)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", st.iface.Name(), fn.Name(), err)
		}
		st.calls = append(st.calls, c)
	}
	return nil
}

// call looks at a method.
func (s *source) call(st *stub, fn *types.Func, byName map[*types.TypeName]*stub) (*call, error) {
	sig := fn.Signature()
	c := &call{fn: fn, doc: s.doc(fn), reads: s.reads(fn), variadic: sig.Variadic()}
	hasCtx, fails := false, false
	for i := range sig.Params().Len() {
		p := sig.Params().At(i)
		t := p.Type()
		if c.variadic && i == sig.Params().Len()-1 {
			t = t.(*types.Slice).Elem()
		}
		switch {
		case typeName(t) != "context.Context":
		case i == 0 && typeName(p.Type()) != "": // and not any number of them
			hasCtx = true
			continue
		default:
			return nil, fmt.Errorf("argument %d: ctx must come first, and be one", i+1)
		}
		v, err := argument(p.Name(), t, byName)
		c.in = append(c.in, v)
		if err != nil {
			return nil, fmt.Errorf("argument %d, %v: %w", len(c.in), t, err)
		}
	}
	for i := range sig.Results().Len() {
		r := sig.Results().At(i)
		if isError(r.Type()) && i == sig.Results().Len()-1 {
			fails = true
			continue
		}
		v, err := result(r.Name(), r.Type(), byName)
		c.out = append(c.out, v)
		if err != nil {
			return nil, fmt.Errorf("result %d, %v: %w", i+1, r.Type(), err)
		}
	}
	st.exact = st.exact && hasCtx && fails
	return c, nil
}

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

// isObject reports whether values of type t are objects where they arrive.
func isObject(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && !i.Empty()
}

// stubOf is the handle for an interface that is written now.
func stubOf(t types.Type, byName map[*types.TypeName]*stub) *stub {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return byName[named.Obj()]
	}
	return nil
}

func argument(name string, t types.Type, byName map[*types.TypeName]*stub) (value, error) {
	v := value{name: name, typ: t}
	switch {
	case isError(t):
		return v, fmt.Errorf("an error cannot be sent")
	case isObject(t):
		v.kind, v.stub = object, stubOf(t, byName)
		return v, nil
	}
	return v, sendable(t)
}

func result(name string, t types.Type, byName map[*types.TypeName]*stub) (value, error) {
	v := value{name: name, typ: t}
	switch {
	case isError(t):
		return v, fmt.Errorf("an error must come last")
	case hasMethod(t, "Ref") && typeName(t) != refName:
		v.kind = handle
		return v, nil
	case isObject(t):
		v.kind, v.stub = object, stubOf(t, byName)
		return v, nil
	}
	return v, sendable(t)
}

// settle finds the handles that are not their interfaces because another one, which
// they name, is not.
func settle(list []*stub) {
	for again := true; again; {
		again = false
		for _, st := range list {
			if st.exact && !st.holds() {
				st.exact, again = false, true
			}
		}
	}
}

// holds reports whether all objects of the methods have exact handles.
func (s *stub) holds() bool {
	for _, c := range s.calls {
		for _, v := range slices.Concat(c.in, c.out) {
			if v.kind == handle || v.kind == object && (v.stub == nil || !v.stub.exact) {
				return false
			}
		}
	}
	return true
}
