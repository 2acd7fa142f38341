package queue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestExplain_Reserve(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{Reserve: reeve.Reserve{Slots: 2, Priority: 5}})
		w := worker(e, "W", q, 3, reeve.GetOptions{})
		w.add(q, reeve.Task{Priority: 4})
		id := w.mustAdd(t, q, reeve.Task{Priority: 3})
		explains(t, e, id, reeve.StateReady, reeve.Reason{
			Code: reeve.ReasonReserve, Have: 1, Limit: 1,
			Text: "its priority is 3, and the free slots are reserved for 5 and above: tasks below have 1 of 1 slot",
		})
	})
}

func TestExplain_NoWorker(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		id := newClient(e).mustAdd(t, q, reeve.Task{})
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonNoWorker, Text: `no worker takes tasks from queue "q": start one`})
		// One that is there and silent takes none either.
		if err := q.Pause(""); err != nil {
			t.Fatal(err)
		}
		worker(e, "W", q, 1, reeve.GetOptions{})
		sleep(31 * time.Second)
		q.Resume()
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonNoWorker, Limit: 1, Text: "nothing was heard for 31s or longer of the workers that could take it"})
	})
}

func TestExplain_NoHandler(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 1, reeve.GetOptions{Types: []string{"mail"}})
		id, plain := w.mustAdd(t, q, reeve.Task{Type: "zip"}), w.mustAdd(t, q, reeve.Task{})
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonNoHandler, Text: `no worker of queue "q" has a handler for tasks of type "zip": start one that has`})
		explains(t, e, plain, reeve.StateReady, reeve.Reason{Code: reeve.ReasonNoHandler, Text: `no worker of queue "q" has a handler for tasks without a type: start one that has`})
	})
}

func TestExplain_Labels(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 1, reeve.GetOptions{Labels: []string{"eu"}})
		id := w.mustAdd(t, q, reeve.Task{Type: "train", Rules: &reeve.Rules{Labels: []string{"gpu", "eu"}}})
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonLabels, Text: `no worker for tasks of type "train" has all the labels it asks for (eu, gpu): start one that has`})
	})
}

func TestExplain_Busy(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 2, reeve.GetOptions{Types: []string{"mail"}})
		worker(e, "other", q, 5, reeve.GetOptions{Types: []string{"zip"}}).add(q, reeve.Task{Type: "zip"})
		a, b := w.mustAdd(t, q, reeve.Task{Type: "mail"}), w.mustAdd(t, q, reeve.Task{Type: "mail"})
		id := w.mustAdd(t, q, reeve.Task{Type: "mail"})
		explains(t, e, id, reeve.StateReady, reeve.Reason{
			Code: reeve.ReasonBusy, Tasks: []reeve.ID{a, b}, Worker: "W", Have: 2, Limit: 2,
			Text: fmt.Sprintf("all workers that could take it are busy: 2 of 2 slots are used, by task %v on W and 1 more", a),
		})
	})
}

func TestExplain_BusyWithoutSlotsOrInAnotherQueue(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, other, c := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "other", reeve.QueueConfig{}), newClient(e)
		id := c.mustAdd(t, q, reeve.Task{})
		w := worker(e, "W", q, 0, reeve.GetOptions{})
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonBusy, Text: "the workers that could take it take no tasks now: they are draining, or were told to run none"})
		w.Release(true)
		c.put(other, "takes the slot")
		g, err := e.ConsumeFrom(c.Holder, 7, 1, []reeve.Source{{Queue: "other"}, {Queue: "q"}}, reeve.GetOptions{})
		if err != nil || g == nil {
			t.Fatal(g, err)
		}
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonBusy, Have: 1, Limit: 1, Text: "all workers that could take it are busy: 1 of 1 slot is used"})
	})
}

func TestExplain_Suspect(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		ids := []reeve.ID{newClient(e).mustAdd(t, q, reeve.Task{}), newClient(e).mustAdd(t, q, reeve.Task{})}
		for range 2 {
			c := newClient(e)
			c.take(t, q, 2)
			c.Release(false)
		}
		w := worker(e, "W", q, 2, reeve.GetOptions{})
		got := w.seen()
		if len(got) != 1 {
			t.Fatalf("%v", got)
		}
		other := ids[0]
		if got[0].ID == other {
			other = ids[1]
		}
		explains(t, e, other, reeve.StateReady, reeve.Reason{Code: reeve.ReasonSuspect, Text: "workers were lost with it 2 times, so it waits for one that holds no other such task"})
	})
}
