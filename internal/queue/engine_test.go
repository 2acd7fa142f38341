package queue_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// told guards what clients were told. It is one for all of them, so that sleep
// can order what a test has read before what the engine's clock then tells.
var told sync.Mutex

// client is a holder that notes all it is told.
type client struct {
	*queue.Holder

	// Guarded by told.
	tasks   []reeve.Task
	at      []time.Time // when they came
	gots    []got
	ended   map[uint64]error
	lost    []reeve.Token
	causes  []error
	replies map[uint64]reply
	ends    map[uint64]ending
	next    uint64
}

type got struct {
	tag uint64
	ts  []reeve.Task
	err error
}

type reply struct {
	first reeve.ID
	err   error
}

func newClient(e *queue.Engine) *client {
	c := &client{ended: map[uint64]error{}, replies: map[uint64]reply{}}
	c.Holder = e.NewHolder(c, false)
	return c
}

func (c *client) Deliver(_ uint64, _ string, t *reeve.Task) {
	told.Lock()
	defer told.Unlock()
	c.tasks, c.at = append(c.tasks, *t), append(c.at, time.Now())
}

func (c *client) Got(tag uint64, _ string, ts []reeve.Task, err error) {
	told.Lock()
	defer told.Unlock()
	c.gots = append(c.gots, got{tag, ts, err})
}

func (c *client) End(tag uint64, _ string, err error) {
	told.Lock()
	defer told.Unlock()
	c.ended[tag] = err
}

func (c *client) Lost(t reeve.Token, cause error) {
	told.Lock()
	defer told.Unlock()
	c.lost = append(c.lost, t)
	c.causes = append(c.causes, cause)
}

func (c *client) Wake() {}

func (c *client) Reply(tag uint64, count int, first reeve.ID, err error) {
	told.Lock()
	defer told.Unlock()
	for i := range uint64(count) {
		if _, twice := c.replies[tag+i]; twice {
			panic(fmt.Sprintf("request %d was answered twice", tag+i))
		}
		c.replies[tag+i] = reply{first, err}
		if first != 0 {
			first++
		}
	}
}

// tag returns a number for a new request.
func (c *client) tag(n int) uint64 {
	told.Lock()
	defer told.Unlock()
	c.next += uint64(n)
	return c.next - uint64(n) + 1
}

// answer returns the reply to tag and whether there is one.
func (c *client) answer(tag uint64) (reply, bool) {
	told.Lock()
	defer told.Unlock()
	r, ok := c.replies[tag]
	return r, ok
}

// must returns the reply to tag, which was given.
func (c *client) must(t testing.TB, tag uint64) reply {
	t.Helper()
	r, ok := c.answer(tag)
	if !ok {
		t.Fatalf("request %d was not answered", tag)
	}
	return r
}

func (c *client) put(q *queue.Queue, payloads ...string) uint64 {
	tasks := make([]reeve.Task, len(payloads))
	for i, p := range payloads {
		tasks[i].Payload = []byte(p)
	}
	tag := c.tag(1)
	q.Put(c.Holder, &queue.PutOp{Tasks: tasks, Tag: tag, By: c})
	return tag
}

// take gets up to n tasks that are there.
func (c *client) take(t testing.TB, q *queue.Queue, n int) []reeve.Task {
	t.Helper()
	told.Lock()
	c.gots = nil
	told.Unlock()
	q.Get(c.Holder, &queue.GetOp{Max: n, NoWait: true, Tag: c.tag(1)})
	told.Lock()
	defer told.Unlock()
	if len(c.gots) != 1 {
		t.Fatalf("a Get that does not wait was answered %d times", len(c.gots))
	}
	if err := c.gots[0].err; err != nil && !errors.Is(err, reeve.ErrEmpty) {
		t.Fatal(err)
	}
	return c.gots[0].ts
}

func (c *client) ack(q *queue.Queue, t reeve.Task) uint64 {
	tag := c.tag(1)
	q.Ack(c.Holder, []queue.AckOp{{ID: t.ID, Attempt: t.Attempt}}, tag, c)
	return tag
}

func (c *client) nack(q *queue.Queue, t reeve.Task, op queue.NackOp) uint64 {
	op.ID, op.Attempt = t.ID, t.Attempt
	tag := c.tag(1)
	q.Nack(c.Holder, &op, tag, c)
	return tag
}

func (c *client) complete(from, to *queue.Queue, t reeve.Task, result string) uint64 {
	tag := c.tag(1)
	from.Complete(c.Holder, to, []queue.CompleteOp{{ID: t.ID, Attempt: t.Attempt, Result: reeve.Task{Payload: []byte(result)}, Tag: tag, By: c}})
	return tag
}

// run runs f in a bubble of fake time with an engine.
func run(t *testing.T, f func(t *testing.T, e *queue.Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := queue.New(queue.Config{MaxPayload: 1 << 20})
		defer e.Close()
		f(t, e)
	})
}

func declare(t testing.TB, e *queue.Engine, name string, cfg reeve.QueueConfig) *queue.Queue {
	t.Helper()
	q, err := e.Declare(name, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func payloads(ts []reeve.Task) string {
	s := ""
	for _, t := range ts {
		s += string(t.Payload) + " "
	}
	return s
}

// sleep lets fake time pass and everything due happen.
func sleep(d time.Duration) {
	told.Lock()
	//lint:ignore SA2001 what was read comes before
	told.Unlock()
	time.Sleep(d)
	synctest.Wait()
}
