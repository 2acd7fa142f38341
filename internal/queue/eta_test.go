package queue_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestETA_ThirtyDaysFromNow(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		q.Consume(c.Holder, 1, 5, reeve.GetOptions{})
		at := time.Now().Add(30 * 24 * time.Hour)
		c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{At: at}})
		c.mustAdd(t, q, reeve.Task{Delay: time.Until(at)})
		sleep(time.Until(at) - 1)
		if s := q.Stats(); s.Delayed != 2 {
			t.Fatalf("%+v", s)
		}
		sleep(1)
		if len(c.seen()) != 2 || !c.at[0].Equal(at) || !c.at[1].Equal(at) {
			t.Fatalf("%v", c.at)
		}
	})
}

func TestETA_FollowsTheWallClockAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			t.Parallel()
			runWall(t, func(t *testing.T, e *queue.Engine, w *wall) {
				q, p, c, holder := declare(t, e, "q", reeve.QueueConfig{Lease: time.Minute}), newClient(e), newClient(e), newClient(e)
				c.Holder = e.NewHolder(c, true)
				p.mustAdd(t, q, reeve.Task{Payload: []byte("leased"), Timeout: 3 * time.Hour})
				holder.take(t, q, 1)
				q.Consume(c.Holder, 1, 5, reeve.GetOptions{})
				p.mustAdd(t, q, reeve.Task{Payload: []byte("at"), Rules: &reeve.Rules{At: w.now().Add(2 * time.Hour)}})
				p.mustAdd(t, q, reeve.Task{Payload: []byte("delay"), Delay: 2 * time.Hour})
				keep := func(d time.Duration) { // the holder's sign of life, and that is what counts
					for range d / (30 * time.Second) {
						sleep(30 * time.Second)
						holder.Touch()
					}
				}
				start := time.Now()
				keep(10 * time.Minute)
				w.step(step)
				keep(10 * time.Minute)
				if n := len(c.seen()); n != 0 || len(holder.lostCauses()) != 0 || q.Stats().Leased != 1 {
					t.Fatalf("%d tasks came, %v", n, holder.lostCauses())
				}
				keep(2*time.Hour + 45*time.Minute)
				if got := len(c.seen()); got < 2 {
					t.Fatalf("%d tasks came", got)
				}
				for i, task := range c.seen() {
					d := c.at[i].Sub(start)
					switch string(task.Payload) {
					case "at":
						if want := 2*time.Hour - step; d < want || d > want+time.Minute {
							t.Errorf("it came after %v, want %v", d, want)
						}
					case "delay":
						if d != 2*time.Hour {
							t.Errorf("the delay was %v", d)
						}
					}
				}
				if causes := holder.lostCauses(); len(causes) != 1 { // its run time is over
					t.Fatalf("%v", causes)
				}
			})
		})
	}
}

func TestETA_IsExactWhileNobodySetsTheClock(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.Holder = e.NewHolder(c, true)
		q.Consume(c.Holder, 1, 100, reeve.GetOptions{})
		want := map[reeve.ID]time.Time{}
		for i := range 50 {
			at := time.Now().Add(time.Duration(i*i)*7*time.Second + time.Duration(i))
			want[c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{At: at}})] = at
		}
		sleep(24 * time.Hour)
		for i, task := range c.seen() {
			if !c.at[i].Equal(want[task.ID]) {
				t.Errorf("a task came at %v, want %v", c.at[i], want[task.ID])
			}
		}
		if len(c.seen()) != 50 {
			t.Fatalf("%d tasks came", len(c.seen()))
		}
	})
}

func TestETA_InThePastIsNow(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{At: time.Unix(1, 0)}})
		c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{At: time.Now()}})
		if got := c.take(t, q, 5); len(got) != 2 {
			t.Fatalf("%d tasks", len(got))
		}
	})
}

// A storm of each kind: everything is due in the same millisecond, comes all,
// and holds up no other queue.
func TestStorm_AHundredThousandTasksInOneMillisecond(t *testing.T) {
	const n = 100_000
	for name, x := range map[string]struct {
		cfg  reeve.QueueConfig
		task func(at time.Time, i int) reeve.Task
		come bool // or they end
	}{
		"until": {task: func(at time.Time, _ int) reeve.Task { return reeve.Task{Rules: &reeve.Rules{At: at}} }, come: true},
		"with keys": {task: func(at time.Time, i int) reeve.Task {
			return reeve.Task{Rules: &reeve.Rules{At: at, Key: fmt.Sprint(i)}}
		}, come: true},
		"types": {task: func(at time.Time, i int) reeve.Task {
			return reeve.Task{Type: fmt.Sprint(i % 100), Rules: &reeve.Rules{At: at}}
		}, come: true},
		"expiry": {task: func(at time.Time, _ int) reeve.Task {
			return reeve.Task{Type: "none", Rules: &reeve.Rules{Expiry: time.Until(at)}}
		}},
		"expire at": {task: func(at time.Time, _ int) reeve.Task {
			return reeve.Task{Type: "none", Rules: &reeve.Rules{ExpireAt: at}}
		}},
		"unique ends": {task: func(at time.Time, i int) reeve.Task {
			return reeve.Task{Rules: &reeve.Rules{At: at, Unique: fmt.Sprint(i), UniqueMode: reeve.UniqueForTime, UniqueFor: time.Until(at)}}
		}, come: true},
	} {
		t.Run(name, func(t *testing.T) {
			queue.SetVerify(false)
			defer queue.SetVerify(true)
			synctest.Test(t, func(t *testing.T) {
				e := queue.New(queue.Config{})
				defer e.Close()
				q, other, c := declare(t, e, "q", x.cfg), declare(t, e, "other", reeve.QueueConfig{}), newClient(e)
				at := time.Now().Add(time.Hour)
				batch := make([]reeve.Task, 4000)
				for i := range n / len(batch) {
					for j := range batch {
						batch[j] = x.task(at, i*len(batch)+j)
					}
					c.putAll(q, batch)
				}
				c.mustAdd(t, other, x.task(at, 0))
				count := &counter{}
				h := e.NewHolder(count, true)
				want := reeve.GetOptions{}
				if !x.come {
					want.Types = []string{"some"}
				}
				q.Consume(h, 1, reeve.MaxSlots, want)
				q.Consume(h, 2, reeve.MaxSlots, want)
				other.Consume(h, 3, 1, want)
				sleep(time.Until(at) - 1)
				if seen := count.seen(); seen.n != 0 || q.Stats().Unsettled() != n {
					t.Fatal("too early")
				}
				sleep(1)
				seen, s := count.seen(), q.Stats()
				switch {
				case x.come && (seen.n != n+1 || seen.others != 1 || seen.before > n/10 || seen.most > 10_000):
					t.Fatalf("%+v", seen)
				case !x.come && (s.Expired != n || s.Unsettled() != 0 || other.Stats().Expired != 1):
					t.Fatalf("%+v", s)
				}
				q.Check()
			})
		})
	}
}

// putAll puts tasks, each as a request of its own.
func (c *client) putAll(q *queue.Queue, tasks []reeve.Task) {
	q.Put(c.Holder, &queue.PutOp{Tasks: tasks, Each: true, Tag: c.tag(len(tasks)), By: c})
	c.forget()
}

func TestETA_TasksDueTogetherComeInTheOrderOfTheirPuts(t *testing.T) {
	t.Parallel()
	for name, task := range map[string]func() reeve.Task{
		"delay": func() reeve.Task { return reeve.Task{Delay: time.Second} },
		"at":    func() reeve.Task { return reeve.Task{Rules: &reeve.Rules{At: time.Now().Add(time.Second)}} },
		"key":   func() reeve.Task { return reeve.Task{Delay: time.Second, Rules: &reeve.Rules{Key: "k"}} },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, e *queue.Engine) {
				q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
				c.flood(t, q, 100, func(int) reeve.Task { return task() })
				sleep(2 * time.Second)
				last := reeve.ID(0)
				for range 100 {
					got := c.take(t, q, 1)
					if len(got) != 1 || got[0].ID < last {
						t.Fatalf("%+v after %v", got, last)
					}
					last = got[0].ID
					c.ack(q, got[0])
				}
			})
		})
	}
}

func TestETA_BeyondTheLeaseIsHandedOverOnceToOneOfManyIdleWorkers(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p := declare(t, e, "q", reeve.QueueConfig{Lease: 5 * time.Second}), newClient(e)
		var fleet []*client
		for range 5 {
			w := newClient(e)
			q.Consume(w.Holder, 1, 1, reeve.GetOptions{})
			fleet = append(fleet, w)
		}
		due := time.Now().Add(time.Hour)
		p.add(q, reeve.Task{Delay: time.Hour})
		got := func() (n int) {
			for _, w := range fleet {
				w.Touch() // they live
				n += len(w.seen())
			}
			return n
		}
		for time.Now().Before(due) {
			if n := got(); n != 0 {
				t.Fatalf("%d workers have it %v before it is due", n, time.Until(due))
			}
			sleep(time.Second)
		}
		for range 30 { // and not again when a lease is over
			if n := got(); n != 1 {
				t.Fatalf("%d workers have it", n)
			}
			sleep(time.Second)
		}
	})
}
