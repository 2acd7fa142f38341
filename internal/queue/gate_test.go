package queue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestConcurrency_OfAQueueIsNeverExceeded(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, a, b := declare(t, e, "q", reeve.QueueConfig{Concurrency: 3}), newClient(e), newClient(e), newClient(e)
		q.Consume(a.Holder, 1, 10, reeve.GetOptions{})
		q.Consume(b.Holder, 1, 10, reeve.GetOptions{Types: []string{""}})
		p.put(q, make([]string, 20)...)
		leased := func(want int) {
			t.Helper()
			if s := q.Stats(); s.Leased != want {
				t.Fatalf("%d leased, want %d", s.Leased, want)
			}
		}
		leased(3)
		if ts := p.take(t, q, 5); len(ts) != 0 {
			t.Fatalf("%d tasks beyond the limit", len(ts))
		}
		busy := a
		if len(a.seen()) == 0 {
			busy = b
		}
		p.ok(t, p.ack(q, busy.seen()[0]))
		leased(3)
		p.ok(t, p.nack(q, busy.seen()[1], queue.NackOp{Delay: time.Hour}))
		leased(3)
		if _, _, n := a.Info(); n == 0 {
			a, b = b, a
		}
		n := len(b.seen())
		_, _, places := a.Info()
		a.Release(false) // its places are free at once
		leased(3)
		if more := len(b.seen()) - n; more != places {
			t.Fatalf("%d tasks were handed over for %d of the dead holder", more, places)
		}
	})
}

func TestConcurrency_OfATypeLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p := declare(t, e, "q", reeve.QueueConfig{TypeConcurrency: map[string]int{"heavy": 2}, Attempts: 100, Lease: time.Second}), newClient(e)
		w := newClient(e)
		q.Consume(w.Holder, 1, 100, reeve.GetOptions{})
		for range 6 {
			p.mustAdd(t, q, reeve.Task{Type: "heavy"})
		}
		p.mustAdd(t, q, reeve.Task{Type: "heavy", Rules: &reeve.Rules{Labels: []string{"x"}}})
		for range 4 {
			p.mustAdd(t, q, reeve.Task{Type: "light"})
		}
		heavy := func(leased, done int) {
			t.Helper()
			for _, s := range q.Types() {
				if s.Type == "heavy" && s.Leased != leased {
					t.Fatalf("%+v, want %d leased", s, leased)
				}
				if s.Type == "light" && s.Leased != 4 {
					t.Fatalf("%+v", s)
				}
			}
			if s := q.Stats(); s.Done != uint64(done) {
				t.Fatalf("%+v", s)
			}
		}
		heavy(2, 0)
		last := func() reeve.Task {
			for i := len(w.seen()) - 1; ; i-- {
				if w.seen()[i].Type == "heavy" {
					return w.seen()[i]
				}
			}
		}
		// Each end of an attempt lets the next one in.
		p.ok(t, p.nack(q, last(), queue.NackOp{Error: "x"}))
		heavy(2, 0)
		p.ok(t, p.nack(q, last(), queue.NackOp{Delay: time.Hour}))
		heavy(2, 0)
		p.ok(t, p.nack(q, last(), queue.NackOp{Returned: true}))
		heavy(2, 0)
		p.ok(t, p.nack(q, last(), queue.NackOp{Bury: true}))
		heavy(2, 0)
		p.ok(t, p.ack(q, last()))
		heavy(2, 1)
		if err := e.Cancel(last().ID, ""); err != nil {
			t.Fatal(err)
		}
		heavy(2, 1)
		w.Release(false)
		w = newClient(e)
		q.Consume(w.Holder, 1, 100, reeve.GetOptions{})
		heavy(2, 1)
	})
}

func TestConcurrency_AClaimDoesNotGoBeyondIt(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]reeve.QueueConfig{
		"queue": {Concurrency: 1, Lease: time.Second},
		"type":  {TypeConcurrency: map[string]int{"a": 1}, Lease: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, c, silent, other := declare(t, e, "q", cfg), newClient(e), newClient(e), newClient(e)
				c.mustAdd(t, q, reeve.Task{Type: "a", Rules: &reeve.Rules{Labels: []string{"x"}}})
				task := silent.takeOf(t, q, 1, reeve.GetOptions{Labels: []string{"x"}})[0]
				c.mustAdd(t, q, reeve.Task{Type: "a"})
				sleep(3 * time.Second) // silent for too long
				theirs := other.take(t, q, 1)
				if len(theirs) != 1 {
					t.Fatal("the place of the silent holder is not free")
				}
				if kept := q.Claim(silent.Holder, nil, []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}}); kept[0] {
					t.Fatal("claimed beyond the limit")
				}
				tag := c.tag(1)
				q.Extend(silent.Holder, task.ID, task.Attempt, time.Second, tag, c)
				c.fails(t, reeve.ErrLeaseLost, tag)
				other.ok(t, other.ack(q, theirs[0]))
				if kept := q.Claim(silent.Holder, nil, []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}}); !kept[0] {
					t.Fatal("nobody else had it, and there is a place")
				}
			})
		})
	}
}

func TestRate_OfAQueueIsNeverExceededAndUsedToTheFull(t *testing.T) {
	t.Parallel()
	for _, rate := range []reeve.Rate{{Tasks: 2}, {Tasks: 7, Per: 3 * time.Second, Burst: 4}, {Tasks: 1000, Burst: 20}} {
		t.Run(rate.String(), func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, w := declare(t, e, "q", reeve.QueueConfig{Rate: rate}), newClient(e)
				w.Holder = e.NewHolder(w, true)
				c := q.Consume(w.Holder, 1, 1000, reeve.GetOptions{})
				rnd := rand.New(rand.NewPCG(1, 1))
				acked := 0
				for range 400 {
					switch rnd.IntN(5) {
					case 0, 1:
						w.put(q, make([]string, 1+rnd.IntN(20))...)
					case 2:
						sleep(time.Duration(rnd.Float64() * 20 * rate.Interval()))
					case 3:
						c.SetSlots(rnd.IntN(2) * 1000)
					case 4:
						for ; acked < len(w.seen()); acked++ {
							w.ok(t, w.ack(q, w.seen()[acked]))
						}
					}
				}
				if len(w.at) < 100 {
					t.Fatalf("%d hand-overs", len(w.at))
				}
				for i := range w.at {
					for j := i; j < len(w.at); j++ {
						d := w.at[j].Sub(w.at[i])
						if most := float64(max(1, rate.Burst)) + float64(d)/rate.Interval() + 1e-6; float64(j-i+1) > most {
							t.Fatalf("%d hand-overs in %v, at most %v may be", j-i+1, d, most)
						}
					}
				}
				c.SetSlots(1000)
				q.Shutdown(true)

				steady, w2 := declare(t, e, "steady", reeve.QueueConfig{Rate: rate}), newClient(e)
				w2.Holder = e.NewHolder(w2, true)
				steady.Consume(w2.Holder, 1, reeve.MaxSlots, reeve.GetOptions{})
				w2.put(steady, make([]string, 1000)...)
				d := time.Duration(500*rate.Interval()) + 1 // rounded up
				sleep(d)
				if n := len(w2.seen()); n != max(1, rate.Burst)+500 {
					t.Fatalf("%d hand-overs in %v", n, d)
				}
			})
		})
	}
}

func TestWindows_OpenAndCloseByTheWallClock(t *testing.T) {
	t.Parallel()
	runWall(t, func(t *testing.T, e *queue.Engine, w *wall) {
		w.step(time.Until(time.Date(2026, 3, 1, 22, 30, 0, 0, time.UTC)))
		q, c := declare(t, e, "q", reeve.QueueConfig{Windows: []reeve.Window{{From: 23 * time.Hour, To: 2 * time.Hour}, {From: 12 * time.Hour, To: 13 * time.Hour}}}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		q.Consume(c.Holder, 1, 1, reeve.GetOptions{})
		c.put(q, make([]string, 20)...)
		acked := 0
		want := func(open bool, when string) {
			t.Helper()
			n := len(c.seen())
			for ; acked < n; acked++ {
				c.ok(t, c.ack(q, c.seen()[acked])) // brings the next one, if the queue is open
			}
			if got := len(c.seen()) > n; got != open || q.Stats().Closed == open {
				t.Fatalf("%s, at %v: open %v, closed %v", when, w.now().UTC(), got, q.Stats().Closed)
			}
		}
		sleep(30*time.Minute - 1)
		if len(c.seen()) != 0 || !q.Stats().Closed {
			t.Fatal("open too early")
		}
		sleep(1)
		want(true, "at 23:00")
		sleep(3*time.Hour - time.Millisecond)
		want(true, "just before 2:00")
		sleep(time.Millisecond)
		if n := len(c.seen()); n != acked+1 {
			t.Fatal("closed, but a task came")
		}
		want(false, "at 2:00")
		w.step(-time.Hour) // by hand, into the window
		sleep(time.Minute)
		if len(c.seen()) == acked {
			t.Fatal("nobody noticed that the clock was set")
		}
		want(true, "at 1:01 again")
		w.step(time.Hour) // and out of it
		sleep(time.Minute)
		want(false, "at 2:02")
		w.step(10 * time.Hour) // into the other one
		sleep(time.Minute)
		want(true, "at 12:03")
	})
}

func TestWindows_KeepToTheClocksOfTheirZone(t *testing.T) {
	t.Parallel()
	runWall(t, func(t *testing.T, e *queue.Engine, w *wall) {
		w.step(time.Until(time.Date(2026, 7, 1, 20, 59, 59, 0, time.UTC))) // 22:59:59 in Berlin
		q, c := declare(t, e, "q", reeve.QueueConfig{Windows: []reeve.Window{{From: 23 * time.Hour, To: 24 * time.Hour, Zone: "Europe/Berlin"}}}), newClient(e)
		c.put(q, "a", "b")
		if len(c.take(t, q, 1)) != 0 {
			t.Fatal("open too early")
		}
		sleep(time.Second)
		if len(c.take(t, q, 1)) != 1 {
			t.Fatal("closed at 23:00")
		}
		sleep(time.Hour)
		if len(c.take(t, q, 1)) != 0 {
			t.Fatal("open at 24:00")
		}
	})
}

func TestPause_EndsHandOversUntilResume(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Concurrency: 3}), newClient(e)
		q.Consume(c.Holder, 1, 1, reeve.GetOptions{})
		q.Get(c.Holder, &queue.GetOp{Max: 1, Tag: 500})
		if err := q.Pause("repairs"); err != nil {
			t.Fatal(err)
		}
		c.put(q, "a", "b", "c")
		if s := q.Stats(); len(c.seen()) != 0 || len(c.gots) != 0 || !s.Paused || s.PauseReason != "repairs" || s.Ready != 3 {
			t.Fatalf("%+v", s)
		}
		if ts := newClient(e).take(t, q, 1); len(ts) != 0 {
			t.Fatal("a task of a paused queue")
		}
		if err := q.Pause(strings.Repeat("x", reeve.MaxErrorText+1)); !errors.Is(err, reeve.ErrTooLarge) {
			t.Fatal(err)
		}
		if q.Pause("more repairs") != nil || q.Stats().PauseReason != "more repairs" {
			t.Fatal("the reason stays")
		}
		q.Resume()
		q.Resume()
		if s := q.Stats(); s.Leased != 2 || s.Paused || s.PauseReason != "" || len(c.gotOf(t, 500).ts) != 1 {
			t.Fatalf("%+v", s)
		}
		q.Pause("")
		c.ok(t, c.ack(q, c.seen()[0])) // leases stand and can be ended
		if s := q.Stats(); s.Leased != 1 || s.Ready != 1 || s.Done != 1 {
			t.Fatalf("%+v", s)
		}
		q.Resume()
		if s := q.Stats(); s.Leased != 2 { // the limit holds again
			t.Fatalf("%+v", s)
		}
	})
}

func TestPause_DoesNotHoldUpTimeNorShutdown(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		q.Pause("x")
		c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Expiry: time.Second}})
		c.mustAdd(t, q, reeve.Task{Delay: time.Second})
		sleep(time.Second)
		if s := q.Stats(); s.Expired != 1 || s.Ready != 1 || s.Delayed != 0 {
			t.Fatalf("%+v", s)
		}
		tag := c.tag(1)
		q.Join(c.Holder, &queue.JoinOp{Tag: tag, By: c})
		q.Shutdown(true)
		c.ok(t, tag)
	})
}

func TestGates_AHoldersDeathFreesItsPlaceInEveryLimitAtOnce(t *testing.T) {
	t.Parallel()
	for i, cfg := range []reeve.QueueConfig{
		{Concurrency: 1}, {TypeConcurrency: map[string]int{"a": 1}}, {}, {KeyConcurrency: 1}, {Reserve: reeve.Reserve{Slots: 1, Priority: 1}},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, a, b := declare(t, e, "q", cfg), newClient(e), newClient(e)
				task := reeve.Task{Type: "a", Rules: &reeve.Rules{Key: "k"}}
				a.mustAdd(t, q, task)
				a.mustAdd(t, q, task)
				q.Consume(a.Holder, 1, 2, reeve.GetOptions{})
				q.Consume(b.Holder, 1, 2, reeve.GetOptions{})
				first, second := a, b
				if len(b.seen()) == 1 {
					first, second = b, a
				}
				if len(first.seen()) != 1 || len(second.seen()) != 0 {
					t.Fatalf("%d, %d", len(first.seen()), len(second.seen()))
				}
				first.Release(false)
				if ts := second.seen(); len(ts) != 1 || ts[0].Attempt != 2 {
					t.Fatalf("%+v", ts)
				}
			})
		})
	}
}
