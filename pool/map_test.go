package pool_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/proxy"
)

func TestMap_ReturnsResultsInTheOrderOfTheInputs(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 8)
		for name, cfg := range map[string]pool.Config{"defaults": {}, "one at a time": {MaxPending: 1}, "chunks": {Chunk: 7, MaxPending: 20}} {
			p := newPool[int, int](t, w, "sleep", cfg)
			ins := make([]int, 50)
			for i := range ins {
				ins[i] = 50 - i // the last is done first
			}
			if outs, err := p.Map(t.Context(), ins); err != nil || !slices.Equal(outs, ins) {
				t.Errorf("%s: %v, %v", name, outs, err)
			}
			if outs, err := p.Map(t.Context(), nil); err != nil || outs == nil || len(outs) != 0 {
				t.Errorf("%s: nothing: %v, %v", name, outs, err)
			}
		}
	})
}

func TestMap_WaitsForAllAndReturnsTheFirstError(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 4)
		p := newPool[int, int](t, w, "even", pool.Config{})
		outs, err := p.Map(t.Context(), []int{2, 4, 5, 6, 7, 8})
		var first *pool.InputError
		var e *pool.TaskError
		if !errors.As(err, &first) || first.Index != 2 || !errors.As(err, &e) || e.Text != "5 is odd" {
			t.Errorf("%v", err)
		}
		if !slices.Equal(outs, []int{2, 4, 0, 6, 0, 8}) {
			t.Errorf("%v", outs)
		}
	})
}

func TestMap_CancelsItsTasksWhenItsContextEnds(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		p := newPool[int, int](t, w, "sleep", pool.Config{MaxPending: 10})
		other := p.Go(t.Context(), 10_000)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Map(ctx, slices.Repeat([]int{3_600_000}, 20)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if out, err := other.Get(t.Context()); err != nil || out != 10_000 {
			t.Errorf("another call: %v, %v", out, err)
		}
		if s, err := w.tasks.Stats(t.Context()); err != nil || s.Unsettled() != 0 || s.Done != 1 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestMap_InputsThatCannotBeWrittenFailAlone(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		p := newPool[any, int](t, w, "square", pool.Config{})
		outs, err := p.Map(t.Context(), []any{2, make(chan int), make([]byte, 17<<20), 3})
		var first *pool.InputError
		if !errors.Is(err, reeve.ErrUnserializable) || !errors.As(err, &first) || first.Index != 1 || !slices.Equal(outs, []int{4, 0, 0, 9}) {
			t.Errorf("%v, %v", outs, err)
		}
	})
}

func TestMap_LargeInputsArePutApart(t *testing.T) {
	remotely(t, reeve.QueueConfig{}, func(t *testing.T, w way, c *proxy.Client) {
		p := newPool[[]byte, int](t, w2(w, c), "f", pool.Config{Chunk: 40})
		f := p.MapAsync(slices.Repeat([][]byte{make([]byte, 1<<19)}, 40))
		for range 40 {
			l, err := c.Queue("tasks").Get(t.Context(), 1)
			if err != nil || len(l[0].Payload) < 1<<19 {
				t.Fatal(err)
			}
			if err := l[0].Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.Get(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestStarMap_UnpacksItsArguments(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		p := newPool[pool.Args2[int, int], int](t, w, "pow", pool.Config{})
		if outs, err := pool.StarMap(t.Context(), p, slices.All([]int{7, 8, 9})); err != nil || !slices.Equal(outs, []int{0, 1, 512}) {
			t.Errorf("%v, %v", outs, err)
		}
		if outs, err := pool.StarMapAsync(p, maps.All(map[int]int{2: 10})).Get(t.Context()); err != nil || !slices.Equal(outs, []int{1024}) {
			t.Errorf("%v, %v", outs, err)
		}
		if out, err := p.Apply(t.Context(), pool.Pair(3, 4)); err != nil || out != 81 {
			t.Errorf("%v, %v", out, err)
		}
		p3 := newPool[pool.Args3[string, int, bool], string](t, w, "join", pool.Config{})
		if out, err := p3.Apply(t.Context(), pool.Triple("a", 1, true)); err != nil || out != "a1 true" {
			t.Errorf("%v, %v", out, err)
		}
	})
}

func TestArgs_AreArraysAsTuplesAre(t *testing.T) {
	t.Parallel()
	for _, c := range []reeve.Codec{codec.CBOR, codec.JSON} {
		b, err := c.Marshal(pool.Triple("x", 2, []int{3}))
		if err != nil {
			t.Fatal(err)
		}
		var list []any
		if err := c.Unmarshal(b, &list); err != nil || len(list) != 3 || list[0] != "x" {
			t.Errorf("%s: %v, %v", c.Name(), list, err)
		}
		var back pool.Args3[string, int, []int]
		if err := c.Unmarshal(b, &back); err != nil || back.A != "x" || back.B != 2 || !slices.Equal(back.C, []int{3}) {
			t.Errorf("%s: %+v, %v", c.Name(), back, err)
		}
		var two pool.Args2[string, int]
		if err := c.Unmarshal(b, &two); err == nil {
			t.Errorf("%s: three arguments were read as two", c.Name())
		}
		if b, err = c.Marshal(pool.Pair(1, "y")); err != nil {
			t.Fatal(err)
		}
		var other pool.Args2[int, string]
		if err := c.Unmarshal(b, &other); err != nil || other != pool.Pair(1, "y") {
			t.Errorf("%s: %+v, %v", c.Name(), other, err)
		}
		if err := c.Unmarshal(b, &two); err == nil {
			t.Errorf("%s: arguments of other types were read", c.Name())
		}
	}
	if pool.Star2[int, int, int](nil) != nil || pool.Star3[int, int, int, int](nil) != nil {
		t.Error("a nil function has become a handler")
	}
}
