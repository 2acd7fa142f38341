package queue_test

import (
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestStats_TellWhatHoldsUpTheWholeQueue(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Concurrency: 1, Rate: reeve.Rate{Tasks: 1, Per: time.Hour}}), newClient(e)
		held := func(want reeve.ReasonCode) {
			t.Helper()
			if s := q.Stats(); s.Held != want {
				t.Fatalf("held by %q, want %q", s.Held, want)
			}
		}
		c.put(q, "a", "b")
		held("")
		task := c.take(t, q, 1)[0]
		held(reeve.ReasonConcurrency)
		c.ack(q, task)
		held(reeve.ReasonRate)
		if err := q.Pause("deploy"); err != nil {
			t.Fatal(err)
		}
		held(reeve.ReasonPaused)
	})
}

func TestStats_CountTheTasksThatNobodyTakes(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.add(q, reeve.Task{Type: "a"})
		c.add(q, reeve.Task{Type: "a"})
		c.add(q, reeve.Task{Type: "b", Rules: &reeve.Rules{Labels: []string{"gpu"}}})
		nobody := func(want int) {
			t.Helper()
			if s := q.Stats(); s.NoWorker != want {
				t.Fatalf("%d tasks without a worker, want %d", s.NoWorker, want)
			}
		}
		nobody(3)
		a := q.Consume(newClient(e).Holder, 1, 1, reeve.GetOptions{Types: []string{"a", "b"}})
		nobody(1)
		b := q.Consume(newClient(e).Holder, 1, 0, reeve.GetOptions{Labels: []string{"gpu"}})
		nobody(0)
		a.Close()
		b.Close()
		nobody(2) // the one that a took is leased
	})
}
