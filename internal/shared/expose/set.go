package expose

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// Config says how a [Set] is set up. Host is required.
type Config struct {
	Host *shared.Host
	// Crosses makes of a method's error what arrives at its caller. It is called
	// where the method has run. nil: the error as it is.
	Crosses func(error) error
	// MaxClientCalls is how many calls of one client run at a time; 0:
	// [DefaultMaxClientCalls].
	MaxClientCalls int
	// MaxClientArgs bounds the bytes of the arguments of one client's calls that
	// run or wait; 0: [DefaultMaxClientArgs].
	MaxClientArgs int64
}

// Defaults of [Config].
const (
	DefaultMaxClientCalls       = 4096
	DefaultMaxClientArgs  int64 = 64 << 20
)

// Set has the values that one Host shares. Methods are safe for concurrent use.
type Set struct {
	cfg   Config
	sched schedule

	adding sync.Mutex // held while an object is looked for and added; taken before all others; guards the next two
	types  map[string]*face
	faces  []*face // of values with a name, and of types

	mu   sync.Mutex // guards the fields below; taken last
	made map[identity]*object
}

// identity is by what a value is known again.
type identity struct {
	face  *face
	value any // a pointer or a channel
}

// New makes a Set.
func New(cfg Config) *Set {
	cfg.MaxClientCalls = cmp.Or(cfg.MaxClientCalls, DefaultMaxClientCalls)
	cfg.MaxClientArgs = cmp.Or(cfg.MaxClientArgs, DefaultMaxClientArgs)
	if cfg.Crosses == nil {
		cfg.Crosses = func(err error) error { return err }
	}
	s := &Set{cfg: cfg, types: map[string]*face{}, made: map[identity]*object{}}
	s.sched.init(cfg.MaxClientCalls, cfg.MaxClientArgs)
	return s
}

// Close ends the goroutines that wait for calls; those of methods that run end with
// these. The Host is closed before.
func (s *Set) Close() { s.sched.close() }

// Value shares a value under a name, with the methods of iface. Errors match
// [reeve.ErrInvalid] or [reeve.ErrObjectExists].
func (s *Set) Value(name string, iface reflect.Type, value any, o Options) error {
	if name == "" {
		return fmt.Errorf("%w: the name is empty", reeve.ErrInvalid)
	}
	s.adding.Lock()
	defer s.adding.Unlock()
	f, err := s.faceLocked(cmp.Or(iface.Name(), name), iface, o)
	if err != nil {
		return err
	}
	if err := s.resolveLocked(f); err != nil {
		return err
	}
	v := reflect.ValueOf(value)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("%w: %q is nil", reeve.ErrInvalid, name)
	}
	_, err = s.addLocked(nil, f, name, value)
	return err
}

// Factory shares a function under a name: it makes objects of iface, without a
// name, for those who call its [FactoryMethod]. The objects are of a type that is
// called like it.
func (s *Set) Factory(name string, iface reflect.Type, fn any, o Options) error {
	s.adding.Lock()
	defer s.adding.Unlock()
	f, err := s.typeLocked(name, iface, o)
	if err != nil {
		return err
	}
	f.made = true
	factory, err := newFactory(reflect.ValueOf(fn), f)
	if err == nil {
		err = s.resolveLocked(f)
	}
	if err == nil {
		_, err = s.addLocked(nil, factory, name, fn)
	}
	if err != nil {
		s.forgetLocked(name)
	}
	return err
}

// Type has results of methods become objects: those whose static type is iface,
// and those of methods for which [Options.Returns] has the name.
func (s *Set) Type(name string, iface reflect.Type, o Options) error {
	s.adding.Lock()
	defer s.adding.Unlock()
	_, err := s.typeLocked(name, iface, o)
	return err
}

func (s *Set) typeLocked(name string, iface reflect.Type, o Options) (*face, error) {
	if name == "" {
		return nil, fmt.Errorf("%w: the name is empty", reeve.ErrInvalid)
	}
	if err := shared.CheckName(name); err != nil {
		return nil, err
	}
	if s.types[name] != nil {
		return nil, fmt.Errorf("%w: there is a type %q", reeve.ErrObjectExists, name)
	}
	f, err := newFace(name, iface, o)
	if err != nil {
		return nil, err
	}
	s.types[name] = f
	s.faces = append(s.faces, f)
	return f, nil
}

// forgetLocked takes back a type that nothing was made of.
func (s *Set) forgetLocked(name string) {
	s.faces = slices.DeleteFunc(s.faces, func(f *face) bool { return f == s.types[name] })
	delete(s.types, name)
}

// faceLocked returns the face of an interface that is shared like this, which is
// the one of a type if there is one: a value is the same object then whether it is
// found by its name or returned by a method.
func (s *Set) faceLocked(name string, iface reflect.Type, o Options) (*face, error) {
	for _, f := range s.faces {
		if f.iface == iface && f.options.same(&o) {
			return f, nil
		}
	}
	f, err := newFace(name, iface, o)
	if err == nil {
		s.faces = append(s.faces, f)
	}
	return f, err
}

// resolveLocked finds the types of all objects that can be reached from f.
func (s *Set) resolveLocked(f *face) error {
	var seen []*face
	err := s.resolveAllLocked(f, &seen)
	if err != nil { // some of them reach what is missing
		for _, f := range seen {
			f.resolved = false
		}
	}
	return err
}

func (s *Set) resolveAllLocked(f *face, seen *[]*face) error {
	if f.resolved {
		return nil
	}
	f.resolved = true // which an interface that returns itself finds
	*seen = append(*seen, f)
	for _, name := range slices.Sorted(maps.Keys(f.methods)) {
		m := f.methods[name]
		for i := range m.out {
			err := s.resolveResultLocked(m, i)
			if err == nil && m.out[i].face != nil {
				err = s.resolveAllLocked(m.out[i].face, seen)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Set) resolveResultLocked(m *method, i int) error {
	r := &m.out[i]
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: method %s: result %d, %v: %w", reeve.ErrInvalid, m.name, i+1, r.typ, fmt.Errorf(format, args...))
	}
	switch {
	case m.returns != "" && i == 0:
		f := s.types[m.returns]
		if f == nil {
			return wrong("there is no type %q; the types are: %s", m.returns, strings.Join(slices.Sorted(maps.Keys(s.types)), ", "))
		}
		if r.typ.Kind() != reflect.Interface && !r.typ.Implements(f.iface) {
			return wrong("it has not the methods of %v, as the type %q asks", f.iface, m.returns)
		}
		r.face = f
	case r.typ.Kind() == reflect.Interface && r.typ.NumMethod() > 0 && !r.typ.Implements(referrerType):
		names := s.typesOfLocked(r.typ)
		switch len(names) {
		case 0:
			return wrong("an interface with methods cannot be sent, unless it is a type: RegisterType[%v]", r.typ)
		case 1:
			r.face = s.types[names[0]]
		default:
			return wrong("it is more than one type, %s: say which with Returns", strings.Join(names, ", "))
		}
	}
	return nil
}

// typesOfLocked are the names of the types of an interface: those that were
// registered as such or, without any, those of factories.
func (s *Set) typesOfLocked(iface reflect.Type) []string {
	var own, made []string
	for name, f := range s.types {
		switch {
		case f.iface != iface:
		case f.made:
			made = append(made, name)
		default:
			own = append(own, name)
		}
	}
	if own == nil {
		own = made
	}
	slices.Sort(own)
	return own
}

// reference returns the object of a value for a client, which refers to it: that
// which there is already, or a new one. [object.untake] takes it back.
func (s *Set) reference(by *shared.Client, f *face, value any) (*object, error) {
	s.adding.Lock()
	defer s.adding.Unlock()
	if id, ok := identify(f, value); ok {
		s.mu.Lock()
		o := s.made[id]
		s.mu.Unlock()
		if o != nil {
			switch _, err := s.cfg.Host.Object(by, *o.ref.Load()); {
			case err == nil:
				o.handed++
				return o, nil
			case !errors.Is(err, reeve.ErrNoSuchObject) && !errors.Is(err, reeve.ErrNoSuchName):
				return nil, err
			}
		}
	}
	o, err := s.addLocked(by, f, "", value)
	if err == nil {
		o.handed++
	}
	return o, err
}

// identify says by what value is known again; false: it is not.
func identify(f *face, value any) (identity, bool) {
	switch reflect.TypeOf(value).Kind() {
	case reflect.Pointer, reflect.Chan:
		return identity{f, value}, true
	}
	return identity{}, false
}

// addLocked makes an object of a value. by refers to one without a name.
func (s *Set) addLocked(by *shared.Client, f *face, name string, value any) (*object, error) {
	o := newObject(s, f, name, value)
	id, ok := identify(f, value)
	ref, err := s.cfg.Host.Add(by, f.typ, name, o)
	if err != nil {
		return nil, err
	}
	o.ref.Store(&ref)
	if ok {
		s.mu.Lock()
		if !o.closed { // by its only client, which is gone already
			o.id = id
			s.made[id] = o
		}
		s.mu.Unlock()
	}
	return o, nil
}
