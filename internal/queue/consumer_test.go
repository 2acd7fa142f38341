package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestConsumer_GetsNothingBeyondItsSlots(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, w := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e)
		c := q.Consume(w.Holder, 1, 2, reeve.GetOptions{})
		p.put(q, "a", "b", "c", "d", "e", "f")
		want := func(n int) {
			t.Helper()
			if len(w.tasks) != n {
				t.Fatalf("%d tasks handed over, want %d", len(w.tasks), n)
			}
		}
		want(2)
		w.ack(q, w.tasks[0]) // an ack frees a slot
		want(3)
		c.SetSlots(1) // two are used: nothing until one is free
		w.ack(q, w.tasks[1])
		want(3)
		w.ack(q, w.tasks[2])
		want(4)
		c.SetSlots(0)
		w.ack(q, w.tasks[3])
		want(4)
		c.SetSlots(3)
		want(6)
		if s := q.Stats(); s.Consumers != 1 || s.FreeSlots != 1 {
			t.Fatalf("%+v", s)
		}
		c.Close()
		w.ack(q, w.tasks[4]) // what was handed over stays
		p.put(q, "g")
		want(6)
		if s := q.Stats(); s.Consumers != 0 || s.FreeSlots != 0 || s.Leased != 1 || s.Ready != 1 {
			t.Fatalf("%+v", s)
		}
		c.SetSlots(5)
		c.Close()
		want(6)
	})
}

func TestConsumer_NothingIsKeptBehindARunningTask(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, slow, quick := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e), newClient(e)
		q.Consume(slow.Holder, 1, 1, reeve.GetOptions{})
		p.put(q, "long")
		q.Consume(quick.Holder, 1, 1, reeve.GetOptions{})
		for i := range 10 {
			p.put(q, fmt.Sprint(i))
		}
		for i := 0; i < len(quick.tasks); i++ {
			quick.ack(q, quick.tasks[i])
		}
		if len(slow.tasks) != 1 || len(quick.tasks) != 10 {
			t.Fatalf("%d tasks to the busy worker, %d to the other", len(slow.tasks), len(quick.tasks))
		}
	})
}

func TestConsumers_TakeTurns(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		var ws []*client
		for range 5 {
			w := newClient(e)
			q.Consume(w.Holder, 1, 100, reeve.GetOptions{})
			ws = append(ws, w)
		}
		for range 100 {
			p.put(q, "x")
		}
		p.put(q, make([]string, 150)...)
		for i, w := range ws {
			if len(w.tasks) != 50 {
				t.Errorf("worker %d got %d of 250 tasks", i, len(w.tasks))
			}
		}
	})
}

func TestGet_WaitsForATaskAndIsServedInTurn(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, a, b := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e), newClient(e)
		q.Get(a.Holder, &queue.GetOp{Max: 2, Tag: 1})
		q.Get(b.Holder, &queue.GetOp{Max: 2, Tag: 1})
		if s := q.Stats(); s.Consumers != 2 || s.FreeSlots != 4 {
			t.Fatalf("%+v", s)
		}
		p.put(q, "1", "2", "3")
		if len(a.gots) != 1 || payloads(a.gots[0].ts) != "1 2 " || len(b.gots) != 1 || payloads(b.gots[0].ts) != "3 " {
			t.Fatalf("%+v, %+v", a.gots, b.gots)
		}
		for _, max := range []int{-1, 0, reeve.MaxBatch + 1} {
			a.gots = nil
			q.Get(a.Holder, &queue.GetOp{Max: max, Tag: 2})
			if len(a.gots) != 1 || !errors.Is(a.gots[0].err, reeve.ErrInvalid) {
				t.Errorf("a Get of %d: %+v", max, a.gots)
			}
		}
	})
}

func TestGet_OfADeadClientTakesNothing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, w, alive := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e), newClient(e)
		q.Get(w.Holder, &queue.GetOp{Max: 10, Tag: 1})
		w.Release(false)
		p.put(q, make([]string, 100)...)
		if got := alive.take(t, q, 100); len(got) != 100 || len(w.gots) != 0 {
			t.Fatalf("%d tasks left for the other, %d answers to the dead", len(got), len(w.gots))
		}
	})
}

func TestCancel_OfAGetGivesUpItsPlaceOnly(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, w := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e)
		q.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 1})
		q.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 2})
		w.Cancel(1, context.Canceled)
		w.Cancel(1, context.Canceled)
		p.put(q, "x", "y")
		w.Cancel(2, context.Canceled) // too late: it was served
		if len(w.gots) != 2 || !errors.Is(w.gots[0].err, context.Canceled) || len(w.gots[1].ts) != 1 {
			t.Fatalf("%+v", w.gots)
		}
		if s := q.Stats(); s.Ready != 1 || s.Leased != 1 || s.Consumers != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestComplete_IntoAFullQueueWaitsAndTheLeaseStands(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{Timeout: time.Second})
		out := declare(t, e, "out", reeve.QueueConfig{MaxLen: 1})
		w, r := newClient(e), newClient(e)
		q.Consume(w.Holder, 1, 1, reeve.GetOptions{})
		w.put(out, "first")
		w.put(q, "a", "b")
		tag := w.complete(q, out, w.tasks[0], "result")
		for range 10 { // far longer than the run time of an attempt
			sleep(time.Second)
			w.Touch()
		}
		w.waits(t, tag)
		if s := q.Stats(); s.Leased != 1 || s.TimedOut != 0 || len(w.tasks) != 1 || out.Stats().WaitingPuts != 1 {
			t.Fatalf("%+v", s)
		}
		r.take(t, out, 1)
		w.ok(t, tag)
		if len(w.tasks) != 2 { // its slot is free again
			t.Fatal("no task for the slot that the completion freed")
		}
		if got := r.take(t, out, 1); len(got) != 1 || string(got[0].Payload) != "result" || got[0].Source != w.tasks[0].ID {
			t.Fatalf("%+v", got)
		}
	})
}

func TestComplete_ThatIsRefusedLeavesTheLeaseItsRunTime(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(e *queue.Engine, out *queue.Queue, w *client, tag uint64) error{
		"Cancel": func(_ *queue.Engine, _ *queue.Queue, w *client, tag uint64) error {
			w.Cancel(tag, context.Canceled)
			return context.Canceled
		},
		"Shutdown": func(_ *queue.Engine, out *queue.Queue, _ *client, _ uint64) error {
			out.Shutdown(false)
			return reeve.ErrShutdown
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q := declare(t, e, "q", reeve.QueueConfig{Timeout: time.Second})
				out := declare(t, e, "out", reeve.QueueConfig{MaxLen: 1})
				w := newClient(e)
				w.put(out, "first")
				w.put(q, "a")
				task := w.take(t, q, 1)[0]
				tag := w.complete(q, out, task, "result")
				sleep(5 * time.Second)
				w.waits(t, tag)
				w.fails(t, end(e, out, w, tag), tag)
				if s := q.Stats(); s.Leased != 1 {
					t.Fatalf("%+v", s)
				}
				sleep(2 * time.Second)
				if len(w.lost) != 1 || !errors.Is(w.causes[0], reeve.ErrTimeout) {
					t.Fatalf("the attempt never ran out of time: %v", w.causes)
				}
			})
		})
	}
}

func TestStop_LetsResultsInWhateverTheBounds(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		out := declare(t, e, "out", reeve.QueueConfig{MaxLen: 1})
		q := declare(t, e, "q", reeve.QueueConfig{MaxLen: 3})
		w := newClient(e)
		w.put(out, "first")
		w.put(q, "a", "b", "c")
		tasks := w.take(t, q, 2)
		w.put(q, "d", "e")
		waits := w.put(q, "f")
		before := w.complete(q, out, tasks[0], "result")
		w.waits(t, waits, before)
		e.Stop()
		w.ok(t, before, w.complete(q, out, tasks[1], "result"))
		w.fails(t, reeve.ErrClosed, waits)
		if s := out.Stats(); s.Ready != 3 || e.Leased() != 0 {
			t.Fatalf("%+v, %d leased", s, e.Leased())
		}
	})
}

func TestComplete_WithABadResultLeavesTheLease(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		small := declare(t, e, "small", reeve.QueueConfig{MaxBytes: 300})
		refusing := declare(t, e, "refusing", reeve.QueueConfig{MaxLen: 1, Refuse: true})
		w := newClient(e)
		w.put(refusing, "first")
		w.put(q, "a")
		task := w.take(t, q, 1)[0]
		w.fails(t, reeve.ErrTooLarge, w.complete(q, small, task, string(make([]byte, 100))))
		w.fails(t, reeve.ErrTooLarge, w.complete(q, q, task, string(make([]byte, 1<<20+1))))
		w.fails(t, reeve.ErrQueueFull, w.complete(q, refusing, task, "r"))
		small.Shutdown(false)
		w.fails(t, reeve.ErrShutdown, w.complete(q, small, task, "r"))
		w.ok(t, w.complete(q, q, task, "r"))
		if s := q.Stats(); s.Done != 1 || s.Put != 2 || s.Ready != 1 || refusing.Stats().Refused != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestComplete_IntoItsOwnFullQueueFitsInItsOwnPlace(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, w := declare(t, e, "q", reeve.QueueConfig{MaxBytes: 2 * 257}), newClient(e)
		w.put(q, "a", "b")
		ts := w.take(t, q, 2)
		w.ok(t, w.complete(q, q, ts[0], "c"))
		waits := w.complete(q, q, ts[1], "too long")
		w.waits(t, waits)
		w.ack(q, w.take(t, q, 1)[0])
		w.ok(t, waits)

		one := declare(t, e, "one", reeve.QueueConfig{MaxLen: 1})
		w.put(one, "a")
		task := w.take(t, one, 1)[0]
		w.Release(false) // it stands among the ready ones again, for w to settle
		w = newClient(e)
		w.ok(t, w.complete(one, one, task, "b"))
	})
}

func TestComplete_AcrossQueuesThatFeedEachOtherUnblocksBoth(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a := declare(t, e, "a", reeve.QueueConfig{MaxBytes: 300})
		b := declare(t, e, "b", reeve.QueueConfig{MaxBytes: 300})
		w := newClient(e)
		w.put(a, "1")
		w.put(b, "2")
		ta, tb := w.take(t, a, 1)[0], w.take(t, b, 1)[0]
		first := w.complete(a, b, ta, "r1") // b is full: of tb
		w.waits(t, first)
		put := w.put(a, "3")
		w.waits(t, put)
		w.ack(b, tb) // lets the result in, which frees a, which lets the put in
		w.ok(t, first, put)
	})
}
