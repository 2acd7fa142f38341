package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// putEach puts the payloads as requests of their own and returns the first's tag.
func (c *client) putEach(q *queue.Queue, noWait bool, payloads ...string) uint64 {
	tasks := make([]reeve.Task, len(payloads))
	for i, p := range payloads {
		tasks[i].Payload = []byte(p)
	}
	tag := c.tag(len(tasks))
	q.Put(c.Holder, &queue.PutOp{Tasks: tasks, Each: true, NoWait: noWait, Tag: tag, By: c})
	return tag
}

func (c *client) waits(t testing.TB, tags ...uint64) {
	t.Helper()
	for _, tag := range tags {
		if r, ok := c.answer(tag); ok {
			t.Fatalf("request %d was answered with %v, it should wait", tag, r.err)
		}
	}
}

func (c *client) ok(t testing.TB, tags ...uint64) {
	t.Helper()
	for _, tag := range tags {
		if r := c.must(t, tag); r.err != nil {
			t.Fatalf("request %d: %v", tag, r.err)
		}
	}
}

func (c *client) fails(t testing.TB, want error, tags ...uint64) {
	t.Helper()
	for _, tag := range tags {
		if r := c.must(t, tag); !errors.Is(r.err, want) {
			t.Fatalf("request %d: %v, want %v", tag, r.err, want)
		}
	}
}

func TestPut_IntoAFullQueueWaitsFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxLen: 2}), newClient(e)
		c.ok(t, c.put(q, "a", "b"))
		one, two, three := c.put(q, "c"), c.put(q, "d", "e"), c.put(q, "f")
		c.waits(t, one, two, three)
		if s := q.Stats(); s.WaitingPuts != 3 {
			t.Fatalf("%+v", s)
		}
		c.take(t, q, 1) // a hand-over makes room, without any ack
		c.ok(t, one)
		c.waits(t, two, three) // two tasks do not fit; the one behind them does not overtake
		c.take(t, q, 2)
		c.ok(t, two)
		c.waits(t, three)
		c.take(t, q, 1)
		c.ok(t, three)
	})
}

func TestPut_ThatWaitsIsLetInByWhateverMakesRoom(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(t *testing.T, c *client, q *queue.Queue){
		"a Get":     func(t *testing.T, c *client, q *queue.Queue) { c.take(t, q, 1) },
		"a Consume": func(_ *testing.T, c *client, q *queue.Queue) { q.Consume(c.Holder, 1, 1, reeve.GetOptions{}) },
		"more slots": func(_ *testing.T, c *client, q *queue.Queue) {
			q.Consume(c.Holder, 1, 0, reeve.GetOptions{}).SetSlots(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, p, c := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), newClient(e), newClient(e)
				p.put(q, "a")
				tag := p.put(q, "b")
				p.waits(t, tag)
				act(t, c, q)
				p.ok(t, tag)
			})
		})
	}
}

func TestPut_ThatWaitsIsLetInByAnExtendThatTakesATaskBack(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, w := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), newClient(e), newClient(e)
		p.put(q, "a")
		task := w.take(t, q, 1)[0]
		w.Release(false)
		tag := p.put(q, "b")
		p.waits(t, tag)
		w2 := newClient(e)
		if kept := q.Claim(w2.Holder, nil, []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}}); !kept[0] {
			t.Fatal("not kept")
		}
		p.ok(t, tag)
	})
}

func TestPut_OfEachGoesOnIntoTheRoomItsHandOversMake(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c, w := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), newClient(e), newClient(e)
		q.Consume(w.Holder, 1, 3, reeve.GetOptions{})
		tag := c.putEach(q, false, "a", "b", "c", "d", "e", "f")
		c.ok(t, tag, tag+1, tag+2, tag+3)
		c.waits(t, tag+4, tag+5)
		if len(w.tasks) != 3 {
			t.Fatalf("%d tasks handed over, want 3", len(w.tasks))
		}
	})
}

func TestPut_OfEachIsCancelledOneByOne(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), newClient(e)
		tag := c.putEach(q, false, "a", "b", "c")
		c.ok(t, tag)
		c.Cancel(tag+1, context.Canceled)
		c.fails(t, context.Canceled, tag+1)
		c.waits(t, tag+2)
		c.take(t, q, 1)
		c.ok(t, tag+2)
	})
}

func TestPut_OfEachFailsForTheBadOnesOnly(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxLen: 3}), newClient(e)
		big := strings.Repeat("x", 1<<20+1)
		tag := c.putEach(q, false, "a", big, "b", "c", "d")
		c.ok(t, tag, tag+2, tag+3)
		c.fails(t, reeve.ErrTooLarge, tag+1)
		c.waits(t, tag+4)
		tag = c.putEach(q, true, "e", big)
		c.fails(t, reeve.ErrQueueFull, tag)
		c.fails(t, reeve.ErrTooLarge, tag+1)
		if s := q.Stats(); s.Ready != 3 || s.Refused != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestPut_CountOutOfRangeIsInvalidAndPutsNothing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.fails(t, reeve.ErrInvalid, c.put(q))
		many := make([]string, reeve.MaxBatch+1)
		c.fails(t, reeve.ErrInvalid, c.put(q, many...))
		c.fails(t, reeve.ErrInvalid, c.putEach(q, false, many...))
		c.ok(t, c.put(q, many[1:]...))
		if s := q.Stats(); s.Put != reeve.MaxBatch {
			t.Fatalf("%+v", s)
		}
	})
}

func TestPut_BadTaskIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxLen: 2, MaxBytes: 1000}), newClient(e)
		for name, x := range map[string]struct {
			tasks []reeve.Task
			want  error
		}{
			"negative delay":     {[]reeve.Task{{Delay: -1}}, reeve.ErrInvalid},
			"delay too long":     {[]reeve.Task{{Delay: 101 * 365 * 24 * time.Hour}}, reeve.ErrInvalid},
			"negative timeout":   {[]reeve.Task{{Timeout: -1}}, reeve.ErrInvalid},
			"timeout too long":   {[]reeve.Task{{Timeout: 101 * 365 * 24 * time.Hour}}, reeve.ErrInvalid},
			"type too long":      {[]reeve.Task{{Type: strings.Repeat("t", 256)}}, reeve.ErrTooLarge},
			"payload too large":  {[]reeve.Task{{Payload: make([]byte, 1<<20+1)}}, reeve.ErrTooLarge},
			"larger than queue":  {[]reeve.Task{{Payload: make([]byte, 1000)}}, reeve.ErrTooLarge},
			"more than max-len":  {make([]reeve.Task, 3), reeve.ErrTooLarge},
			"one of them is bad": {[]reeve.Task{{}, {Delay: -1}}, reeve.ErrInvalid},
		} {
			tag := c.tag(1)
			q.Put(c.Holder, &queue.PutOp{Tasks: x.tasks, Tag: tag, By: c})
			if r := c.must(t, tag); !errors.Is(r.err, x.want) {
				t.Errorf("%s: %v, want %v", name, r.err, x.want)
			}
		}
		if s := q.Stats(); s.Put != 0 || s.Refused != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestPut_IntoAFullQueueIsRefusedWhenItMayNotWait(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		bounds := map[string]reeve.QueueConfig{"length": {MaxLen: 1}, "bytes": {MaxBytes: 300}}
		for bound, cfg := range bounds {
			for _, refuse := range []bool{false, true} {
				cfg.Refuse = refuse
				q, c := declare(t, e, fmt.Sprint(bound, refuse), cfg), newClient(e)
				c.put(q, "a")
				tag := c.tag(1)
				q.Put(c.Holder, &queue.PutOp{Tasks: make([]reeve.Task, 1), NoWait: !refuse, Tag: tag, By: c})
				c.fails(t, reeve.ErrQueueFull, tag)
				if s := q.Stats(); s.Refused != 1 || s.WaitingPuts != 0 || s.Ready != 1 {
					t.Errorf("%s: %+v", bound, s)
				}
			}
		}
	})
}

func TestPut_ARefusalNamesTheBoundThatLeavesNoRoom(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		for _, each := range []bool{false, true} {
			q, c := declare(t, e, fmt.Sprint("q", each), reeve.QueueConfig{MaxLen: 2, Refuse: true}), newClient(e)
			c.put(q, "a")
			n := 1
			if each {
				n = 2
			}
			tag := c.tag(n)
			q.Put(c.Holder, &queue.PutOp{Tasks: make([]reeve.Task, 2), Each: each, Tag: tag, By: c})
			last, _ := c.answer(tag + uint64(n) - 1)
			if limit, ok := errors.AsType[*reeve.LimitError](last.err); !ok || limit.Set != "max-len" {
				t.Errorf("each %v: %+v", each, limit)
			}
		}
	})
}

func TestPut_BytesAreHeldUntilTheTaskIsSettled(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxBytes: 600}), newClient(e)
		c.ok(t, c.put(q, "a", "b"))
		tag := c.put(q, "c")
		ts := c.take(t, q, 2)
		c.waits(t, tag) // leased tasks count, too
		c.ack(q, ts[1])
		c.ok(t, tag)
	})
}

func TestCancel_OfAWaitingPutLetsASmallerOneIn(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, a, b := declare(t, e, "q", reeve.QueueConfig{MaxLen: 2}), newClient(e), newClient(e)
		a.put(q, "a")
		two, one := a.put(q, "b", "c"), b.put(q, "d")
		b.waits(t, one)
		a.Cancel(two, context.Canceled)
		a.fails(t, context.Canceled, two)
		b.ok(t, one)
		a.Cancel(two, context.Canceled) // answered: nothing happens
	})
}

func TestRelease_OfAWaitingPutLetsASmallerOneIn(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*client){
		"Release": func(c *client) { c.Release(false) },
		"Leave":   func(c *client) { c.Leave() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, a, b := declare(t, e, "q", reeve.QueueConfig{MaxLen: 2}), newClient(e), newClient(e)
				b.put(q, "a")
				two, one := a.put(q, "b", "c"), b.put(q, "d")
				leave(a)
				b.ok(t, one)
				a.waits(t, two) // nobody is there to be answered
			})
		})
	}
}

func TestRelease_ThenNothingIsCarriedOutOrAnswered(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, out, c := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "out", reeve.QueueConfig{}), newClient(e)
		c.put(q, "a")
		task := c.take(t, q, 1)[0]
		c.Release(false)
		tags := []uint64{c.put(q, "b"), c.putEach(q, false, "c"), c.ack(q, task), c.nack(q, task, queue.NackOp{}), c.complete(q, out, task, "r")}
		tag := c.tag(1)
		q.Extend(c.Holder, task.ID, task.Attempt, time.Second, tag, c)
		q.Join(c.Holder, &queue.JoinOp{Tag: c.tag(1), By: c})
		c.waits(t, append(tags, tag, tag+1)...)
		if kept := q.Claim(c.Holder, nil, []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}}); kept[0] {
			t.Fatal("a released holder claimed a task")
		}
		if q.Consume(c.Holder, 1, 1, reeve.GetOptions{}) != nil {
			t.Fatal("a released holder consumes")
		}
		if s := q.Stats(); s.Ready != 1 || s.Put != 1 || out.Stats().Put != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestParked_IsBoundedPerHolder(t *testing.T) {
	t.Parallel()
	e := queue.New(queue.Config{MaxParked: 1000})
	defer e.Close()
	q, a, b := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), newClient(e), newClient(e)
	a.put(q, "a")
	p := strings.Repeat("x", 400)
	first, second := a.put(q, p), a.put(q, p)
	a.waits(t, first)
	a.fails(t, reeve.ErrLimit, second)
	other := b.put(q, strings.Repeat("x", 2000)) // a single one may be larger
	b.waits(t, other)
	a.Cancel(first, context.Canceled)
	a.waits(t, a.put(q, p)) // what ended counts no more
}
