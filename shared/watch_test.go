package shared_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	internal "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/container"
	"github.com/reeveq/reeve/shared"
)

// containersTest runs f in a bubble of time with a master of containers and two
// clients.
func containersTest(t *testing.T, f func(t *testing.T, a, b *internal.Caller)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := internal.New(internal.Config{})
		container.Add(h)
		defer h.Close()
		f(t, attach(h, 1), attach(h, 2))
	})
}

// told is what a loop over changes was given.
type told struct {
	change shared.Change[string, int]
	err    error
}

func (x told) String() string {
	if x.err != nil {
		return x.err.Error()
	}
	return fmt.Sprintf("%v %s %d", x.change.Kind, x.change.Key, x.change.Value)
}

// watched loops in a goroutine, which ends with ctx, or with the loop.
func watched(seq iter.Seq2[shared.Change[string, int], error]) chan told {
	ch := make(chan told, 1<<16)
	go func() { // waited for by the bubble
		defer close(ch)
		for c, err := range seq {
			ch <- told{c, err}
		}
	}()
	synctest.Wait()
	return ch
}

// next are all that came so far.
func next(ch chan told) (list []string) {
	synctest.Wait()
	for {
		select {
		case x, ok := <-ch:
			if !ok {
				return append(list, "end")
			}
			list = append(list, x.String())
		default:
			return list
		}
	}
}

func wantTold(t *testing.T, ch chan told, want ...string) {
	t.Helper()
	if got := next(ch); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMap_WatchTellsEveryChangeInOrder(t *testing.T) {
	containersTest(t, func(t *testing.T, a, b *internal.Caller) {
		ctx, cancel := context.WithCancel(t.Context())
		m, err := shared.NewMap[string, int](ctx, a, "m", shared.MapConfig{})
		must0(t, err)
		must0(t, m.Set(ctx, "before", 1))
		changes := watched(shared.MapOf[string, int](b, "m").Watch(ctx))
		follow := watched(m.Follow(ctx))
		wantTold(t, changes)
		wantTold(t, follow, "present before 1", "all present  0")
		must0(t, m.Set(ctx, "a", 1))
		must0(t, m.SetTTL(ctx, "b", 2, time.Second))
		must0(t, m.Delete(ctx, "before"))
		want := []string{"set a 1", "set b 2", "deleted before 0"}
		wantTold(t, changes, want...)
		wantTold(t, follow, want...)
		time.Sleep(time.Second)
		wantTold(t, changes, "expired b 0")
		must0(t, m.SetMany(ctx, shared.Entry[string, int]{Key: "x", Value: 1}, shared.Entry[string, int]{Key: "y", Value: 2}))
		must0(t, m.Clear(ctx))
		wantTold(t, changes, "set x 1", "set y 2", "cleared  0")
		cancel()
		wantTold(t, changes, "end")
		next(follow)
	})
}

func TestMap_WatchOfADeletedMapEndsWithTheReason(t *testing.T) {
	containersTest(t, func(t *testing.T, a, b *internal.Caller) {
		m, err := shared.NewMap[string, int](t.Context(), a, "m", shared.MapConfig{})
		must0(t, err)
		ch := make(chan error, 1)
		go func() {
			for _, err := range shared.MapOf[string, int](b, "m").Watch(t.Context()) {
				ch <- err
			}
			close(ch)
		}()
		synctest.Wait()
		must0(t, m.Object().Delete(t.Context()))
		fails(t, "watch", <-ch, reeve.ErrNoSuchObject)
		if _, more := <-ch; more {
			t.Error("the loop went on")
		}
	})
}

// A loop that is slower than the changes is told so, and gets what there is.
func TestMap_WatchThatFallsBehindIsToldAndBeginsAnew(t *testing.T) {
	containersTest(t, func(t *testing.T, a, b *internal.Caller) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		m, err := shared.NewMap[string, int](ctx, a, "m", shared.MapConfig{})
		must0(t, err)
		got, missed := map[string]int{}, 0
		busy, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for c, err := range shared.MapOf[string, int](b, "m").Follow(ctx) {
				switch {
				case errors.Is(err, reeve.ErrMissed):
					missed++
					clear(got)
				case err != nil:
					t.Error(err)
				case c.Kind == shared.KeySet, c.Kind == shared.KeyPresent:
					got[c.Key] = c.Value
				case c.Kind == shared.KeyDeleted:
					delete(got, c.Key)
				}
				if c.Key == "first" {
					<-busy
				}
			}
		}()
		synctest.Wait()
		must0(t, m.Set(ctx, "first", 0))
		synctest.Wait()
		for i := range 20_000 {
			must0(t, m.Set(ctx, fmt.Sprint("k", i%100), i))
		}
		must0(t, m.Delete(ctx, "first"))
		close(busy)
		synctest.Wait()
		must0(t, m.Set(ctx, "last", 1)) // goes on after that
		synctest.Wait()
		cancel()
		<-done
		want, err := m.Copy(context.WithoutCancel(ctx))
		must0(t, err)
		if missed != 1 || !maps.Equal(got, want) {
			t.Errorf("told %d times; %d keys, want %d", missed, len(got), len(want))
		}
	})
}

// Who comes back within a minute has missed nothing; later, that is told.
func TestMap_ChangesAreForgottenWhenNobodyWatches(t *testing.T) {
	containersTest(t, func(t *testing.T, a, _ *internal.Caller) {
		ctx := t.Context()
		m, err := shared.NewMap[string, int](ctx, a, "m", shared.MapConfig{})
		must0(t, err)
		var got []string
		for c, err := range m.Follow(ctx) {
			got = append(got, told{c, err}.String())
			switch len(got) {
			case 1:
				must0(t, m.Set(ctx, "noted", 1))
				time.Sleep(59 * time.Second)
			case 2:
				must0(t, m.Set(ctx, "forgotten", 2))
				time.Sleep(2 * time.Minute)
				must0(t, m.Set(ctx, "later", 3))
			}
			if c.Kind == shared.AllPresent && len(got) > 1 {
				break
			}
		}
		want := []string{
			"all present  0", "set noted 1", fmt.Sprint(reeve.ErrMissed),
			"present noted 1", "present forgotten 2", "present later 3", "all present  0",
		}
		if len(got) > 2 {
			got[2] = got[2][:min(len(want[2]), len(got[2]))]
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestSet_WatchTellsElements(t *testing.T) {
	containersTest(t, func(t *testing.T, a, b *internal.Caller) {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := shared.NewSet[string](ctx, a, "s", shared.SetConfig{TTL: time.Minute})
		must0(t, err)
		must0(t, s.Add(ctx, "there"))
		ch := make(chan string, 100)
		go func() {
			defer close(ch)
			for c, err := range shared.SetOf[string](b, "s").Follow(ctx) {
				ch <- fmt.Sprint(c.Kind, " ", c.Key, " ", err)
			}
		}()
		synctest.Wait()
		must0(t, s.Add(ctx, "there"))
		must0(t, s.Add(ctx, "new"))
		must0(t, s.Remove(ctx, "there"))
		time.Sleep(time.Minute)
		synctest.Wait()
		cancel()
		var got []string
		for x := range ch {
			got = append(got, x)
		}
		want := []string{"present there <nil>", "all present  <nil>", "set new <nil>", "deleted there <nil>", "expired new <nil>"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestNamespace_WatchTellsAttributes(t *testing.T) {
	containersTest(t, func(t *testing.T, a, b *internal.Caller) {
		ctx, cancel := context.WithCancel(t.Context())
		n, err := shared.NewNamespace(ctx, a, "n", shared.NamespaceConfig{})
		must0(t, err)
		must0(t, n.Set(ctx, "before", 1))
		var got []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			for c, err := range shared.NamespaceOf(b, "n").Watch(ctx) {
				var v any
				if err == nil && c.Kind == shared.KeySet {
					err = n.Decode(c.Value, &v)
				}
				got = append(got, fmt.Sprint(c.Kind, " ", c.Key, " ", v, " ", err))
			}
		}()
		synctest.Wait()
		must0(t, n.Set(ctx, "a", "x"))
		must0(t, n.Delete(ctx, "before"))
		synctest.Wait()
		cancel()
		<-done
		if want := []string{"set a x <nil>", "deleted before <nil> <nil>"}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestValue_WatchTellsTheLastState(t *testing.T) {
	containersTest(t, func(t *testing.T, a, b *internal.Caller) {
		ctx, cancel := context.WithCancel(t.Context())
		v, err := shared.NewValue(ctx, a, "v", 1, shared.ValueConfig{})
		must0(t, err)
		l, err := shared.NewList[int](ctx, a, "l", shared.ListConfig{})
		must0(t, err)
		values, lengths := make(chan int, 100), make(chan int, 100)
		busy := make(chan struct{})
		go func() {
			defer close(values)
			for s, err := range shared.ValueOf[int](b, "v").Watch(ctx) {
				if err != nil {
					t.Error(err)
				}
				values <- s.Value
				<-busy
			}
		}()
		go func() {
			defer close(lengths)
			for s, err := range shared.ListOf[int](b, "l").Watch(ctx) {
				if err != nil {
					t.Error(err)
				}
				lengths <- s.Value
			}
		}()
		synctest.Wait()
		for i := range 5 {
			must0(t, v.Set(ctx, 10+i))
		}
		busy <- struct{}{}
		synctest.Wait()
		must0(t, v.Set(ctx, 99))
		busy <- struct{}{}
		_, err = l.Append(ctx, 1, 2)
		must0(t, err)
		synctest.Wait()
		cancel()
		close(busy)
		if got := [3]int{<-values, <-values, <-values}; got != [3]int{1, 14, 99} {
			t.Errorf("%v", got)
		}
		if got := [2]int{<-lengths, <-lengths}; got != [2]int{0, 2} {
			t.Errorf("%v", got)
		}
	})
}
