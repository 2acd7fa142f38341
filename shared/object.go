package shared

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// Object is a handle of a shared object of any type.
type Object struct {
	o     reeve.Objects
	ref   reeve.Ref
	flags flags // of its calls, besides their own
}

// ObjectOf is the object of that name. It costs nothing and asks nobody: whether
// there is one shows at the first call ([reeve.ErrNoSuchName]).
func ObjectOf(o reeve.Objects, name string) *Object { return ObjectAt(o, reeve.Ref{Name: name}) }

// ObjectAt is the object that ref names.
func ObjectAt(o reeve.Objects, ref reeve.Ref) *Object { return &Object{o: o, ref: ref} }

// Ref is a reference to the object: a value that can be sent anywhere.
func (x *Object) Ref() reeve.Ref { return x.ref }

// String names the object. It asks nobody.
func (x *Object) String() string {
	if x.ref.Type == "" {
		return "object " + x.ref.String()
	}
	return x.ref.Type + " " + x.ref.String()
}

// Objects is where the object is reached.
func (x *Object) Objects() reeve.Objects { return x.o }

// Release says that this client does not refer to an object without a name any
// more; when nobody does, it is deleted. For one with a name it does nothing.
func (x *Object) Release(ctx context.Context) error {
	if x.ref.Name != "" {
		return nil
	}
	return master(x.o).call(ctx, "release", 0, nil, x.ref)
}

// Delete deletes the object. Calls that wait at it, and later ones, end with
// [reeve.ErrNoSuchObject] or [reeve.ErrNoSuchName].
func (x *Object) Delete(ctx context.Context) error {
	return master(x.o).call(ctx, "delete", 0, nil, x.ref)
}

// Methods lists what can be called.
func (x *Object) Methods(ctx context.Context) ([]reeve.MethodInfo, error) {
	var list []reeve.MethodInfo
	err := master(x.o).call(ctx, "methods", reads, &list, x.ref)
	return list, err
}

// master is the service of the master that declares, lists and deletes objects.
func master(o reeve.Objects) *Object { return ObjectOf(o, "$master") }

// flags say how a method is called.
type flags uint8

const (
	reads flags = 1 << iota // it changes nothing
	waits                   // the answer may take as long as it likes
)

// call calls a method with args and decodes what it returns into out; nil: it is
// of no interest.
func (x *Object) call(ctx context.Context, method string, f flags, out any, args ...any) error {
	_, err := x.answer(ctx, method, f, out, args...)
	return err
}

// answer is call that tells of the session, too.
func (x *Object) answer(ctx context.Context, method string, f flags, out any, args ...any) (reeve.ObjectAnswer, error) {
	f |= x.flags
	b, err := encodeArgs(args)
	if err != nil {
		return reeve.ObjectAnswer{}, fmt.Errorf("%w: arguments of %s of %v: %w", reeve.ErrUnserializable, method, x, err)
	}
	a, err := x.o.CallObject(ctx, &reeve.ObjectCall{Ref: x.ref, Method: method, Args: b, Reads: f&reads != 0, Waits: f&waits != 0})
	if err != nil {
		return a, err
	}
	if out != nil && len(a.Value) > 0 {
		if err := decodeResult(a.Value, out); err != nil {
			return a, fmt.Errorf("%w: what %s of %v returned: %w", reeve.ErrUnserializable, method, x, err)
		}
	}
	return a, nil
}

// declare makes an object, unless there is one already, and returns its handle.
func declare(ctx context.Context, o reeve.Objects, typ, name string, spec any, durable bool) (*Object, error) {
	b, err := codec.Deterministic.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("%w: configuration of the %s %q: %w", reeve.ErrUnserializable, typ, name, err)
	}
	var ref reeve.Ref
	if err := master(o).call(ctx, "declare", 0, &ref, typ, name, codec.Encoded(b), durable); err != nil {
		return nil, err
	}
	return ObjectAt(o, ref), nil
}

// Objects lists the objects of the master that have a name or to which somebody
// refers, in the order in which they were made.
func Objects(ctx context.Context, o reeve.Objects) ([]reeve.ObjectInfo, error) {
	return all[reeve.ObjectInfo](ctx, o, "objects")
}

// Locks lists who holds locks, and places of semaphores.
func Locks(ctx context.Context, o reeve.Objects) ([]reeve.HoldInfo, error) {
	return all[reeve.HoldInfo](ctx, o, "locks")
}

// pageSize is how many objects are listed at a time.
const pageSize = 500

func all[T any](ctx context.Context, o reeve.Objects, method string) ([]T, error) {
	var list []T
	for after := uint64(0); ; {
		var page struct {
			_     struct{} `cbor:",toarray"`
			Items []T
			Next  uint64
		}
		if err := master(o).call(ctx, method, reads, &page, after, pageSize); err != nil {
			return nil, err
		}
		list = append(list, page.Items...)
		if page.Next <= after {
			return list, nil
		}
		after = page.Next
	}
}

// Require reports which of names are names of no object, as a
// [*reeve.NoSuchNameError].
func Require(ctx context.Context, o reeve.Objects, names ...string) error {
	var missing []string
	var known []string
	for _, name := range names {
		err := master(o).call(ctx, "methods", reads, nil, reeve.Ref{Name: name})
		if unknown, ok := errors.AsType[*reeve.NoSuchNameError](err); ok {
			missing, known = append(missing, name), unknown.Known
		} else if err != nil {
			return err
		}
	}
	if missing == nil {
		return nil
	}
	return &reeve.NoSuchNameError{Name: strings.Join(missing, ", "), Known: known}
}
