package queue_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

func TestDelete_EndsAllThatWaits(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, other := declare(t, e, "q", reeve.QueueConfig{MaxLen: 1}), declare(t, e, "other", reeve.QueueConfig{Lease: time.Hour, Timeout: time.Minute})
		p, w := newClient(e), newClient(e)
		id := p.mustAdd(t, q, reeve.Task{Type: "nobody"})
		put, join, end := p.put(q, "b"), p.join(q), p.await(id)
		q.Get(w.Holder, &queue.GetOp{Max: 1, Tag: 7, Want: reeve.GetOptions{Types: []string{"other"}}})
		q.Consume(w.Holder, 8, 1, reeve.GetOptions{Types: []string{"other"}})
		p.put(other, "x")
		into := p.complete(other, q, p.take(t, other, 1)[0], "r") // waits for room
		p.waits(t, put, join, into)

		if err := e.Delete("q", true); err != nil {
			t.Fatal(err)
		}
		p.fails(t, reeve.ErrNoSuchQueue, put, join, into)
		if g := w.gotOf(t, 7); !errors.Is(g.err, reeve.ErrNoSuchQueue) {
			t.Errorf("Get: %v", g.err)
		}
		if err := w.ended[8]; !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("the consumer ended with %v", err)
		}
		if x, ok := p.endOf(end); !ok || x.err != nil || x.r.State != reeve.StatePurged || x.r.ID != id {
			t.Errorf("Wait: %+v, %v", x, ok)
		}
		if _, err := e.Lookup("q"); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("Lookup: %v", err)
		}
		if _, err := e.Result(id); !errors.Is(err, reeve.ErrNoSuchTask) {
			t.Errorf("Result: %v", err)
		}
		if err := e.Delete("q", true); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("a second time: %v", err)
		}
		if s := other.Stats(); s.Leased != 1 {
			t.Errorf("the task whose result was refused: %+v", s)
		}
		sleep(2 * time.Minute)
		if s := other.Stats(); s.TimedOut != 1 {
			t.Errorf("its attempt has no end any more: %+v", s)
		}
		if all, idle := e.Deletes(); all != 1 || idle != 0 {
			t.Errorf("%d deleted, %d idle", all, idle)
		}
	})
}

func TestDelete_TakesLeasesAway(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, full := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "full", reeve.QueueConfig{MaxLen: 1})
		c, d := newClient(e), newClient(e)
		c.put(q, "a", "b")
		c.put(full, "x")
		q.Consume(d.Holder, 3, 5, reeve.GetOptions{})
		parked := d.complete(q, full, d.seen()[0], "r")
		d.waits(t, parked)

		if err := e.Delete("q", true); err != nil {
			t.Fatal(err)
		}
		if lost := d.lostCauses(); len(lost) != 2 || lost[0] != reeve.ErrLeaseLost {
			t.Errorf("lost with %v", lost)
		}
		d.fails(t, reeve.ErrLeaseLost, parked, d.ack(q, d.seen()[1]), d.nack(q, d.seen()[1], queue.NackOp{}))
		if s := full.Stats(); s.WaitingPuts != 0 || s.Ready != 1 {
			t.Errorf("%+v", s)
		}
		if e.Leased() != 0 {
			t.Errorf("%d leases", e.Leased())
		}
		c.Release(false)
		d.Leave()
	})
}

func TestDelete_WithoutForceLeavesAQueueThatHasTasks(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.put(q, "a")
		if err := e.Delete("q", false); !errors.Is(err, reeve.ErrNotEmpty) {
			t.Fatalf("%v, want ErrNotEmpty", err)
		}
		task := c.take(t, q, 1)[0]
		c.ok(t, c.nack(q, task, queue.NackOp{Bury: true}))
		if err := e.Delete("q", false); !errors.Is(err, reeve.ErrNotEmpty) {
			t.Fatalf("with a dead task: %v, want ErrNotEmpty", err)
		}
		if n, err := q.Purge(nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if err := e.Delete("q", false); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDelete_WhatComesLaterFindsNothing asks by a pointer that somebody had.
func TestDelete_WhatComesLaterFindsNothing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, other, c := declare(t, e, "q", reeve.QueueConfig{IdleTTL: time.Second}), declare(t, e, "other", reeve.QueueConfig{}), newClient(e)
		task := c.mustAdd(t, other, reeve.Task{})
		if err := e.Delete("q", false); err != nil {
			t.Fatal(err)
		}
		c.fails(t, reeve.ErrNoSuchQueue, c.put(q, "a"), c.join(q))
		q.Get(c.Holder, &queue.GetOp{Max: 1, Tag: 77})
		if g := c.gotOf(t, 77); !errors.Is(g.err, reeve.ErrNoSuchQueue) {
			t.Errorf("Get: %v", g.err)
		}
		if q.Consume(c.Holder, 78, 1, reeve.GetOptions{}) != nil {
			t.Error("a consumer of it")
		}
		if err := q.Pause("x"); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("Pause: %v", err)
		}
		q.Resume()
		q.Shutdown(true)
		if n, err := other.Move(q, nil); n != 0 || !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("Move: %d, %v", n, err)
		}
		if n, err := q.Revive(nil); n != 0 || !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("Revive: %d, %v", n, err)
		}
		held := c.take(t, other, 1)[0]
		c.fails(t, reeve.ErrNoSuchQueue, c.complete(other, q, held, "r"))
		c.ok(t, c.ack(other, held))
		sleep(time.Hour)
		if _, err := e.Result(task); !errors.Is(err, reeve.ErrNoSuchTask) {
			t.Error(err)
		}
		if s := q.Stats(); s.Ready+s.Leased+s.Consumers+s.WaitingPuts != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestDelete_ANewQueueOfTheNameIsAnotherOne(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		old, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.put(old, "old")
		declare(t, e, "r", reeve.QueueConfig{})
		if err := e.Delete("q", true); err != nil {
			t.Fatal(err)
		}
		q := declare(t, e, "q", reeve.QueueConfig{MaxLen: 3})
		if got := e.Names(); !slices.Equal(got, []string{"r", "q"}) {
			t.Errorf("queues %q", got)
		}
		c.ok(t, c.put(q, "new"))
		if ts := c.take(t, q, 5); len(ts) != 1 || string(ts[0].Payload) != "new" {
			t.Errorf("%v", ts)
		}
	})
}

func TestDelete_TellsOthersOfAGroupNothing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, b, c := declare(t, e, "a", reeve.QueueConfig{}), declare(t, e, "b", reeve.QueueConfig{}), newClient(e)
		g, err := e.ConsumeFrom(c.Holder, 1, 2, []reeve.Source{{Queue: "a"}, {Queue: "b"}}, reeve.GetOptions{})
		if g == nil || err != nil {
			t.Fatal(err)
		}
		c.put(a, "1", "2")
		c.put(b, "3")
		if err := e.Delete("a", true); err != nil {
			t.Fatal(err)
		}
		if seen := c.seen(); len(seen) != 3 || string(seen[2].Payload) != "3" { // the slots are free again
			t.Fatalf("%v", seen)
		}
		if len(c.ended) != 0 {
			t.Errorf("ended %v", c.ended)
		}
		if err := e.Delete("b", true); err != nil {
			t.Fatal(err)
		}
		if err := c.ended[1]; !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestDeclare_BoundsTheNumberOfQueues(t *testing.T) {
	t.Parallel()
	e := queue.New(queue.Config{MaxQueues: 2})
	defer e.Close()
	declare(t, e, "a", reeve.QueueConfig{})
	declare(t, e, "b", reeve.QueueConfig{})
	declare(t, e, "a", reeve.QueueConfig{})
	_, err := e.Declare("c", reeve.QueueConfig{})
	limit, ok := errors.AsType[*reeve.LimitError](err)
	if !ok || !errors.Is(err, reeve.ErrLimit) || limit.Max != 2 || limit.Value != 3 {
		t.Fatalf("%v", err)
	}
	if err := e.Delete("a", false); err != nil {
		t.Fatal(err)
	}
	declare(t, e, "c", reeve.QueueConfig{})
}

// TestDelete_HoldersForgetTheQueue declares and deletes many queues in the life
// of one client.
func TestDelete_HoldersForgetTheQueue(t *testing.T) {
	e := queue.New(queue.Config{})
	defer e.Close()
	c := newClient(e)
	round := func(n int) {
		for i := range n {
			q := declare(t, e, fmt.Sprint("q", i), reeve.QueueConfig{})
			c.put(q, "a")
			if err := e.Delete(q.Name(), true); err != nil {
				t.Fatal(err)
			}
		}
		c.forget()
	}
	round(200)
	was := heapBytes()
	round(3000)
	if grown := heapBytes() - was; grown > 1<<20 {
		t.Errorf("3000 queues that are gone leave %d bytes", grown)
	}
	runtime.KeepAlive(c)
}

func TestDelete_IsThereAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q, other, c := k.declare("q", reeve.QueueConfig{Durability: reeve.DurabilityNone}), k.declare("other", reeve.QueueConfig{}), newClient(k.Engine)
		c.put(q, "a", "b")
		c.put(other, "c")
		synctest.Wait()
		if n, err := q.Move(other, &reeve.Filter{IDs: []reeve.ID{c.getNow(t, q, 1)[0].ID + 1}}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		synctest.Wait()
		if err := k.Delete("q", true); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for range 2 {
			k.powerCut()
			if got := k.Names(); !slices.Equal(got, []string{"other"}) {
				t.Fatalf("queues %q", got)
			}
			if r := k.Recovered(); r.Tasks != 2 {
				t.Fatalf("%+v", r)
			}
		}
		k.declare("q", reeve.QueueConfig{MaxLen: 7}) // has a number of its own
		synctest.Wait()
		k.powerCut()
		if q := k.lookup("q"); q.Config().MaxLen != 7 || q.Stats().Ready != 0 {
			t.Errorf("%+v", q.Stats())
		}
		c = newClient(k.Engine)
		if ts := c.getNow(t, k.lookup("other"), 5); len(ts) != 2 || string(ts[0].Payload) != "c" || string(ts[1].Payload) != "b" {
			t.Errorf("%v", ts)
		}
		k.Close()
	})
}

// TestDelete_CleaningKeepsWhatWentElsewhere moves tasks whose payloads are in
// the journal only, deletes their queue, and writes until their frames are
// trimmed, over restarts.
func TestDelete_CleaningKeepsWhatWentElsewhere(t *testing.T) {
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := open(t, queue.Config{Memory: 1})
			q, other, c := k.declare("q", reeve.QueueConfig{}), k.declare("other", reeve.QueueConfig{}), newClient(k.Engine)
			c.put(q, "a", "b", "c")
			synctest.Wait()
			if n, err := q.Move(other, nil); n != 3 || err != nil {
				t.Fatal(n, err)
			}
			if err := k.Delete("q", false); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				synctest.Wait()
				if restart {
					k.powerCut()
					c = newClient(k.Engine)
				}
				churn := k.declare("churn", reeve.QueueConfig{})
				for range 60 {
					c.put(churn, string(make([]byte, 500)))
					synctest.Wait()
					c.ack(churn, c.getNow(t, churn, 1)[0])
					synctest.Wait()
				}
			}
			if first, _, unpin, err := k.PinJournal(); err != nil || first < 4 {
				t.Fatalf("the first frame is %d, %v: nothing was cleaned", first, err)
			} else {
				unpin()
			}
			k.powerCut()
			c = newClient(k.Engine)
			var got []string
			for _, task := range c.getNow(t, k.lookup("other"), 5) {
				got = append(got, string(task.Payload))
			}
			if !slices.Equal(got, []string{"a", "b", "c"}) {
				t.Errorf("%q", got)
			}
			k.Close()
		})
	}
}

// powerCut ends the engine as a power cut would, and opens it again.
func (k *kept) powerCut() {
	k.t.Helper()
	old := k.Engine
	k.journal = k.journal.Crash(journaltest.PowerCut())
	old.Close() // it can write nothing any more
	k.open()
}
