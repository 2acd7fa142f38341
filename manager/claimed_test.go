package manager_test

// What was on its way to a client when its connection was lost, or the master:
// it runs as soon as the client is back, not when its lease is over.

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/worker"
)

func TestClaimed_WhatWasOnItsWayRunsAtOnce(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		const n = 4
		m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1, Lease: 10 * time.Minute, KeepResult: time.Hour})
		c, cable := plug(t, m)
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1, Prefetch: n})
		var ran []string
		running, goOn := make(chan bool, 1), make(chan bool)
		w.HandleDefaultFunc(func(ctx context.Context, task *reeve.Task) ([]byte, error) {
			ran = append(ran, string(task.Payload))
			if string(task.Payload) == "first" {
				running <- true
				select {
				case <-goOn:
				case <-ctx.Done():
					t.Errorf("the handler of what runs was told %v", context.Cause(ctx))
				}
			}
			return nil, nil
		})
		runWorker(t, w)
		q := m.Dial(t).Queue("tasks")
		ids := []reeve.ID{putOne(t, q, "first")}
		<-running
		settle()
		cable.Last().Peer().StallAfter(0) // nothing more reaches the worker
		for i := range n {
			ids = append(ids, putOne(t, q, fmt.Sprint(i)))
		}
		settle() // the leases are recorded
		if s := statsOf(t, q); s.Leased != 1+n {
			t.Fatalf("%+v", s)
		}
		outage(t, m, time.Second)
		close(goOn)
		back := time.Now()
		if err := q.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		soon(t, back, freshWithin, "what was on its way")
		if fmt.Sprint(ran) != "[first 0 1 2 3]" {
			t.Errorf("ran %v", ran)
		}
		for _, id := range ids {
			managertest.AssertState(t, m.Manager(), id, reeve.StateDone)
		}
		if s := statsOf(t, q); s.Returned != n || s.Lost != 0 || s.Done != 1+n {
			t.Errorf("%+v", s)
		}
	})
}

func TestClaimed_AfterASilenceToo(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Lease: 5 * time.Minute})
		c, cable := plug(t, m)
		got := make(chan *reeve.Lease, 1)
		go func() { got <- get(t, c.Queue("tasks")) }()
		settle()
		cable.BlackHole()
		putOne(t, q, "x")
		settle()
		time.Sleep(2 * time.Minute) // both sides have given the connection up
		if s := statsOf(t, q); s.Leased != 1 || len(got) > 0 {
			t.Fatalf("%+v", s)
		}
		cable.Heal()
		healed := time.Now()
		l := <-got
		soon(t, healed, time.Minute, "the Get") // a pause between attempts to connect is part of it
		if err := l.Ack(t.Context()); err != nil {
			t.Error(err)
		}
		if s := statsOf(t, q); s.Returned != 1 || s.Lost != 0 || s.Done != 1 {
			t.Errorf("%+v", s)
		}
	}, usual)
}

func TestClaimed_TheEndsOnTheirWayStillCount(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 2, Lease: 10 * time.Minute, KeepResult: time.Hour})
		m.Declare(t, "results", reeve.QueueConfig{})
		ends := map[string]func(*reeve.Lease) error{
			"ack":      func(l *reeve.Lease) error { return l.Ack(t.Context()) },
			"complete": func(l *reeve.Lease) error { return l.Complete(t.Context(), "results", reeve.Task{Payload: l.Payload}) },
			"large": func(l *reeve.Lease) error { // on a stream of its own
				return l.Complete(t.Context(), "results", reeve.Task{Payload: make([]byte, 1<<20)})
			},
			"nack": func(l *reeve.Lease) error { return l.Nack(t.Context(), time.Hour, fmt.Errorf("why")) },
			"bury": func(l *reeve.Lease) error { return l.Bury(t.Context(), "why") },
		}
		q := m.Dial(t).Queue("tasks")
		ids := map[string]reeve.ID{}
		over := make(chan error, len(ends))
		for name, end := range ends {
			c, cable := plug(t, m) // each has nothing else to claim
			ids[name] = putOne(t, q, name)
			l := get(t, c.Queue("tasks"))
			settle()
			cable.Last().StallAfter(0) // it is sent, and does not arrive
			go func() { over <- end(l) }()
		}
		settle()
		if s := statsOf(t, q); s.Leased != len(ends) {
			t.Fatalf("%+v", s)
		}
		outage(t, m, time.Second)
		back := time.Now()
		for range ends {
			if err := <-over; err != nil {
				t.Error(err)
			}
		}
		soon(t, back, freshWithin, "the ends")
		for name, want := range map[string]reeve.State{
			"ack": reeve.StateDone, "complete": reeve.StateDone, "large": reeve.StateDone, "nack": reeve.StateDelayed, "bury": reeve.StateDead,
		} {
			managertest.AssertState(t, m.Manager(), ids[name], want)
		}
		managertest.AssertReady(t, m.Dial(t).Queue("results"), 2)
		if s := statsOf(t, q); s.Returned != 0 || s.Lost != 0 || s.Done != 3 || s.Failed != 1 {
			t.Errorf("%+v", s)
		}
	})
}
