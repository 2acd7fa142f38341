package cpython_test

import (
	"cmp"
	"context"
	"iter"

	"github.com/reeveq/reeve/shared"
)

type listSubject struct{ handles [3]*shared.List[any] }

func makeList(p *play) ([]subject, error) {
	x := &listSubject{}
	l, err := shared.NewList[any](p.t.Context(), p.objects[0], p.name, shared.ListConfig{})
	if err != nil {
		return nil, err
	}
	for i, o := range p.objects {
		x.handles[i] = shared.ListOf[any](o, p.name)
	}
	if len(p.scenario.Args) == 0 {
		return []subject{x}, nil
	}
	elements, ok := p.scenario.Args[0].([]any)
	if !ok {
		return nil, errNoSuchCall
	}
	return []subject{x}, l.Extend(p.t.Context(), elements)
}

// spanOf is a slice as the file has it.
func spanOf(v any) (shared.Span, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return shared.Span{}, false
	}
	parts := m["slice"].([]any)
	span := spanBetween(parts[0], parts[1])
	if parts[2] != nil {
		span = span.By(int(parts[2].(int64)))
	}
	return span, true
}

// spanBetween is a span whose ends are numbers or nil.
func spanBetween(start, stop any) shared.Span {
	from, hasFrom := start.(int64)
	to, hasTo := stop.(int64)
	switch {
	case hasFrom && hasTo:
		return shared.Between(int(from), int(to))
	case hasFrom:
		return shared.From(int(from))
	case hasTo:
		return shared.To(int(to))
	}
	return shared.Span{}
}

// collect is the elements of a loop.
func collect(all iter.Seq2[any, error]) (any, error) {
	list := []any{}
	for v, err := range all {
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (x *listSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	l := x.handles[actor]
	switch c.Call {
	case "__len__":
		return l.Len(ctx)
	case "copy":
		return l.Copy(ctx)
	case "iter":
		return collect(l.All(ctx))
	case "reversed":
		return collect(l.Reversed(ctx))
	case "clear":
		return nil, l.Clear(ctx)
	case "reverse":
		return nil, l.Reverse(ctx)
	case "sort":
		return nil, x.sort(ctx, l, c)
	case "__getitem__", "__setitem__", "__delitem__", "insert", "pop":
		return x.at(ctx, l, c)
	case "append":
		_, err := l.Append(ctx, c.Args[0])
		return nil, err
	case "remove":
		return nil, l.Remove(ctx, c.Args[0])
	case "count":
		return l.Count(ctx, c.Args[0])
	case "__contains__":
		return l.Has(ctx, c.Args[0])
	case "index":
		if len(c.Args) == 1 {
			return l.Index(ctx, c.Args[0])
		}
		start, _ := c.arg("", 1)
		stop, _ := c.arg("", 2)
		return l.IndexIn(ctx, c.Args[0], spanBetween(start, stop))
	case "extend", "__iadd__", "__add__":
		return x.extend(ctx, l, c)
	case "__imul__", "__mul__", "__rmul__":
		times, ok := c.Args[0].(int64)
		if !ok {
			return nil, errNoSuchCall
		}
		if c.Call == "__imul__" {
			return itself{}, l.Repeat(ctx, int(times))
		}
		return l.Repeated(ctx, int(times))
	}
	return nil, errNoSuchCall
}

// at is a call with an index or a slice.
func (x *listSubject) at(ctx context.Context, l *shared.List[any], c *step) (any, error) {
	if c.Call == "pop" && len(c.Args) == 0 {
		return l.Pop(ctx)
	}
	if span, ok := spanOf(c.Args[0]); ok {
		switch c.Call {
		case "__getitem__":
			return l.Slice(ctx, span)
		case "__delitem__":
			_, err := l.DeleteSlice(ctx, span)
			return nil, err
		}
		if list, ok := c.Args[1].([]any); ok {
			return nil, l.SetSlice(ctx, span, list)
		}
		return nil, errNoSuchCall
	}
	i, ok := c.Args[0].(int64)
	if !ok {
		return nil, errNoSuchCall
	}
	switch c.Call {
	case "__getitem__":
		return l.Get(ctx, int(i))
	case "__delitem__":
		return nil, l.Delete(ctx, int(i))
	case "pop":
		return l.PopAt(ctx, int(i))
	case "insert":
		return nil, l.Insert(ctx, int(i), c.Args[1])
	}
	return nil, l.Set(ctx, int(i), c.Args[1])
}

func (x *listSubject) extend(ctx context.Context, l *shared.List[any], c *step) (any, error) {
	more, ok := c.Args[0].([]any)
	if !ok {
		return nil, errNoSuchCall
	}
	switch c.Call {
	case "__add__":
		return l.Concat(ctx, more)
	case "__iadd__":
		return itself{}, l.Extend(ctx, more)
	}
	return nil, l.Extend(ctx, more)
}

// sort sorts; the only key in the file is the length of a text.
func (x *listSubject) sort(ctx context.Context, l *shared.List[any], c *step) error {
	_, byLength := c.Kwargs["key"]
	reverse := c.flag("reverse", 0, false)
	length := func(a, b any) int { return cmp.Compare(len(a.(string)), len(b.(string))) }
	switch {
	case byLength && reverse:
		return l.SortFunc(ctx, func(a, b any) int { return length(b, a) })
	case byLength:
		return l.SortFunc(ctx, length)
	case reverse:
		return l.SortDescending(ctx)
	}
	return l.Sort(ctx)
}
