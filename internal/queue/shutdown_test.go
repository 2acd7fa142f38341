package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// join starts a Join and returns its tag.
func (c *client) join(q *queue.Queue) uint64 {
	tag := c.tag(1)
	q.Join(c.Holder, &queue.JoinOp{Tag: tag, By: c})
	return tag
}

func TestJoin_AnswersWhenEverythingIsSettled(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 1}), newClient(e)
		c.ok(t, c.join(q)) // nothing there
		c.put(q, "ack", "dead", "result")
		q.Put(c.Holder, &queue.PutOp{Tasks: []reeve.Task{{Delay: time.Minute}}, Tag: c.tag(1), By: c})
		join := c.join(q)
		ts := c.take(t, q, 3)
		c.ack(q, ts[0])
		c.nack(q, ts[1], queue.NackOp{})
		out := declare(t, e, "out", reeve.QueueConfig{})
		c.complete(q, out, ts[2], "r")
		c.waits(t, join)
		sleep(time.Minute)
		c.waits(t, join)
		c.ack(q, c.take(t, q, 1)[0])
		c.ok(t, join)
	})
}

func TestJoin_EndsWithCancelStopAndImmediateShutdown(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, other, c := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "other", reeve.QueueConfig{}), newClient(e)
		c.put(q, "a")
		c.put(other, "a")
		cancelled, dropped, stopped, released := c.join(q), c.join(q), c.join(other), newClient(e)
		gone := released.join(q)
		c.Cancel(cancelled, errCancelled)
		c.fails(t, errCancelled, cancelled)
		released.Release(false)
		c.waits(t, dropped, stopped)
		q.Shutdown(true)
		c.ok(t, dropped)
		e.Stop()
		c.fails(t, reeve.ErrClosed, stopped)
		c.fails(t, reeve.ErrClosed, c.join(other))
		released.waits(t, gone)
	})
}

func TestShutdown_DrainHandsOutWhatIsThereThenEnds(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, w := declare(t, e, "q", reeve.QueueConfig{MaxLen: 2}), newClient(e), newClient(e)
		p.put(q, "a", "b")
		waiting := p.put(q, "c")
		q.Shutdown(false)
		p.fails(t, reeve.ErrShutdown, waiting, p.put(q, "d"))
		working, paused := uint64(1), uint64(2)
		q.Consume(w.Holder, working, 1, reeve.GetOptions{})
		q.Consume(w.Holder, paused, 0, reeve.GetOptions{})
		q.Get(p.Holder, &queue.GetOp{Max: 1, Tag: 7}) // takes b
		q.Get(p.Holder, &queue.GetOp{Max: 1, Tag: 8}) // waits: b may come back
		if len(w.tasks) != 1 || len(p.gots) != 1 || len(w.ended) != 0 {
			t.Fatalf("%d tasks, %+v, ended %v", len(w.tasks), p.gots, w.ended)
		}
		p.nack(q, p.gots[0].ts[0], queue.NackOp{Delay: time.Second})
		sleep(2 * time.Second)
		if len(p.gots) != 2 {
			t.Fatal("a task that was given back did not come again")
		}
		q.Get(p.Holder, &queue.GetOp{Max: 1, Tag: 9})
		w.ack(q, w.tasks[0])
		p.ack(q, p.gots[1].ts[0]) // the last
		if !errors.Is(w.ended[working], reeve.ErrShutdown) || !errors.Is(w.ended[paused], reeve.ErrShutdown) ||
			len(p.gots) != 3 || !errors.Is(p.gots[2].err, reeve.ErrShutdown) {
			t.Fatalf("ended %v, %+v", w.ended, p.gots)
		}
		late := newClient(e)
		q.Consume(late.Holder, 1, 0, reeve.GetOptions{})
		q.Get(late.Holder, &queue.GetOp{Max: 1, Tag: 1})
		if !errors.Is(late.ended[1], reeve.ErrShutdown) || len(late.gots) != 1 || !errors.Is(late.gots[0].err, reeve.ErrShutdown) {
			t.Fatalf("ended %v, %+v", late.ended, late.gots)
		}
		if s := q.Stats(); !s.Shutdown || s.Done != 2 || s.Dropped != 0 || s.Consumers != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestShutdown_ImmediateDropsWhatIsNotLeased(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, w, p := declare(t, e, "q", reeve.QueueConfig{Timeout: time.Minute}), newClient(e), newClient(e)
		q.Consume(w.Holder, 1, 4, reeve.GetOptions{})
		p.put(q, "ack", "nack", "lost", "timeout", "drop", "drop")
		q.Put(p.Holder, &queue.PutOp{Tasks: []reeve.Task{{Delay: time.Hour}}, Tag: p.tag(1), By: p})
		q.Shutdown(true)
		if s := q.Stats(); s.Leased != 4 || s.Ready+s.Delayed != 0 || s.Dropped != 3 {
			t.Fatalf("%+v", s)
		}
		if !errors.Is(w.ended[1], reeve.ErrShutdown) {
			t.Fatal("the consumer was not told")
		}
		q.Get(p.Holder, &queue.GetOp{Max: 1, Tag: 1})
		if len(p.gots) != 1 || !errors.Is(p.gots[0].err, reeve.ErrShutdown) {
			t.Fatalf("%+v", p.gots)
		}
		w.ok(t, w.ack(q, w.tasks[0]), w.nack(q, w.tasks[1], queue.NackOp{Error: "x"})) // leases stand
		w.Release(false)
		if s := q.Stats(); s.Done != 1 || s.Dropped != 6 || s.Unsettled() != 0 || s.Bytes != 0 || s.Dead != 0 {
			t.Fatalf("%+v", s)
		}
		q.Shutdown(false)
		q.Shutdown(true)
	})
}

func TestStop_EndsHandOversAndWaitsButNotLeases(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, w, p := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), newClient(e), newClient(e)
		c := q.Consume(w.Holder, 1, 1, reeve.GetOptions{})
		idle := declare(t, e, "idle", reeve.QueueConfig{})
		idle.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 5})
		p.put(q, "a")
		p.put(q, "b")
		waiting := p.put(q, "c")
		if e.Leased() != 1 {
			t.Fatalf("%d leased", e.Leased())
		}
		e.Stop()
		p.fails(t, reeve.ErrClosed, waiting, p.put(q, "d"))
		if !errors.Is(w.ended[1], reeve.ErrClosed) || len(w.gots) != 1 || !errors.Is(w.gots[0].err, reeve.ErrClosed) {
			t.Fatalf("ended %v, %+v", w.ended, w.gots)
		}
		w.ok(t, w.ack(q, w.tasks[0]))
		c.SetSlots(3)
		if q.Consume(w.Holder, 2, 1, reeve.GetOptions{}) != nil {
			t.Fatal("a consumer of a stopped engine")
		}
		q.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 6})
		if len(w.tasks) != 1 || len(w.gots) != 2 || !errors.Is(w.gots[1].err, reeve.ErrClosed) || e.Leased() != 0 {
			t.Fatalf("%d tasks, %+v", len(w.tasks), w.gots)
		}
		if _, err := e.Declare("new", reeve.QueueConfig{}); !errors.Is(err, reeve.ErrClosed) {
			t.Fatalf("Declare: %v", err)
		}
	})
}

// TestShutdown_UntilEmptyAGetDoesNotWaitForLeases has each way in which the last
// task that waits can go.
func TestShutdown_UntilEmptyAGetDoesNotWaitForLeases(t *testing.T) {
	t.Parallel()
	want := reeve.GetOptions{Types: []string{"none"}, UntilEmpty: true}
	for name, last := range map[string]func(t *testing.T, q *queue.Queue, c *client){
		"a get takes it":      func(t *testing.T, q *queue.Queue, c *client) { c.take(t, q, 1) },
		"a consumer takes it": func(_ *testing.T, q *queue.Queue, c *client) { q.Consume(c.Holder, 9, 1, reeve.GetOptions{}) },
		"it is purged": func(_ *testing.T, q *queue.Queue, _ *client) {
			q.Purge(&reeve.Filter{States: []reeve.State{reeve.StateReady}})
		},
	} {
		run(t, func(t *testing.T, e *queue.Engine) {
			q, c, w := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e)
			c.put(q, "a", "b")
			held := c.take(t, q, 1)[0]
			q.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 1, Want: want})
			q.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 2, Want: reeve.GetOptions{Types: want.Types}}) // waits for leases, too
			q.Shutdown(false)
			if len(w.gots) != 0 {
				t.Fatalf("%s: %+v", name, w.gots)
			}
			last(t, q, c)
			if len(w.gots) != 1 || w.gots[0].tag != 1 || !errors.Is(w.gots[0].err, reeve.ErrShutdown) {
				t.Fatalf("%s: %+v", name, w.gots)
			}
			q.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 3, NoWait: true, Want: want})
			if g := w.gotOf(t, 3); !errors.Is(g.err, reeve.ErrShutdown) {
				t.Errorf("%s: a later one: %+v", name, g)
			}
			c.ok(t, c.nack(q, held, queue.NackOp{Returned: true})) // there is something to get again
			if ts := c.takeOf(t, q, 1, reeve.GetOptions{UntilEmpty: true}); len(ts) != 1 {
				t.Errorf("%s: what came back was not got", name)
			}
		})
	}
}
