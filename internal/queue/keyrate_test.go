package queue_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestKeyRate_IsNeverExceededAndTasksKeepTheirOrder(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		rate        reeve.Rate
		concurrency int
	}{
		{reeve.Rate{Tasks: 1}, 1},
		{reeve.Rate{Tasks: 3, Per: 2 * time.Second, Burst: 2}, reeve.NoLimit},
		{reeve.Rate{Tasks: 10, Burst: 5}, 2},
	} {
		t.Run(x.rate.String(), func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, p := declare(t, e, "q", reeve.QueueConfig{KeyRate: x.rate, KeyConcurrency: x.concurrency, Attempts: 1000}), newClient(e)
				rnd, start := rand.New(rand.NewPCG(8, 8)), time.Now()
				starts := map[string][]time.Duration{}
				w := newClient(e)
				w.Holder = e.NewHolder(w, true)
				q.Consume(w.Holder, 1, 1000, reeve.GetOptions{})
				read, fresh := 0, map[string]int{}
				look := func() {
					for ; read < len(w.seen()); read++ {
						task := w.seen()[read]
						key := task.Rules.Key
						starts[key] = append(starts[key], w.at[read].Sub(start))
						if task.Attempt > 1 {
							continue
						}
						var n int
						fmt.Sscan(string(task.Payload), &n)
						if n <= fresh[key] {
							t.Fatalf("%d of key %s after %d", n, key, fresh[key])
						}
						fresh[key] = n
					}
				}
				open := 0
				for i := range 1200 {
					switch n := rnd.IntN(6); {
					case n < 2:
						p.mustAdd(t, q, keyed(fmt.Sprint(i+1), fmt.Sprint(rnd.IntN(3))))
					case n < 3:
						sleep(time.Duration(rnd.IntN(400)) * time.Millisecond)
					case open < len(w.seen()):
						task := w.seen()[open]
						open++
						w.ok(t, []func() uint64{
							func() uint64 { return w.ack(q, task) },
							func() uint64 { return w.ack(q, task) },
							func() uint64 { return w.nack(q, task, queue.NackOp{Error: "x"}) },
							func() uint64 { return w.nack(q, task, queue.NackOp{Returned: true}) },
							func() uint64 { return w.nack(q, task, queue.NackOp{Snooze: true, Delay: time.Second}) },
						}[rnd.IntN(5)]())
					}
					look()
				}
				for key, at := range starts {
					if len(at) < 30 {
						t.Fatalf("key %s had %d hand-overs", key, len(at))
					}
					burst := max(1, x.rate.Burst)
					for i := range at { // no window has more than the burst and what came in it
						for j := i; j < len(at); j++ {
							if most := float64(burst) + float64(at[j]-at[i])/x.rate.Interval() + 1e-6; float64(j-i+1) > most {
								t.Fatalf("key %s: %d hand-overs from %v to %v, at most %v may be", key, j-i+1, at[i], at[j], most)
							}
						}
					}
				}
			})
		})
	}
}

func TestKeyRate_IsUsedToTheFull(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, w := declare(t, e, "q", reeve.QueueConfig{KeyRate: reeve.Rate{Tasks: 1}, KeyConcurrency: 2}), newClient(e)
		w.Holder = e.NewHolder(w, true)
		q.Consume(w.Holder, 1, 100, reeve.GetOptions{})
		for range 10 {
			w.mustAdd(t, q, keyed("x", "host"))
			w.mustAdd(t, q, keyed("x", "other"))
		}
		for i := range 10 {
			if n := len(w.seen()); n != 2*(i+1) {
				t.Fatalf("%d tasks after %d s", n, i)
			}
			for _, task := range w.seen()[2*i:] {
				w.ok(t, w.ack(q, task))
			}
			sleep(time.Second)
		}
	})
}

func TestKeyRate_AKeyThatComesBackHasNotMore(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{KeyRate: reeve.Rate{Tasks: 1, Per: time.Minute}}), newClient(e)
		c.mustAdd(t, q, keyed("1", "k"))
		c.ok(t, c.ack(q, c.take(t, q, 1)[0])) // the key has no tasks now
		c.mustAdd(t, q, keyed("2", "k"))
		sleep(time.Minute - 1)
		if got := c.take(t, q, 1); len(got) != 0 {
			t.Fatal("too early")
		}
		sleep(1)
		c.ok(t, c.ack(q, c.take(t, q, 1)[0]))
		if q.Stats().Keys != 1 {
			t.Fatal("the key was forgotten before it has a token again")
		}
		sleep(time.Minute)
		if q.Stats().Keys != 0 {
			t.Fatal("the key is kept")
		}
	})
}

func TestKeyRate_ATaskThatIsPutOffByWhoLostItLetsTheNextGo(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{KeyConcurrency: 2, KeyRate: reeve.Rate{Tasks: 1000, Burst: 10}, Lease: time.Second})
		a, b := newClient(e), newClient(e)
		for i := range 3 {
			a.mustAdd(t, q, keyed(fmt.Sprint(i), "k"))
		}
		first := a.take(t, q, 2)
		sleep(2 * time.Second)                                       // both are lost
		a.ok(t, a.nack(q, first[1], queue.NackOp{Delay: time.Hour})) // it goes first now
		if got := payloads(b.take(t, q, 3)); got != "0 " {
			t.Fatalf("%s began", got)
		}
	})
}

func TestKeyRate_KeysThatAreKeptForTheirRateCountAgainstMaxBytes(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxBytes: 10_000, Refuse: true, KeyRate: reeve.Rate{Tasks: 1, Per: 24 * time.Hour}}), newClient(e)
		n := 0
		for ; n < 1000; n++ {
			tag := c.add(q, keyed("", fmt.Sprintf("%01000d", n)))
			if r, _ := c.answer(tag); r.err != nil {
				break
			}
			c.ok(t, c.ack(q, c.take(t, q, 1)[0]))
		}
		if n > 10 {
			t.Fatalf("%d keys of 1000 bytes are kept in a queue of 10,000", n)
		}
		if s := q.Stats(); s.Bytes > s.MaxBytes || s.Keys != n {
			t.Fatalf("%+v", s)
		}
		sleep(25 * time.Hour)
		if s := q.Stats(); s.Bytes != 0 || s.Keys != 0 {
			t.Fatalf("%+v", s)
		}
		c.mustAdd(t, q, keyed("", "k"))
	})
}
