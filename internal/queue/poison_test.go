package queue_test

import (
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestPoison_OnlyTheSuspectIsBlamedForTheDeathOfAWorker(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.put(q, "poison")
		for range 2 { // alone: it is suspected from the second loss on
			w := newClient(e)
			w.take(t, q, 1)
			w.Release(false)
		}
		c.put(q, "innocent")
		w := newClient(e)
		if ts := w.take(t, q, 2); payloads(ts) != "poison innocent " {
			t.Fatalf("handed over: %s", payloads(ts))
		}
		w.Release(false)

		for _, task := range newClient(e).take(t, q, 2) {
			c.nack(q, task, queue.NackOp{Bury: true})
		}
		want := map[string]reeve.Counts{"poison": {Lost: 3}, "innocent": {Returned: 1}}
		for _, d := range deadOf(q, 0, 10) {
			if d.Counts != want[string(d.Payload)] {
				t.Errorf("%s: %+v, want %+v", d.Payload, d.Counts, want[string(d.Payload)])
			}
			delete(want, string(d.Payload))
		}
		if len(want) != 0 {
			t.Errorf("not dead: %v", want)
		}
	})
}
