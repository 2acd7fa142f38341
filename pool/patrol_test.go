package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/worker"
)

// More tasks than are watched wait at the front: of what ends behind them one
// hears nevertheless, and soon.
func TestPatrol_FindsWhatEndsOutOfOrder(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		const stuck, after = 2500, 2000
		p := newPool[int, int](t, w, "later", pool.Config{})
		c := w.Dial(t)
		wk := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 8, Grace: -1})
		worker.Handle(wk, "later", func(_ context.Context, n int) (int, error) {
			if n < stuck {
				return 0, worker.RetryAfter(nil, 24*time.Hour)
			}
			return n, nil
		})
		done := make(chan error, 1)
		go func() { done <- wk.Run(context.Background()) }() // received below
		begin := time.Now()
		var all []*pool.Future[int]
		for i := range stuck + after {
			all = append(all, p.Go(t.Context(), i))
		}
		for i, f := range all[stuck:] {
			if out, err := f.Get(t.Context()); err != nil || out != stuck+i {
				t.Fatalf("%d: %d, %v", stuck+i, out, err)
			}
		}
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("took %v", took)
		}
		if all[0].Ready() || all[stuck-1].Ready() {
			t.Error("a task that waits has ended")
		}
		if err := wk.Close(); err != nil {
			t.Error(err)
		}
		<-done
		if err := p.Terminate(t.Context()); err != nil {
			t.Error(err)
		}
		if err := p.Join(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What was moved is not in the queue, and has not ended either.
func TestPatrol_LeavesAloneWhatWasMoved(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		const n = 1200
		p := newPool[int, int](t, w, "f", pool.Config{})
		var all []*pool.Future[int]
		for i := range n {
			all = append(all, p.Go(t.Context(), i))
		}
		synctest.Wait()
		w.Declare(t, "other", reeve.QueueConfig{})
		if moved, err := w.op.Move(t.Context(), "tasks", "other", reeve.Filter{}); moved != n || err != nil {
			t.Fatalf("%d, %v", moved, err)
		}
		time.Sleep(time.Minute)
		for i, f := range all {
			if f.Ready() {
				_, err := f.Get(t.Context())
				t.Fatalf("%d has ended: %v", i, err)
			}
		}
		if _, err := w.op.CancelAll(t.Context(), "other", reeve.Filter{}, "enough"); err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if _, err := f.Get(t.Context()); !errors.Is(err, reeve.ErrCancelled) {
				t.Fatal(err)
			}
		}
	})
}
