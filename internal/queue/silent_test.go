package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestSilentHolder_IsGivenNothingUntilItIsHeardOf(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p := declare(t, e, "q", reeve.QueueConfig{Lease: time.Second, Attempts: 2}), newClient(e)
		silent := newClient(e)
		q.Consume(silent.Holder, 1, 2, reeve.GetOptions{})
		p.put(q, "a", "b")
		sleep(10 * time.Second) // the leases end once; the tasks do not go back to it
		if len(silent.tasks) != 2 || len(silent.lost) != 2 {
			t.Fatalf("handed over %d times, lost %d", len(silent.tasks), len(silent.lost))
		}
		if s := q.Stats(); s.Ready != 2 || s.Lost != 2 || s.Dead != 0 {
			t.Fatalf("%+v", s)
		}
		silent.Touch()
		if len(silent.tasks) != 4 {
			t.Fatal("it was heard of and got nothing")
		}
	})
}

func TestSilentHolder_DoesNotTakeFromTheOthers(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p := declare(t, e, "q", reeve.QueueConfig{Lease: time.Second}), newClient(e)
		silent, alive := newClient(e), newClient(e)
		q.Consume(silent.Holder, 1, 100, reeve.GetOptions{})
		q.Get(silent.Holder, &queue.GetOp{Max: 100, Tag: silent.tag(1)})
		sleep(2 * time.Second)
		q.Consume(alive.Holder, 1, 100, reeve.GetOptions{})
		for range 10 {
			p.put(q, "x")
		}
		if len(silent.tasks)+len(silent.gots) != 0 || len(alive.tasks) != 10 {
			t.Fatalf("%d tasks to the silent one, %d to the other", len(silent.tasks), len(alive.tasks))
		}
	})
}

func TestSilentHolder_WhatItWaitsForStillEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(e *queue.Engine, q *queue.Queue, c *client, get uint64){
		"Cancel":   func(_ *queue.Engine, _ *queue.Queue, c *client, get uint64) { c.Cancel(get, context.Canceled) },
		"Shutdown": func(_ *queue.Engine, q *queue.Queue, _ *client, _ uint64) { q.Shutdown(true) },
		"Stop":     func(e *queue.Engine, _ *queue.Queue, _ *client, _ uint64) { e.Stop() },
		"Touch":    func(_ *queue.Engine, _ *queue.Queue, c *client, _ uint64) { c.Touch() },
		"Release":  func(_ *queue.Engine, _ *queue.Queue, c *client, _ uint64) { c.Release(false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, p, c := declare(t, e, "q", reeve.QueueConfig{Lease: time.Second}), newClient(e), newClient(e)
				get := c.tag(1)
				q.Get(c.Holder, &queue.GetOp{Max: 1, Tag: get})
				sleep(2 * time.Second)
				p.put(q, "a") // finds it silent
				end(e, q, c, get)
				if want := map[bool]int{true: 0, false: 1}[name == "Release"]; len(c.gots) != want {
					t.Fatalf("answered %d times, want %d", len(c.gots), want)
				}
				if s := q.Stats(); s.Consumers != 0 || s.FreeSlots != 0 {
					t.Fatalf("%+v", s)
				}
			})
		})
	}
}

func TestExtend_DoesNotOutlastLaterLeases(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Lease: time.Second}), newClient(e)
		c.put(q, "extended", "a")
		ts := c.take(t, q, 2)
		q.Extend(c.Holder, ts[0].ID, ts[0].Attempt, 24*time.Hour, c.tag(1), c)
		sleep(2 * time.Second)
		if len(c.lost) != 1 {
			t.Fatalf("lost %v", c.lost)
		}
		c.take(t, q, 1) // heard of again, and then silent again
		sleep(2 * time.Second)
		if len(c.lost) != 2 {
			t.Fatal("a lease taken after an Extend did not end with its holder's silence")
		}
	})
}

func TestLeave_LeasesStandForTheNextSessionUntilTheirTimeIsOver(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, a := declare(t, e, "q", reeve.QueueConfig{Lease: 10 * time.Second, Timeout: 5 * time.Second}), newClient(e)
		a.put(q, "a", "b", "c")
		ts := a.take(t, q, 2)
		a.Leave()
		b := newClient(e)
		c := q.Consume(b.Holder, 1, 1, reeve.GetOptions{})
		kept := q.Claim(b.Holder, c, []queue.AckOp{{ID: ts[0].ID, Attempt: ts[0].Attempt}})
		if !kept[0] {
			t.Fatal("the lease was not kept")
		}
		if got := payloads(b.tasks); got != "c " {
			t.Fatalf("got %q", got)
		}
		sleep(6 * time.Second) // the run time of all is over
		if len(a.lost) != 0 || len(b.lost) != 2 || !errors.Is(b.causes[0], reeve.ErrTimeout) {
			t.Fatalf("told %v and %v", a.lost, b.causes)
		}
		if s := q.Stats(); s.TimedOut != 3 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestClaim_OfALossTakesItBackInFull(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, a := declare(t, e, "q", reeve.QueueConfig{Attempts: 2}), newClient(e)
		a.put(q, "a")
		task := a.take(t, q, 1)[0]
		for range 5 { // twice would be too often
			a.Release(false)
			a = newClient(e)
			if kept := q.Claim(a.Holder, nil, []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}}); !kept[0] {
				t.Fatal("not kept")
			}
		}
		if s := q.Stats(); s.Lost != 0 || s.Dead != 0 {
			t.Fatalf("%+v", s)
		}
		a.Release(false)
		a = newClient(e)
		if r := a.must(t, a.nack(q, task, queue.NackOp{Delay: time.Second})); r.err != nil {
			t.Fatal(r.err)
		}
		sleep(2 * time.Second)
		task = a.take(t, q, 1)[0]
		a.Release(false)
		a = newClient(e)
		a.ok(t, a.nack(q, task, queue.NackOp{}))
		if d := deadOf(q, 0, 1); len(d) != 1 || d[0].Counts != (reeve.Counts{Failed: 2}) {
			t.Fatalf("%+v", d)
		}
	})
}
