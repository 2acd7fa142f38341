package queue_test

import (
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// comeBack is the next session of a client whose last one was lost.
func comeBack(e *queue.Engine, old *client) *client {
	old.Release(false)
	return newClient(e)
}

func TestKeyRate_ATaskThatItsHolderFailsAfterALossKeepsItsTurn(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{KeyRate: reeve.Rate{Tasks: 1, Per: time.Minute}, Backoff: reeve.Backoff{Base: time.Hour, Jitter: reeve.NoJitter}})
		a, b := newClient(e), newClient(e)
		for _, p := range []string{"first", "second"} {
			a.mustAdd(t, q, keyed(p, "k"))
		}
		first := a.take(t, q, 1)[0]
		a = comeBack(e, a)
		q.Nack(a.Holder, &queue.NackOp{ID: first.ID, Attempt: first.Attempt, Error: "no"}, 1, a)
		sleep(30 * time.Minute)
		if ts := b.takeOf(t, q, 1, reeve.GetOptions{}); len(ts) != 0 {
			t.Fatalf("%q went before the first of its key, which waits after a failure", ts[0].Payload)
		}
		sleep(30 * time.Minute)
		if ts := b.takeOf(t, q, 1, reeve.GetOptions{}); len(ts) != 1 || string(ts[0].Payload) != "first" {
			t.Fatalf("after the wait came %v", ts)
		}
	})
}

func TestKeyRate_AHolderThatComesBackTakesNoToken(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{KeyRate: reeve.Rate{Tasks: 1}, KeyConcurrency: 3})
		a, b := newClient(e), newClient(e)
		for _, p := range []string{"first", "second", "third"} {
			a.mustAdd(t, q, keyed(p, "k"))
		}
		first := a.take(t, q, 1)[0]
		sleep(time.Second) // the second may go now, and nobody takes it
		for range 3 {
			a = comeBack(e, a)
			if kept := q.Claim(a.Holder, nil, []queue.AckOp{{ID: first.ID, Attempt: first.Attempt}}); !kept[0] {
				t.Fatal("the claim was refused")
			}
			sleep(time.Second / 4)
		}
		if ts := b.takeOf(t, q, 3, reeve.GetOptions{}); len(ts) != 1 || string(ts[0].Payload) != "second" {
			t.Fatalf("got %v, want the second", ts)
		}
		sleep(999 * time.Millisecond)
		if ts := b.takeOf(t, q, 3, reeve.GetOptions{}); len(ts) != 0 {
			t.Fatalf("%q came in less than a second", ts[0].Payload)
		}
		sleep(time.Millisecond)
		if ts := b.takeOf(t, q, 3, reeve.GetOptions{}); len(ts) != 1 {
			t.Fatal("the third did not come in its time")
		}
	})
}
