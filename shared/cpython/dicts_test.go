package cpython_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/reeveq/reeve/shared"
)

type dictSubject struct {
	name    string
	handles [3]*shared.Map[any, any]
}

func makeDict(p *play) ([]subject, error) {
	x := &dictSubject{name: p.name}
	m, err := shared.NewMap[any, any](p.t.Context(), p.objects[0], p.name, shared.MapConfig{})
	if err != nil {
		return nil, err
	}
	for i, o := range p.objects {
		x.handles[i] = shared.MapOf[any, any](o, p.name)
	}
	entries, ok := entriesOf(&p.scenario.invocation)
	if !ok {
		return nil, errNoSuchCall
	}
	return []subject{x}, m.SetMany(p.t.Context(), entries...)
}

// entriesOf is what dict and update take: a mapping or pairs, which look the same
// in the file, and names.
func entriesOf(c *invocation) ([]shared.Entry[any, any], bool) {
	entries := []shared.Entry[any, any]{}
	if len(c.Args) > 0 {
		pairs, ok := c.Args[0].([]any)
		if !ok {
			return nil, false
		}
		for _, p := range pairs {
			pair, ok := p.([]any)
			if !ok || len(pair) != 2 {
				return nil, false
			}
			entries = append(entries, shared.Entry[any, any]{Key: pair[0], Value: pair[1]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Kwargs)) {
		entries = append(entries, shared.Entry[any, any]{Key: name, Value: c.Kwargs[name]})
	}
	return entries, true
}

// mapOf is a Go map of what entriesOf has.
func mapOf(c *invocation) (map[any]any, bool) {
	entries, ok := entriesOf(c)
	m := map[any]any{}
	for _, e := range entries {
		m[e.Key] = e.Value
	}
	return m, ok
}

// pairs is a list of entries as the file has them.
func pairs(entries []shared.Entry[any, any], err error) (any, error) {
	list := make([]any, len(entries))
	for i, e := range entries {
		list[i] = []any{e.Key, e.Value}
	}
	return list, err
}

// sortedPairs is pairs of a Go map, which has no order.
func sortedPairs(m map[any]any, err error) (any, error) {
	entries := []shared.Entry[any, any]{}
	for k, v := range m {
		entries = append(entries, shared.Entry[any, any]{Key: k, Value: v})
	}
	slices.SortFunc(entries, func(a, b shared.Entry[any, any]) int {
		return cmp.Compare(fmt.Sprint(a.Key), fmt.Sprint(b.Key))
	})
	return pairs(entries, err)
}

func (x *dictSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	m := x.handles[actor]
	args := len(c.Args)
	switch c.Call {
	case "__len__":
		return m.Len(ctx)
	case "keys", "iter":
		return m.Keys(ctx)
	case "values":
		return m.Values(ctx)
	case "items", "copy":
		return pairs(m.Items(ctx))
	case "reversed":
		return keysOf(m.Reversed(ctx))
	case "popitem":
		e, err := m.PopItem(ctx)
		return []any{e.Key, e.Value}, err
	case "clear":
		return nil, m.Clear(ctx)
	case "__getitem__":
		return m.Get(ctx, c.Args[0])
	case "__setitem__":
		return nil, m.Set(ctx, c.Args[0], c.Args[1])
	case "__delitem__":
		return nil, m.Delete(ctx, c.Args[0])
	case "__contains__":
		return m.Has(ctx, c.Args[0])
	case "get":
		byDefault, _ := c.arg("", 1)
		return m.GetOr(ctx, c.Args[0], byDefault)
	case "setdefault":
		byDefault, _ := c.arg("", 1)
		return m.SetDefault(ctx, c.Args[0], byDefault)
	case "pop":
		if args == 1 {
			return m.Pop(ctx, c.Args[0])
		}
		return m.PopOr(ctx, c.Args[0], c.Args[1])
	case "update":
		if entries, ok := entriesOf(&c.invocation); ok {
			return nil, m.SetMany(ctx, entries...)
		}
	case "__ior__":
		if other, ok := mapOf(&c.invocation); ok {
			return itself{}, m.Merge(ctx, other)
		}
	case "__or__":
		if other, ok := mapOf(&c.invocation); ok {
			return sortedPairs(m.Union(ctx, other))
		}
	case "fromkeys":
		value, _ := c.arg("", 1)
		fresh, err := shared.NewMapFromKeys(ctx, m.Object().Objects(), "", shared.MapConfig{}, c.Args[0].([]any), value)
		if err != nil {
			return nil, err
		}
		return pairs(fresh.Items(ctx))
	}
	return nil, errNoSuchCall
}

// keysOf is the keys of a loop over entries.
func keysOf(all iter.Seq2[shared.Entry[any, any], error]) (any, error) {
	keys := []any{}
	for e, err := range all {
		if err != nil {
			return nil, err
		}
		keys = append(keys, e.Key)
	}
	return keys, nil
}
