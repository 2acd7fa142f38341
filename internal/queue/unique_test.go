package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// unique is a task with a unique key.
func unique(key string, mode reeve.UniqueMode, d time.Duration) reeve.Task {
	return reeve.Task{Rules: &reeve.Rules{Unique: key, UniqueMode: mode, UniqueFor: d}}
}

// finds fails unless a put of task finds the task id; 0: puts it.
func (c *client) finds(t *testing.T, q *queue.Queue, task reeve.Task, id reeve.ID) {
	t.Helper()
	n := q.Stats().Duplicates
	r := c.must(t, c.add(q, task))
	switch {
	case id == 0 && (r.err != nil || q.Stats().Duplicates != n):
		t.Fatalf("the key is taken: %+v", r)
	case id != 0 && (!errors.Is(r.err, reeve.ErrDuplicate) || r.first != id || q.Stats().Duplicates != n+1):
		t.Fatalf("%+v, want a duplicate of %v", r, id)
	}
}

func TestUnique_UntilDoneHoldsUntilTheTaskIsGone(t *testing.T) {
	t.Parallel()
	task := unique("k", reeve.UniqueUntilDone, 0)
	for name, end := range map[string]func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client, id reeve.ID){
		"ack": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.ack(q, c.take(t, q, 1)[0]))
		},
		"skip": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Skip: true}))
		},
		"discard": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Discard: true}))
		},
		"death": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Bury: true}))
		},
		"complete": func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client, _ reeve.ID) {
			c.ok(t, c.complete(q, declare(t, e, "out", reeve.QueueConfig{}), c.take(t, q, 1)[0], ""))
		},
		"cancel": func(t *testing.T, e *queue.Engine, _ *queue.Queue, _ *client, id reeve.ID) {
			if err := e.Cancel(id, ""); err != nil {
				t.Fatal(err)
			}
		},
		"purge": func(t *testing.T, _ *queue.Engine, q *queue.Queue, _ *client, _ reeve.ID) {
			if n, err := q.Purge(&reeve.Filter{States: []reeve.State{reeve.StateReady}}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		},
		"move": func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client, id reeve.ID) {
			out := declare(t, e, "out", reeve.QueueConfig{})
			if n, err := q.Move(out, nil); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			c.finds(t, out, task, id) // the key went with it
		},
		"expiry": func(_ *testing.T, _ *queue.Engine, _ *queue.Queue, _ *client, _ reeve.ID) { sleep(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
				expiring := task
				r := *task.Rules
				r.Expiry = time.Hour
				expiring.Rules = &r
				id := c.mustAdd(t, q, expiring)
				c.finds(t, q, task, id)
				c.finds(t, q, unique("other", reeve.UniqueUntilDone, 0), 0)
				c.ok(t, c.ack(q, reeve.Task{ID: c.takeOther(t, q, id), Attempt: 1}))
				c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Returned: true}))
				c.finds(t, q, task, id) // in every state
				end(t, e, q, c, id)
				c.finds(t, q, task, 0)
			})
		})
	}
}

// takeOther takes both tasks of q, gives id back and returns the other.
func (c *client) takeOther(t *testing.T, q *queue.Queue, id reeve.ID) (other reeve.ID) {
	t.Helper()
	for _, task := range c.take(t, q, 2) {
		if task.ID == id {
			c.ok(t, c.nack(q, task, queue.NackOp{Returned: true}))
		} else {
			other = task.ID
		}
	}
	return other
}

func TestUnique_UntilStartHoldsUntilTheFirstAttempt(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		task := unique("k", reeve.UniqueUntilStart, 0)
		first := c.mustAdd(t, q, task)
		c.finds(t, q, task, first)
		running := c.take(t, q, 1)[0]
		c.finds(t, q, task, 0)
		second := c.must(t, c.next).first
		c.finds(t, q, task, second)
		c.ok(t, c.nack(q, running, queue.NackOp{Error: "x"})) // does not get the key back
		c.finds(t, q, task, second)
		if err := e.Cancel(first, ""); err != nil {
			t.Fatal(err)
		}
		c.finds(t, q, task, second)
		if s := q.Stats(); s.Uniques != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestUnique_ForTimeOutlivesTheTaskAndCountsForItsMemory(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		task, forever := unique("k", reeve.UniqueForTime, time.Hour), unique("seen", reeve.UniqueForTime, 0)
		id, ever := c.mustAdd(t, q, task), c.mustAdd(t, q, forever)
		c.ackAll(t, q)
		if s := q.Stats(); s.Unsettled() != 0 || s.Bytes < 2*100 || s.Uniques != 2 {
			t.Fatalf("%+v", s)
		}
		sleep(time.Hour - 1)
		c.finds(t, q, task, id)
		sleep(1)
		c.finds(t, q, task, 0)
		if err := e.Cancel(c.must(t, c.next).first, ""); err != nil {
			t.Fatal(err)
		}
		sleep(30 * 24 * time.Hour)
		c.finds(t, q, forever, ever)
		if s := q.Stats(); s.Uniques != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestUnique_KeysThatEndMakeRoomForWhoWaits(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxBytes: 1000}), newClient(e)
		c.mustAdd(t, q, unique("k", reeve.UniqueForTime, time.Minute))
		waits := c.add(q, reeve.Task{Payload: make([]byte, 700)})
		c.ackAll(t, q)
		c.waits(t, waits) // the key is still there
		sleep(time.Minute)
		c.ok(t, waits)
	})
}

func TestUnique_TakesNoMoreThanTheQueueMayHold(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		const most = 100_000
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxBytes: most, Refuse: true}), newClient(e)
		for i := 0; ; i++ {
			if r := c.must(t, c.add(q, unique(fmt.Sprint(i), reeve.UniqueForTime, 0))); r.err != nil {
				if !errors.Is(r.err, reeve.ErrQueueFull) || i < 50 {
					t.Fatal(i, r.err)
				}
				break
			}
			if s := q.Stats(); s.Bytes > most {
				t.Fatalf("%+v", s)
			}
			c.ackAll(t, q)
		}
	})
}

func TestUnique_AWaitingPutFindsWhoCameFirst(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), newClient(e)
		c.put(q, "first")
		task := unique("k", reeve.UniqueUntilDone, 0)
		a, b, other := c.add(q, task), c.add(q, task), c.put(q, "other")
		c.waits(t, a, b, other)
		c.take(t, q, 1)
		c.ok(t, a)
		if r := c.must(t, b); !errors.Is(r.err, reeve.ErrDuplicate) || r.first != c.must(t, a).first {
			t.Fatalf("%+v", r)
		}
		c.waits(t, other)
		c.finds(t, q, task, c.must(t, a).first) // without a wait
		c.take(t, q, 1)
		c.ok(t, other)
	})
}

func TestUnique_OneThatIsCancelledWhileItWaitsTakesNoKey(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), newClient(e)
		c.put(q, "first")
		a := c.add(q, unique("k", reeve.UniqueForTime, 0))
		c.Cancel(a, context.Canceled)
		c.fails(t, context.Canceled, a)
		c.take(t, q, 1)
		c.finds(t, q, unique("k", reeve.UniqueForTime, 0), 0)
	})
}

func TestUnique_EachOfABatchIsFoundOnItsOwn(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		a, b := unique("a", 0, 0), unique("b", reeve.UniqueForTime, time.Hour)
		tag := c.tag(5)
		q.Put(c.Holder, &queue.PutOp{Tasks: []reeve.Task{a, b, a, {}, b}, Each: true, Tag: tag, By: c})
		c.ok(t, tag, tag+1, tag+3)
		for i, first := range map[uint64]uint64{2: 0, 4: 1} {
			if r := c.must(t, tag+i); !errors.Is(r.err, reeve.ErrDuplicate) || r.first != c.must(t, tag+first).first {
				t.Fatalf("%+v", r)
			}
		}
		if s := q.Stats(); s.Put != 3 || s.Duplicates != 2 {
			t.Fatalf("%+v", s)
		}
		all := c.tag(1)
		q.Put(c.Holder, &queue.PutOp{Tasks: []reeve.Task{a, {}}, Tag: all, By: c})
		c.fails(t, reeve.ErrInvalid, all)
	})
}

func TestUnique_AResultThatIsKnownIsNotPutAndItsTaskIsDone(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, out, c := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "out", reeve.QueueConfig{}), newClient(e)
		c.put(q, "1", "2")
		for _, task := range c.take(t, q, 2) {
			tag := c.tag(1)
			q.Complete(c.Holder, out, []queue.CompleteOp{{ID: task.ID, Attempt: task.Attempt, Result: unique("k", reeve.UniqueForTime, 0), Tag: tag, By: c}})
			c.ok(t, tag)
		}
		if s, o := q.Stats(), out.Stats(); s.Done != 2 || o.Put != 1 || o.Duplicates != 1 {
			t.Fatalf("%+v, %+v", s, o)
		}
	})
}

func TestUnique_ReviveTakesTheKeyBackIfItIsFree(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		task := unique("k", reeve.UniqueUntilDone, 0)
		first := c.mustAdd(t, q, task)
		c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Bury: true}))
		if n, err := q.Revive(nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		c.finds(t, q, task, first)
		c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Bury: true}))
		second := c.mustAdd(t, q, task)
		q.Revive(nil)
		c.finds(t, q, task, second)
		if err := e.Cancel(first, ""); err != nil {
			t.Fatal(err)
		}
		c.finds(t, q, task, second) // not the first one's to give back
	})
}

func TestUnique_AgreesWithAMapWhateverHappens(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		rnd := rand.New(rand.NewPCG(6, 6))
		type holder struct {
			id   reeve.ID
			mode reeve.UniqueMode
			end  time.Time
		}
		taken := map[string]holder{}
		keys := map[reeve.ID]string{}
		release := func(id reeve.ID, started bool) {
			k := keys[id]
			h := taken[k]
			if h.id != id || h.mode == reeve.UniqueForTime || started && h.mode != reeve.UniqueUntilStart {
				return
			}
			delete(taken, k)
		}
		var running []reeve.Task
		for range 4000 {
			switch rnd.IntN(6) {
			case 0, 1, 2:
				key, mode := fmt.Sprint(rnd.IntN(8)), reeve.UniqueMode(rnd.IntN(3))
				var d time.Duration
				if mode == reeve.UniqueForTime {
					d = time.Duration(1+rnd.IntN(5)) * time.Second
				}
				h, dup := taken[key]
				if dup && h.mode == reeve.UniqueForTime && !h.end.After(time.Now()) {
					dup = false
				}
				if dup {
					c.finds(t, q, unique(key, mode, d), h.id)
					break
				}
				c.finds(t, q, unique(key, mode, d), 0)
				id := c.must(t, c.next).first
				taken[key], keys[id] = holder{id, mode, time.Now().Add(d)}, key
			case 3:
				for _, task := range c.take(t, q, 1) {
					release(task.ID, true)
					running = append(running, task)
				}
			case 4:
				if len(running) == 0 {
					break
				}
				task := running[0]
				running = running[1:]
				switch rnd.IntN(4) {
				case 0:
					c.ok(t, c.nack(q, task, queue.NackOp{Error: "x"}))
					if task.Attempt == reeve.DefaultAttempts {
						release(task.ID, false)
					}
				case 1:
					c.ok(t, c.nack(q, task, queue.NackOp{Bury: true}))
					release(task.ID, false)
				default:
					c.ok(t, c.ack(q, task))
					release(task.ID, false)
				}
			case 5:
				sleep(time.Duration(rnd.IntN(400)) * time.Millisecond)
			}
		}
	})
}
