package shared_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	internal "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/shared"
)

// fill sets keys 0 to n-1 to what f says.
func fill(ctx context.Context, t testing.TB, m *shared.Map[int, int], n int, f func(int) int) {
	t.Helper()
	var entries []shared.Entry[int, int]
	for i := range n {
		entries = append(entries, shared.Entry[int, int]{Key: i, Value: f(i)})
	}
	must0(t, m.SetMany(ctx, entries...))
}

// All keys are always set in one step to one value: whoever loops over them sees
// one value only, over many pages.
func TestMap_LoopsSeeOneStateWhateverIsWritten(t *testing.T) {
	t.Parallel()
	const n = 25_000 // three pages
	ctx, h := t.Context(), containers(t)
	m, err := shared.NewMap[int, int](ctx, callerOf(t, h), "m", shared.MapConfig{})
	must0(t, err)
	fill(ctx, t, m, n, func(int) int { return 0 })
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for round := 1; ; round++ {
			select {
			case <-stop:
				return
			default:
				fill(ctx, t, m, n, func(int) int { return round })
			}
		}
	})
	var readers sync.WaitGroup
	for range 3 {
		mine := shared.MapOf[int, int](callerOf(t, h), "m")
		readers.Go(func() {
			for range 3 {
				count, value := 0, -1
				for e, err := range mine.All(ctx) {
					if err != nil {
						t.Error(err)
						return
					}
					if value < 0 {
						value = e.Value
					}
					if e.Key != count || e.Value != value {
						t.Errorf("key %d has %d in a loop that began with %d", e.Key, e.Value, value)
						return
					}
					count++
				}
				if count != n {
					t.Errorf("%d keys", count)
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	writer.Wait()
}

func TestList_LoopsGoOverManyPagesBothWays(t *testing.T) {
	t.Parallel()
	ctx, h := t.Context(), containers(t)
	l, err := shared.NewList[int](ctx, callerOf(t, h), "l", shared.ListConfig{})
	must0(t, err)
	want := make([]int, 30_001)
	for i := range want {
		want[i] = i
	}
	must0(t, l.Extend(ctx, want))
	collect := func(seq iter.Seq2[int, error]) (list []int) {
		for v, err := range seq {
			must0(t, err)
			if list = append(list, v); len(list) == 5 {
				must0(t, l.Set(ctx, -1, -1)) // does not show
			}
		}
		must0(t, l.Set(ctx, -1, len(want)-1))
		return list
	}
	if got := collect(l.All(ctx)); !slices.Equal(got, want) {
		t.Errorf("%d elements, the last is %d", len(got), got[len(got)-1])
	}
	back := slices.Clone(want)
	slices.Reverse(back)
	if got := collect(l.Reversed(ctx)); !slices.Equal(got, back) {
		t.Errorf("backwards: %d elements, the last is %d", len(got), got[len(got)-1])
	}
	if got, err := l.Slice(ctx, shared.From(1).By(2)); len(got) != 15_000 || got[14_999] != 29_999 || err != nil {
		t.Errorf("a slice of %d, %v", len(got), err)
	}
}

// Open snapshots are bounded; loops that are over, left or whose client is gone do
// not count.
func TestMap_SnapshotsOfAClientAreBoundedAndEnd(t *testing.T) {
	containersTest(t, func(t *testing.T, a, b *internal.Caller) {
		ctx := t.Context()
		m, err := shared.NewMap[int, int](ctx, a, "m", shared.MapConfig{})
		must0(t, err)
		fill(ctx, t, m, 20_000, func(i int) int { return i })
		for range 40 { // left early: ended
			for range m.All(ctx) {
				break
			}
			if _, err := m.Copy(ctx); err != nil { // over
				t.Fatal(err)
			}
		}
		// nested holds so many snapshots open at a time.
		var nested func(m *shared.Map[int, int], depth int) error
		nested = func(m *shared.Map[int, int], depth int) error {
			if depth == 0 {
				return nil
			}
			for _, err := range m.All(ctx) {
				if err != nil {
					return err
				}
				return nested(m, depth-1)
			}
			return nil
		}
		must0(t, nested(m, 16))
		fails(t, "17 loops at a time", nested(m, 17), reeve.ErrLimit)
		must0(t, nested(m, 16))

		// A loop that does nothing for longer than the master keeps its snapshot.
		n, last := 0, error(nil)
		for _, err := range m.All(ctx) {
			if n++; n == 1 {
				time.Sleep(31 * time.Second)
			}
			last = err
		}
		fails(t, "a loop that slept", last, reeve.ErrNoSuchObject)

		// Slow is not idle.
		n = 0
		for _, err := range m.All(ctx) {
			must0(t, err)
			if n++; n%5000 == 0 {
				time.Sleep(14 * time.Second)
			}
		}
		if n != 20_000 {
			t.Errorf("%d keys", n)
		}

		// Those of a client that is gone do not outlive it.
		other := shared.MapOf[int, int](b, "m")
		for range other.All(ctx) {
			b.Close(true)
			break
		}
		synctest.Wait()
		must0(t, nested(m, 16))
	})
}

func TestMap_LoopsEndWithTheContextAndTheMap(t *testing.T) {
	containersTest(t, func(t *testing.T, a, b *internal.Caller) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		m, err := shared.NewMap[int, int](ctx, a, "m", shared.MapConfig{})
		must0(t, err)
		fill(ctx, t, m, 15_000, func(i int) int { return i })
		var last error
		n := 0
		for _, err := range m.All(ctx) {
			cancel()
			n++
			last = err
		}
		if n != 10_001 || !errors.Is(last, context.Canceled) {
			t.Errorf("%d elements, the last with %v", n, last)
		}
		last = nil
		for _, err := range shared.MapOf[int, int](b, "m").All(t.Context()) {
			if last == nil {
				must0(t, shared.ObjectOf(a, "m").Delete(t.Context()))
			}
			if last = err; err == nil {
				last = errors.New("none")
			}
		}
		fails(t, "a loop over a map that was deleted", last, reeve.ErrNoSuchName)
	})
}
