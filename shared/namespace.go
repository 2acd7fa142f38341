package shared

import (
	"context"
	"errors"
	"iter"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// NamespaceConfig is how a namespace is declared. The zero value is good.
type NamespaceConfig struct {
	// Durable: the namespace is kept in the master's journal. It must have a name
	// then.
	Durable bool
	// MaxLen bounds the attributes; 0: no bound.
	MaxLen int
	// MaxBytes bounds the bytes of names and values and 128 for each; 0: 256 MiB.
	// If it is durable, at most 512 MiB.
	MaxBytes int64
}

// Namespace has attributes with values of any types. All names are shared, those
// that begin with _ too. What is said of the methods of [Map] holds for those of a
// namespace, too.
type Namespace struct {
	Container
	m *Map[string, codec.Encoded]
}

// NewNamespace declares a namespace, as [NewMap] does a map.
func NewNamespace(ctx context.Context, o reeve.Objects, name string, cfg NamespaceConfig) (*Namespace, error) {
	x, err := declare(ctx, o, "namespace", name, tableSpec{limitsSpec: limitsSpec{cfg.MaxLen, cfg.MaxBytes}}, cfg.Durable)
	if err != nil {
		return nil, err
	}
	n := &Namespace{}
	n.BindObject(x)
	return n, nil
}

// NamespaceOf is the namespace of that name. It costs nothing and asks nobody.
func NamespaceOf(o reeve.Objects, name string) *Namespace {
	return NamespaceAt(o, reeve.Ref{Name: name, Type: "namespace"})
}

// NamespaceAt is the namespace that ref names.
func NamespaceAt(o reeve.Objects, ref reeve.Ref) *Namespace {
	n := &Namespace{}
	n.BindObject(ObjectAt(o, ref))
	return n
}

// BindObject has the handle stand for x; see [Bound].
func (n *Namespace) BindObject(x *Object) {
	n.Container = Container{x}
	n.m = &Map[string, codec.Encoded]{n.Container}
}

// Attr is an attribute as a T, or [reeve.ErrNoSuchKey].
func Attr[T any](ctx context.Context, n *Namespace, name string) (v T, err error) {
	err = n.Get(ctx, name, &v)
	return v, err
}

// Get reads an attribute into what into points to, or returns
// [reeve.ErrNoSuchKey].
func (n *Namespace) Get(ctx context.Context, name string, into any) error {
	b, err := n.m.Get(ctx, name)
	if err != nil {
		return err
	}
	return n.x.decode(b, into)
}

// Set sets an attribute.
func (n *Namespace) Set(ctx context.Context, name string, v any) error {
	b, err := n.x.encode(v)
	if err != nil {
		return err
	}
	return n.m.Set(ctx, name, b)
}

// Delete deletes an attribute, or returns [reeve.ErrNoSuchKey]. To delete the
// namespace itself, use Object().Delete.
func (n *Namespace) Delete(ctx context.Context, name string) error { return n.m.Delete(ctx, name) }

// Has reports whether there is such an attribute.
func (n *Namespace) Has(ctx context.Context, name string) (bool, error) { return n.m.Has(ctx, name) }

// Names lists the attributes in the order in which they came.
func (n *Namespace) Names(ctx context.Context) ([]string, error) { return n.m.Keys(ctx) }

// UpdateAttr changes an attribute to what f makes of it; see [Map.Update]. What it
// has and is no T is [reeve.ErrUnserializable].
func UpdateAttr[T any](ctx context.Context, n *Namespace, name string, f func(old T, ok bool) (v T, keep bool)) (T, error) {
	return (&Map[string, T]{n.Container}).Update(ctx, name, f)
}

// Watch loops over what happens to attributes, from the time on when it begins; see
// [Map.Watch]. Values are still encoded: Decode reads them.
func (n *Namespace) Watch(ctx context.Context) iter.Seq2[Change[string, codec.Encoded], error] {
	return n.m.Watch(ctx)
}

// Follow loops over the attributes that are there, and then over what happens to
// them; see [Map.Follow]. Values are still encoded: Decode reads them.
func (n *Namespace) Follow(ctx context.Context) iter.Seq2[Change[string, codec.Encoded], error] {
	return n.m.Follow(ctx)
}

// Decode reads a value that [Namespace.Watch] or [Namespace.Follow] told.
func (n *Namespace) Decode(b codec.Encoded, into any) error {
	if len(b) == 0 {
		return errors.Join(reeve.ErrUnserializable, errors.New("there is no value"))
	}
	return n.x.decode(b, into)
}
