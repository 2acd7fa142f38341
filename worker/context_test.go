package worker_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

func TestSetProgress_IsToldForTheTaskOfTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		m := newMemory("tasks", 1)
		w := worker.New(m, worker.Config{MaxTasks: 1})
		var kept context.Context
		worker.HandleAck(w, "f", func(ctx context.Context, _ int) error {
			kept = context.WithValue(ctx, key{}, "made from it")
			for percent, text := range map[float64]string{-1: "", 100.1: "", math.NaN(): "", 50: string(make([]byte, reeve.MaxProgressText+1))} {
				if err := worker.SetProgress(ctx, percent, text); !errors.Is(err, reeve.ErrInvalid) {
					t.Errorf("%v %%: %v, want ErrInvalid", percent, err)
				}
			}
			return errors.Join(worker.SetProgress(ctx, 0, "begun"), worker.SetProgress(kept, 99.5, "nearly"))
		})
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if told := list(m, func() []string { return m.told }); !slices.Equal(told, []string{
			reeve.ID(1).String() + ": 0% begun", reeve.ID(1).String() + ": 99.5% nearly",
		}) {
			t.Errorf("told %q, ends %+v", told, m.allEnds())
		}
		if err := worker.SetProgress(kept, 1, ""); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("after the handler: %v, want ErrLeaseLost", err)
		}
		if err := worker.SetProgress(t.Context(), 1, ""); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("outside of a handler: %v, want ErrInvalid", err)
		}
	})
}

func TestQueueFrom_IsTheQueueOfTheTaskWhereverItIsFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newMemory("a", 1), newMemory("b", 2)
		var got []string
		stats := settled(t, several{a, b}, worker.Config{Concurrency: 1}, func(w *worker.Worker) {
			worker.HandleAck(w, "f", func(ctx context.Context, _ int) error {
				name, ok := worker.QueueFrom(ctx)
				if !ok {
					t.Error("no queue in a handler")
				}
				got = append(got, name)
				return nil
			})
		})
		if slices.Sort(got); !slices.Equal(got, []string{"a", "b"}) || stats.Done != 2 {
			t.Errorf("queues are %q, stats %+v", got, stats)
		}
		if _, ok := worker.QueueFrom(t.Context()); ok {
			t.Error("QueueFrom found a queue outside of a handler")
		}
	})
}

// several is a source without a name, over two queues.
type several [2]*memory

type severalConsumer [2]reeve.Consumer

func (s several) Consume(ctx context.Context, slots int, opts ...reeve.GetOption) (reeve.Consumer, error) {
	var both severalConsumer
	for i, m := range s {
		c, err := m.Consume(ctx, slots, opts...)
		if err != nil {
			return nil, err
		}
		both[i] = c
	}
	return both, nil
}

func (s severalConsumer) Next(ctx context.Context) (*reeve.Lease, error) {
	for {
		for _, c := range s {
			short, cancel := context.WithTimeout(ctx, time.Millisecond)
			l, err := c.Next(short)
			over := short.Err() != nil
			cancel()
			if err == nil || !over || ctx.Err() != nil {
				return l, err
			}
		}
	}
}

func (s severalConsumer) SetSlots(n int) error {
	return errors.Join(s[0].SetSlots(n), s[1].SetSlots(n))
}

func (s severalConsumer) Close() error { return errors.Join(s[0].Close(), s[1].Close()) }
