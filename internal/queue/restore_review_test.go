package queue_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

// The clock may have waited for the mutex of a queue while that was configured
// anew: what was due there is the affair of the queue in its place.
func TestRestart_TheClockLeavesQueuesAloneThatWereConfiguredAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{DeadFor: time.Minute})
		c := newClient(k.Engine)
		c.durably(t, c.add(q, reeve.Task{Delay: time.Hour}))
		c.durably(t, c.add(q, reeve.Task{Delay: time.Hour, Rules: &reeve.Rules{Expiry: 2 * time.Hour}}))
		c.durably(t, c.put(q, "dead"))
		x := c.getNow(t, q, 1)[0]
		tag := c.tag(1)
		q.Nack(c.Holder, &queue.NackOp{ID: x.ID, Attempt: x.Attempt, Bury: true}, tag, c)
		c.durably(t, tag)
		k.crash()
		old := k.Unused("q")
		q = k.declare("q", reeve.QueueConfig{MaxLen: 9, DeadFor: time.Minute})
		time.Sleep(2*time.Hour + time.Minute)
		old.Tick()
		if s := q.Stats(); s.Ready != 1 || s.Expired != 1 || s.Dead != 0 {
			t.Errorf("ready %d, expired %d, dead %d", s.Ready, s.Expired, s.Dead)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

// That a task is not known may be because of an end that is not durable yet.
func TestWait_OfATaskThatIsGoneIsToldWhenItsEndIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{})
		c := newClient(k.Engine)
		id := c.durably(t, c.put(q, "a")).first
		x := c.getNow(t, q, 1)[0]
		synctest.Wait()
		gate := k.journal.Block(journaltest.OpSync)
		c.ack(q, x)
		tag := c.await(id)
		synctest.Wait()
		if x, ok := c.endOf(tag); ok {
			t.Errorf("who waits was told %v before the end was durable", x.err)
		}
		gate.Open()
		synctest.Wait()
		if x, ok := c.endOf(tag); !ok || !errors.Is(x.err, reeve.ErrNoSuchTask) {
			t.Errorf("who waits was told %v, %v", x.err, ok)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A lease may stand for longer than what its client asked for is remembered.
func TestClaim_ByAClientThatWasForgottenMeanwhile(t *testing.T) {
	for _, then := range []string{"claim", "ack"} {
		synctest.Test(t, func(t *testing.T) {
			k := open(t, queue.Config{})
			q := k.declare("q", reeve.QueueConfig{Lease: time.Hour})
			id := queue.ClientID{Key: "key", Process: [16]byte{1}}
			c := newClient(k.Engine)
			who, _ := k.Clients().Attach(id)
			c.SetClient(who)
			c.durably(t, c.put(q, "a"))
			x := c.getNow(t, q, 1)[0]
			c.Leave()
			k.Clients().Detach(who)
			time.Sleep(30 * time.Minute)
			k.Clients().Attach(queue.ClientID{Key: "another"}) // has the others looked at
			c = newClient(k.Engine)
			who, known := k.Clients().Attach(id)
			if c.SetClient(who); known {
				t.Error("the client is still remembered")
			}
			if then == "claim" {
				if kept := q.Claim(c.Holder, nil, []queue.AckOp{{ID: x.ID, Attempt: x.Attempt}}); !kept[0] {
					t.Error("its lease is not its own any more")
				}
			} else if r := c.durably(t, c.ack(q, x)); r.err != nil {
				t.Error("its ack:", r.err)
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Who looks at what a full disk has no space for does not wait for ever, nor does
// who ends the session of who looks.
func TestList_DoesNotWaitForEverForAPayloadThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{Memory: 1})
		q := k.declare("q", reeve.QueueConfig{})
		c := newClient(k.Engine)
		synctest.Wait()
		k.journal.SetSpace(journaltest.NoSpace)
		c.put(q, "payload")
		if _, err := q.List(nil, reeve.ListOptions{Payload: reeve.NoLimit}); !errors.Is(err, reeve.ErrJournalFull) {
			t.Errorf("List: %v", err)
		}
		if page, err := q.List(nil, reeve.ListOptions{}); err != nil || len(page.Tasks) != 1 {
			t.Errorf("List without payloads: %v, %v", page.Tasks, err)
		}
		k.journal.SetSpace(journaltest.Enough)
		if page, err := q.List(nil, reeve.ListOptions{Payload: reeve.NoLimit}); err != nil || string(page.Tasks[0].Payload) != "payload" {
			t.Errorf("List when there is space: %v, %v", page.Tasks, err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

// To configure a queue anew writes down that, not what is in it: the log would
// wait for all of it.
func TestRestart_AnotherConfigurationIsOneRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{})
		c := k.clientOf(1)
		const n = 200
		for range n {
			c.durably(t, c.put(q, "a"))
		}
		c.getNow(t, q, n)
		synctest.Wait()
		k.crash()
		synctest.Wait()
		before := k.CommitStats().Bytes
		q = k.declare("q", reeve.QueueConfig{MaxLen: 999})
		synctest.Wait()
		if s := q.Stats(); s.Leased != n {
			t.Fatalf("%d are leased", s.Leased)
		}
		if wrote := k.CommitStats().Bytes - before; wrote > 2000 {
			t.Errorf("%d bytes were written", wrote)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

// remembering is a client whose requests are remembered.
type remembering struct {
	*client
	who *queue.Client
}

func (r remembering) Decide(tag uint64, count int, first reeve.ID, err error) *queue.Client {
	r.who.Finish(tag, count, first, err)
	return r.who
}

// What became of many requests of one frame is one record, however often that is
// written anew.
func TestCleaning_KeepsOutcomesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{})
		id := queue.ClientID{Key: "key", Process: [16]byte{1}}
		who, _ := k.Clients().Attach(id)
		c := remembering{newClient(k.Engine), who}
		const n = 1000
		tag := c.tag(n)
		if _, err := who.Begin(tag, n, tag); err != nil {
			t.Fatal(err)
		}
		q.Put(c.Holder, &queue.PutOp{Tasks: make([]reeve.Task, n), Each: true, Tag: tag, By: c})
		synctest.Wait()
		first := c.must(t, tag).first
		other := newClient(k.Engine)
		for _, x := range other.getNow(t, q, n) {
			other.ack(q, x)
		}
		synctest.Wait()
		for range 50 { // which has all the rest cleaned
			other.durably(t, other.put(q, "more"))
			other.durably(t, other.ack(q, other.getNow(t, q, 1)[0]))
		}
		if kept := k.journal.Stats().Bytes; kept > 3*queue.CleanSlack {
			t.Errorf("%d bytes are kept", kept)
		}
		k.crash()
		who, _ = k.Clients().Attach(id)
		for i := range uint64(n) {
			if _, done, got, err := who.Seen(tag + i); !done || got != first+reeve.ID(i) || err != nil {
				t.Fatalf("request %d: %v %v %v", i, done, got, err)
			}
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}
