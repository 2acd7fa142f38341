package manager_test

// A worker that was away for longer than its lease, and comes back, has lost
// the task: whatever it says about it has no effect, the one who got the task
// keeps it, and its handler is told to stop.

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/worker"
)

const shortLease = 10 * time.Second

// ends are all that a holder can say about its lease.
var ends = map[string]func(context.Context, *reeve.Lease) error{
	"ack":      func(ctx context.Context, l *reeve.Lease) error { return l.Ack(ctx) },
	"nack":     func(ctx context.Context, l *reeve.Lease) error { return l.Nack(ctx, 0, errors.New("late")) },
	"return":   func(ctx context.Context, l *reeve.Lease) error { return l.Return(ctx) },
	"bury":     func(ctx context.Context, l *reeve.Lease) error { return l.Bury(ctx, "late") },
	"extend":   func(ctx context.Context, l *reeve.Lease) error { return l.Extend(ctx, time.Minute) },
	"complete": completeLate,
}

func completeLate(ctx context.Context, l *reeve.Lease) error {
	return l.Complete(ctx, "results", reeve.Task{Payload: []byte("late")})
}

func TestPausedHolder_WhatItSaidMeanwhileHasNoEffect(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				q := m.Declare(t, "tasks", reeve.QueueConfig{Lease: shortLease})
				results := m.Declare(t, "results", reeve.QueueConfig{})
				a, cable := plug(t, m)
				putOne(t, q, "x")
				held := get(t, a.Queue("tasks"))

				cable.BlackHole()
				said := make(chan error, 1)
				go func() { said <- end(t.Context(), held) }() // arrives when all is over
				b := get(t, m.Dial(t).Queue("tasks"))
				if b.ID != held.ID || b.Attempt != 2 {
					t.Fatalf("task %v, attempt %d", b.ID, b.Attempt)
				}
				cable.Heal()
				if err := <-said; !errors.Is(err, reeve.ErrLeaseLost) {
					t.Errorf("the late holder is told: %v", err)
				}
				s := statsOf(t, q)
				if s.LateAcks != 1 || s.Leased != 1 || s.Failed+s.Buried+s.Returned+s.Done != 0 {
					t.Errorf("after the late word: %+v", s)
				}
				managertest.AssertReady(t, results, 0)
				if err := b.Ack(t.Context()); err != nil {
					t.Errorf("the one who has the task: %v", err)
				}
			}, usual)
		})
	}
}

func TestPausedHolder_IsToldOfTheLossBeforeItSaysAnything(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				q := m.Declare(t, "tasks", reeve.QueueConfig{Lease: shortLease})
				m.Declare(t, "results", reeve.QueueConfig{})
				a, cable := plug(t, m)
				putOne(t, q, "x")
				held := get(t, a.Queue("tasks"))
				told := make(chan error, 1)
				held.OnLost(func(cause error) { told <- cause })

				cable.BlackHole()
				b := get(t, m.Dial(t).Queue("tasks"))
				cable.Heal()
				if err := <-told; !errors.Is(err, reeve.ErrLeaseLost) {
					t.Errorf("the cause of the loss: %v", err)
				}
				if err := end(t.Context(), held); !errors.Is(err, reeve.ErrLeaseLost) {
					t.Errorf("the late holder: %v", err)
				}
				if err := b.Ack(t.Context()); err != nil {
					t.Errorf("the one who has the task: %v", err)
				}
			}, usual)
		})
	}
}

func TestShortPause_KeepsTheLease(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Lease: reeve.DefaultLease})
		a, cable := plug(t, m)
		putOne(t, q, "x")
		held := get(t, a.Queue("tasks"))
		greedy := consume(t, m.Dial(t).Queue("tasks"), 10)

		cable.BlackHole()
		time.Sleep(20 * time.Second) // both sides give the connection up, but the lease stands
		cable.Heal()
		time.Sleep(5 * time.Second)
		if err := held.Ack(t.Context()); err != nil {
			t.Errorf("a holder that came back in time: %v", err)
		}
		if s := statsOf(t, q); s.Done != 1 || s.Redelivered != 0 || s.LateAcks != 0 {
			t.Errorf("%+v", s)
		}
		greedy.Close()
	}, usual)
}

func TestExtend_OutlastsALongerSilence(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Lease: shortLease})
		a, cable := plug(t, m)
		putOne(t, q, "x")
		held := get(t, a.Queue("tasks"))
		if err := held.Extend(t.Context(), 5*time.Minute); err != nil {
			t.Fatal(err)
		}
		greedy := consume(t, m.Dial(t).Queue("tasks"), 10)
		cable.BlackHole()
		time.Sleep(4 * time.Minute)
		cable.Heal()
		if err := held.Ack(t.Context()); err != nil {
			t.Errorf("a holder that said how long it would be away: %v", err)
		}
		greedy.Close()
	}, usual)
}

func TestLeaseLost_TheHandlerIsToldWithinAHeartbeatOfTheReturnOfTheNetwork(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Lease: reeve.DefaultLease})
		a, cable := plug(t, m)
		w := worker.New(a.Queue("tasks"), worker.Config{Concurrency: 4})
		told := make(chan time.Time, 1)
		w.HandleDefaultFunc(func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, reeve.ErrLeaseLost) {
				t.Errorf("the handler's context ended because of %v", cause)
			}
			told <- time.Now()
			return nil, context.Cause(ctx)
		})
		r := runWorker(t, w)
		putOne(t, q, "x")
		settle()

		cable.BlackHole()
		b := get(t, m.Dial(t).Queue("tasks"))
		time.Sleep(time.Minute)
		healed := time.Now()
		cable.Heal()
		at := <-told
		if took := at.Sub(healed); took > manager.DefaultHeartbeat {
			t.Errorf("the handler was told %v after the network was back", took)
		}
		settle()
		if s := w.Stats(); s.Slots != 2 || s.Lost != 1 {
			t.Errorf("a worker that lost a lease asks for %d of its 4 slots, and counts %d lost", s.Slots, s.Lost)
		}
		if err := b.Ack(t.Context()); err != nil {
			t.Error(err)
		}
		r.stop()
		if err := <-r.err; err != nil {
			t.Error(err)
		}
	}, usual)
}

func TestLeaseLost_ByABrokenConnectionTheHandlerIsToldAtTheReconnect(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		a, cable := plug(t, m)
		w := worker.New(a.Queue("tasks"), worker.Config{Concurrency: 1})
		told := make(chan time.Time, 1)
		w.HandleDefaultFunc(func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			<-ctx.Done()
			told <- time.Now()
			return nil, context.Cause(ctx)
		})
		runWorker(t, w)
		putOne(t, q, "x")
		settle()
		heir := m.Dial(t).Queue("tasks")
		got := make(chan *reeve.Lease, 1)
		go func() { got <- get(t, heir) }()
		settle()
		broke := time.Now()
		cable.Last().Reset()
		l := <-got
		if took := (<-told).Sub(broke); took > manager.DefaultHeartbeat {
			t.Errorf("the handler was told %v after the connection broke", took)
		}
		if err := l.Ack(t.Context()); err != nil {
			t.Error(err)
		}
	}, usual)
}

func TestBrokenConnection_ATaskThatNobodyElseGotIsKept(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		a, cable := plug(t, m)
		w := worker.New(a.Queue("tasks"), worker.Config{Concurrency: 1})
		runs := 0
		w.HandleDefaultFunc(func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			runs++
			for range 5 {
				cable.Last().Reset()
				time.Sleep(20 * time.Second)
			}
			return nil, ctx.Err()
		})
		runWorker(t, w)
		putOne(t, q, "x")
		if err := q.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := statsOf(t, q); runs != 1 || s.Done != 1 || s.Redelivered != 0 || s.Lost != 0 {
			t.Errorf("%d runs, %+v", runs, s)
		}
	}, usual)
}
