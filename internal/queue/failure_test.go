package queue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// nextAfter lets time pass until a task is there, and returns it and how long
// that was.
func (c *client) nextAfter(t testing.TB, q *queue.Queue) (reeve.Task, time.Duration) {
	t.Helper()
	if s := q.Stats(); s.Ready == 0 && s.Delayed == 0 {
		t.Fatalf("there will be none: %+v", s)
	}
	start := time.Now()
	q.Get(c.Holder, &queue.GetOp{Max: 1, Tag: c.tag(1)})
	tag := c.next
	for range 1000 {
		told.Lock()
		for _, g := range c.gots {
			if g.tag == tag {
				told.Unlock()
				return g.ts[0], time.Since(start)
			}
		}
		told.Unlock()
		sleep(10 * time.Millisecond)
		if time.Since(start) > 10*time.Second {
			sleep(10 * time.Minute)
		}
	}
	t.Fatal("no task came")
	return reeve.Task{}, 0
}

func TestBackoff_GrowsUpToItsMax(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		b := reeve.Backoff{Base: 100 * time.Millisecond, Factor: 3, Max: 2 * time.Second, Jitter: reeve.NoJitter}
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 100, Backoff: b}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		c.put(q, "a")
		task, _ := c.nextAfter(t, q)
		for i, want := range []time.Duration{100, 300, 900, 2000, 2000, 2000} {
			c.ok(t, c.nack(q, task, queue.NackOp{Error: "x", TimedOut: i%2 == 1}))
			due := time.Now().Add(want * time.Millisecond)
			info, err := e.Task(task.ID)
			if err != nil || info.State != reeve.StateDelayed || !info.Due.Equal(due) {
				t.Fatalf("after %d: %+v, %v, want %v", i+1, info, err, due)
			}
			var d time.Duration
			if task, d = c.nextAfter(t, q); d != want*time.Millisecond {
				t.Fatalf("after %d: %v, want %v", i+1, d, want*time.Millisecond)
			}
		}
		c.ok(t, c.nack(q, task, queue.NackOp{Delay: 70 * time.Millisecond})) // said by the handler
		if _, d := c.nextAfter(t, q); d != 70*time.Millisecond {
			t.Fatal(d)
		}
	})
}

func TestBackoff_JitterStaysInItsBoundsAndSpreads(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Backoff: reeve.Backoff{Base: time.Minute, Jitter: 0.3}}), newClient(e)
		c.put(q, make([]string, 300)...)
		for _, task := range c.take(t, q, 300) {
			c.ok(t, c.nack(q, task, queue.NackOp{Error: "x"}))
		}
		page, err := q.List(nil, reeve.ListOptions{Max: 300})
		if err != nil {
			t.Fatal(err)
		}
		least, most := time.Hour, time.Duration(0)
		for _, task := range page.Tasks {
			d := time.Until(task.Due)
			least, most = min(least, d), max(most, d)
		}
		if least < 42*time.Second || most > 78*time.Second || most-least < 30*time.Second {
			t.Fatalf("from %v to %v", least, most)
		}
	})
}

func TestBackoff_AndAttemptsOfATaskGoBeforeTheQueues(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 1, Backoff: reeve.Backoff{Base: time.Hour}}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		own := reeve.Backoff{Base: time.Second, Jitter: reeve.NoJitter}
		id := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Attempts: 3, Backoff: own}})
		for i := range 3 {
			task, d := c.nextAfter(t, q)
			if want := time.Duration(i) * time.Second; d != want || task.Rules.Attempts != 3 {
				t.Fatalf("attempt %d after %v, want %v: %+v", i+1, d, want, task)
			}
			c.ok(t, c.nack(q, task, queue.NackOp{Error: "x"}))
		}
		if d := deadOf(q, 0, 5); len(d) != 1 || d[0].ID != id || d[0].Reason != "3 attempts failed; last: x" {
			t.Fatalf("%+v", d)
		}
	})
}

func TestSnooze_UsesNoAttemptUnlessTheQueueCountsIt(t *testing.T) {
	t.Parallel()
	for _, counted := range []bool{false, true} {
		t.Run(fmt.Sprint(counted), func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 3, CountSnoozed: counted, Backoff: reeve.Backoff{Base: time.Hour}}), newClient(e)
				c.Holder = e.NewHolder(c, true)
				c.put(q, "a")
				for i := range 10 {
					task, d := c.nextAfter(t, q)
					if want := time.Duration(i%2) * time.Second; i > 0 && d != want {
						t.Fatalf("attempt %d after %v", i+1, d)
					}
					c.ok(t, c.nack(q, task, queue.NackOp{Snooze: true, Delay: time.Duration(1-i%2) * time.Second}))
					if counted && i == 2 {
						break
					}
				}
				s := q.Stats()
				switch {
				case !counted && (s.Snoozed != 10 || s.Failed != 0 || s.Dead != 0):
					t.Fatalf("%+v", s)
				case counted && (s.Snoozed != 3 || s.Dead != 1 || deadOf(q, 0, 1)[0].Reason != "3 attempts put off" || deadOf(q, 0, 1)[0].Counts.Snoozed != 3):
					t.Fatalf("%+v, %+v", s, deadOf(q, 0, 1))
				}
			})
		})
	}
}

func TestSnooze_CountedWithOthersTellsAllOfThem(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 4, CountSnoozed: true}), newClient(e)
		c.put(q, "a")
		for _, op := range []queue.NackOp{{Snooze: true}, {Error: "x"}, {TimedOut: true}, {Snooze: true}} {
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], op))
		}
		if d := deadOf(q, 0, 1); len(d) != 1 || d[0].Reason != "1 attempts failed, 1 timed out, 2 put off" {
			t.Fatalf("%+v", d)
		}
	})
}

func TestOutcomes_AreCountedApart(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.put(q, make([]string, 8)...)
		for i, task := range c.take(t, q, 8) {
			c.ok(t, c.nack(q, task, []queue.NackOp{{Skip: true}, {Discard: true, Error: "y"}, {Error: "x"}, {TimedOut: true}, {Returned: true}, {Snooze: true, Delay: 1}, {Bury: true}, {Skip: true}}[i]))
		}
		s := q.Stats()
		if s.Done != 2 || s.Skipped != 2 || s.Discarded != 1 || s.Failed != 1 || s.TimedOut != 1 || s.Returned != 1 || s.Snoozed != 1 || s.Buried != 1 || s.Unsettled() != 4 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestHistory_TellsEveryAttemptThatDidNotSucceed(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 10, Lease: time.Second}), newClient(e)
		c.SetName("w@h:1")
		id := c.mustAdd(t, q, reeve.Task{Timeout: 4 * time.Second})
		var want []string
		attempt := func(outcome string, end func(task reeve.Task)) {
			t.Helper()
			task, _ := c.nextAfter(t, q)
			start := time.Now()
			sleep(time.Millisecond)
			end(task)
			want = append(want, outcome)
			info, err := e.Task(id)
			if err != nil || len(info.History) != len(want) {
				t.Fatalf("%+v, %v, want %v", info.History, err, want)
			}
			r := info.History[len(want)-1]
			if r.Outcome != outcome || r.Worker != "w@h:1" || int(r.Attempt) != len(want) || !r.Start.Equal(start) || r.End.Before(start.Add(time.Millisecond)) || r.End.After(time.Now()) {
				t.Fatalf("%+v, want %s, begun at %v", r, outcome, start)
			}
		}
		nack := func(op queue.NackOp) func(reeve.Task) {
			return func(task reeve.Task) { c.ok(t, c.nack(q, task, op)) }
		}
		attempt("failed", nack(queue.NackOp{Error: "bad\nthing", Stack: "main.go:1"}))
		attempt("timed_out", nack(queue.NackOp{TimedOut: true, Error: "slow"}))
		attempt("snoozed", nack(queue.NackOp{Snooze: true}))
		attempt("returned", nack(queue.NackOp{Returned: true}))
		attempt("lost", func(reeve.Task) { sleep(3 * time.Second) })
		attempt("timed_out", func(reeve.Task) {
			for range 10 {
				sleep(500 * time.Millisecond)
				c.Touch()
			}
		})
		attempt("buried", nack(queue.NackOp{Bury: true, Error: "enough"}))
		info, _ := e.Task(id)
		if h := info.History; h[0].Error != "bad\nthing" || h[0].Stack != "main.go:1" || h[1].Error != "slow" || h[6].Error != "enough" {
			t.Fatalf("%+v", h)
		}
	})
}

func TestHistory_ALossThatIsTakenBackIsNone(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Lease: time.Second}), newClient(e)
		id := c.mustAdd(t, q, reeve.Task{})
		task := c.take(t, q, 1)[0]
		sleep(3 * time.Second)
		if kept := q.Claim(c.Holder, nil, []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}}); !kept[0] {
			t.Fatal("not kept")
		}
		if info, err := e.Task(id); err != nil || len(info.History) != 0 || info.Counts != (reeve.Counts{}) || q.Stats().Lost != 0 {
			t.Fatalf("%+v, %v", info, err)
		}
	})
}

func TestHistory_IsBoundedInNumberAndBytes(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		const most = 20_000
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 1000, History: 3, MaxBytes: most}), newClient(e)
		id := c.mustAdd(t, q, reeve.Task{})
		for i := range 50 {
			c.ok(t, c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Error: strings.Repeat("e", 50_000), Stack: strings.Repeat("s", 50_000)}))
			info, err := e.Task(id)
			if err != nil || len(info.History) > 3 || len(info.History) == 0 {
				t.Fatalf("%d records, %v", len(info.History), err)
			}
			if last := info.History[len(info.History)-1]; int(last.Attempt) != i+1 {
				t.Fatalf("the last attempt is missing: %d after %d", last.Attempt, i+1)
			}
			if s := q.Stats(); s.Bytes > most {
				t.Fatalf("%+v", s)
			}
		}
		c.ackAll(t, q)
		if s := q.Stats(); s.Bytes != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestDeadFor_ADeadTaskIsPurgedAtItsTime(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{DeadFor: time.Hour, Attempts: 1}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		c.put(q, "a", "b")
		for _, task := range c.take(t, q, 2) {
			c.ok(t, c.nack(q, task, queue.NackOp{Error: "x"}))
			sleep(time.Minute)
		}
		for i, d := range []time.Duration{58*time.Minute - 1, 1, time.Minute} {
			sleep(d)
			if s := q.Stats(); s.Dead != 2-i || s.Purged != uint64(i) {
				t.Fatalf("%d: %+v", i, s)
			}
		}
	})
}

func TestDeadFor_AStormOfThemIsPurgedInParts(t *testing.T) {
	unverified(t, func(t *testing.T, e *queue.Engine) {
		const n = 50_000
		q, c := declare(t, e, "q", reeve.QueueConfig{DeadFor: time.Hour, Attempts: 1}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		c.flood(t, q, n, func(int) reeve.Task { return reeve.Task{} })
		for range n / 1000 {
			for _, task := range c.take(t, q, 1000) {
				c.nack(q, task, queue.NackOp{Error: "x"})
			}
			c.forget()
		}
		sleep(time.Hour - 1)
		if s := q.Stats(); s.Dead != n {
			t.Fatalf("%+v", s)
		}
		sleep(1)
		if s := q.Stats(); s.Dead != 0 || s.Purged != n || s.Bytes != 0 {
			t.Fatalf("%+v", s)
		}
		q.Check()
	})
}

func TestMaxDead_TheOldestGoesFirst(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxDead: 2}), newClient(e)
		c.put(q, "a", "b", "c", "d")
		for _, task := range c.take(t, q, 4) {
			c.ok(t, c.nack(q, task, queue.NackOp{Bury: true}))
		}
		d := deadOf(q, 0, 5)
		if len(d) != 2 || string(d[0].Payload) != "c" || string(d[1].Payload) != "d" || q.Stats().Purged != 2 {
			t.Fatalf("%+v", d)
		}
	})
}
