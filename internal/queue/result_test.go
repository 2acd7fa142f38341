package queue_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestWait_IsWokenByEveryEnd(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		end  func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client, id reeve.ID)
		want reeve.Result
	}{
		"done": {func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.ack(q, c.take(t, q, 1)[0]))
		}, reeve.Result{State: reeve.StateDone, Attempts: 1}},
		"done with a result": {func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.finish(q, c.take(t, q, 1)[0], "r"))
		}, reeve.Result{State: reeve.StateDone, Attempts: 1, Payload: []byte("r")}},
		"done with a result in a queue": {func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.complete(q, declare(t, e, "out", reeve.QueueConfig{}), c.take(t, q, 1)[0], "r"))
		}, reeve.Result{State: reeve.StateDone, Attempts: 1, Payload: []byte("r")}},
		"skip": {func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Skip: true}))
		}, reeve.Result{State: reeve.StateDone, Attempts: 1}},
		"dead": {func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Bury: true, Error: "why\nat all"}))
		}, reeve.Result{State: reeve.StateDead, Attempts: 1, Reason: "why", Error: "why\nat all"}},
		"cancelled": {func(t *testing.T, e *queue.Engine, _ *queue.Queue, _ *client, id reeve.ID) {
			if err := e.Cancel(id, "not needed"); err != nil {
				t.Fatal(err)
			}
		}, reeve.Result{State: reeve.StateCancelled, Reason: "not needed"}},
		"cancelled while it runs": {func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client, id reeve.ID) {
			c.take(t, q, 1)
			if err := e.Cancel(id, "not needed"); err != nil {
				t.Fatal(err)
			}
		}, reeve.Result{State: reeve.StateCancelled, Attempts: 1, Reason: "not needed"}},
		"expired": {func(_ *testing.T, _ *queue.Engine, _ *queue.Queue, _ *client, _ reeve.ID) { sleep(time.Hour) },
			reeve.Result{State: reeve.StateExpired, Reason: "no attempt had begun in time"}},
		"discarded": {func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Discard: true, Error: "too old"}))
		}, reeve.Result{State: reeve.StateDiscarded, Attempts: 1, Reason: "too old"}},
		"purged": {func(_ *testing.T, _ *queue.Engine, q *queue.Queue, _ *client, _ reeve.ID) { q.Shutdown(true) },
			reeve.Result{State: reeve.StatePurged, Reason: "the queue was shut down"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, c, w := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e)
				w.Holder = e.NewHolder(w, true)
				id := c.mustAdd(t, q, reeve.Task{Type: "sum", Rules: &reeve.Rules{Expiry: time.Hour, KeepResult: time.Minute}})
				tags := []uint64{w.await(id), c.await(id), w.await(id)}
				if _, err := e.Result(id); !errors.Is(err, reeve.ErrNotDone) {
					t.Fatal(err)
				}
				x.end(t, e, q, c, id)
				check := func(r reeve.Result, err error) {
					t.Helper()
					if err != nil || r.EndedAt.IsZero() || r.ID != id || r.Queue != "q" || r.Type != "sum" || r.State != x.want.State ||
						r.Attempts != x.want.Attempts || string(r.Payload) != string(x.want.Payload) || r.Reason != x.want.Reason || r.Error != x.want.Error {
						t.Fatalf("%+v, %v; want %+v", r, err, x.want)
					}
				}
				for i, tag := range tags {
					from := w
					if i == 1 {
						from = c
					}
					end, ok := from.endOf(tag)
					if !ok {
						t.Fatal("nobody was told")
					}
					check(end.r, end.err)
				}
				check(e.Result(id))
				late, _ := w.endOf(w.await(id)) // at once
				check(late.r, late.err)
				if x.want.State == reeve.StateDead || x.want.State == reeve.StateCancelled {
					return // those are kept for longer
				}
				sleep(time.Minute - 1)
				check(e.Result(id))
				sleep(1)
				if _, err := e.Result(id); !errors.Is(err, reeve.ErrNoSuchTask) {
					t.Fatal(err)
				}
				if s := q.Stats(); s.Results != 0 || s.ResultBytes != 0 {
					t.Fatalf("%+v", s)
				}
			})
		})
	}
}

// finish completes a task without a queue for its result.
func (c *client) finish(q *queue.Queue, task reeve.Task, result string) uint64 {
	tag := c.tag(1)
	q.Complete(c.Holder, nil, []queue.CompleteOp{{ID: task.ID, Attempt: task.Attempt, Result: reeve.Task{Payload: []byte(result)}, Tag: tag, By: c}})
	return tag
}

func TestWait_IsWokenThoughNothingIsKept(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{KeepResult: time.Hour}), newClient(e)
		id := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{KeepResult: -1}})
		tag := c.await(id)
		c.ok(t, c.finish(q, c.take(t, q, 1)[0], "r"))
		if end, _ := c.endOf(tag); string(end.r.Payload) != "r" || end.err != nil {
			t.Fatalf("%+v", end)
		}
		if end, ok := c.endOf(c.await(id)); !ok || !errors.Is(end.err, reeve.ErrNoSuchTask) {
			t.Fatalf("%+v", end)
		}
		if s := q.Stats(); s.Results != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestWait_EndsWithItsRequestItsHolderOrTheMaster(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, c, gone := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e), newClient(e)
		id := p.mustAdd(t, q, reeve.Task{})
		tag, other := c.await(id), c.await(id)
		gone.await(id)
		gone.Release(false)
		c.Cancel(tag, context.Canceled)
		if end, ok := c.endOf(tag); !ok || !errors.Is(end.err, context.Canceled) {
			t.Fatalf("%+v", end)
		}
		if _, ok := c.endOf(other); ok {
			t.Fatal("the other request ended, too")
		}
		if end, ok := c.endOf(c.await(id + 1)); !ok || !errors.Is(end.err, reeve.ErrNoSuchTask) {
			t.Fatalf("%+v", end)
		}
		e.Stop()
		if end, ok := c.endOf(other); !ok || !errors.Is(end.err, reeve.ErrClosed) {
			t.Fatalf("%+v", end)
		}
		if end, ok := c.endOf(c.await(id)); !ok || !errors.Is(end.err, reeve.ErrClosed) {
			t.Fatalf("%+v", end)
		}
		if len(gone.ends) != 0 {
			t.Fatal("one who is gone was told")
		}
	})
}

func TestWait_FollowsATaskThatIsMoved(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, to, c := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "to", reeve.QueueConfig{}), newClient(e)
		id := c.mustAdd(t, q, reeve.Task{})
		tag := c.await(id)
		if n, err := q.Move(to, nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if _, ok := c.endOf(tag); ok {
			t.Fatal("moved is not ended")
		}
		c.ok(t, c.ack(to, c.take(t, to, 1)[0]))
		if end, _ := c.endOf(tag); end.r.State != reeve.StateDone || end.r.Queue != "to" {
			t.Fatalf("%+v", end)
		}
	})
}

func TestResult_IsStoredOnceWhoeverCompletesAgain(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c, late := declare(t, e, "q", reeve.QueueConfig{KeepResult: time.Hour, Lease: time.Second}), newClient(e), newClient(e)
		c.Holder = e.NewHolder(c, true)
		id := c.mustAdd(t, q, reeve.Task{})
		tag := c.await(id)
		old := late.take(t, q, 1)[0]
		sleep(3 * time.Second) // lost
		task := c.take(t, q, 1)[0]
		late.fails(t, reeve.ErrLeaseLost, late.finish(q, old, "late"))
		c.ok(t, c.finish(q, task, "first"))
		c.fails(t, reeve.ErrLeaseLost, c.finish(q, task, "second"), c.ack(q, task), c.nack(q, task, queue.NackOp{Error: "x"}))
		late.fails(t, reeve.ErrLeaseLost, late.finish(q, old, "late"))
		if r, err := e.Result(id); err != nil || string(r.Payload) != "first" || r.Attempts != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		if end, _ := c.endOf(tag); string(end.r.Payload) != "first" {
			t.Fatalf("%+v", end)
		}
		if s := q.Stats(); s.Done != 1 || s.Results != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestResult_AreKeptInNoMoreThanTheirBytes(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{KeepResult: time.Hour, MaxResultBytes: 1000}), newClient(e)
		var ids []reeve.ID
		for range 5 {
			ids = append(ids, c.mustAdd(t, q, reeve.Task{}))
			c.ok(t, c.finish(q, c.take(t, q, 1)[0], string(make([]byte, 100))))
			if s := q.Stats(); s.ResultBytes > 1000 {
				t.Fatalf("%+v", s)
			}
		}
		for i, id := range ids {
			if _, err := e.Result(id); (err == nil) != (i >= 3) { // the oldest go first
				t.Fatalf("result %d: %v", i, err)
			}
		}
		if s := q.Stats(); s.Results != 2 || s.ResultsEarly != 3 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestResult_OfACancelledTaskIsRemembered(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		id := c.mustAdd(t, q, reeve.Task{})
		task := c.take(t, q, 1)[0]
		if err := e.Cancel(id, "x"); err != nil {
			t.Fatal(err)
		}
		if causes := c.lostCauses(); len(causes) != 1 || !errors.Is(causes[0], reeve.ErrCancelled) {
			t.Fatal(causes)
		}
		c.fails(t, reeve.ErrLeaseLost, c.ack(q, task))
		if err := e.Cancel(id, "again"); err != nil {
			t.Fatal(err)
		}
		if r, err := e.Result(id); err != nil || r.State != reeve.StateCancelled || r.Reason != "x" {
			t.Fatalf("%+v, %v", r, err)
		}
		sleep(10 * time.Minute)
		if err := e.Cancel(id, ""); !errors.Is(err, reeve.ErrNoSuchTask) {
			t.Fatal(err)
		}
	})
}

func TestProgress_IsSeenWhileTheAttemptRuns(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		id := c.mustAdd(t, q, reeve.Task{})
		task := c.take(t, q, 1)[0]
		bytes := q.Stats().Bytes
		for _, x := range []struct {
			percent float64
			text    string
			attempt uint32
			want    error
		}{
			{50, "half", 1, nil}, {0, "", 1, nil}, {100, "all", 1, nil},
			{-1, "", 1, reeve.ErrInvalid}, {100.5, "", 1, reeve.ErrInvalid}, {math.NaN(), "", 1, reeve.ErrInvalid},
			{1, string(make([]byte, reeve.MaxProgressText+1)), 1, reeve.ErrInvalid}, {1, "", 2, reeve.ErrLeaseLost},
		} {
			if err := q.Progress(c.Holder, id, x.attempt, x.percent, x.text); !errors.Is(err, x.want) {
				t.Fatalf("%+v: %v", x, err)
			}
			info, err := e.Task(id)
			if err != nil || x.want == nil && (info.Progress.Percent != x.percent || info.Progress.Text != x.text) {
				t.Fatalf("%+v, %v", info.Progress, err)
			}
		}
		c.ok(t, c.nack(q, task, queue.NackOp{Error: "x"}))
		if info, err := e.Task(id); err != nil || info.Progress != nil || q.Stats().Bytes > bytes+1000 {
			t.Fatalf("%+v, %v", info.Progress, err)
		}
		if err := q.Progress(c.Holder, id, 1, 1, ""); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Fatal(err)
		}
	})
}

func TestWait_EveryAnswerWakesWhoAsked(t *testing.T) {
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{KeepResult: time.Hour})
		c := newClient(e)
		c.put(q, "x")
		done := c.take(t, q, 1)[0]
		c.ok(t, c.ack(q, done))
		wakes := 0
		r := &relay{client: newClient(e), woken: func() { wakes++ }}
		r.client.Holder = e.NewHolder(r, false)
		for name, id := range map[string]reeve.ID{"of a task that is done": done.ID, "of none": 1} {
			before := wakes
			e.Wait(r.client.Holder, &queue.WaitOp{ID: id, Tag: uint64(id), By: r.client})
			if wakes == before {
				t.Errorf("the answer to a Wait for the end %s wakes nobody", name)
			}
		}
	})
}
