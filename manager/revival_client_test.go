package manager_test

// What clients were asking for when the master went.

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

func TestRevival_AClientIsRemembered(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		cfg := m.ClientConfig()
		var states []proxy.State
		cfg.OnState = func(s proxy.State) {
			if s.Connected {
				states = append(states, s)
			}
		}
		c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		q := c.Queue("tasks") // made before, works after
		for i := range 3 {
			putOne(t, q, "x")
			outage(t, m, time.Second)
			managertest.AssertReady(t, q, i+1)
		}
		for i, s := range states {
			if s.Epoch != states[0].Epoch || s.Epoch == 0 || s.Resumed != (i > 0) {
				t.Errorf("connection %d: %+v", i, s)
			}
		}
		if len(states) != 4 {
			t.Errorf("%d connections", len(states))
		}
	})
}

func TestRevival_RequestsWhoseAnswersWereLostHappenOnce(t *testing.T) {
	for name, answered := range map[string]bool{"carried out": true, "never arrived": false} {
		t.Run(name, func(t *testing.T) {
			revived(t, func(t *testing.T, m *managertest.Master) {
				const n = 50
				m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1})
				m.Declare(t, "results", reeve.QueueConfig{})
				c, cable := plug(t, m)
				q := c.Queue("tasks")
				put(t, q, 4)
				ls, err := q.Get(t.Context(), 4)
				if err != nil {
					t.Fatal(err)
				}
				if answered {
					cable.Last().Peer().StallAfter(0)
				} else {
					cable.Last().StallAfter(0)
				}
				var failed atomic.Int64
				over := make(chan bool, n+4)
				go func() { // each has its answer at the end of the test
					for range n {
						go func() {
							if _, err := q.Put(t.Context(), []reeve.Task{{Type: "new"}}); err != nil {
								failed.Add(1)
								t.Errorf("Put: %v", err)
							}
							over <- true
						}()
					}
				}()
				for i, end := range []func() error{
					func() error { return ls[0].Ack(t.Context()) },
					func() error { return ls[1].Complete(t.Context(), "results", reeve.Task{}) },
					func() error { return ls[2].Return(t.Context()) },
					func() error { return ls[3].Bury(t.Context(), "why") },
				} {
					go func() {
						if err := end(); err != nil {
							failed.Add(1)
							t.Errorf("end %d: %v", i, err)
						}
						over <- true
					}()
				}
				settle()
				if len(over) != 0 {
					t.Fatal("there were answers")
				}
				outage(t, m, time.Second)
				for range n + 4 {
					<-over
				}
				m.Restart(t) // nothing is sent again any more
				time.Sleep(time.Minute)
				if s := statsOf(t, q); s.Ready != n+1 || s.Dead != 1 || s.Leased != 0 {
					t.Errorf("%+v", s)
				}
				managertest.AssertReady(t, m.Dial(t).Queue("results"), 1)
			})
		})
	}
}

func TestRevival_AWaitGoesOnAndAResultIsThere(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour})
		c := m.Dial(t)
		ids := put(t, c.Queue("tasks"), 2)
		type told struct {
			r   reeve.Result
			err error
		}
		waited := make(chan told, 1)
		go func() {
			r, err := c.Wait(t.Context(), ids[1])
			waited <- told{r, err}
		}()
		settle()
		if _, err := c.Result(t.Context(), ids[0]); !errors.Is(err, reeve.ErrNotDone) {
			t.Errorf("before: %v", err)
		}
		l := get(t, c.Queue("tasks"))
		m.Restart(t)
		if _, err := c.Result(t.Context(), ids[0]); !errors.Is(err, reeve.ErrNotDone) {
			t.Errorf("after: %v", err)
		}
		if err := l.Complete(t.Context(), "", reeve.Task{Payload: []byte("one")}); err != nil {
			t.Error(err)
		}
		m.Restart(t)
		if err := get(t, m.Dial(t).Queue("tasks")).Complete(t.Context(), "", reeve.Task{Payload: []byte("two")}); err != nil {
			t.Error(err)
		}
		if w := <-waited; w.err != nil || string(w.r.Payload) != "two" || w.r.State != reeve.StateDone {
			t.Errorf("%+v", w)
		}
		m.Restart(t)
		for i, want := range []string{"one", "two"} {
			if r, err := c.Result(t.Context(), ids[i]); err != nil || string(r.Payload) != want {
				t.Errorf("%+v, %v", r, err)
			}
		}
		time.Sleep(2 * time.Hour)
		m.Restart(t)
		if _, err := c.Result(t.Context(), ids[0]); !errors.Is(err, reeve.ErrNoSuchTask) {
			t.Errorf("when its time is over: %v", err)
		}
	})
}

func TestRevival_WhatAClientAskedForBeforeAnythingOfItWasDurableHappensOnce(t *testing.T) {
	var o owners
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		settle()
		for _, op := range []journaltest.Op{journaltest.OpAppend, journaltest.OpSync} {
			gate := o.now().Block(op)
			dialed := async(func() (*proxy.Client, error) { return proxy.Dial(t.Context(), m.Addr(), m.ClientConfig()) })
			settle()
			put := async(func() ([]reeve.ID, error) {
				c := <-dialed
				if c.err != nil {
					return nil, c.err
				}
				defer c.v.Close()
				return c.v.Queue("tasks").Put(t.Context(), []reeve.Task{{}})
			})
			settle()
			m.Kill()
			gate.Open()
			m.Restart(t)
			if p := <-put; p.err != nil {
				t.Errorf("%v blocked: %v", op, p.err)
			}
		}
		managertest.AssertReady(t, m.Dial(t).Queue("tasks"), 2)
	}, kept(t, &o))
}

// async runs f and returns where its result comes.
func async[T any](f func() (T, error)) <-chan result[T] {
	c := make(chan result[T], 1)
	go func() { // ends with f
		v, err := f()
		c <- result[T]{v, err}
	}()
	return c
}

type result[T any] struct {
	v   T
	err error
}

func TestJournal_WithoutAnySpaceWhoLooksGetsIn(t *testing.T) {
	var o owners
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		putOne(t, m.Dial(t).Queue("tasks"), "x")
		o.now().SetSpace(journaltest.NoSpace)
		came := time.Now()
		managertest.AssertReady(t, m.Dial(t).Queue("tasks"), 1)
		soon(t, came, 2*time.Second, "a look")
		o.now().SetSpace(journaltest.Enough)
	}, kept(t, &o))
}
