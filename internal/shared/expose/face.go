package expose

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// face is a type of objects: an interface, and how it is shared.
type face struct {
	iface   reflect.Type // nil: that of factories
	options Options
	typ     *shared.Type
	methods map[string]*method

	made     bool // of what a factory makes
	resolved bool // guarded by Set.adding
}

// newFace looks at all methods of an interface. Errors match [reeve.ErrInvalid].
func newFace(name string, iface reflect.Type, o Options) (*face, error) {
	if iface.Kind() != reflect.Interface {
		return nil, fmt.Errorf("%w: %v is a %v; name the interface whose methods are to be shared, as in Register[Scores](…)", reeve.ErrInvalid, iface, iface.Kind())
	}
	f := &face{iface: iface, options: o, typ: &shared.Type{Name: name}, methods: map[string]*method{}}
	var names []string
	for i := range iface.NumMethod() {
		m := iface.Method(i)
		if !m.IsExported() || o.Only != nil && !slices.Contains(o.Only, m.Name) {
			continue
		}
		names = append(names, m.Name)
		method, err := newMethod(m.Name, m.Type, o.Returns[m.Name])
		if err != nil {
			return nil, fmt.Errorf("%v: %w", iface, err)
		}
		method.index = i
		method.reads = slices.Contains(o.Reads, m.Name)
		method.again = method.reads || slices.Contains(o.Idempotent, m.Name)
		f.methods[m.Name] = method
		f.typ.Methods = append(f.typ.Methods, method.info())
	}
	if err := o.check(names); err != nil {
		return nil, fmt.Errorf("%v: %w", iface, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: %v has no method to be shared", reeve.ErrInvalid, iface)
	}
	return f, nil
}

// maxCalls is how many calls of one object run at a time.
func (f *face) maxCalls() int { return cmp.Or(f.options.MaxCalls, DefaultMaxCalls) }

// newFactory is the face of a function that makes objects of another one.
func newFactory(fn reflect.Value, makes *face) (*face, error) {
	if !fn.IsValid() || fn.Kind() != reflect.Func || fn.IsNil() {
		return nil, fmt.Errorf("%w: a factory is a function, not %v", reeve.ErrInvalid, fn)
	}
	m, err := newMethod(FactoryMethod, fn.Type(), makes.typ.Name)
	if err != nil {
		return nil, err
	}
	if len(m.out) != 1 || !m.out[0].typ.Implements(makes.iface) {
		return nil, fmt.Errorf("%w: %v does not return a %v, and possibly an error", reeve.ErrInvalid, fn.Type(), makes.iface)
	}
	m.fn = fn
	m.out[0].face = makes
	info := m.info()
	return &face{
		typ:     &shared.Type{Name: "factory", Methods: []reeve.MethodInfo{info}},
		methods: map[string]*method{m.name: m}, resolved: true,
	}, nil
}

// FactoryMethod is the method of a factory.
const FactoryMethod = "New"
