package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// grouped is a client whose tasks know their queues, and that acks on demand.
type grouped struct {
	client
	names []string // of the queues, guarded by told
	acked int
}

func newGrouped(e *queue.Engine) *grouped {
	c := &grouped{client: client{ended: map[uint64]error{}, replies: map[uint64]reply{}}}
	c.Holder = e.NewHolder(c, true)
	return c
}

func (c *grouped) Deliver(tag uint64, name string, t *reeve.Task) {
	c.client.Deliver(tag, name, t)
	told.Lock()
	defer told.Unlock()
	c.names = append(c.names, name)
}

// ackNext acks the oldest task that was not acked yet.
func (c *grouped) ackNext(t testing.TB, e *queue.Engine) {
	t.Helper()
	q, err := e.Lookup(c.names[c.acked])
	if err != nil {
		t.Fatal(err)
	}
	c.ok(t, c.ack(q, c.tasks[c.acked]))
	c.acked++
}

func (c *grouped) running() int { return len(c.seen()) - c.acked }

func consumeFrom(t testing.TB, e *queue.Engine, c *grouped, slots int, sources ...reeve.Source) *queue.Group {
	t.Helper()
	g, err := e.ConsumeFrom(c.Holder, 1, slots, sources, reeve.GetOptions{})
	if err != nil || g == nil {
		t.Fatal(g, err)
	}
	return g
}

func TestGroup_SharesByWeightWhileAllHaveTasks(t *testing.T) {
	for _, slots := range []int{1, 7} {
		unverified(t, func(t *testing.T, e *queue.Engine) {
			const n = 10_000
			c := newGrouped(e)
			weights := map[string]int{"high": 5, "mid": 3, "low": 1}
			var sources []reeve.Source
			for _, name := range []string{"low", "high", "mid"} {
				c.flood(t, declare(t, e, name, reeve.QueueConfig{}), n, func(int) reeve.Task { return reeve.Task{} })
				sources = append(sources, reeve.Source{Queue: name, Weight: weights[name]})
			}
			consumeFrom(t, e, c, slots, sources...)
			for len(c.seen()) < n {
				c.ackNext(t, e)
				c.forget()
			}
			got := map[string]int{}
			for i, name := range c.names {
				got[name]++
				for name, w := range weights { // at every moment, not only in the end
					if want := float64((i + 1) * w / 9); float64(got[name]) < want-2*9 || float64(got[name]) > want+2*9 {
						t.Fatalf("after %d tasks: %v of %s, want %v", i+1, got[name], name, want)
					}
				}
			}
		})
	}
}

func TestGroup_AQueueWithoutTasksSavesUpNoTurns(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, b, c := declare(t, e, "a", reeve.QueueConfig{}), declare(t, e, "b", reeve.QueueConfig{}), newGrouped(e)
		c.put(a, make([]string, 60)...)
		consumeFrom(t, e, c, 1, reeve.Source{Queue: "a", Weight: 1}, reeve.Source{Queue: "b", Weight: 1})
		for range 30 {
			c.ackNext(t, e)
		}
		c.put(b, make([]string, 60)...)
		start := len(c.names)
		for range 20 {
			c.ackNext(t, e)
		}
		fromB := 0
		for _, name := range c.names[start:] {
			if name == "b" {
				fromB++
			}
		}
		if fromB < 9 || fromB > 11 {
			t.Fatalf("%d of 20 from b", fromB)
		}
	})
}

func TestGroup_StrictTakesFromTheFirstThatHasTasks(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, b, d, c := declare(t, e, "a", reeve.QueueConfig{}), declare(t, e, "b", reeve.QueueConfig{}), declare(t, e, "d", reeve.QueueConfig{}), newGrouped(e)
		c.put(d, "d1", "d2")
		c.put(b, "b1", "b2", "b3")
		consumeFrom(t, e, c, 1, reeve.Source{Queue: "a"}, reeve.Source{Queue: "b"}, reeve.Source{Queue: "d"})
		c.ackNext(t, e)
		c.put(a, "a1", "a2")
		for c.running() > 0 {
			c.ackNext(t, e)
		}
		if got := payloads(c.tasks); got != "b1 b2 a1 a2 b3 d1 d2 " {
			t.Fatal(got)
		}
		c.put(d, "d3") // any queue, at once, when idle
		c.put(b, "b4")
		c.ackNext(t, e)
		c.ackNext(t, e)
		c.put(a, "a3")
		if got := payloads(c.tasks[7:]); got != "d3 b4 a3 " {
			t.Fatal(got)
		}
	})
}

func TestGroup_NeverHasMoreThanItsSlotsAndNothingWaitsBesideAFreeOne(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		rnd := rand.New(rand.NewPCG(2, 2))
		cfgs := []reeve.QueueConfig{{}, {Concurrency: 2}, {Reserve: reeve.Reserve{Slots: 1, Priority: 1}}, {Rate: reeve.Rate{Tasks: 5}}}
		var qs []*queue.Queue
		var sources, strict []reeve.Source
		for i, cfg := range cfgs {
			qs = append(qs, declare(t, e, fmt.Sprint(i), cfg))
			sources = append(sources, reeve.Source{Queue: fmt.Sprint(i), Weight: 1 + i})
			strict = append(strict, reeve.Source{Queue: fmt.Sprint(i)})
		}
		p := newClient(e)
		cs := []*grouped{newGrouped(e), newGrouped(e)}
		gs := []*queue.Group{consumeFrom(t, e, cs[0], 2, sources...), consumeFrom(t, e, cs[1], 2, strict...)}
		slots := []int{2, 2}
		was := []int{0, 0}
		for range 3000 {
			i := rnd.IntN(2)
			switch rnd.IntN(8) {
			case 0, 1, 2:
				p.mustAdd(t, qs[rnd.IntN(len(qs))], reeve.Task{Priority: int32(rnd.IntN(2)), Delay: time.Duration(rnd.IntN(2)) * time.Second})
			case 3:
				sleep(time.Duration(rnd.IntN(300)) * time.Millisecond)
			case 4:
				slots[i] = rnd.IntN(4)
				gs[i].SetSlots(slots[i])
			default:
				if cs[i].running() > 0 {
					cs[i].ackNext(t, e)
				}
			}
			free := 0
			for i, c := range cs {
				if n := len(c.seen()); n > was[i] && c.running() > slots[i] {
					t.Fatalf("%d tasks in %d slots", c.running(), slots[i])
				}
				was[i] = len(c.seen())
				free += max(0, slots[i]-c.running())
			}
			if s := qs[0].Stats(); free > 0 && s.Ready > 0 {
				t.Fatalf("a task waits beside %d free slots", free)
			}
			if s := qs[1].Stats(); free > 0 && s.Ready > 0 && s.Leased < 2 || s.Leased > 2 {
				t.Fatalf("with %d free slots: %+v", free, s)
			}
		}
		if n := len(cs[0].seen()) + len(cs[1].seen()); n < 500 {
			t.Fatalf("only %d tasks", n)
		}
	})
}

func TestGroup_GoesOnWithoutAQueueThatWasShutDown(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, b, c := declare(t, e, "a", reeve.QueueConfig{}), declare(t, e, "b", reeve.QueueConfig{}), newGrouped(e)
		consumeFrom(t, e, c, 1, reeve.Source{Queue: "a", Weight: 1}, reeve.Source{Queue: "b", Weight: 1})
		c.put(a, "a1", "a2")
		a.Shutdown(false)
		c.ackNext(t, e)
		if got := payloads(c.tasks); got != "a1 a2 " { // what is there is still handed over
			t.Fatal(got)
		}
		c.ackNext(t, e)
		if len(c.ended) != 0 {
			t.Fatalf("%v", c.ended)
		}
		c.put(b, "b1")
		if got := payloads(c.tasks); got != "a1 a2 b1 " {
			t.Fatal(got)
		}
		b.Shutdown(true)
		c.ackNext(t, e)
		if err := c.ended[1]; !errors.Is(err, reeve.ErrShutdown) {
			t.Fatal(err)
		}
	})
}

func TestGroup_CloseAndRelease(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, b, c, d := declare(t, e, "a", reeve.QueueConfig{}), declare(t, e, "b", reeve.QueueConfig{}), newGrouped(e), newGrouped(e)
		g := consumeFrom(t, e, c, 2, reeve.Source{Queue: "a"}, reeve.Source{Queue: "b"})
		c.put(a, "a1")
		c.put(b, "b1", "b2", "b3")
		g.Close()
		c.ackNext(t, e)
		if got := payloads(c.tasks); got != "a1 b1 " { // what was handed over stays
			t.Fatal(got)
		}
		g.SetSlots(5)
		g.Close()
		if len(c.tasks) != 2 || a.Stats().Consumers+b.Stats().Consumers != 0 || len(c.ended) != 0 {
			t.Fatalf("%+v", c.tasks)
		}
		consumeFrom(t, e, d, 2, reeve.Source{Queue: "a"}, reeve.Source{Queue: "b"})
		d.Release(false)
		if s := b.Stats(); s.Ready != 2 || s.Consumers != 0 || s.FreeSlots != 0 {
			t.Fatalf("%+v", s)
		}
		if g, err := e.ConsumeFrom(d.Holder, 1, 1, []reeve.Source{{Queue: "a"}}, reeve.GetOptions{}); g != nil || err != nil {
			t.Fatal(g, err)
		}
	})
}

func TestGroup_BadSourcesAreAnError(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		declare(t, e, "a", reeve.QueueConfig{})
		declare(t, e, "b", reeve.QueueConfig{})
		c := newGrouped(e)
		for _, x := range []struct {
			sources []reeve.Source
			want    error
		}{
			{nil, reeve.ErrInvalid},
			{[]reeve.Source{{Queue: "a"}, {Queue: "a"}}, reeve.ErrInvalid},
			{[]reeve.Source{{Queue: "a", Weight: 1}, {Queue: "b"}}, reeve.ErrInvalid},
			{[]reeve.Source{{Queue: "a", Weight: -1}}, reeve.ErrInvalid},
			{[]reeve.Source{{Queue: "a"}, {Queue: "none"}}, reeve.ErrNoSuchQueue},
		} {
			if _, err := e.ConsumeFrom(c.Holder, 1, 1, x.sources, reeve.GetOptions{}); !errors.Is(err, x.want) {
				t.Errorf("%+v: %v", x.sources, err)
			}
			if err := e.GetFrom(c.Holder, &queue.GetOp{Max: 1, Tag: 1}, x.sources); !errors.Is(err, x.want) {
				t.Errorf("%+v: %v", x.sources, err)
			}
		}
		if len(c.gots) != 0 {
			t.Fatalf("%+v", c.gots)
		}
	})
}

func TestGroup_AClaimTakesASlot(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, c := declare(t, e, "a", reeve.QueueConfig{}), newGrouped(e)
		declare(t, e, "b", reeve.QueueConfig{})
		old := newClient(e)
		c.put(a, "a1", "a2", "a3")
		task := old.take(t, a, 1)[0]
		old.Leave()
		g := consumeFrom(t, e, c, 0, reeve.Source{Queue: "b"}, reeve.Source{Queue: "a"})
		if kept := a.Claim(c.Holder, g.In(a), []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}}); !kept[0] {
			t.Fatal("not kept")
		}
		g.SetSlots(2)
		if got := payloads(c.tasks); got != "a2 " {
			t.Fatalf("%s beside the claimed one in 2 slots", got)
		}
		c.ok(t, c.ack(a, task))
		if got := payloads(c.tasks); got != "a2 a3 " {
			t.Fatal(got)
		}
	})
}

func TestGetFrom_IsAnsweredOnceByOneQueue(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, b, c := declare(t, e, "a", reeve.QueueConfig{}), declare(t, e, "b", reeve.QueueConfig{}), newClient(e)
		both := []reeve.Source{{Queue: "a"}, {Queue: "b"}}
		get := func(noWait bool) uint64 {
			tag := c.tag(1)
			if err := e.GetFrom(c.Holder, &queue.GetOp{Max: 5, NoWait: noWait, Tag: tag}, both); err != nil {
				t.Fatal(err)
			}
			return tag
		}
		answers := func(tag uint64) (n int) {
			for _, g := range c.gots {
				if g.tag == tag {
					n++
				}
			}
			return n
		}
		waiting := func(want int) {
			t.Helper()
			for _, q := range []*queue.Queue{a, b} {
				if s := q.Stats(); s.Consumers != want {
					t.Fatalf("%+v, want %d that wait", s, want)
				}
			}
		}
		if g := c.gotOf(t, get(true)); !errors.Is(g.err, reeve.ErrEmpty) {
			t.Fatalf("%+v", g)
		}
		waiting(0)
		tag := get(false)
		waiting(1)
		c.put(b, "b1")
		c.put(a, "a1")
		if g := c.gotOf(t, tag); payloads(g.ts) != "b1 " || answers(tag) != 1 {
			t.Fatalf("%+v", c.gots)
		}
		waiting(0)
		if s := a.Stats(); s.Ready != 1 || s.Leased != 0 {
			t.Fatalf("%+v", s)
		}
		if g := c.gotOf(t, get(false)); payloads(g.ts) != "a1 " {
			t.Fatalf("%+v", g)
		}
		waiting(0)
		tag = get(false)
		c.Cancel(tag, context.Canceled)
		if g := c.gotOf(t, tag); !errors.Is(g.err, context.Canceled) || answers(tag) != 1 {
			t.Fatalf("%+v", g)
		}
		waiting(0)
		b.Shutdown(true)
		if g := c.gotOf(t, get(true)); !errors.Is(g.err, reeve.ErrEmpty) { // a may still have some
			t.Fatalf("%+v", g)
		}
		tag = get(false)
		if answers(tag) != 0 {
			t.Fatal("a has not ended")
		}
		c.ackAllOf(t, a)
		a.Shutdown(false)
		if g := c.gotOf(t, tag); !errors.Is(g.err, reeve.ErrShutdown) || answers(tag) != 1 {
			t.Fatalf("%+v", g)
		}
		if g := c.gotOf(t, get(true)); !errors.Is(g.err, reeve.ErrShutdown) {
			t.Fatalf("%+v", g)
		}
		waiting(0)
	})
}

// ackAllOf acks all tasks of q that the client got by a Get.
func (c *client) ackAllOf(t testing.TB, q *queue.Queue) {
	t.Helper()
	for _, g := range c.gots {
		for _, task := range g.ts {
			c.ack(q, task)
		}
	}
	if s := q.Stats(); s.Leased != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestGetFrom_DrawsByWeight(t *testing.T) {
	unverified(t, func(t *testing.T, e *queue.Engine) {
		c := newClient(e)
		c.Holder = e.NewHolder(c, true)
		got := map[string]int{}
		for _, name := range []string{"a", "b"} {
			c.flood(t, declare(t, e, name, reeve.QueueConfig{}), 2000, func(int) reeve.Task { return reeve.Task{Payload: []byte(name)} })
		}
		for range 2000 {
			tag := c.tag(1)
			if err := e.GetFrom(c.Holder, &queue.GetOp{Max: 1, Tag: tag}, []reeve.Source{{Queue: "a", Weight: 3}, {Queue: "b", Weight: 1}}); err != nil {
				t.Fatal(err)
			}
			got[string(c.gotOf(t, tag).ts[0].Payload)]++
			c.forget()
		}
		if got["a"] < 1350 || got["a"] > 1650 { // 1500, and 7 standard deviations
			t.Fatal(got)
		}
	})
}

func TestGroups_OfManyWorkersLoseNothing(t *testing.T) {
	queue.SetVerify(false)
	defer queue.SetVerify(true)
	e := queue.New(queue.Config{})
	defer e.Close()
	const n, workers = 3000, 4
	sources := []reeve.Source{{Queue: "a", Weight: 2}, {Queue: "b", Weight: 1}, {Queue: "c", Weight: 1}}
	for _, s := range sources {
		declare(t, e, s.Queue, reeve.QueueConfig{})
	}
	done := make(chan reeve.ID, len(sources)*n)
	for i := range workers {
		w := newPuller(e, done)
		g, err := e.ConsumeFrom(w.Holder, 1, 1+i, slices.Clone(sources), reeve.GetOptions{})
		if err != nil || g == nil {
			t.Fatal(g, err)
		}
		defer w.stop()
	}
	for _, s := range sources {
		go func() {
			q, _ := e.Lookup(s.Queue)
			l := newLoader(e, 0)
			for range n {
				q.Put(l.Holder, &queue.PutOp{Tasks: make([]reeve.Task, 1), Tag: 1, By: l})
				<-l.replies
			}
		}()
	}
	seen := map[reeve.ID]bool{}
	for range len(sources) * n {
		select {
		case id := <-done:
			if seen[id] {
				t.Fatalf("task %v came twice", id)
			}
			seen[id] = true
		case <-time.After(time.Minute):
			t.Fatalf("%d of %d tasks came", len(seen), len(sources)*n)
		}
	}
}

// puller is a worker with a goroutine of its own that acks what comes.
type puller struct {
	loader
	work  chan job
	ended chan struct{}
}

type job struct {
	queue string
	task  reeve.Task
}

func newPuller(e *queue.Engine, done chan<- reeve.ID) *puller {
	w := &puller{loader: loader{replies: make(chan error, 16)}, work: make(chan job, 16), ended: make(chan struct{})}
	w.Holder = e.NewHolder(w, true)
	go func() {
		defer close(w.ended)
		for j := range w.work {
			q, _ := e.Lookup(j.queue)
			q.Ack(w.Holder, []queue.AckOp{{ID: j.task.ID, Attempt: j.task.Attempt}}, 1, w)
			if err := <-w.replies; err == nil {
				done <- j.task.ID
			}
		}
	}()
	return w
}

func (w *puller) Deliver(_ uint64, name string, t *reeve.Task) { w.work <- job{name, *t} }

func (w *puller) stop() {
	w.Release(false)
	close(w.work)
	<-w.ended
}
