package cpython_test

import (
	"context"

	"github.com/reeveq/reeve/shared"
)

type namespaceSubject struct{ handles [3]*shared.Namespace }

func makeNamespace(p *play) ([]subject, error) {
	n, err := shared.NewNamespace(p.t.Context(), p.objects[0], p.name, shared.NamespaceConfig{})
	if err != nil {
		return nil, err
	}
	for name, v := range p.scenario.Kwargs {
		if err := n.Set(p.t.Context(), name, v); err != nil {
			return nil, err
		}
	}
	x := &namespaceSubject{}
	for i, o := range p.objects {
		x.handles[i] = shared.NamespaceOf(o, p.name)
	}
	return []subject{x}, nil
}

func (x *namespaceSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	n, name := x.handles[actor], c.Args[0].(string)
	switch c.Call {
	case "getattr":
		return shared.Attr[any](ctx, n, name)
	case "setattr":
		return nil, n.Set(ctx, name, c.Args[1])
	case "delattr":
		return nil, n.Delete(ctx, name)
	}
	return nil, errNoSuchCall
}

type valueSubject struct{ handles [3]*shared.Value[any] }

func makeValue(p *play) ([]subject, error) {
	initial, given := p.scenario.arg("value", 1)
	if !given {
		return nil, errNoSuchCall
	}
	_, err := shared.NewValue(p.t.Context(), p.objects[0], p.name, initial, shared.ValueConfig{})
	x := &valueSubject{}
	for i, o := range p.objects {
		x.handles[i] = shared.ValueOf[any](o, p.name)
	}
	return []subject{x}, err
}

func (x *valueSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	v := x.handles[actor]
	switch c.Call {
	case "get", "getattr":
		return v.Get(ctx)
	case "set":
		return nil, v.Set(ctx, c.Args[0])
	case "setattr":
		return nil, v.Set(ctx, c.Args[1])
	}
	return nil, errNoSuchCall
}

// arraySubject is an array of the type that Python's typecode says. to makes its
// values, if it has them.
type arraySubject[T any] struct {
	handles [3]*shared.Array[T]
	to      func(any) (T, bool)
}

func makeArray(p *play) ([]subject, error) {
	switch p.scenario.Args[0] {
	case "i":
		return makeArrayOf(p, func(v any) (int32, bool) { n, ok := v.(int64); return int32(n), ok })
	case "b":
		return makeArrayOf(p, func(v any) (int8, bool) { n, ok := v.(int64); return int8(n), ok && int64(int8(n)) == n })
	case "d":
		return makeArrayOf(p, func(v any) (float64, bool) {
			if n, ok := v.(int64); ok {
				return float64(n), true
			}
			f, ok := v.(float64)
			return f, ok
		})
	}
	return nil, errNoSuchCall
}

func makeArrayOf[T any](p *play, to func(any) (T, bool)) ([]subject, error) {
	x := &arraySubject[T]{to: to}
	values := []T{}
	for _, v := range p.scenario.Args[1].([]any) {
		n, ok := to(v)
		if !ok {
			return nil, errNoSuchCall
		}
		values = append(values, n)
	}
	r, err := shared.NewArray[T](p.t.Context(), p.objects[0], p.name, shared.ArrayConfig{Len: len(values)})
	if err != nil {
		return nil, err
	}
	for i, o := range p.objects {
		x.handles[i] = shared.ArrayOf[T](o, p.name)
	}
	return []subject{x}, r.SetSlice(p.t.Context(), shared.Span{}, values)
}

func (x *arraySubject[T]) call(ctx context.Context, actor int, c *step) (any, error) {
	r := x.handles[actor]
	switch c.Call {
	case "__len__":
		return r.Len(ctx)
	case "iter":
		list := []any{}
		for v, err := range r.All(ctx) {
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	i, ok := c.Args[0].(int64)
	if !ok {
		return nil, errNoSuchCall
	}
	switch c.Call {
	case "__getitem__":
		return r.Get(ctx, int(i))
	case "__setitem__":
		if v, ok := x.to(c.Args[1]); ok {
			return nil, r.Set(ctx, int(i), v)
		}
	}
	return nil, errNoSuchCall
}
