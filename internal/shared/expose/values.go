package expose

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// decode appends the arguments of a method, a CBOR array, to args, as
// [reflect.Value.CallSlice] wants them. Errors match [reeve.ErrInvalid] and name the
// argument and its type.
func (s *Set) decode(m *method, array []byte, args []reflect.Value) ([]reflect.Value, error) {
	n, items, err := codec.OpenArray(array)
	if err != nil {
		return nil, fmt.Errorf("%w: arguments of %s: %v", reeve.ErrInvalid, m.name, err)
	}
	want := len(m.in)
	if m.variadic {
		want--
	}
	if n < want || n > want && !m.variadic {
		return nil, fmt.Errorf("%w: %d arguments, want %s", reeve.ErrInvalid, n, m.signature())
	}
	// Those of a variadic method go right into their slice: it may have many.
	var more reflect.Value
	if m.variadic {
		more = reflect.New(reflect.SliceOf(m.in[want])).Elem()
	}
	for i := range n {
		var p reflect.Value
		if i < want {
			p = reflect.New(m.in[i])
			args = append(args, p.Elem())
		} else {
			more.Grow(1)
			more.SetLen(i - want + 1)
			p = more.Index(i - want).Addr()
		}
		if items, err = s.argument(p, items); err != nil {
			return nil, fmt.Errorf("%w: argument %d of %s, %v: %w", reeve.ErrInvalid, i+1, m.name, p.Type().Elem(), err)
		}
	}
	if m.variadic {
		args = append(args, more)
	}
	if len(items) > 0 {
		return nil, fmt.Errorf("%w: arguments of %s: something follows them", reeve.ErrInvalid, m.name)
	}
	return args, nil
}

// argument stores a value where p points to, of the first of items: that of an
// object, if it is a reference to one and a type of such values is wanted. rest are
// the other items.
func (s *Set) argument(p reflect.Value, items []byte) (rest []byte, err error) {
	if t := p.Type().Elem(); refers(t) && len(items) > 0 {
		var ref reeve.Ref
		if items[0]>>5 == 6 { // a tag
			if rest, err = codec.First(items, &ref); err == nil {
				v, err := s.referred(t, ref)
				if err == nil {
					p.Elem().Set(v)
				}
				return rest, err
			}
		}
		if t.Kind() == reflect.Interface && items[0] != 0xf6 { // nil is one
			return nil, errors.New("want a reference to an object")
		}
	}
	// What the program's own types say is text, not a part of an error that is
	// looked at later.
	if rest, err = codec.First(items, p.Interface()); err != nil {
		return nil, fmt.Errorf("%v", err)
	}
	return rest, nil
}

// refers reports whether a reference becomes what it refers to where t is wanted.
func refers(t reflect.Type) bool {
	return t.Kind() == reflect.Interface && t.NumMethod() > 0 || t.Kind() == reflect.Pointer && t.Elem() != refType
}

// referred is the value of the object of a reference.
func (s *Set) referred(t reflect.Type, ref reeve.Ref) (reflect.Value, error) {
	o, err := s.cfg.Host.Object(nil, ref)
	if err != nil {
		return reflect.Value{}, err
	}
	own, ok := o.(*object)
	if !ok || own.face.iface == nil {
		return reflect.Value{}, fmt.Errorf("%v is no value that was registered", ref)
	}
	v := reflect.ValueOf(own.value)
	if !v.Type().AssignableTo(t) {
		return reflect.Value{}, fmt.Errorf("%v is a %v", ref, v.Type())
	}
	return v, nil
}

// encode makes an answer of results: nothing of none, one value of one, an array
// of more.
func (s *Set) encode(by *shared.Client, m *method, out []reflect.Value) (a answer) {
	defer func() {
		if a.value == nil && len(out) > 0 { // a later one failed, or panics
			for _, o := range a.made {
				o.untake(by)
			}
			a.made = nil
		}
	}()
	values := make([]any, len(out))
	for i, v := range out {
		var err error
		if values[i], err = s.result(by, m.out[i], v, &a); err != nil {
			a.err = fmt.Errorf("result %d of %s, %v: %w", i+1, m.name, m.out[i].typ, err)
			return a
		}
	}
	var v any = values
	switch len(values) {
	case 0:
		return a
	case 1:
		v = values[0]
	}
	b, err := codec.CBOR.Marshal(v)
	if err != nil {
		a.err = fmt.Errorf("%w: %s has run, but what it returned cannot be sent: %v", reeve.ErrUnserializable, m.name, err)
		return a
	}
	a.value = b
	return a
}

// result is what is sent of one result; a reference to an object is noted in a.
func (s *Set) result(by *shared.Client, r result, v reflect.Value, a *answer) (any, error) {
	if k := v.Kind(); (k == reflect.Interface || k == reflect.Pointer) && v.IsNil() {
		return nil, nil
	}
	value := v.Interface()
	if r.face == nil {
		if handle, ok := value.(referrer); ok {
			return handle.Ref(), nil
		}
		return value, nil
	}
	if t := reflect.TypeOf(value); !t.Implements(r.face.iface) {
		return nil, fmt.Errorf("%w: a %v is no %v", reeve.ErrUnserializable, t, r.face.iface)
	}
	o, err := s.reference(by, r.face, value)
	if err != nil {
		return nil, err
	}
	a.made = append(a.made, o)
	return *o.ref.Load(), nil
}
