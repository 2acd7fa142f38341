package queue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// keyed is a task with a key.
func keyed(payload, key string) reeve.Task {
	return reeve.Task{Payload: []byte(payload), Rules: &reeve.Rules{Key: key}}
}

func TestKey_OneAtATimeInOrderWhateverHappensToThem(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p := declare(t, e, "q", reeve.QueueConfig{Attempts: 3, Backoff: reeve.Backoff{Base: 100 * time.Millisecond}, Lease: 500 * time.Millisecond, Timeout: 2 * time.Second}), newClient(e)
		rnd := rand.New(rand.NewPCG(1, 9))
		const keys = 4
		order := [keys][]string{} // of puts that are not over
		over := func(key int, payload string) {
			i := slices.Index(order[key], payload)
			order[key] = slices.Delete(order[key], i, i+1)
		}
		type worker struct {
			*client
			read, lost int
		}
		var ws []*worker
		running := map[int]string{} // by key
		keyOf := func(task reeve.Task) int { return int(task.Rules.Key[0] - '0') }
		tasks := map[reeve.ID]reeve.Task{}
		look := func() {
			for _, w := range ws {
				told.Lock()
				lost := slices.Clone(w.client.lost[w.lost:])
				told.Unlock()
				w.lost += len(lost)
				for _, token := range lost {
					if task := tasks[token.ID]; running[keyOf(task)] == fmt.Sprintf("%s/%d", task.Payload, token.Attempt) {
						delete(running, keyOf(task))
					}
				}
			}
			for _, d := range deadOf(q, 0, 10_000) { // over, too
				if key := keyOf(d.Task); slices.Contains(order[key], string(d.Payload)) {
					over(key, string(d.Payload))
					if strings.HasPrefix(running[key], string(d.Payload)+"/") {
						delete(running, key)
					}
				}
			}
			for _, w := range ws {
				for ; w.read < len(w.seen()); w.read++ {
					task := w.seen()[w.read]
					key := keyOf(task)
					if was, busy := running[key]; busy {
						t.Fatalf("%s of key %d runs with %s", task.Payload, key, was)
					}
					if order[key][0] != string(task.Payload) {
						t.Fatalf("%s of key %d runs, %s is before it", task.Payload, key, order[key][0])
					}
					running[key] = fmt.Sprintf("%s/%d", task.Payload, task.Attempt)
					tasks[task.ID] = task
				}
			}
		}
		for i := range 2500 {
			if len(ws) < 3 {
				w := &worker{client: newClient(e)}
				ws = append(ws, w)
				q.Consume(w.Holder, 1, 2, reeve.GetOptions{})
			}
			w := ws[rnd.IntN(len(ws))]
			var mine *reeve.Task
			for _, task := range w.seen() {
				if running[keyOf(task)] == fmt.Sprintf("%s/%d", task.Payload, task.Attempt) {
					mine = &task
				}
			}
			n := rnd.IntN(20)
			if mine == nil && n > 5 {
				n = 5
			}
			if n > 6 {
				delete(running, keyOf(*mine)) // ended below
			}
			switch {
			case n < 4:
				key := rnd.IntN(keys)
				payload := fmt.Sprint(i)
				order[key] = append(order[key], payload)
				p.mustAdd(t, q, keyed(payload, string(rune('0'+key))))
			case n < 6:
				sleep(time.Duration(rnd.IntN(300)) * time.Millisecond)
				for _, w := range ws {
					if rnd.IntN(8) > 0 {
						w.Touch()
					}
				}
			case n < 7:
				for _, task := range w.seen() { // all that it runs is returned
					if running[keyOf(task)] == fmt.Sprintf("%s/%d", task.Payload, task.Attempt) {
						delete(running, keyOf(task))
					}
				}
				w.Release(rnd.IntN(2) == 0)
				ws = slices.DeleteFunc(ws, func(o *worker) bool { return o == w })
			case n < 13:
				over(keyOf(*mine), string(mine.Payload))
				w.ok(t, w.ack(q, *mine))
			case n < 16:
				w.ok(t, w.nack(q, *mine, queue.NackOp{Error: "no", Delay: time.Duration(rnd.IntN(2)*700) * time.Millisecond}))
			case n < 17:
				w.ok(t, w.nack(q, *mine, queue.NackOp{Snooze: true, Delay: time.Duration(rnd.IntN(2)*300) * time.Millisecond}))
			case n < 18:
				w.ok(t, w.nack(q, *mine, queue.NackOp{Returned: true}))
			case n < 19:
				over(keyOf(*mine), string(mine.Payload))
				w.ok(t, w.nack(q, *mine, queue.NackOp{Discard: true}))
			default:
				over(keyOf(*mine), string(mine.Payload))
				if err := e.Cancel(mine.ID, ""); err != nil {
					t.Fatal(err)
				}
			}
			look()
		}
		if s := q.Stats(); s.Done < 100 || s.Lost < 10 || s.Buried < 3 || s.TimedOut+s.Failed < 50 {
			t.Fatalf("not much happened: %+v", s)
		}
	})
}

func TestKey_ADelayedTaskJoinsItsKeyWhenItIsDue(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		task := keyed("delayed", "k")
		task.Delay = time.Second
		c.mustAdd(t, q, task)
		c.mustAdd(t, q, keyed("1", "k"))
		c.mustAdd(t, q, keyed("2", "k"))
		first := c.take(t, q, 5)
		if payloads(first) != "1 " || q.Stats().Blocked != 1 {
			t.Fatal(payloads(first))
		}
		sleep(time.Second)
		c.mustAdd(t, q, keyed("3", "k"))
		var got string
		for ts := first; len(ts) > 0; ts = c.take(t, q, 5) {
			got += payloads(ts)
			c.ok(t, c.ack(q, ts[0]))
		}
		if got != "1 2 delayed 3 " {
			t.Fatal(got)
		}
	})
}

func TestKey_OtherKeysAndTasksWithoutOneGoOn(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		for _, k := range []string{"a", "a", "b", "", "a", strings.Repeat("k", reeve.MaxKey), ""} {
			c.mustAdd(t, q, keyed(k[:min(1, len(k))]+".", k))
		}
		if got := payloads(c.take(t, q, 10)); got != "a. b. . k. . " {
			t.Fatal(got)
		}
	})
}

func TestKey_WithoutAnyLimitIsOnlyAName(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{KeyConcurrency: reeve.NoLimit}), newClient(e)
		for i := range 5 {
			c.mustAdd(t, q, keyed(fmt.Sprint(i), "k"))
		}
		if got := c.take(t, q, 10); payloads(got) != "0 1 2 3 4 " || got[0].Rules.Key != "k" || q.Stats().Keys != 0 {
			t.Fatalf("%+v", got)
		}
	})
}

func TestKey_AsManyAtATimeAsTheQueueSays(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{KeyConcurrency: 3}), newClient(e)
		for i := range 8 {
			c.mustAdd(t, q, keyed(fmt.Sprint(i), "k"))
		}
		ts := c.take(t, q, 10)
		if payloads(ts) != "0 1 2 " {
			t.Fatal(payloads(ts))
		}
		c.ok(t, c.nack(q, ts[0], queue.NackOp{Delay: time.Second})) // still counts
		if got := c.take(t, q, 10); len(got) != 0 {
			t.Fatal(payloads(got))
		}
		c.ok(t, c.ack(q, ts[1]), c.nack(q, ts[2], queue.NackOp{Bury: true}))
		if got := payloads(c.take(t, q, 10)); got != "3 4 " {
			t.Fatal(got)
		}
		sleep(time.Second)
		if got := payloads(c.take(t, q, 10)); got != "0 " {
			t.Fatal(got)
		}
	})
}

func TestKey_IsFreeWhenItsTaskIsGoneInAnyWay(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client, task reeve.Task){
		"ack": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, task reeve.Task) {
			c.ok(t, c.ack(q, task))
		},
		"skip": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, task reeve.Task) {
			c.ok(t, c.nack(q, task, queue.NackOp{Skip: true}))
		},
		"discard": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, task reeve.Task) {
			c.ok(t, c.nack(q, task, queue.NackOp{Discard: true}))
		},
		"bury": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, task reeve.Task) {
			c.ok(t, c.nack(q, task, queue.NackOp{Bury: true}))
		},
		"complete": func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client, task reeve.Task) {
			c.ok(t, c.complete(q, declare(t, e, "out", reeve.QueueConfig{}), task, "r"))
		},
		"complete into its queue": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, task reeve.Task) {
			tag := c.tag(1)
			q.Complete(c.Holder, q, []queue.CompleteOp{{ID: task.ID, Attempt: task.Attempt, Result: keyed("r", "k"), Tag: tag, By: c}})
			c.ok(t, tag)
		},
		"cancel": func(t *testing.T, e *queue.Engine, _ *queue.Queue, _ *client, task reeve.Task) {
			if err := e.Cancel(task.ID, "x"); err != nil {
				t.Fatal(err)
			}
		},
		"move after a failure": func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client, task reeve.Task) {
			c.ok(t, c.nack(q, task, queue.NackOp{Delay: time.Hour}))
			if n, err := q.Move(declare(t, e, "out", reeve.QueueConfig{}), &reeve.Filter{IDs: []reeve.ID{task.ID}}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		},
		"purge after a failure": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, task reeve.Task) {
			c.ok(t, c.nack(q, task, queue.NackOp{Delay: time.Hour}))
			if n, err := q.Purge(&reeve.Filter{States: []reeve.State{reeve.StateDelayed}}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		},
		"expiry after a failure": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, task reeve.Task) {
			c.ok(t, c.nack(q, task, queue.NackOp{Delay: time.Hour}))
			sleep(10 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, c, w := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e)
				first := keyed("1", "k")
				first.Rules.Expiry = 10 * time.Second
				c.mustAdd(t, q, first)
				c.mustAdd(t, q, keyed("2", "k"))
				q.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 77})
				task := w.gotOf(t, 77).ts[0]
				q.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 78})
				end(t, e, q, c, task)
				if got := w.gotOf(t, 78); payloads(got.ts) != "2 " { // at once, to who waits
					t.Fatalf("%+v", got)
				}
			})
		})
	}
}

func TestKey_AnImmediateShutdownDropsTheWholeLine(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		for i := range 5 {
			c.mustAdd(t, q, keyed(fmt.Sprint(i), "k"))
		}
		task := c.take(t, q, 1)[0]
		tag := c.tag(1)
		q.Join(c.Holder, &queue.JoinOp{Tag: tag, By: c})
		q.Shutdown(true)
		if s := q.Stats(); s.Dropped != 4 || s.Ready != 0 || s.Leased != 1 {
			t.Fatalf("%+v", s)
		}
		c.waits(t, tag)
		c.ok(t, c.nack(q, task, queue.NackOp{Error: "x"}), tag)
		if s := q.Stats(); s.Dropped != 5 || s.Keys != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestKey_APutThatWaitsForRoomJoinsWhenItIsLetIn(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), newClient(e)
		c.mustAdd(t, q, keyed("1", "k"))
		second, third := c.add(q, keyed("2", "k")), c.add(q, keyed("3", "k"))
		c.waits(t, second, third)
		task := c.take(t, q, 1)[0]
		c.ok(t, second)
		c.Cancel(third, context.Canceled)
		c.ok(t, c.ack(q, task))
		if got := payloads(c.take(t, q, 5)); got != "2 " {
			t.Fatal(got)
		}
	})
}

func TestKey_VeryManyOfThemGiveTheirMemoryBack(t *testing.T) {
	unverified(t, func(t *testing.T, e *queue.Engine) {
		for _, cfg := range []reeve.QueueConfig{{}, {KeyRate: reeve.Rate{Tasks: 1}}} {
			q, c := declare(t, e, fmt.Sprint("q", cfg.KeyRate), cfg), newClient(e)
			n := 0
			wave := func(size int) {
				c.flood(t, q, size, func(int) reeve.Task {
					n++
					return reeve.Task{Rules: &reeve.Rules{Key: fmt.Sprint("key ", n)}}
				})
				if done := c.ackAll(t, q); done != size {
					t.Fatalf("%d of %d tasks", done, size)
				}
				sleep(time.Second)
			}
			wave(1000)
			before := heapBytes()
			for range 2 {
				wave(50_000)
			}
			if s := q.Stats(); s.Keys != 0 {
				t.Fatalf("%+v", s)
			}
			if kept := heapBytes() - before; kept > 2<<20 {
				t.Fatalf("%d bytes are kept for keys without tasks", kept)
			}
			q.Check()
		}
	})
}

func TestKey_AFailedTaskWithAKeyGoesToTheEndOfItsPriority(t *testing.T) {
	t.Parallel()
	for _, op := range []queue.NackOp{{Error: "no"}, {Snooze: true}, {Delay: time.Second}, {Snooze: true, Delay: time.Second}} {
		t.Run(fmt.Sprintf("%+v", op), func(t *testing.T) {
			run(t, func(t *testing.T, e *queue.Engine) {
				q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
				k := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Key: "k"}})
				next := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Key: "k"}})
				other := c.mustAdd(t, q, reeve.Task{})
				c.nack(q, c.take(t, q, 1)[0], op)
				sleep(2 * time.Second)
				for _, want := range []reeve.ID{other, k, next} {
					got := c.take(t, q, 1)
					if len(got) != 1 || got[0].ID != want {
						t.Fatalf("%+v, want %v", got, want)
					}
					c.ack(q, got[0])
				}
			})
		})
	}
}

func TestKey_SeveralAtATimeBeginInOrderWhateverTheirPriorities(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{KeyConcurrency: 3}), newClient(e)
		for i := range 5 {
			task := keyed(fmt.Sprint(i), "k")
			task.Priority = int32(i)
			c.mustAdd(t, q, task)
		}
		if got := payloads(c.take(t, q, 5)); got != "0 1 2 " {
			t.Fatalf("%s began", got)
		}
	})
}
