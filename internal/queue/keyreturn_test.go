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

// Who waits for the next task of a key gets it when the one before it, which
// nobody else took, is with its holder again.
func TestKey_AHolderThatComesBackLetsTheNextTaskGo(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]func(q *queue.Queue, c *client, task reeve.Task){
		"claim": func(q *queue.Queue, c *client, task reeve.Task) {
			q.Claim(c.Holder, nil, []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}})
		},
		"extend": func(q *queue.Queue, c *client, task reeve.Task) {
			q.Extend(c.Holder, task.ID, task.Attempt, time.Minute, c.tag(1), c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, e *queue.Engine) {
				q := declare(t, e, "q", reeve.QueueConfig{KeyConcurrency: 2})
				a, b := newClient(e), newClient(e)
				a.mustAdd(t, q, reeve.Task{Type: "first", Rules: &reeve.Rules{Key: "k"}})
				first := a.takeOf(t, q, 1, reeve.GetOptions{Types: []string{"first"}})[0]
				a = comeBack(e, a)
				a.mustAdd(t, q, reeve.Task{Type: "second", Rules: &reeve.Rules{Key: "k"}})
				q.Get(b.Holder, &queue.GetOp{Max: 1, Tag: b.tag(1), Want: reeve.GetOptions{Types: []string{"second"}}})
				if s := q.Stats(); s.Leased != 0 || s.Ready != 2 {
					t.Fatalf("before the first is back: %+v", s)
				}
				back(q, a, first)
				if s := q.Stats(); s.Leased != 2 {
					t.Fatalf("the key lets two run, and %d are leased", s.Leased)
				}
			})
		})
	}
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
