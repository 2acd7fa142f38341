package queue_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// worker is a client with a name that takes tasks of q.
func worker(e *queue.Engine, name string, q *queue.Queue, slots int, want reeve.GetOptions) *client {
	c := newClient(e)
	c.SetName(name)
	q.Consume(c.Holder, 1, slots, want)
	return c
}

// explains checks that these are the reasons for which the task id does not
// run, and no others.
func explains(t *testing.T, e *queue.Engine, id reeve.ID, state reeve.State, want ...reeve.Reason) {
	t.Helper()
	x, err := e.Explain(id)
	if err != nil {
		t.Fatal(err)
	}
	if x.ID != id || x.Queue != "q" || x.State != state || !x.Now.Equal(time.Now()) {
		t.Errorf("%v in queue %q is %v at %v, want %v in state %v now", x.ID, x.Queue, x.State, x.Now, id, state)
	}
	for _, list := range [][]reeve.Reason{x.Reasons, want} {
		for i := range list {
			list[i].Until = list[i].Until.Round(0).UTC()
		}
	}
	if !reflect.DeepEqual(x.Reasons, want) {
		t.Errorf("reasons:\n%+v\nwant:\n%+v", x.Reasons, want)
	}
}

func in(d time.Duration) time.Time { return time.Now().Add(d) }

func TestExplain_Paused(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		if err := q.Pause(""); err != nil {
			t.Fatal(err)
		}
		id := w.mustAdd(t, q, reeve.Task{})
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonPaused, Text: `queue "q" is paused, until it is resumed`})
		if err := q.Pause("the disk is full"); err != nil {
			t.Fatal(err)
		}
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonPaused, Text: `queue "q" is paused, until it is resumed: the disk is full`})
	})
}

func TestExplain_Window(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) { // at midnight, UTC
		q := declare(t, e, "q", reeve.QueueConfig{Windows: []reeve.Window{
			{From: 8 * time.Hour, To: 9 * time.Hour}, {From: 90 * time.Minute, To: 2 * time.Hour, Zone: "UTC"},
		}})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		id := w.mustAdd(t, q, reeve.Task{})
		explains(t, e, id, reeve.StateReady, reeve.Reason{
			Code: reeve.ReasonWindow, Until: in(90 * time.Minute), Text: `queue "q" is open at 08:00-09:00 and 01:30-02:00@UTC only, and opens in 1h30m0s`,
		})
	})
}

func TestExplain_Delayed(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		id := w.mustAdd(t, q, reeve.Task{Delay: 3200 * time.Millisecond})
		eta := w.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{At: in(time.Hour)}})
		explains(t, e, id, reeve.StateDelayed, reeve.Reason{Code: reeve.ReasonDelayed, Until: in(3200 * time.Millisecond), Text: "it is delayed, and due in 3.2s"})
		explains(t, e, eta, reeve.StateDelayed, reeve.Reason{Code: reeve.ReasonDelayed, Until: in(time.Hour), Text: "it is delayed, and due in 1h0m0s"})
		sleep(3 * time.Second)
		explains(t, e, id, reeve.StateDelayed, reeve.Reason{Code: reeve.ReasonDelayed, Until: in(200 * time.Millisecond), Text: "it is delayed, and due in 200ms"})
		sleep(time.Second)
		w.nack(q, w.seen()[0], queue.NackOp{Snooze: true, Delay: time.Minute})
		explains(t, e, id, reeve.StateDelayed, reeve.Reason{Code: reeve.ReasonDelayed, Until: in(time.Minute), Text: "at attempt 1 its handler asked to be called again later: in 1m0s"})
	})
}

func TestExplain_Backoff(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{Backoff: reeve.Backoff{Base: 2 * time.Second, Jitter: reeve.NoJitter}})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		id := w.mustAdd(t, q, reeve.Task{Timeout: 10 * time.Second})
		w.nack(q, w.seen()[0], queue.NackOp{Error: "dial: refused\nat line 7"})
		explains(t, e, id, reeve.StateDelayed, reeve.Reason{Code: reeve.ReasonBackoff, Until: in(2 * time.Second), Text: "attempt 1 failed (dial: refused); the next may begin in 2s"})
		sleep(2 * time.Second)
		sleep(10*time.Second + queue.TimeoutGrace) // nobody ends the second attempt
		explains(t, e, id, reeve.StateDelayed, reeve.Reason{Code: reeve.ReasonBackoff, Until: in(4 * time.Second), Text: "attempt 2 timed out (" + reeve.ErrTimeout.Error() + "); the next may begin in 4s"})
		// One without room for its history.
		small := declare(t, e, "small", reeve.QueueConfig{MaxBytes: 300})
		id = w.mustAdd(t, small, reeve.Task{})
		w.nack(small, w.take(t, small, 1)[0], queue.NackOp{Delay: time.Second})
		if x, err := e.Explain(id); err != nil || x.Reasons[0].Code != reeve.ReasonBackoff || x.Reasons[0].Text != "attempt 1 did not succeed; the next may begin in 1s" {
			t.Errorf("%+v, %v", x.Reasons, err)
		}
	})
}

func TestExplain_Rate(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{Rate: reeve.Rate{Tasks: 30, Per: 5 * time.Minute}})
		w := worker(e, "W", q, 9, reeve.GetOptions{})
		w.put(q, "goes")
		sleep(2 * time.Second)
		id := w.mustAdd(t, q, reeve.Task{})
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonRate, Until: in(8 * time.Second), Limit: 30, Text: `the rate of queue "q", 30/5m, lets the next task go in 8s`})
	})
}

func TestExplain_Concurrency(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{Concurrency: 2})
		w := worker(e, "W", q, 9, reeve.GetOptions{})
		a, b := w.mustAdd(t, q, reeve.Task{}), w.mustAdd(t, q, reeve.Task{})
		id := w.mustAdd(t, q, reeve.Task{})
		explains(t, e, id, reeve.StateReady, reeve.Reason{
			Code: reeve.ReasonConcurrency, Tasks: []reeve.ID{a, b}, Worker: "W", Have: 2, Limit: 2,
			Text: fmt.Sprintf(`the concurrency of queue "q" is used up: 2 of 2, by task %v on W and 1 more`, a),
		})
	})
}

func TestExplain_TypeConcurrency(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{TypeConcurrency: map[string]int{"mail": 1}})
		w := worker(e, "W", q, 9, reeve.GetOptions{})
		w.put(q, "of another type")
		a, id := w.mustAdd(t, q, reeve.Task{Type: "mail"}), w.mustAdd(t, q, reeve.Task{Type: "mail"})
		explains(t, e, id, reeve.StateReady, reeve.Reason{
			Code: reeve.ReasonTypeConcurrency, Tasks: []reeve.ID{a}, Worker: "W", Have: 1, Limit: 1,
			Text: fmt.Sprintf(`the concurrency of type "mail" in queue "q" is used up: 1 of 1, by task %v on W`, a),
		})
	})
}

func TestExplain_Key(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 9, reeve.GetOptions{})
		a, b, id := w.mustAdd(t, q, keyed("", "k")), w.mustAdd(t, q, keyed("", "k")), w.mustAdd(t, q, keyed("", "k"))
		explains(t, e, b, reeve.StateReady, reeve.Reason{
			Code: reeve.ReasonKey, Tasks: []reeve.ID{a}, Worker: "W", Have: 1, Limit: 1, Text: fmt.Sprintf(`key "k" is held by task %v on W`, a),
		})
		explains(t, e, id, reeve.StateReady, reeve.Reason{
			Code: reeve.ReasonKey, Tasks: []reeve.ID{a}, Worker: "W", Have: 1, Limit: 1,
			Text: fmt.Sprintf(`key "k" is held by task %v on W; 1 task waits for key "k" before it`, a),
		})
		w.nack(q, w.seen()[0], queue.NackOp{Delay: 5 * time.Second})
		explains(t, e, b, reeve.StateReady, reeve.Reason{
			Code: reeve.ReasonKey, Tasks: []reeve.ID{a}, Until: in(5 * time.Second), Have: 1, Limit: 1,
			Text: fmt.Sprintf(`key "k" is held by task %v, which is tried again in 5s`, a),
		})
		if err := q.Pause(""); err != nil {
			t.Fatal(err)
		}
		sleep(5 * time.Second)
		explains(t, e, b, reeve.StateReady,
			reeve.Reason{Code: reeve.ReasonPaused, Text: `queue "q" is paused, until it is resumed`},
			reeve.Reason{Code: reeve.ReasonKey, Tasks: []reeve.ID{a}, Have: 1, Limit: 1, Text: fmt.Sprintf(`key "k" is held by task %v, which is to be handed over first`, a)})
	})
}

func TestExplain_KeyRate(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{KeyRate: reeve.Rate{Tasks: 1}, KeyConcurrency: reeve.NoLimit})
		w := worker(e, "W", q, 9, reeve.GetOptions{})
		w.add(q, keyed("", "k"))
		sleep(600 * time.Millisecond)
		b, id := w.mustAdd(t, q, keyed("", "k")), w.mustAdd(t, q, keyed("", "k"))
		rate := reeve.Reason{Code: reeve.ReasonKeyRate, Until: in(400 * time.Millisecond), Limit: 1, Text: `the rate of key "k", 1/s, lets its next task go in 400ms`}
		explains(t, e, b, reeve.StateReady, rate)
		explains(t, e, id, reeve.StateReady, reeve.Reason{Code: reeve.ReasonKey, Have: 1, Text: `1 task waits for key "k" before it`}, rate)
	})
}

func TestExplain_Order(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 9, reeve.GetOptions{Types: []string{"a", "b"}})
		w.put(q, "not for the same worker")
		if err := q.Pause(""); err != nil {
			t.Fatal(err)
		}
		var ids []reeve.ID
		for i, p := range []int32{0, 0, 1, 2, -1, 0} {
			ids = append(ids, w.mustAdd(t, q, reeve.Task{Type: string(rune('a' + i%2)), Priority: p}))
		}
		paused := reeve.Reason{Code: reeve.ReasonPaused, Text: `queue "q" is paused, until it is resumed`}
		for i, n := range []int{2, 3, 1, 0, 5, 4} {
			want := []reeve.Reason{paused, {Code: reeve.ReasonOrder, Have: n, Text: fmt.Sprintf("%d tasks go before it", n)}}
			switch n {
			case 0:
				want = want[:1]
			case 1:
				want[1].Text = "1 task goes before it"
			}
			explains(t, e, ids[i], reeve.StateReady, want...)
		}
	})
}

func TestExplain_OrderWithAgeing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{Ageing: time.Minute})
		w := worker(e, "W", q, 0, reeve.GetOptions{})
		old := w.mustAdd(t, q, reeve.Task{})
		sleep(2 * time.Minute)
		young := w.mustAdd(t, q, reeve.Task{Priority: 1}) // the other has gained two
		x, err := e.Explain(young)
		if last := x.Reasons[len(x.Reasons)-1]; err != nil || last.Code != reeve.ReasonOrder || last.Have != 1 {
			t.Errorf("%+v, %v", x.Reasons, err)
		}
		x, err = e.Explain(old)
		if last := x.Reasons[len(x.Reasons)-1]; err != nil || last.Code == reeve.ReasonOrder {
			t.Errorf("%+v, %v", x.Reasons, err)
		}
	})
}

func TestExplain_Leased(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		id := w.mustAdd(t, q, reeve.Task{})
		sleep(12 * time.Second)
		explains(t, e, id, reeve.StateLeased, reeve.Reason{
			Code: reeve.ReasonLeased, Tasks: []reeve.ID{id}, Worker: "W", Until: in(18 * time.Second),
			Text: "it runs: attempt 1, on W for 12s; if nothing more is heard of it, the lease ends in 18s",
		})
		w.Touch()
		w.Leave()
		explains(t, e, id, reeve.StateLeased, reeve.Reason{
			Code: reeve.ReasonLeased, Tasks: []reeve.ID{id}, Worker: "W", Until: in(30 * time.Second),
			Text: "it runs: attempt 1, on W for 12s; the worker is not connected, and if it does not come back the lease ends in 30s",
		})
		sleep(30 * time.Second)
		local := &client{ended: map[uint64]error{}, replies: map[uint64]reply{}}
		local.Holder = e.NewHolder(local, true)
		local.take(t, q, 1)
		explains(t, e, id, reeve.StateLeased, reeve.Reason{Code: reeve.ReasonLeased, Tasks: []reeve.ID{id}, Worker: "master", Text: "it runs: attempt 2, on master for 0s"})
	})
}

func TestExplain_Result(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, out := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "out", reeve.QueueConfig{MaxLen: 1})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		w.put(out, "fills it")
		id := w.mustAdd(t, q, reeve.Task{})
		w.complete(q, out, w.seen()[0], "result")
		explains(t, e, id, reeve.StateLeased, reeve.Reason{
			Code: reeve.ReasonResult, Tasks: []reeve.ID{id}, Worker: "W", Text: `it has run on W, and its result waits for room in queue "out"`,
		})
	})
}

func TestExplain_Dead(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{Attempts: 1})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		id := w.mustAdd(t, q, reeve.Task{})
		w.nack(q, w.seen()[0], queue.NackOp{Error: "boom"})
		explains(t, e, id, reeve.StateDead, reeve.Reason{Code: reeve.ReasonDead, Text: "it is dead: the only attempt failed; last: boom; revive it to have it run again"})
	})
}

func TestExplain_Ended(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{KeepResult: time.Hour})
		c := newClient(e)
		ends := func(state reeve.State, text string, end func(task reeve.Task)) {
			t.Helper()
			id := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Expiry: time.Second}})
			end(reeve.Task{ID: id})
			explains(t, e, id, state, reeve.Reason{Code: reeve.ReasonEnded, Text: text})
		}
		ends(reeve.StateDone, "it is done", func(reeve.Task) { c.ack(q, c.take(t, q, 1)[0]) })
		ends(reeve.StateDiscarded, "its handler discarded it: nobody asks for it", func(reeve.Task) {
			c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Discard: true, Error: "nobody asks for it"})
		})
		ends(reeve.StateCancelled, "it was cancelled: a mistake", func(task reeve.Task) {
			if err := e.Cancel(task.ID, "a mistake"); err != nil {
				t.Error(err)
			}
		})
		ends(reeve.StateExpired, "it has expired: no attempt had begun in time", func(reeve.Task) { sleep(time.Second) })
		ends(reeve.StatePurged, "it was purged: by an operator", func(reeve.Task) {
			if n, err := q.Purge(&reeve.Filter{States: []reeve.State{reeve.StateReady}}); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
		ends(reeve.StatePurged, "it was purged: the queue was shut down", func(reeve.Task) { q.Shutdown(true) })
		if _, err := e.Explain(5); !errors.Is(err, reeve.ErrNoSuchTask) {
			t.Errorf("a task that never was: %v", err)
		}
	})
}

func TestExplain_Stopped(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		id := newClient(e).mustAdd(t, q, reeve.Task{})
		e.Stop()
		x, err := e.Explain(id)
		if err != nil || x.Reasons[0].Code != reeve.ReasonStopped || x.Reasons[0].Text != "the master is stopping, and hands nothing over any more" {
			t.Errorf("%+v, %v", x.Reasons, err)
		}
	})
}

func TestExplain_TellsEveryReasonAtOnce(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{
			Concurrency: 1, Rate: reeve.Rate{Tasks: 1, Per: time.Minute}, KeyRate: reeve.Rate{Tasks: 1, Per: time.Hour},
			TypeConcurrency: map[string]int{"mail": 1},
		})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		mail := reeve.Task{Type: "mail", Rules: &reeve.Rules{Key: "k"}}
		w.mustAdd(t, q, mail)
		id := w.mustAdd(t, q, mail)
		if err := q.Pause(""); err != nil {
			t.Fatal(err)
		}
		x, err := e.Explain(id)
		if err != nil {
			t.Fatal(err)
		}
		var codes []reeve.ReasonCode
		for _, r := range x.Reasons {
			codes = append(codes, r.Code)
		}
		want := []reeve.ReasonCode{
			reeve.ReasonPaused, reeve.ReasonConcurrency, reeve.ReasonRate, reeve.ReasonTypeConcurrency,
			reeve.ReasonKey, reeve.ReasonKeyRate, reeve.ReasonBusy,
		}
		if !reflect.DeepEqual(codes, want) {
			t.Errorf("reasons %v, want %v", codes, want)
		}
		// A delay keeps nobody from telling the others.
		id = w.mustAdd(t, q, reeve.Task{Type: "mail", Delay: time.Hour})
		if x, err = e.Explain(id); err != nil || len(x.Reasons) != 5 || x.Reasons[0].Code != reeve.ReasonDelayed {
			t.Errorf("%+v, %v", x.Reasons, err)
		}
	})
}

// Explain holds the queue's mutex, so what it looks at is bounded.
