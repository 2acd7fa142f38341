package queue_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

const ttl = time.Minute

// there reports whether the queue q is there.
func there(e *queue.Engine) bool { return slices.Contains(e.Names(), "q") }

// TestIdle_AUseBeginsTheTimeAnew has each use once, in a queue of its own.
func TestIdle_AUseBeginsTheTimeAnew(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client){
		"declare": func(t *testing.T, e *queue.Engine, _ *queue.Queue, _ *client) {
			declare(t, e, "q", reeve.QueueConfig{IdleTTL: ttl})
		},
		"put and ack": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client) {
			c.put(q, "a")
			c.ack(q, c.take(t, q, 1)[0])
		},
		"a get of nothing": func(_ *testing.T, _ *queue.Engine, q *queue.Queue, c *client) {
			q.Get(c.Holder, &queue.GetOp{Max: 1, NoWait: true, Tag: c.tag(1)})
		},
		"pause":    func(_ *testing.T, _ *queue.Engine, q *queue.Queue, _ *client) { q.Pause("x") },
		"resume":   func(_ *testing.T, _ *queue.Engine, q *queue.Queue, _ *client) { q.Resume() },
		"shutdown": func(_ *testing.T, _ *queue.Engine, q *queue.Queue, _ *client) { q.Shutdown(false) },
		"a consumer that ends": func(_ *testing.T, _ *queue.Engine, q *queue.Queue, c *client) {
			q.Consume(c.Holder, 9, 1, reeve.GetOptions{}).Close()
		},
	} {
		run(t, func(t *testing.T, e *queue.Engine) {
			q, c := declare(t, e, "q", reeve.QueueConfig{IdleTTL: ttl}), newClient(e)
			sleep(ttl - time.Second)
			use(t, e, q, c)
			sleep(ttl - time.Second)
			if !there(e) {
				t.Fatalf("%s: deleted too early", name)
			}
			sleep(time.Second)
			if there(e) {
				t.Fatalf("%s: not deleted", name)
			}
			if all, idle := e.Deletes(); all != 1 || idle != 1 {
				t.Errorf("%d deleted, %d idle", all, idle)
			}
		})
	}
}

// TestIdle_WhatIsInItKeepsIt has each reason to stay once, and ends it.
func TestIdle_WhatIsInItKeepsIt(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client) (end func()){
		"a task": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client) func() {
			c.put(q, "a")
			return func() { c.ack(q, c.take(t, q, 1)[0]) }
		},
		"a delayed task": func(t *testing.T, e *queue.Engine, q *queue.Queue, c *client) func() {
			id := c.mustAdd(t, q, reeve.Task{Delay: time.Hour})
			return func() { q.Purge(&reeve.Filter{IDs: []reeve.ID{id}, States: []reeve.State{reeve.StateDelayed}}) }
		},
		"a dead task": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client) func() {
			c.put(q, "a")
			c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Bury: true})
			return func() { q.Purge(nil) }
		},
		"a consumer": func(_ *testing.T, _ *queue.Engine, q *queue.Queue, c *client) func() {
			return q.Consume(c.Holder, 9, 1, reeve.GetOptions{}).Close
		},
		"a Get": func(_ *testing.T, _ *queue.Engine, q *queue.Queue, c *client) func() {
			tag := c.tag(1)
			q.Get(c.Holder, &queue.GetOp{Max: 1, Tag: tag})
			return func() { c.Cancel(tag, errCancelled) }
		},
		"a result": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client) func() {
			c.add(q, reeve.Task{Rules: &reeve.Rules{KeepResult: 5 * ttl}})
			c.ack(q, c.take(t, q, 1)[0])
			return func() {} // its time is over
		},
		"a unique key": func(t *testing.T, _ *queue.Engine, q *queue.Queue, c *client) func() {
			c.add(q, reeve.Task{Rules: &reeve.Rules{Unique: "u", UniqueMode: reeve.UniqueForTime, UniqueFor: 5 * ttl}})
			c.ack(q, c.take(t, q, 1)[0])
			return func() {}
		},
	} {
		run(t, func(t *testing.T, e *queue.Engine) {
			q, c := declare(t, e, "q", reeve.QueueConfig{IdleTTL: ttl, Lease: time.Hour}), newClient(e)
			end := use(t, e, q, c)
			for range 5 {
				sleep(ttl)
				c.Touch()
				q.Stats() // who only looks is no reason
				if !there(e) {
					t.Fatalf("%s: it was deleted", name)
				}
			}
			end()
			sleep(ttl - time.Second)
			if !there(e) {
				t.Fatalf("%s: deleted too early", name)
			}
			sleep(time.Second)
			if there(e) {
				t.Fatalf("%s: not deleted", name)
			}
		})
	}
}

func TestIdle_LookingIsNoUse(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{IdleTTL: ttl})
		for range 6 {
			sleep(ttl/6 - 1)
			e.Stats()
			q.Types()
			if _, err := q.Peek(1, 0); err != nil {
				t.Fatal(err)
			}
			if _, err := q.List(nil, reeve.ListOptions{}); err != nil {
				t.Fatal(err)
			}
			if _, err := e.Lookup("q"); err != nil {
				t.Fatal(err)
			}
		}
		sleep(6)
		if there(e) {
			t.Error("it was not deleted")
		}
	})
}

func TestIdle_WithoutATimeAQueueStays(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		declare(t, e, "q", reeve.QueueConfig{})
		sleep(1000 * time.Hour)
		if !there(e) {
			t.Error("it was deleted")
		}
	})
}

func TestIdle_TheTimeBeginsAnewWithARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		k.declare("q", reeve.QueueConfig{IdleTTL: ttl})
		k.declare("stays", reeve.QueueConfig{})
		sleep(ttl - time.Second)
		k.powerCut()
		sleep(ttl - time.Second)
		if !there(k.Engine) {
			t.Fatal("deleted too early")
		}
		sleep(time.Second)
		if there(k.Engine) {
			t.Fatal("not deleted")
		}
		k.powerCut()
		if _, err := k.Lookup("q"); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("after another restart: %v", err)
		}
		k.declare("q", reeve.QueueConfig{}) // another one: it has no time
		sleep(10 * ttl)
		if !there(k.Engine) {
			t.Error("the new one was deleted")
		}
		k.Close()
	})
}

// TestIdle_ConfiguredAnewAfterARestart takes a time from a queue that has one in
// the journal, and gives one to a queue that has none.
func TestIdle_ConfiguredAnewAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		k.declare("q", reeve.QueueConfig{})
		k.declare("stays", reeve.QueueConfig{IdleTTL: ttl})
		synctest.Wait()
		k.powerCut()
		k.declare("q", reeve.QueueConfig{IdleTTL: ttl})
		k.declare("stays", reeve.QueueConfig{})
		sleep(ttl)
		if got := k.Names(); !slices.Equal(got, []string{"stays"}) {
			t.Errorf("queues %q", got)
		}
		k.Close()
	})
}
