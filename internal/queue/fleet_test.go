package queue_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// All limits at once over 64 workers that end, give back and die as it comes,
// counted by what the workers hold and not by what the engine says.
func TestLimits_HoldOverManyWorkersThatComeAndGo(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		const workers, most, mostMails = 64, 20, 4
		rate := reeve.Rate{Tasks: 200, Burst: 10}
		q := declare(t, e, "q", reeve.QueueConfig{
			Concurrency: most, TypeConcurrency: map[string]int{"mail": mostMails}, Rate: rate, Attempts: reeve.MaxAttempts,
		})
		type worker struct {
			*client
			held map[reeve.ID]reeve.Task
			read int
		}
		var fleet [workers]*worker
		var times []time.Time
		hire := func(i int) {
			w := &worker{client: newClient(e), held: map[reeve.ID]reeve.Task{}}
			w.Holder = e.NewHolder(w.client, true)
			q.Consume(w.Holder, 1, 2, reeve.GetOptions{})
			fleet[i] = w
		}
		for i := range fleet {
			hire(i)
		}
		p := newClient(e)
		p.Holder = e.NewHolder(p, true)
		rnd := rand.New(rand.NewPCG(3, 64))
		killed, ended := 0, 0
		for step := range 6000 {
			w := fleet[rnd.IntN(workers)]
			switch n := rnd.IntN(20); {
			case n < 4:
				p.add(q, reeve.Task{Type: []string{"", "mail"}[rnd.IntN(2)], Rules: &reeve.Rules{Key: fmt.Sprint(rnd.IntN(30))}})
			case n < 14:
				for at, i := 0, rnd.IntN(workers); at < workers && len(w.held) == 0; at++ {
					w = fleet[(i+at)%workers]
				}
				for id, task := range w.held {
					delete(w.held, id)
					ended++
					if rnd.IntN(4) == 0 {
						w.nack(q, task, queue.NackOp{Delay: time.Duration(rnd.IntN(3)) * 100 * time.Millisecond})
					} else {
						w.ack(q, task)
					}
					break
				}
			case n < 15:
				i := slices.Index(fleet[:], w)
				w.Release(rnd.IntN(2) == 0)
				killed++
				times = append(times, w.at...)
				hire(i)
			default:
				sleep(time.Duration(rnd.IntN(20)) * time.Millisecond)
			}
			all, mails, keys := 0, 0, map[string]int{}
			for _, w := range fleet {
				seen := w.seen()
				for ; w.read < len(seen); w.read++ {
					w.held[seen[w.read].ID] = seen[w.read]
				}
				for _, task := range w.held {
					all++
					if task.Type == "mail" {
						mails++
					}
					if keys[task.Rules.Key]++; keys[task.Rules.Key] > 1 {
						t.Fatalf("step %d: %d tasks of key %q run", step, keys[task.Rules.Key], task.Rules.Key)
					}
				}
			}
			if all > most || mails > mostMails {
				t.Fatalf("step %d: %d tasks run, %d of them mails", step, all, mails)
			}
		}
		for _, w := range fleet {
			times = append(times, w.at...)
		}
		if killed < 100 || ended < 500 {
			t.Fatalf("%d workers died and %d attempts ended: too few to tell", killed, ended)
		}
		slices.SortFunc(times, time.Time.Compare)
		for i := range times {
			for j := i; j < len(times) && times[j].Sub(times[i]) <= time.Second; j++ {
				d := times[j].Sub(times[i])
				if allowed := float64(rate.Burst) + float64(d)/rate.Interval() + 1e-6; float64(j-i+1) > allowed {
					t.Fatalf("%d hand-overs in %v, at most %v may be", j-i+1, d, allowed)
				}
			}
		}
	})
}
