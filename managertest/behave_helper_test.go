package managertest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// brisk is for tests in which connections fail without a sign.
var brisk = manager.Config{Heartbeat: time.Second}

// plugged connects a client until the end of the test, with a cable to harm.
func plugged(t *testing.T, m *managertest.Master, cfg proxy.Config) (*proxy.Client, *memnet.Cable) {
	t.Helper()
	client, cable, err := plug(t.Context(), m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, cable
}

// work runs a worker until the end of the test, or until stop.
func work(t *testing.T, w *worker.Worker) (stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done, over := make(chan error, 1), make(chan struct{})
	go func() { // waited for by the cleanup
		defer close(over)
		done <- w.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		w.Close()
		<-over
	})
	return cancel, done
}

func putOne(t *testing.T, q reeve.Queue, task reeve.Task, opts ...reeve.PutOption) reeve.ID {
	t.Helper()
	ids, err := q.Put(t.Context(), []reeve.Task{task}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

// stateOf is where the task is; ended ones must be kept.
func stateOf(t *testing.T, o reeve.Operator, id reeve.ID) reeve.State {
	t.Helper()
	info, err := o.Task(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return info.State
}

// hasReason reports whether the explanation of id has a reason of that kind.
func hasReason(t *testing.T, o reeve.Operator, id reeve.ID, code reeve.ReasonCode) bool {
	t.Helper()
	x, err := o.Explain(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range x.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

// async runs f and returns where its result comes.
func async[T any](f func() (T, error)) <-chan result[T] {
	c := make(chan result[T], 1)
	go func() { // ends with f; its result is received, or dropped at the end of the test
		v, err := f()
		c <- result[T]{v, err}
	}()
	return c
}

type result[T any] struct {
	v   T
	err error
}

// settle waits until everything in the bubble has come to rest.
func settle() { synctest.Wait() }
