package queue_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestClock_TasksDueTogetherComeAllAndHoldUpNoOtherQueue(t *testing.T) {
	queue.SetVerify(false)
	defer queue.SetVerify(true)
	synctest.Test(t, func(t *testing.T) {
		e := queue.New(queue.Config{})
		defer e.Close()
		q, other, c := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "other", reeve.QueueConfig{}), newClient(e)
		const n = 100_000
		batch := make([]reeve.Task, 4000)
		for i := range batch {
			batch[i].Delay = time.Hour
		}
		for range n / len(batch) {
			q.Put(c.Holder, &queue.PutOp{Tasks: batch, Tag: c.tag(1), By: c})
		}
		other.Put(c.Holder, &queue.PutOp{Tasks: batch[:1], Tag: c.tag(1), By: c})
		count := &counter{}
		h := e.NewHolder(count, true)
		q.Consume(h, 1, reeve.MaxSlots, reeve.GetOptions{})
		q.Consume(h, 2, reeve.MaxSlots, reeve.GetOptions{})
		other.Consume(h, 3, 1, reeve.GetOptions{})
		sleep(time.Hour - 1)
		if c := count.seen(); c.n != 0 {
			t.Fatal("too early")
		}
		sleep(1)
		after := count.seen()
		if after.n != n+1 {
			t.Fatalf("%d of %d tasks came", after.n, n+1)
		}
		if after.others != 1 || after.before > n/10 {
			t.Fatalf("the other queue's task came after %d", after.before)
		}
		if after.most > 10_000 {
			t.Fatalf("%d hand-overs without a pause in which others get the mutex", after.most)
		}
		q.Check()
	})
}

// counter counts what is delivered, and how much of it between two wake-ups.
type counter struct {
	client
	numbers // guarded by told
}

type numbers struct {
	n, others int
	before    int // deliveries before the other queue's
	run, most int
}

func (c *counter) seen() numbers {
	told.Lock()
	defer told.Unlock()
	return c.numbers
}

func (c *counter) Deliver(_ uint64, name string, _ *reeve.Task) {
	told.Lock()
	defer told.Unlock()
	if name == "other" {
		c.others++
		c.before = c.n
	}
	c.n++
	c.run++
	c.most = max(c.most, c.run)
}

func (c *counter) End(uint64, string, error) {}

func (c *counter) Wake() {
	told.Lock()
	c.run = 0
	told.Unlock()
}

// loader is a holder that works with real goroutines: what is delivered goes
// into a channel with room for all slots.
type loader struct {
	*queue.Holder
	tasks   chan reeve.Task
	replies chan error
}

func newLoader(e *queue.Engine, slots int) *loader {
	l := &loader{tasks: make(chan reeve.Task, slots), replies: make(chan error, 1024)}
	l.Holder = e.NewHolder(l, false)
	return l
}

func (l *loader) Deliver(_ uint64, _ string, t *reeve.Task) { l.tasks <- *t }
func (l *loader) Got(uint64, string, []reeve.Task, error)   {}
func (l *loader) End(uint64, string, error)                 {}
func (l *loader) Lost(reeve.Token, error)                   {}
func (l *loader) Wake()                                     {}
func (l *loader) Reply(_ uint64, n int, _ reeve.ID, e error) {
	for range n {
		l.replies <- e
	}
}

func TestStress_NothingIsLostWhileWorkersDie(t *testing.T) {
	queue.SetVerify(false)
	defer queue.SetVerify(true)
	e := queue.New(queue.Config{})
	defer e.Close()
	first := declare(t, e, "first", reeve.QueueConfig{MaxLen: 50, Attempts: 1_000_000})
	second := declare(t, e, "second", reeve.QueueConfig{MaxLen: 20, Attempts: 1_000_000})
	third := declare(t, e, "third", reeve.QueueConfig{Attempts: 1_000_000})

	const producers, workers, each = 4, 4, 1500
	var wg, producing sync.WaitGroup
	for p := range producers {
		producing.Go(func() {
			l := newLoader(e, 0)
			for i := range each {
				l.Touch()
				first.Put(l.Holder, &queue.PutOp{Tasks: []reeve.Task{{Payload: fmt.Append(nil, p, i)}}, Tag: 1, By: l})
				if err := <-l.replies; err != nil {
					panic(err)
				}
			}
			l.Release(true)
		})
	}
	done := make(chan struct{})
	work := func(from, to *queue.Queue) {
		for life := 0; ; life++ {
			const slots = 4
			l := newLoader(e, slots)
			from.Consume(l.Holder, 1, slots, reeve.GetOptions{})
			for n := range 40 + 60*(life%3) {
				select {
				case <-done:
					l.Release(true)
					return
				case task := <-l.tasks:
					switch {
					case n%11 == 5:
						from.Nack(l.Holder, &queue.NackOp{ID: task.ID, Attempt: task.Attempt, Returned: n%2 == 0}, 1, l)
					case to == nil:
						from.Ack(l.Holder, []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}}, 1, l)
					default:
						from.Complete(l.Holder, to, []queue.CompleteOp{{ID: task.ID, Attempt: task.Attempt, Result: reeve.Task{Payload: task.Payload}, Tag: 1, By: l}})
					}
				case err := <-l.replies:
					if err != nil {
						panic(err)
					}
				}
			}
			l.Release(life%2 == 0) // it dies, or stops, with all it has
		}
	}
	for range workers {
		wg.Go(func() { work(first, second) })
		wg.Go(func() { work(second, third) })
		wg.Go(func() { work(third, nil) })
	}
	producing.Wait()
	join := newClient(e)
	for _, q := range []*queue.Queue{first, second, third} {
		answer := &loader{replies: make(chan error, 1)}
		q.Join(join.Holder, &queue.JoinOp{Tag: 1, By: answer})
		if err := <-answer.replies; err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	wg.Wait()
	for _, q := range []*queue.Queue{first, second, third} {
		q.Check()
		s := q.Stats()
		if s.Put != producers*each || s.Done != s.Put || s.Unsettled() != 0 || s.WaitingPuts != 0 || s.Consumers != 0 {
			t.Errorf("%+v", s)
		}
	}
}
