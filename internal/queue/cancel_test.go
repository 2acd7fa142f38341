package queue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestCancel_EndsEachKindOfWaitAndNoOther(t *testing.T) {
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1})
		empty := declare(t, e, "empty", reeve.QueueConfig{})
		c, other := newClient(e), newClient(e)
		c.put(q, "fills it")
		for h, base := range map[*client]uint64{c: 100, other: 200} {
			q.Put(h.Holder, &queue.PutOp{Tasks: []reeve.Task{{}}, Tag: base, By: h})
			for i := range uint64(3) { // three, so that one leaves from the middle
				q.Join(h.Holder, &queue.JoinOp{Tag: base + 1 + i, By: h})
				empty.Get(h.Holder, &queue.GetOp{Max: 1, Tag: base + 4 + i})
			}
		}
		for _, tag := range []uint64{100, 102, 105, 205, 999} { // the last two are not c's
			c.Cancel(tag, errCancelled)
			c.Cancel(tag, errCancelled) // has ended
		}
		for _, tag := range []uint64{100, 102} {
			if r := c.must(t, tag); r.err != errCancelled {
				t.Errorf("request %d: %v", tag, r.err)
			}
		}
		if len(c.gots) != 1 || c.gots[0].tag != 105 || c.gots[0].err != errCancelled {
			t.Errorf("the Gets were answered with %v", c.gots)
		}
		if len(other.gots)+len(other.replies) != 0 {
			t.Errorf("another holder's requests were answered: %v %v", other.gots, other.replies)
		}
		// The others go on.
		c.ack(q, c.take(t, q, 1)[0])         // lets in the other holder's Put
		other.ack(q, other.take(t, q, 1)[0]) // and ends the Joins
		for _, tag := range []uint64{101, 103} {
			if r := c.must(t, tag); r.err != nil {
				t.Errorf("Join %d: %v", tag, r.err)
			}
		}
		for _, tag := range []uint64{200, 201, 202, 203} {
			if r := other.must(t, tag); r.err != nil {
				t.Errorf("request %d of the other: %v", tag, r.err)
			}
		}
	})
}

// BenchmarkCancel: who floods the master with Cancels must not hold up its
// queues, however many requests wait there.
func BenchmarkCancel(b *testing.B) {
	for _, waiting := range []int{10, 20_000} {
		b.Run(fmt.Sprintf("waiting=%d", 2*waiting), func(b *testing.B) {
			e, _, _ := benchEngine(b)
			q, c := declare(b, e, "cancelled", reeve.QueueConfig{}), newClient(e)
			for i := range waiting {
				q.Get(c.Holder, &queue.GetOp{Max: 1, Tag: uint64(i)})
				q.Join(c.Holder, &queue.JoinOp{Tag: uint64(waiting + i), By: c})
			}
			for b.Loop() {
				c.Cancel(1<<40, errCancelled)
			}
		})
	}
}

// relay is a holder that uses the engine whenever it is woken, as one in the
// master's own process may.
type relay struct {
	*client
	woken func()
}

func (r *relay) Wake() { r.woken() }

func TestWake_ComesWithNothingLocked(t *testing.T) {
	run(t, func(t *testing.T, e *queue.Engine) {
		a := declare(t, e, "a", reeve.QueueConfig{})
		b := declare(t, e, "b", reeve.QueueConfig{MaxLen: 1})
		wakes := 0
		r := &relay{client: newClient(e)}
		r.woken = func() {
			wakes++
			a.Stats() // blocks for ever when its own goroutine holds the mutex
			b.Stats()
		}
		r.client.Holder = e.NewHolder(r, false)
		r.put(a, "1", "2", "3")
		r.put(b, "x")
		ts := r.take(t, a, 3)
		back := r.take(t, b, 1)[0]
		r.put(b, "fills it")
		for _, task := range ts { // all wait, in both directions
			r.complete(a, b, task, "r")
		}
		r.complete(b, a, back, "r")
		for range 4 { // each lets one in
			r.ack(b, r.take(t, b, 1)[0])
		}
		for _, task := range r.take(t, a, 1) {
			r.complete(a, b, task, "r") // at once
		}
		if wakes == 0 {
			t.Error("never woken")
		}
	})
}

func TestCancel_IsRememberedOnlyWhereResultsLeaveRoom(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxResultBytes: 10 * reeve.TaskOverhead}), newClient(e)
		kept := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{KeepResult: time.Minute}})
		c.ok(t, c.ack(q, c.take(t, q, 1)[0]))
		c.flood(t, q, 100, func(int) reeve.Task { return reeve.Task{} })
		if n, err := q.CancelAll(nil, ""); n != 100 || err != nil {
			t.Fatal(n, err)
		}
		if r, err := e.Result(kept); err != nil || r.State != reeve.StateDone {
			t.Fatalf("%+v, %v: it was to be kept", r, err)
		}
		if s := q.Stats(); s.Results != 10 || s.ResultsEarly != 0 {
			t.Fatalf("%+v", s)
		}
	})
}
