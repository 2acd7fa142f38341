package queue_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestRouting_ATakerGetsItsTypesAndWhatItsLabelsAllow(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		add := func(payload, typ string, labels ...string) {
			task := reeve.Task{Payload: []byte(payload), Type: typ}
			if labels != nil {
				task.Rules = &reeve.Rules{Labels: labels}
			}
			c.mustAdd(t, q, task)
		}
		add("1", "a")
		add("2", "b")
		add("3", "")
		add("4", "a", "gpu")
		add("5", "a", "gpu", "big", "gpu")
		add("6", "b", "big")
		for _, x := range []struct {
			want reeve.GetOptions
			got  string
		}{
			{reeve.GetOptions{Types: []string{}}, ""},
			{reeve.GetOptions{Types: []string{"c"}, Labels: []string{"gpu", "big"}}, ""},
			{reeve.GetOptions{Types: []string{""}}, "3 "},
			{reeve.GetOptions{Types: []string{"b"}}, "2 "},
			{reeve.GetOptions{Labels: []string{"big"}}, "1 2 3 6 "},
			{reeve.GetOptions{Labels: []string{"gpu"}}, "1 2 3 4 "},
			{reeve.GetOptions{Types: []string{"a"}, Labels: []string{"other", "big", "gpu"}}, "1 4 5 "},
			{reeve.GetOptions{}, "1 2 3 "},
			{reeve.GetOptions{Types: []string{"b", "a", "a"}, Labels: []string{"big", "gpu"}}, "1 2 4 5 6 "},
		} {
			w := newClient(e)
			ts := w.takeOf(t, q, 10, x.want)
			slices.SortFunc(ts, func(a, b reeve.Task) int { return cmp.Compare(a.ID, b.ID) })
			if got := payloads(ts); got != x.got {
				t.Errorf("%+v got %q, want %q", x.want, got, x.got)
			}
			w.Release(true) // as if nothing had been taken
		}
	})
}

func TestRouting_AWaitingGetTakesNothingElse(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, w := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e)
		q.Get(w.Holder, &queue.GetOp{Max: 5, Tag: 1, Want: reeve.GetOptions{Types: []string{"a"}, Labels: []string{"x"}}})
		p.mustAdd(t, q, reeve.Task{Type: "b"})
		p.mustAdd(t, q, reeve.Task{Type: "a", Rules: &reeve.Rules{Labels: []string{"y"}}})
		if len(w.gots) != 0 {
			t.Fatalf("%+v", w.gots)
		}
		id := p.mustAdd(t, q, reeve.Task{Type: "a", Rules: &reeve.Rules{Labels: []string{"x"}}})
		if g := w.gotOf(t, 1); g.err != nil || len(g.ts) != 1 || g.ts[0].ID != id {
			t.Fatalf("%+v", g)
		}
	})
}

func TestRouting_WishesOutOfRangeAreRefused(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		for i, x := range []struct {
			want reeve.GetOptions
			err  error
		}{
			{reeve.GetOptions{Types: make([]string, reeve.MaxTypes+1)}, reeve.ErrTooLarge},
			{reeve.GetOptions{Types: []string{strings.Repeat("x", 256)}}, reeve.ErrTooLarge},
			{reeve.GetOptions{Types: []string{"\xff"}}, reeve.ErrInvalid},
			{reeve.GetOptions{Labels: []string{""}}, reeve.ErrInvalid},
			{reeve.GetOptions{Labels: slices.Repeat([]string{"x"}, reeve.MaxLabels+1)}, reeve.ErrTooLarge},
		} {
			q.Get(c.Holder, &queue.GetOp{Max: 1, Tag: uint64(100 + i), Want: x.want})
			if g := c.gotOf(t, uint64(100+i)); !errors.Is(g.err, x.err) {
				t.Errorf("%d: %v, want %v", i, g.err, x.err)
			}
		}
	})
}

func TestRouting_WishesThatComeAndGoNeverMixTasksUp(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		rnd := rand.New(rand.NewPCG(1, 1))
		types, labels := []string{"", "a", "b", "c"}, []string{"x", "y", "z"}
		some := func(from []string) []string {
			var s []string
			for _, x := range from {
				if rnd.IntN(2) == 0 {
					s = append(s, x)
				}
			}
			rnd.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
			return s
		}
		type put struct {
			typ    string
			labels []string
		}
		puts := map[reeve.ID]put{}
		suits := func(w reeve.GetOptions, p put) bool {
			if w.Types != nil && !slices.Contains(w.Types, p.typ) {
				return false
			}
			for _, l := range p.labels {
				if !slices.Contains(w.Labels, l) {
					return false
				}
			}
			return true
		}
		type worker struct {
			*client
			want reeve.GetOptions
			done int
		}
		var there []*worker
		for range 1500 {
			switch n := rnd.IntN(10); {
			case n < 5:
				x := put{typ: types[rnd.IntN(len(types))]}
				if rnd.IntN(2) == 0 {
					x.labels = some(labels)
				}
				tag := p.add(q, reeve.Task{Type: x.typ, Rules: &reeve.Rules{Labels: x.labels}})
				puts[p.must(t, tag).first] = x
			case n < 6 && len(there) < 6:
				w := &worker{client: newClient(e), want: reeve.GetOptions{Labels: some(labels)}}
				if rnd.IntN(3) > 0 {
					w.want.Types = some(types)
				}
				q.Consume(w.Holder, 1, 1+rnd.IntN(3), w.want)
				there = append(there, w)
			case n < 7 && len(there) > 0:
				i := rnd.IntN(len(there))
				there[i].Release(true)
				there = slices.Delete(there, i, i+1)
			case len(there) > 0:
				w := there[rnd.IntN(len(there))]
				if w.done < len(w.seen()) {
					w.ok(t, w.ack(q, w.seen()[w.done]))
					w.done++
				}
			}
			for _, w := range there {
				for _, task := range w.seen() {
					if !suits(w.want, puts[task.ID]) {
						t.Fatalf("%+v got a task of %+v", w.want, puts[task.ID])
					}
				}
			}
		}
		if s := q.Stats(); s.Done < 100 {
			t.Fatalf("%+v", s)
		}
		for _, w := range there {
			w.Release(true)
		}
		all := newClient(e)
		for !func() bool { return len(all.takeOf(t, q, 100, reeve.GetOptions{Labels: labels})) == 0 }() {
			// What is left is there for one who can take everything.
		}
		if s := q.Stats(); s.Ready != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestRouting_NoWishStarvesBesideOthers(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p := declare(t, e, "q", reeve.QueueConfig{Rate: reeve.Rate{Tasks: 10}}), newClient(e)
		var ws []*client
		for _, want := range []reeve.GetOptions{{}, {Types: []string{"a"}}, {Types: []string{"a", "b"}}, {Types: []string{"a"}, Labels: []string{"x"}}} {
			w := newClient(e)
			w.Holder = e.NewHolder(w, true)
			q.Consume(w.Holder, 1, 1000, want)
			ws = append(ws, w)
		}
		for range 200 { // all four want them, and there is one in 100 ms
			p.mustAdd(t, q, reeve.Task{Type: "a"})
		}
		sleep(20 * time.Second)
		for i, w := range ws {
			if n := len(w.seen()); n < 40 || n > 60 {
				t.Errorf("taker %d got %d of 200 tasks", i, n)
			}
		}
	})
}

func TestRouting_NoTypeStarvesBesideAnother(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, w := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e)
		for range 100 {
			p.mustAdd(t, q, reeve.Task{Type: "a"})
		}
		rare := p.mustAdd(t, q, reeve.Task{Type: "b"})
		for i := 0; ; i++ {
			p.mustAdd(t, q, reeve.Task{Type: "a"})
			task := w.take(t, q, 1)[0]
			w.ok(t, w.ack(q, task))
			if task.ID == rare {
				break
			}
			if i > 100 {
				t.Fatal("a task of another type starves")
			}
		}
	})
}

func TestRouting_VeryManyTypesGiveTheirMemoryBack(t *testing.T) {
	unverified(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		other := newClient(e) // of another profile, which knows all lanes, too
		q.Consume(other.Holder, 1, 1, reeve.GetOptions{Labels: []string{"none"}, Types: []string{"none"}})
		n := 0
		wave := func(size int) {
			c.flood(t, q, size, func(int) reeve.Task {
				n++
				task := reeve.Task{Type: fmt.Sprint("type ", n)}
				if n%2 == 0 {
					task.Rules = &reeve.Rules{Labels: []string{"even"}}
				}
				return task
			})
			for done := 0; done < size; {
				ts := c.takeOf(t, q, reeve.MaxBatch, reeve.GetOptions{Labels: []string{"even"}})
				ops := make([]queue.AckOp, len(ts))
				for i := range ts {
					ops[i] = queue.AckOp{ID: ts[i].ID, Attempt: ts[i].Attempt}
				}
				if done += len(ts); len(ts) == 0 {
					t.Fatalf("%d of %d tasks", done, size)
				}
				q.Ack(c.Holder, ops, c.tag(len(ops)), c)
				c.forget()
			}
		}
		wave(10_000)
		before := heapBytes()
		for range 10 {
			wave(20_000)
		}
		if kept := heapBytes() - before; kept > 2<<20 {
			t.Fatalf("%d bytes are kept for types without tasks", kept)
		}
		q.Check()
	})
}

func TestTypes_TellsTheMostByTypeAndWhoTakesThem(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		for i, typ := range []string{"a", "b", "b", "b"} {
			c.mustAdd(t, q, reeve.Task{Type: typ, Delay: time.Duration(i%2) * time.Hour})
		}
		q.Consume(c.Holder, 1, 1, reeve.GetOptions{Types: []string{"b"}})
		want := []reeve.TypeStats{{Type: "b", Leased: 1, Delayed: 2, Takers: 1}, {Type: "a", Ready: 1}}
		if got := q.Types(); !slices.Equal(got, want) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

func TestRouting_NamesWithZerosAreNotTakenForSeveral(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.mustAdd(t, q, reeve.Task{Type: "a"})
		q.Get(c.Holder, &queue.GetOp{Max: 1, Tag: c.tag(1), Want: reeve.GetOptions{Types: []string{"x", "y"}}})
		both := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Labels: []string{"a", "b"}}})
		one := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Labels: []string{"a\x00b"}}})
		if got := c.takeOf(t, q, 5, reeve.GetOptions{Types: []string{""}, Labels: []string{"a", "b"}}); len(got) != 1 || got[0].ID != both {
			t.Fatalf("%+v, want %v only", got, both)
		}
		if got := c.takeOf(t, q, 5, reeve.GetOptions{Types: []string{""}, Labels: []string{"a\x00b"}}); len(got) != 1 || got[0].ID != one {
			t.Fatalf("%+v, want %v only", got, one)
		}
		x := c.mustAdd(t, q, reeve.Task{Type: "x\x00y"})
		c.mustAdd(t, q, reeve.Task{Type: "x"}) // goes to the waiting Get
		c.mustAdd(t, q, reeve.Task{Type: "x"})
		if got := c.takeOf(t, q, 5, reeve.GetOptions{Types: []string{"x\x00y"}}); len(got) != 1 || got[0].ID != x {
			t.Fatalf("%+v, want %v only", got, x)
		}
	})
}

func TestRouting_WhatALimitLetsThroughGoesToTheHighestPriorityWhoeverTakesIt(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]reeve.QueueConfig{
		"concurrency":      {Concurrency: 1},
		"rate":             {Rate: reeve.Rate{Tasks: 1000}},
		"type concurrency": {TypeConcurrency: map[string]int{"": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, e *queue.Engine) {
				q, p := declare(t, e, "q", cfg), newClient(e)
				if err := q.Pause(""); err != nil {
					t.Fatal(err)
				}
				a, b := newClient(e), newClient(e)
				q.Consume(a.Holder, 1, 100, reeve.GetOptions{Labels: []string{"a"}})
				q.Consume(b.Holder, 1, 100, reeve.GetOptions{Labels: []string{"b"}})
				for i := range 50 {
					p.mustAdd(t, q, reeve.Task{Priority: int32(i), Rules: &reeve.Rules{Labels: []string{"a"}}})
					p.mustAdd(t, q, reeve.Task{Priority: int32(100 + i), Rules: &reeve.Rules{Labels: []string{"b"}}})
				}
				q.Resume()
				for range 50 {
					if got := a.seen(); len(got) != 0 {
						t.Fatalf("a task of priority %d came with %d of higher priorities waiting", got[0].Priority, 50-len(b.seen()))
					}
					sleep(time.Millisecond)
					if got := b.seen(); len(got) > 0 && cfg.Rate.IsZero() {
						b.ack(q, got[len(got)-1])
					}
				}
			})
		})
	}
}
