package manager

import (
	"fmt"
	"reflect"

	"github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/internal/wire"
)

// Go values of this process that clients use as objects; package shared calls them.

// newExposed makes the place for them.
func newExposed(h *shared.Host) *expose.Set {
	return expose.New(expose.Config{Host: h, Crosses: func(err error) error { return wire.ErrorFor(0, err, "").Err() }})
}

// Register shares value under a name with all clients: they can call the exported
// methods of the interface I, and nothing else that value has. I is to be given, as
// in Register[Scores](m, "scores", &scores{}).
//
// A method may take a ctx first, which ends when the caller gives up, or is gone for
// longer than the grace of a reconnect; its last result may be an error. Other
// arguments and results are values that CBOR has, or reeve.Ref, which is any
// object. Where a parameter is an interface, or a pointer to a type with methods, a
// caller may pass a reference: the method gets the value of the object. A result
// that is an interface becomes an object; see [RegisterType].
//
// Methods are called by many goroutines at a time, unless [MaxCalls] says otherwise,
// and one that panics harms nobody but its caller, who gets reeve.ErrPanic. An
// error crosses with its identity if it is one of Reeve's or was registered
// (reeve.RegisterError), and with its text. What is returned is read when the method
// has returned: a map or slice that goes on changing has to be copied.
//
// What cannot be shared is reeve.ErrInvalid, and names the method;
// reeve.ErrObjectExists says that the name is taken. An object lives until
// the master ends, or this process deletes it; a client may not
// (reeve.ErrPermission). value is not closed then.
func Register[I any](m *Master, name string, value I, opts ...ExposeOption) error {
	if err := m.exposed.Value(name, reflect.TypeFor[I](), value, options(opts)); err != nil {
		return fmt.Errorf("manager: Register %q: %w", name, err)
	}
	return nil
}

// RegisterFactory shares a function under a name: each call of shared.Create makes an
// object of what it returns, with the methods of I, as [Register] says. It has any
// arguments, ctx first if it wants one, and returns a value with the methods of I,
// and possibly an error. The objects have no name: they live while a client that
// is connected refers to them. Their type is called name, as if [RegisterType] had
// been called with it.
func RegisterFactory[I any](m *Master, name string, factory any, opts ...ExposeOption) error {
	if err := m.exposed.Factory(name, reflect.TypeFor[I](), factory, options(opts)); err != nil {
		return fmt.Errorf("manager: RegisterFactory %q: %w", name, err)
	}
	return nil
}

// RegisterType has what methods return become objects, where their result is of the
// static type I, or [Returns] names the type. The caller gets a reference; the
// object has no name, and lives while a client that is connected refers to it. The
// same pointer is the same object, for all callers. It comes before the Register of
// what returns such objects; types may return each other.
func RegisterType[I any](m *Master, name string, opts ...ExposeOption) error {
	if err := m.exposed.Type(name, reflect.TypeFor[I](), options(opts)); err != nil {
		return fmt.Errorf("manager: RegisterType %q: %w", name, err)
	}
	return nil
}

// ExposeOption says how a value is shared.
type ExposeOption func(*expose.Options)

func options(opts []ExposeOption) (o expose.Options) {
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Only shares these methods of the interface, and not the others.
func Only(methods ...string) ExposeOption {
	return func(o *expose.Options) { o.Only = append(o.Only, methods...) }
}

// Reads says that methods change nothing: a call that was under way when the master
// was restarted is made again, where others end with reeve.ErrOutcomeUnknown.
func Reads(methods ...string) ExposeOption {
	return func(o *expose.Options) { o.Reads = append(o.Reads, methods...) }
}

// Idempotent says that methods may be called twice with the effect of once: a call
// that was under way when the master was restarted is made again.
func Idempotent(methods ...string) ExposeOption {
	return func(o *expose.Options) { o.Idempotent = append(o.Idempotent, methods...) }
}

// Returns has the first result of a method become an object of a type that was
// registered under this name, whatever its static type is.
func Returns(method, typ string) ExposeOption {
	return func(o *expose.Options) {
		if o.Returns == nil {
			o.Returns = map[string]string{}
		}
		o.Returns[method] = typ
	}
}

// MaxCalls bounds how many calls of one object run at a time; others wait in order.
// 1: the value need not be safe for concurrent use. 0: 1024.
func MaxCalls(n int) ExposeOption { return func(o *expose.Options) { o.MaxCalls = n } }
