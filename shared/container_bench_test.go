package shared_test

import (
	"fmt"
	"testing"

	"github.com/reeveq/reeve/shared"
)

// BenchmarkMap is what the handles and the container cost by themselves: the master
// is in this process.
func BenchmarkMap(b *testing.B) {
	ctx := b.Context()
	m, err := shared.NewMap[string, int](ctx, callerOf(b, containers(b)), "m", shared.MapConfig{})
	must0(b, err)
	keys := make([]string, 1000)
	entries := make([]shared.Entry[string, int], len(keys))
	for i := range keys {
		keys[i] = fmt.Sprint("key-", i)
		entries[i] = shared.Entry[string, int]{Key: keys[i], Value: i}
	}
	must0(b, m.SetMany(ctx, entries...))
	bench := func(name string, f func(i int) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				must0(b, f(i))
			}
		})
	}
	bench("get", func(i int) error {
		_, err := m.Get(ctx, keys[i%1000])
		return err
	})
	bench("set", func(i int) error { return m.Set(ctx, keys[i%1000], i) })
	bench("get-1000", func(int) error {
		_, err := m.GetMany(ctx, keys...)
		return err
	})
	bench("set-1000", func(int) error { return m.SetMany(ctx, entries...) })
	bench("all-1000", func(int) error {
		_, err := m.Items(ctx)
		return err
	})
}

// BenchmarkList has 100,000 elements: places in the middle are as near as the ends.
func BenchmarkList(b *testing.B) {
	ctx := b.Context()
	l, err := shared.NewList[int](ctx, callerOf(b, containers(b)), "l", shared.ListConfig{})
	must0(b, err)
	must0(b, l.Extend(ctx, make([]int, 100_000)))
	b.Run("append+pop-first", func(b *testing.B) {
		for b.Loop() {
			_, err := l.Append(ctx, 1)
			must0(b, err)
			_, err = l.PopAt(ctx, 0)
			must0(b, err)
		}
	})
	b.Run("insert+delete-middle", func(b *testing.B) {
		for b.Loop() {
			must0(b, l.Insert(ctx, 50_000, 1))
			must0(b, l.Delete(ctx, 50_000))
		}
	})
	b.Run("add-to-value", func(b *testing.B) {
		v, err := shared.NewValue(ctx, l.Object().Objects(), "n", 0, shared.ValueConfig{})
		must0(b, err)
		for b.Loop() {
			_, err := v.Add(ctx, 1)
			must0(b, err)
		}
	})
}
