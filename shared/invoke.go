package shared

import (
	"context"
	"fmt"
	"reflect"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// Handle is a handle of any object. As an argument of a method, its reference is sent.
type Handle interface {
	Ref() reeve.Ref
}

// Bound is implemented by typed handles of objects, as cmd/reevegen writes them,
// so that [Call] and [Object.Invoke] can return them.
type Bound interface {
	// BindObject has the handle stand for x. It is called once, before all other
	// methods.
	BindObject(x *Object)
}

// Call calls a method that returns one value, besides an error, and returns it as
// an Out. An Out that is a [*Object] or a [Bound] handle takes a reference to an
// object; it is nil where the method returned nil, if it is a pointer.
//
// It blocks until the method has returned, or ctx has ended, which ends that of the
// method. Errors are those of [Object.Invoke].
func Call[Out any](ctx context.Context, x *Object, method string, args ...any) (Out, error) {
	var out Out
	err := x.Invoke(ctx, method, args, &out)
	return out, err
}

// Create has a factory, which the master's program registered under a name, make an
// object, which lives while a connected client refers to it. Blocking and errors
// are those of [Object.Invoke].
func Create(ctx context.Context, o reeve.Objects, factory string, args ...any) (*Object, error) {
	return Call[*Object](ctx, ObjectOf(o, factory), factoryMethod, args...)
}

// factoryMethod is the only method of a factory.
const factoryMethod = "New"

// ReadOnly is a handle of the same object, for calls of methods that change
// nothing: they are made again when the connection is lost before their answer has
// come, however often, and nobody remembers their answers. Others are carried out
// once at most.
func (x *Object) ReadOnly() *Object { return &Object{o: x.o, ref: x.ref, flags: x.flags | reads} }

// Invoke calls a method and stores what it returns in results, which are pointers,
// one for each result but the error; with none, they are dropped. Args are values,
// or handles and references of objects, of which the method gets the values if it
// asks for them, and [reeve.Ref] if it asks for that.
//
// It blocks until the method has returned, or ctx has ended, which ends that of the
// method. What the method failed with is a [*reeve.RemoteError], which matches
// [reeve.ErrMethod] and the registered errors that it is; if it panicked,
// [reeve.ErrPanic]. [reeve.ErrInvalid] says that the arguments are not those of the
// method, which has not run then; [reeve.ErrUnserializable], that a value cannot be
// sent, or is not what was asked for. Others are those of [reeve.Objects].
func (x *Object) Invoke(ctx context.Context, method string, args []any, results ...any) error {
	sent := make([]any, len(args))
	for i, arg := range args {
		sent[i] = referTo(arg)
	}
	a, err := x.answer(ctx, method, waits, nil, sent...)
	if err != nil {
		return err
	}
	if err := x.take(a.Value, results); err != nil {
		return fmt.Errorf("%w: what %s of %v returned: %w", reeve.ErrUnserializable, method, x, err)
	}
	return nil
}

// take stores the value of an answer.
func (x *Object) take(value codec.Encoded, results []any) error {
	switch {
	case len(results) == 0:
		return nil
	case len(value) == 0:
		return fmt.Errorf("nothing, want %d values", len(results))
	case len(results) == 1:
		return x.takeOne(value, results[0])
	}
	var values []codec.Encoded
	if err := codec.CBOR.Unmarshal(value, &values); err != nil || len(values) != len(results) {
		return fmt.Errorf("not %d values", len(results))
	}
	for i, v := range values {
		if err := x.takeOne(v, results[i]); err != nil {
			return fmt.Errorf("value %d: %w", i+1, err)
		}
	}
	return nil
}

// takeOne stores one value in what p points to.
func (x *Object) takeOne(value codec.Encoded, p any) error {
	if decodeScalar(value, p) {
		return nil
	}
	switch p := p.(type) {
	case **Object:
		ref, err := reference(value)
		if err == nil && ref != nil {
			*p = ObjectAt(x.o, *ref)
		}
		return err
	case Bound:
		ref, err := reference(value)
		if err == nil && ref != nil {
			p.BindObject(ObjectAt(x.o, *ref))
		}
		return err
	}
	// A pointer to a handle, as generated ones are passed around.
	if v := reflect.ValueOf(p); v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Pointer && v.Type().Elem().Implements(boundType) {
		ref, err := reference(value)
		if err == nil && ref != nil {
			handle := reflect.New(v.Type().Elem().Elem())
			handle.Interface().(Bound).BindObject(ObjectAt(x.o, *ref))
			v.Elem().Set(handle)
		}
		return err
	}
	return codec.CBOR.Unmarshal(value, p)
}

var _ Handle = (*Object)(nil)

var boundType = reflect.TypeFor[Bound]()

// reference reads a reference; nil: the method returned nil.
func reference(value codec.Encoded) (*reeve.Ref, error) {
	var ref *reeve.Ref
	err := codec.CBOR.Unmarshal(value, &ref)
	return ref, err
}

// referTo is what is sent of an argument: a reference for a handle.
func referTo(arg any) any {
	handle, ok := arg.(Handle)
	if !ok {
		return arg
	}
	if v := reflect.ValueOf(arg); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	return handle.Ref()
}

// MarshalCBOR writes a reference to the object: a handle can be put into values,
// arguments and tasks.
func (x *Object) MarshalCBOR() ([]byte, error) { return codec.CBOR.Marshal(x.ref) }
