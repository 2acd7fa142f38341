package queue_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestExpiry_EndsATaskThatWaitsWherever(t *testing.T) {
	t.Parallel()
	const after = 10 * time.Second
	type setup func(t *testing.T, q *queue.Queue, c *client, task reeve.Task)
	for name, put := range map[string]setup{
		"ready": func(t *testing.T, q *queue.Queue, c *client, task reeve.Task) { c.mustAdd(t, q, task) },
		"delayed": func(t *testing.T, q *queue.Queue, c *client, task reeve.Task) {
			task.Delay = time.Hour
			c.mustAdd(t, q, task)
		},
		"until": func(t *testing.T, q *queue.Queue, c *client, task reeve.Task) {
			task.Rules.At = time.Now().Add(time.Hour)
			c.mustAdd(t, q, task)
		},
		"in the line of its key": func(t *testing.T, q *queue.Queue, c *client, task reeve.Task) {
			c.mustAdd(t, q, keyed("", "k"))
			c.take(t, q, 1)
			task.Rules.Key = "k"
			c.mustAdd(t, q, task)
			if q.Stats().Blocked != 1 {
				t.Fatal("not in the line")
			}
		},
		"after a failed attempt": func(t *testing.T, q *queue.Queue, c *client, task reeve.Task) {
			c.mustAdd(t, q, task)
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Error: "x"}))
		},
		"in its backoff": func(t *testing.T, q *queue.Queue, c *client, task reeve.Task) {
			c.mustAdd(t, q, task)
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Error: "x", Delay: time.Hour}))
		},
		"snoozed": func(t *testing.T, q *queue.Queue, c *client, task reeve.Task) {
			c.mustAdd(t, q, task)
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Snooze: true, Delay: time.Hour}))
		},
		"lost, and claimable": func(t *testing.T, q *queue.Queue, c *client, task reeve.Task) {
			c.mustAdd(t, q, task)
			w := newClient(c.Engine())
			w.take(t, q, 1)
			w.Release(false)
		},
	} {
		for _, by := range []string{"Expiry", "ExpireAt"} {
			t.Run(name+", by "+by, func(t *testing.T) {
				t.Parallel()
				run(t, func(t *testing.T, e *queue.Engine) {
					q, c := declare(t, e, "q", reeve.QueueConfig{KeepResult: time.Hour}), newClient(e)
					c.Holder = e.NewHolder(c, true)
					task := reeve.Task{Payload: []byte("x"), Rules: &reeve.Rules{Expiry: after}}
					if by == "ExpireAt" {
						task.Rules = &reeve.Rules{ExpireAt: time.Now().Add(after)}
					}
					put(t, q, c, task)
					waiting := func() int { s := q.Stats(); return s.Ready + s.Delayed }
					sleep(after - 1)
					if s := q.Stats(); s.Expired != 0 || waiting() != 1 {
						t.Fatalf("too early: %+v", s)
					}
					sleep(1)
					if s := q.Stats(); s.Expired != 1 || waiting() != 0 {
						t.Fatalf("too late: %+v", s)
					}
					page, err := q.List(nil, reeve.ListOptions{})
					if err != nil {
						t.Fatal(err)
					}
					for _, task := range page.Tasks {
						if string(task.Payload) == "x" {
							t.Fatalf("%+v", task)
						}
					}
				})
			})
		}
	}
}

func TestExpiry_AnAttemptThatHasBegunGoesOnAndNoFurtherOneBegins(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{KeepResult: time.Hour}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		for range 3 {
			c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Expiry: time.Second}})
		}
		ts := c.take(t, q, 3)
		sleep(time.Minute)
		if s := q.Stats(); s.Leased != 3 || s.Expired != 0 {
			t.Fatalf("%+v", s)
		}
		c.ok(t, c.ack(q, ts[0]), c.nack(q, ts[1], queue.NackOp{Error: "boom"}), c.nack(q, ts[2], queue.NackOp{Returned: true}))
		got := c.take(t, q, 3)
		sleep(time.Millisecond)
		if s := q.Stats(); len(got) != 0 || s.Done != 1 || s.Expired != 2 || s.Unsettled() != 0 {
			t.Fatalf("%+v", s)
		}
		r, err := e.Result(ts[1].ID)
		if err != nil || r.State != reeve.StateExpired || r.Reason != "no further attempt had begun in time" || r.Error != "boom" {
			t.Fatalf("%+v, %v", r, err)
		}
	})
}

func TestExpiry_InThePastEndsTheTaskAtOnce(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{KeepResult: time.Hour}), newClient(e)
		q.Consume(c.Holder, 1, 1, reeve.GetOptions{})
		id := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{ExpireAt: time.Unix(1, 0)}})
		sleep(1)
		if r, err := e.Result(id); err != nil || r.State != reeve.StateExpired || r.Attempts != 0 || len(c.seen()) != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
	})
}

func TestExpiry_NoneBeginsAfterItsTimeWhateverIsDoneToTheWallClock(t *testing.T) {
	t.Parallel()
	runWall(t, func(t *testing.T, e *queue.Engine, w *wall) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		at := w.now().Add(30 * time.Minute)
		for range 6 {
			c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{ExpireAt: at}})
		}
		c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Expiry: 30 * time.Minute}, Type: "by the other clock"})
		w.step(-time.Hour)
		sleep(45 * time.Minute)
		if s := q.Stats(); s.Ready != 6 || s.Expired != 1 {
			t.Fatalf("after a step back: %+v", s)
		}
		if got := c.take(t, q, 1); len(got) != 1 || got[0].Type != "" {
			t.Fatalf("%+v", got)
		}
		tag := c.tag(1)
		other := newClient(e)
		q.Join(other.Holder, &queue.JoinOp{Tag: tag, By: other})
		c.ok(t, c.ack(q, reeve.Task{ID: c.gots[0].ts[0].ID, Attempt: 1}))
		w.step(2 * time.Hour) // nobody has looked at the clock yet
		if got := c.take(t, q, 5); len(got) != 0 {
			t.Fatalf("begun after its time: %+v", got)
		}
		other.ok(t, tag) // the last ones are gone
		if s := q.Stats(); s.Expired != 6 || s.Unsettled() != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestExpiry_AStepOfTheClockIsNoticedWithinAMinute(t *testing.T) {
	t.Parallel()
	runWall(t, func(t *testing.T, e *queue.Engine, w *wall) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{ExpireAt: w.now().Add(20 * time.Hour)}})
		sleep(10 * time.Second)
		w.step(21 * time.Hour)
		sleep(time.Minute)
		if s := q.Stats(); s.Expired != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestExpiry_NoneBeginsAfterItsTimeByAnOracle(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 100, Rate: reeve.Rate{Tasks: 8}}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		consumer := q.Consume(c.Holder, 1, 3, reeve.GetOptions{})
		rnd := rand.New(rand.NewPCG(4, 4))
		ends := map[reeve.ID]time.Time{}
		ended, read := 0, 0
		for i := range 1500 {
			switch rnd.IntN(5) {
			case 0, 1:
				d := time.Duration(1+rnd.IntN(3000)) * time.Millisecond
				task := reeve.Task{Rules: &reeve.Rules{Expiry: d, Key: fmt.Sprint(rnd.IntN(50))}}
				if i%2 == 0 {
					task.Rules = &reeve.Rules{ExpireAt: time.Now().Add(d)}
				}
				ends[c.mustAdd(t, q, task)] = time.Now().Add(d)
			case 2:
				sleep(time.Duration(rnd.IntN(500)) * time.Millisecond)
			case 3:
				consumer.SetSlots(rnd.IntN(4))
			case 4:
				if ended < len(c.seen()) {
					task := c.seen()[ended]
					ended++
					c.ok(t, c.nack(q, task, queue.NackOp{Error: "x", Skip: rnd.IntN(3) == 0, Delay: time.Duration(rnd.IntN(2)) * time.Second}))
				}
			}
			for ; read < len(c.seen()); read++ {
				if id := c.seen()[read].ID; c.at[read].After(ends[id]) {
					t.Fatalf("task %v began %v after its time", id, c.at[read].Sub(ends[id]))
				}
			}
		}
		consumer.Close()
		for _, task := range c.seen()[ended:] {
			c.ok(t, c.nack(q, task, queue.NackOp{Error: "x"}))
		}
		sleep(3 * time.Second)
		if s := q.Stats(); s.Unsettled() != 0 || s.Expired < 50 || s.Skipped < 50 {
			t.Fatalf("%+v", s)
		}
	})
}
