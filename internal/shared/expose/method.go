package expose

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/reeveq/reeve"
)

// method is one that can be called.
type method struct {
	name     string
	index    int            // in the interface
	fn       reflect.Value  // in place of one of an interface
	ctx      bool           // it takes one, first
	in       []reflect.Type // without ctx; the last of a variadic one is what it has any number of
	variadic bool
	out      []result // without error
	fails    bool     // its last result is an error
	returns  string   // the type of the objects that its first result becomes
	reads    bool
	again    bool // may be called twice
}

// result is one of a method's.
type result struct {
	typ  reflect.Type
	face *face // travels as a reference to an object of this; nil: as a value
}

// newMethod looks at the signature t of a method. An error matches
// [reeve.ErrInvalid] and names the method.
func newMethod(name string, t reflect.Type, returns string) (*method, error) {
	m := &method{name: name, returns: returns, variadic: t.IsVariadic()}
	for i := range t.NumIn() {
		in := t.In(i)
		if i == 0 && in == ctxType {
			m.ctx = true
			continue
		}
		if m.variadic && i == t.NumIn()-1 {
			in = in.Elem()
		}
		m.in = append(m.in, in)
		if err := checkIn(in); err != nil {
			return nil, fmt.Errorf("%w: method %s: argument %d, %v: %w", reeve.ErrInvalid, name, len(m.in), in, err)
		}
	}
	for i := range t.NumOut() {
		out := t.Out(i)
		if i == t.NumOut()-1 && out == errorType {
			m.fails = true
			continue
		}
		m.out = append(m.out, result{typ: out})
		if err := m.checkOut(out); err != nil {
			return nil, fmt.Errorf("%w: method %s: result %d, %v: %w", reeve.ErrInvalid, name, len(m.out), out, err)
		}
	}
	if returns != "" && len(m.out) == 0 {
		return nil, fmt.Errorf("%w: method %s: it has no result to become a %s", reeve.ErrInvalid, name, returns)
	}
	return m, nil
}

// checkIn is nil for what can be an argument: a value, or a reference to an object
// whose value has the type.
func checkIn(t reflect.Type) error {
	switch {
	case t == ctxType:
		return errors.New("ctx must come first")
	case t == errorType:
		return errors.New("an error cannot be sent")
	case t.Kind() == reflect.Interface, t.Kind() == reflect.Pointer && t.NumMethod() > 0:
		return nil
	}
	return sendable(t)
}

// checkOut is nil for what can be a result. Whether there is a type for an
// interface is seen when a value is shared, because two may name each other.
func (m *method) checkOut(t reflect.Type) error {
	switch {
	case t == errorType:
		return errors.New("an error must come last")
	case m.returns != "" && len(m.out) == 1, t.Implements(referrerType):
		return nil
	case t.Kind() == reflect.Interface:
		return nil
	}
	return sendable(t)
}

// signature is the method in Go, for people.
func (m *method) signature() string {
	var in, out []string
	if m.ctx {
		in = append(in, "ctx")
	}
	for i, t := range m.in {
		s := t.String()
		if m.variadic && i == len(m.in)-1 {
			s = "..." + s
		}
		in = append(in, s)
	}
	for _, r := range m.out {
		out = append(out, r.typ.String())
	}
	if m.fails {
		out = append(out, "error")
	}
	s := m.name + "(" + strings.Join(in, ", ") + ")"
	switch len(out) {
	case 0:
		return s
	case 1:
		return s + " " + out[0]
	}
	return s + " (" + strings.Join(out, ", ") + ")"
}

// info is what clients are told of it.
func (m *method) info() reeve.MethodInfo {
	return reeve.MethodInfo{Name: m.name, Signature: m.signature(), Reads: m.reads}
}
