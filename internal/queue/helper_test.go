package queue_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// What the tests of the mechanisms share.

// add puts one task and returns its tag.
func (c *client) add(q *queue.Queue, task reeve.Task) uint64 {
	tag := c.tag(1)
	q.Put(c.Holder, &queue.PutOp{Tasks: []reeve.Task{task}, Tag: tag, By: c})
	return tag
}

// mustAdd puts one task and returns its id.
func (c *client) mustAdd(t testing.TB, q *queue.Queue, task reeve.Task) reeve.ID {
	t.Helper()
	tag := c.add(q, task)
	c.ok(t, tag)
	return c.must(t, tag).first
}

// takeOf gets up to n tasks that are there of what want says.
func (c *client) takeOf(t testing.TB, q *queue.Queue, n int, want reeve.GetOptions) []reeve.Task {
	t.Helper()
	tag := c.tag(1)
	q.Get(c.Holder, &queue.GetOp{Max: n, NoWait: true, Tag: tag, Want: want})
	return c.gotOf(t, tag).ts
}

// gotOf is the answer to the Get tag.
func (c *client) gotOf(t testing.TB, tag uint64) got {
	t.Helper()
	told.Lock()
	defer told.Unlock()
	for _, g := range c.gots {
		if g.tag == tag {
			return g
		}
	}
	t.Fatalf("the Get %d was not answered", tag)
	return got{}
}

// seen is what the client was handed over by its consumers so far.
func (c *client) seen() []reeve.Task {
	told.Lock()
	defer told.Unlock()
	return c.tasks[:len(c.tasks):len(c.tasks)]
}

// lostCauses are the causes with which leases of the client were lost.
func (c *client) lostCauses() []error {
	told.Lock()
	defer told.Unlock()
	return c.causes[:len(c.causes):len(c.causes)]
}

// ending is the answer to a Wait.
type ending struct {
	r   reeve.Result
	err error
}

func (c *client) Ended(tag uint64, r reeve.Result, err error) {
	told.Lock()
	defer told.Unlock()
	if _, twice := c.ends[tag]; twice {
		panic(fmt.Sprintf("the Wait %d was answered twice", tag))
	}
	if c.ends == nil {
		c.ends = map[uint64]ending{}
	}
	c.ends[tag] = ending{r, err}
}

// await asks for the end of a task and returns the tag.
func (c *client) await(id reeve.ID) uint64 {
	tag := c.tag(1)
	c.Engine().Wait(c.Holder, &queue.WaitOp{ID: id, Tag: tag, By: c})
	return tag
}

// endOf is the answer to the Wait tag, if there is one.
func (c *client) endOf(tag uint64) (ending, bool) {
	told.Lock()
	defer told.Unlock()
	x, ok := c.ends[tag]
	return x, ok
}

// wall is a wall clock that can be set.
type wall struct{ offset atomic.Int64 }

func (w *wall) now() time.Time { return time.Now().Round(0).Add(time.Duration(w.offset.Load())) }

// step sets the clock forward by d, or back.
func (w *wall) step(d time.Duration) { w.offset.Add(int64(d)) }

// runWall is run with a wall clock of the test's.
func runWall(t *testing.T, f func(t *testing.T, e *queue.Engine, w *wall)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &wall{}
		e := queue.New(queue.Config{MaxPayload: 1 << 20, Wall: w.now})
		defer e.Close()
		f(t, e, w)
	})
}

// unverified runs f without the checks after each step, which look at every
// task, and with one at the end. It is not for parallel tests.
func unverified(t *testing.T, f func(t *testing.T, e *queue.Engine)) {
	t.Helper()
	queue.SetVerify(false)
	defer queue.SetVerify(true)
	run(t, f)
}

// heapBytes is how much memory is in use.
func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// flood puts n tasks that task makes, in large batches.
func (c *client) flood(t testing.TB, q *queue.Queue, n int, task func(i int) reeve.Task) {
	t.Helper()
	for i := 0; i < n; {
		batch := make([]reeve.Task, min(reeve.MaxBatch, n-i))
		for j := range batch {
			batch[j] = task(i)
			i++
		}
		tag := c.tag(1)
		q.Put(c.Holder, &queue.PutOp{Tasks: batch, Tag: tag, By: c})
		c.ok(t, tag)
		c.forget()
	}
}

// ackAll takes and acks all that is ready, and returns how many that were.
func (c *client) ackAll(t testing.TB, q *queue.Queue) (n int) {
	t.Helper()
	for {
		ts := c.take(t, q, reeve.MaxBatch)
		if len(ts) == 0 {
			return n
		}
		n += len(ts)
		ops := make([]queue.AckOp, len(ts))
		for i := range ts {
			ops[i] = queue.AckOp{ID: ts[i].ID, Attempt: ts[i].Attempt}
		}
		tag := c.tag(len(ops))
		q.Ack(c.Holder, ops, tag, c)
		c.ok(t, tag, tag+uint64(len(ops)-1))
		c.forget()
	}
}

// forget gives up what the client was told.
func (c *client) forget() {
	told.Lock()
	defer told.Unlock()
	c.gots = nil
	clear(c.replies)
}

// deadOf is q's dead tasks, of which every payload can be read.
func deadOf(q *queue.Queue, skip, max int) []reeve.DeadTask {
	dead, err := q.Dead(skip, max)
	if err != nil {
		panic(err)
	}
	return dead
}
