package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestGet_IsFirstInFirstOut(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.put(q, "a", "b")
		c.put(q, "c")
		if got := payloads(c.take(t, q, 10)); got != "a b c " {
			t.Fatalf("got %q", got)
		}
	})
}

func TestAck_EndsTheTaskOnce(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.put(q, "a")
		task := c.take(t, q, 1)[0]
		if r := c.must(t, c.ack(q, task)); r.err != nil {
			t.Fatal(r.err)
		}
		if r := c.must(t, c.ack(q, task)); !errors.Is(r.err, reeve.ErrLeaseLost) {
			t.Fatalf("second ack: %v", r.err)
		}
		s := q.Stats()
		if s.Done != 1 || s.LateAcks != 1 || s.Unsettled() != 0 || s.Bytes != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestRelease_GivesBackAllLeasesInOrderAtTheFront(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, a, b := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e)
		const n = 1000
		want := ""
		for i := range n + 1 {
			a.put(q, fmt.Sprint(i))
			if i < n {
				want += fmt.Sprint(i) + " "
			}
		}
		if got := a.take(t, q, n); len(got) != n {
			t.Fatalf("got %d", len(got))
		}
		a.Release(false)
		ts := b.take(t, q, n)
		if payloads(ts) != want {
			t.Fatal("the tasks did not come back in order")
		}
		for _, task := range ts {
			if task.Attempt != 2 {
				t.Fatalf("task %v is at attempt %d", task.ID, task.Attempt)
			}
		}
		if s := q.Stats(); s.Lost != n || s.Redelivered != n || s.Ready != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestLease_EndsWhenTheHolderIsSilentAndFencesItsLateAck(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{Lease: 10 * time.Second})
		out := declare(t, e, "out", reeve.QueueConfig{})
		a, b := newClient(e), newClient(e)
		a.put(q, "x")
		task := a.take(t, q, 1)[0]
		for range 5 { // alive: the lease stands
			sleep(8 * time.Second)
			a.Touch()
		}
		if got := b.take(t, q, 1); len(got) != 0 {
			t.Fatal("a task was handed over although its holder was alive")
		}
		sleep(11 * time.Second)
		if len(a.lost) != 1 || !errors.Is(a.causes[0], reeve.ErrLeaseLost) {
			t.Fatalf("the holder was told %v %v", a.lost, a.causes)
		}
		again := b.take(t, q, 1)
		if len(again) != 1 || again[0].Attempt != 2 {
			t.Fatalf("got %+v", again)
		}
		for name, tag := range map[string]uint64{
			"ack":      a.ack(q, task),
			"nack":     a.nack(q, task, queue.NackOp{}),
			"complete": a.complete(q, out, task, "late"),
		} {
			if r := a.must(t, tag); !errors.Is(r.err, reeve.ErrLeaseLost) {
				t.Errorf("late %s: %v", name, r.err)
			}
		}
		if s := q.Stats(); s.LateAcks != 3 || s.Leased != 1 || out.Stats().Put != 0 {
			t.Fatalf("%+v, %d results", s, out.Stats().Put)
		}
		if r := b.must(t, b.complete(q, out, again[0], "good")); r.err != nil {
			t.Fatal(r.err)
		}
	})
}

func TestExtend_OutlastsSilence(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{Lease: time.Second})
		a := newClient(e)
		a.put(q, "long", "short")
		ts := a.take(t, q, 2)
		tag := a.tag(1)
		q.Extend(a.Holder, ts[0].ID, ts[0].Attempt, time.Minute, tag, a)
		if r := a.must(t, tag); r.err != nil {
			t.Fatal(r.err)
		}
		sleep(50 * time.Second)
		if len(a.lost) != 1 || a.lost[0].ID != ts[1].ID {
			t.Fatalf("lost %v", a.lost)
		}
		sleep(11 * time.Second)
		if len(a.lost) != 2 {
			t.Fatal("the extended lease never ended")
		}
		for _, d := range []time.Duration{0, -1, 25 * time.Hour} {
			tag := a.tag(1)
			q.Extend(a.Holder, ts[0].ID, ts[0].Attempt, d, tag, a)
			if r := a.must(t, tag); !errors.Is(r.err, reeve.ErrInvalid) {
				t.Errorf("extend by %v: %v", d, r.err)
			}
		}
	})
}

func TestClaim_GivesBackWhatNobodyElseGot(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, a, b := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), newClient(e)
		a.put(q, "one", "two")
		ts := a.take(t, q, 2)
		a.Release(false)
		got := b.take(t, q, 1) // "one" goes to b
		a2 := newClient(e)     // a is back
		kept := q.Claim(a2.Holder, nil, []queue.AckOp{{ts[0].ID, ts[0].Attempt}, {ts[1].ID, ts[1].Attempt}, {9999, 1}})
		if kept[0] || !kept[1] || kept[2] {
			t.Fatalf("kept %v", kept)
		}
		if r := a2.must(t, a2.ack(q, ts[1])); r.err != nil {
			t.Fatal(r.err)
		}
		if r := b.must(t, b.ack(q, got[0])); r.err != nil {
			t.Fatal(r.err)
		}
		if s := q.Stats(); s.Done != 2 || s.Lost != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestComplete_OfALostButUnclaimedLeaseCounts(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, out := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "out", reeve.QueueConfig{})
		a := newClient(e)
		a.put(q, "x")
		task := a.take(t, q, 1)[0]
		a.Release(false)
		a2 := newClient(e)
		if r := a2.must(t, a2.complete(q, out, task, "r")); r.err != nil {
			t.Fatal(r.err)
		}
		if r := a2.must(t, a2.complete(q, out, task, "r")); !errors.Is(r.err, reeve.ErrLeaseLost) {
			t.Fatalf("the same completion counted twice: %v", r.err)
		}
		if s := out.Stats(); s.Ready != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestReturn_GoesToTheFrontAndCountsNothing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 1}), newClient(e)
		c.put(q, "a", "b", "c")
		for range 10 {
			ts := c.take(t, q, 2)
			if payloads(ts) != "a b " {
				t.Fatalf("got %s", payloads(ts))
			}
			c.nack(q, ts[1], queue.NackOp{Returned: true})
			c.nack(q, ts[0], queue.NackOp{Returned: true})
		}
		if s := q.Stats(); s.Dead != 0 || s.Returned != 20 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestNack_WithDelayComesBackAtItsTime(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.put(q, "a")
		c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Delay: time.Hour, Error: "no luck"})
		sleep(time.Hour - time.Millisecond)
		if got := c.take(t, q, 1); len(got) != 0 || q.Stats().Delayed != 1 {
			t.Fatalf("too early: %v", got)
		}
		sleep(2 * time.Millisecond)
		if got := c.take(t, q, 1); len(got) != 1 || got[0].Attempt != 2 {
			t.Fatalf("got %v", got)
		}
	})
}

func TestPut_WithDelayIsHeldByTheMaster(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Lease: 5 * time.Second}), newClient(e)
		q.Consume(c.Holder, 1, 10, reeve.GetOptions{})
		q.Put(c.Holder, &queue.PutOp{Tasks: []reeve.Task{{Delay: 30 * 24 * time.Hour}}, Tag: c.tag(1), By: c})
		sleep(30*24*time.Hour - time.Millisecond)
		c.Touch()
		if len(c.tasks) != 0 {
			t.Fatal("handed over before its time")
		}
		sleep(50 * time.Millisecond)
		if len(c.tasks) != 1 {
			t.Fatal("not handed over at its time")
		}
	})
}

func TestAttempts_UsedUpMakeATaskDeadWithTheReason(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 3}), newClient(e)
		c.put(q, "bad")
		for i := range 3 {
			ts := c.take(t, q, 1)
			if len(ts) != 1 {
				t.Fatalf("attempt %d: no task", i+1)
			}
			c.nack(q, ts[0], queue.NackOp{Error: "boom\nline 2", Stack: "at x"})
		}
		dead := deadOf(q, 0, 10)
		if len(dead) != 1 || dead[0].Reason != "3 attempts failed; last: boom" || dead[0].Error != "boom\nline 2" || dead[0].Stack != "at x" || dead[0].Counts.Failed != 3 {
			t.Fatalf("%+v", dead)
		}
		if s := q.Stats(); s.Dead != 1 || s.Buried != 1 || s.Unsettled() != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestTimeout_EndsAnAttemptWhoseWorkerDoesNot(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Timeout: 2 * time.Second, Attempts: 2}), newClient(e)
		consumer := q.Consume(c.Holder, 1, 1, reeve.GetOptions{})
		c.put(q, "x")
		for i := range 2 {
			for range 3 {
				sleep(time.Second)
				c.Touch()
			}
			if len(c.lost) != i+1 || !errors.Is(c.causes[i], reeve.ErrTimeout) {
				t.Fatalf("after attempt %d: %v", i+1, c.causes)
			}
		}
		if d := deadOf(q, 0, 1); len(d) != 1 || d[0].Counts.TimedOut != 2 || !strings.Contains(d[0].Reason, "2 attempts timed out") {
			t.Fatalf("%+v", d)
		}
		consumer.Close()
	})
}

func TestPoison_IsFoundAndItsNeighboursAreNotBlamed(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.put(q, "poison")
		for i := range 40 {
			c.put(q, fmt.Sprint(i))
		}
		done := map[string]bool{}
		for crashes := 0; q.Stats().Unsettled() > 0; {
			w := newClient(e)
			q.Consume(w.Holder, 1, 8, reeve.GetOptions{})
			for i := 0; i < len(w.tasks); i++ { // acks bring more
				if string(w.tasks[i].Payload) == "poison" {
					w.Release(false) // the process dies with all it has
					if crashes++; crashes > 100 {
						t.Fatal("the poison task was never found")
					}
					break
				}
				if i%3 == 0 { // some are done before it strikes
					w.ack(q, w.tasks[i])
					done[string(w.tasks[i].Payload)] = true
				}
			}
			if q.Stats().Leased > 0 { // no poison here: the rest is done too
				for _, task := range w.tasks {
					w.ack(q, task)
					done[string(task.Payload)] = true
				}
				w.Release(true)
			}
		}
		dead := deadOf(q, 0, 100)
		if len(dead) != 1 || string(dead[0].Payload) != "poison" || dead[0].Reason != "worker lost ×5" {
			t.Fatalf("dead: %+v", dead)
		}
		if len(done) != 40 {
			t.Fatalf("%d of 40 innocent tasks done", len(done))
		}
	})
}
