package shared_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

// limited wants a limit that was reached, and that nothing has changed.
func limited(t *testing.T, what string, err error, length func(context.Context) (int, error), want int) {
	t.Helper()
	var limit *reeve.LimitError
	if !errors.As(err, &limit) || !errors.Is(err, reeve.ErrLimit) {
		t.Errorf("%s: %v", what, err)
	}
	if n, err := length(t.Context()); n != want || err != nil {
		t.Errorf("%s: the length is %d, %v, want %d", what, n, err, want)
	}
}

func TestContainers_RefuseWhatIsTooMuchBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	ctx, o := t.Context(), callerOf(t, containers(t))
	m, err := shared.NewMap[string, string](ctx, o, "m", shared.MapConfig{MaxLen: 3, MaxBytes: 1000})
	must0(t, err)
	must0(t, m.Merge(ctx, map[string]string{"a": "1", "b": "2", "c": "3"}))
	long := strings.Repeat("x", 1000)
	limited(t, "a 4th key", m.Set(ctx, "d", "4"), m.Len, 3)
	limited(t, "two more", m.Merge(ctx, map[string]string{"a": "9", "d": "4"}), m.Len, 3)
	limited(t, "a long value", m.Set(ctx, "a", long), m.Len, 3)
	_, err = m.Update(ctx, "a", func(string, bool) (string, bool) { return long, true })
	limited(t, "a long update", err, m.Len, 3)
	_, err = m.SetDefault(ctx, "d", "4")
	limited(t, "a 4th default", err, m.Len, 3)
	if v, err := m.Get(ctx, "a"); v != "1" || err != nil {
		t.Errorf("a is %q, %v", v, err)
	}
	must0(t, m.Set(ctx, "a", "other"))
	// The same keys many times count once.
	must0(t, m.SetMany(ctx, []shared.Entry[string, string]{{Key: "a", Value: strings.Repeat("y", 300)}, {Key: "a", Value: "1"}, {Key: "b", Value: strings.Repeat("y", 300)}, {Key: "b"}}...))
	other, err := shared.NewMap[string, string](ctx, o, "other", shared.MapConfig{})
	must0(t, err)
	must0(t, other.Set(ctx, "d", "4"))
	limited(t, "another map", m.MergeFrom(ctx, other), m.Len, 3)
	must0(t, m.Delete(ctx, "a"))
	must0(t, m.MergeFrom(ctx, other))

	s, err := shared.NewSet[int](ctx, o, "s", shared.SetConfig{MaxLen: 2})
	must0(t, err)
	must0(t, s.Update(ctx, shared.Elements[int]{1, 2}))
	limited(t, "a 3rd element", s.Add(ctx, 3), s.Len, 2)
	limited(t, "an update", s.Update(ctx, shared.Elements[int]{2, 3}), s.Len, 2)
	must0(t, s.SymmetricDifferenceUpdate(ctx, shared.Elements[int]{2, 3})) // one goes, one comes
	_, err = s.AddMany(ctx, 1, 3, 4)
	limited(t, "a 3rd of many", err, s.Len, 2)

	l, err := shared.NewList[string](ctx, o, "l", shared.ListConfig{MaxLen: 4, MaxBytes: 1000})
	must0(t, err)
	must0(t, l.Extend(ctx, []string{"a", "b", "c"}))
	limited(t, "two more", l.Extend(ctx, []string{"d", "e"}), l.Len, 3)
	limited(t, "a long insert", l.Insert(ctx, 0, long), l.Len, 3)
	limited(t, "twice", l.Repeat(ctx, 2), l.Len, 3)
	limited(t, "very often", l.Repeat(ctx, math.MaxInt), l.Len, 3)
	limited(t, "a longer slice", l.SetSlice(ctx, shared.To(1), []string{"1", "2", "3"}), l.Len, 3)
	limited(t, "a long swap", l.Set(ctx, 0, long), l.Len, 3)
	must0(t, l.SetSlice(ctx, shared.To(1), []string{"1", "2"}))

	v, err := shared.NewValue(ctx, o, "v", "", shared.ValueConfig{MaxBytes: 1000})
	must0(t, err)
	limited(t, "a long value", v.Set(ctx, long), func(ctx context.Context) (int, error) {
		got, err := v.Get(ctx)
		return len(got), err
	}, 0)
}

func TestContainers_RefuseBadConfigurations(t *testing.T) {
	t.Parallel()
	ctx, o := t.Context(), callerOf(t, containers(t))
	_, err := shared.NewMap[int, int](ctx, o, "", shared.MapConfig{MaxLen: -1})
	fails(t, "MaxLen -1", err, reeve.ErrInvalid)
	_, err = shared.NewList[int](ctx, o, "", shared.ListConfig{MaxBytes: -1})
	fails(t, "MaxBytes -1", err, reeve.ErrInvalid)
	_, err = shared.NewSet[int](ctx, o, "", shared.SetConfig{TTL: -time.Second})
	fails(t, "TTL -1s", err, reeve.ErrInvalid)
	_, err = shared.NewArray[int](ctx, o, "", shared.ArrayConfig{Len: -1})
	fails(t, "Len -1", err, reeve.ErrInvalid)
	_, err = shared.NewArray[int](ctx, o, "", shared.ArrayConfig{Len: math.MaxInt})
	fails(t, "a huge array", err, reeve.ErrInvalid)
	_, err = shared.NewValue(ctx, o, "", strings.Repeat("x", 100), shared.ValueConfig{MaxBytes: 100})
	fails(t, "an initial value that is too long", err, reeve.ErrLimit)
	_, err = shared.NewMap[int, int](ctx, o, "m", shared.MapConfig{})
	must0(t, err)
	_, err = shared.NewMap[int, int](ctx, o, "m", shared.MapConfig{})
	must0(t, err) // the same again
	_, err = shared.NewMap[int, int](ctx, o, "m", shared.MapConfig{MaxLen: 1})
	fails(t, "another configuration", err, reeve.ErrObjectExists)
	_, err = shared.NewSet[int](ctx, o, "m", shared.SetConfig{})
	fails(t, "another type", err, reeve.ErrObjectExists)
	_, err = shared.SetOf[int](o, "m").Len(ctx)
	fails(t, "a map as a set", err, reeve.ErrInvalid)
	_, err = shared.MapOf[int, int](o, "none").Len(ctx)
	fails(t, "no such name", err, reeve.ErrNoSuchName)
}

func TestContainers_ValuesOfAnotherTypeAreTypedErrors(t *testing.T) {
	t.Parallel()
	ctx, o := t.Context(), callerOf(t, containers(t))
	m, err := shared.NewMap[string, any](ctx, o, "m", shared.MapConfig{})
	must0(t, err)
	must0(t, m.SetMany(ctx, []shared.Entry[string, any]{{Key: "a", Value: 1}, {Key: "b", Value: "text"}, {Key: "c", Value: 3}}...))
	ints := shared.MapOf[string, int](o, "m")
	_, err = ints.Get(ctx, "b")
	fails(t, "get", err, reeve.ErrUnserializable)
	_, err = ints.Copy(ctx)
	fails(t, "copy", err, reeve.ErrUnserializable)
	_, err = ints.GetMany(ctx, "a", "b")
	fails(t, "getmany", err, reeve.ErrUnserializable)
	sum := 0
	for e, err := range ints.All(ctx) { // tells, and goes on
		if e.Key == "b" || err != nil {
			fails(t, "all", err, reeve.ErrUnserializable)
		}
		sum += e.Value
	}
	if sum != 4 {
		t.Errorf("the sum of those that are numbers is %d", sum)
	}
	fails(t, "a value that cannot be encoded", m.Set(ctx, "f", func() {}), reeve.ErrUnserializable)
	keys, err := shared.NewMap[any, int](ctx, o, "keys", shared.MapConfig{})
	must0(t, err)
	must0(t, shared.ObjectOf(o, "keys").Invoke(ctx, "set", []any{[]int{1}, 1, 0}))
	_, err = keys.Copy(ctx)
	fails(t, "a key that is no key of a Go map", err, reeve.ErrUnserializable)
	_, err = keys.GetMany(ctx, 1, []int{1})
	fails(t, "many keys, one of which is none of a Go map", err, reeve.ErrUnserializable)
	if items, err := keys.Items(ctx); len(items) != 1 || err != nil {
		t.Errorf("%v, %v", items, err)
	}
}

func TestContainers_WrongArgumentsAreTypedErrors(t *testing.T) {
	t.Parallel()
	ctx, o := t.Context(), callerOf(t, containers(t))
	m, err := shared.NewMap[string, int](ctx, o, "m", shared.MapConfig{})
	must0(t, err)
	l, err := shared.NewList[int](ctx, o, "l", shared.ListConfig{})
	must0(t, err)
	for _, c := range []struct {
		x      *shared.Object
		method string
		args   []any
		want   error
	}{
		{m.Object(), "get", nil, reeve.ErrInvalid},
		{m.Object(), "get", []any{1, 2}, reeve.ErrInvalid},
		{m.Object(), "set", []any{1, 2, "long"}, reeve.ErrInvalid},
		{m.Object(), "set", []any{1, 2, uint64(math.MaxUint64)}, reeve.ErrInvalid},
		{m.Object(), "set", []any{1, 2, time.Duration(math.MaxInt64)}, reeve.ErrInvalid},
		{m.Object(), "set", []any{strings.Repeat("k", 1<<17), 2, 0}, reeve.ErrInvalid},
		{m.Object(), "setmany", []any{[]int{1, 2}, []int{1}, 0}, reeve.ErrInvalid},
		{m.Object(), "snapshot", []any{0, 0}, reeve.ErrInvalid},
		{m.Object(), "page", []any{99, 0, 0}, reeve.ErrNoSuchObject},
		{m.Object(), "mergefrom", []any{"m"}, reeve.ErrInvalid},
		{m.Object(), "mergefrom", []any{l.Ref()}, reeve.ErrInvalid},
		{m.Object(), "__getitem__", []any{1}, reeve.ErrNotExposed},
		{l.Object(), "get", []any{"0"}, reeve.ErrInvalid},
		{l.Object(), "get", []any{0}, reeve.ErrOutOfRange},
		{l.Object(), "sort", []any{0}, reeve.ErrInvalid},
		{l.Object(), "append", []any{0}, reeve.ErrInvalid},
		{l.Object(), "reorder", []any{1, []byte{1}}, nil},
	} {
		if err := c.x.Invoke(ctx, c.method, c.args); !errors.Is(err, c.want) {
			t.Errorf("%s%v: %v, want %v", c.method, c.args, err, c.want)
		}
	}
}
