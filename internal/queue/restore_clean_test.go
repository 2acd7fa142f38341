package queue_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

func TestClean_KeepsTheJournalSmallWithPinnedTasks(t *testing.T) {
	for _, unit := range []int{1, 5} {
		synctest.Test(t, func(t *testing.T) {
			k := open(t, queue.Config{Memory: 1000})
			k.journal = journaltest.NewMemory(journaltest.MemoryConfig{TB: t, TrimUnit: unit})
			if err := k.Close(); err != nil {
				t.Fatal(err)
			}
			k.open()
			rnd := rand.New(rand.NewPCG(1, uint64(unit)))
			q := k.declare("q", reeve.QueueConfig{})
			c := newClient(k.Engine)
			pinned := map[reeve.ID][]byte{}
			live, most, largest := int64(0), int64(0), 0.0
			for i := range 3000 {
				payload := bytes.Repeat([]byte{byte(i)}, 50+rnd.IntN(200))
				task := reeve.Task{Payload: payload}
				if i%100 == 0 {
					task.Delay = 1000 * time.Hour
					live += int64(len(payload)) + 64
				}
				id := c.durably(t, c.add(q, task)).first
				if i%100 == 0 {
					pinned[id] = payload
					continue
				}
				if ts := c.getNow(t, q, 1); len(ts) != 1 || c.durably(t, c.ack(q, ts[0])).err != nil {
					t.Fatalf("got %v", ts)
				}
				c.forget()
				size := k.journal.Stats().Bytes
				most, largest = max(most, size), max(largest, float64(size-3*live)/queue.CleanSlack)
				if i%1000 == 999 {
					k.crash()
					q, c = k.lookup("q"), newClient(k.Engine)
				}
			}
			// A step's frames and units, and what was written before the step is
			// durable, may be there still.
			if largest > 3 {
				t.Errorf("the journal had %d bytes at most, and 3 × what lives and %.2f × the slack", most, largest)
			}
			if s := k.journal.Stats(); s.Trimmed < 5000 {
				t.Errorf("%d frames were forgotten: the test has tested nothing", s.Trimmed)
			}
			for id, payload := range pinned {
				if i, err := k.Task(id); err != nil || !bytes.Equal(i.Payload, payload) || i.State != reeve.StateDelayed {
					t.Errorf("the pinned task %v is %v with %d bytes, %v", id, i.State, len(i.Payload), err)
				}
			}
			if n, err := q.Purge(&reeve.Filter{States: []reeve.State{reeve.StateDelayed}}); n != len(pinned) || err != nil {
				t.Errorf("purged %d, %v", n, err)
			}
			for range 200 { // so that it is looked at again
				c.durably(t, c.put(q, "x"))
				c.durably(t, c.ack(q, c.getNow(t, q, 1)[0]))
				c.forget()
			}
			if s := k.journal.Stats(); s.Bytes > queue.CleanSlack+2048 {
				t.Errorf("a drained journal has %d bytes in %d frames", s.Bytes, s.Frames)
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// churn writes so much that everything is cleaned more than once.
func (k *kept) churn(c *client, q *queue.Queue) {
	k.t.Helper()
	synctest.Wait() // until what there is is written
	for first := k.journal.Stats().Last; k.journal.Stats().First <= first; {
		c.durably(k.t, c.put(q, string(make([]byte, 500))))
		c.durably(k.t, c.ack(q, c.getNow(k.t, q, 1)[0]))
		c.forget()
	}
}

func TestClean_SeenSetsOutliveTheirTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q, other := k.declare("q", reeve.QueueConfig{}), k.declare("other", reeve.QueueConfig{})
		c := newClient(k.Engine)
		add := func(key string) reply {
			return c.durably(t, c.add(k.lookup("q"), reeve.Task{Type: key, Rules: &reeve.Rules{Unique: key, UniqueMode: reeve.UniqueForTime}}))
		}
		keys := []string{"done", "dead", "moved", "cancelled", "waits"}
		ids := map[string]reeve.ID{}
		for _, key := range keys {
			ids[key] = add(key).first
		}
		ts := c.takeOf(t, q, 2, reeve.GetOptions{Types: []string{"done", "dead"}})
		if len(ts) != 2 {
			t.Fatalf("got %v", ts)
		}
		c.durably(t, c.ack(q, ts[0]))
		c.durably(t, c.nack(q, ts[1], queue.NackOp{Bury: true}))
		if n, err := q.Move(other, &reeve.Filter{IDs: []reeve.ID{ids["moved"]}}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if err := k.Cancel(ids["cancelled"], ""); err != nil {
			t.Fatal(err)
		}
		for round := range 3 {
			k.churn(c, k.declare("churn", reeve.QueueConfig{}))
			k.crash()
			c = newClient(k.Engine)
			for _, key := range keys {
				if r := add(key); r.err == nil || r.first != ids[key] {
					t.Errorf("round %d: the key of what is %s is free: %v, %v", round, key, r.first, r.err)
				}
			}
		}
		if i, err := k.Task(ids["moved"]); err != nil || i.Queue != "other" {
			t.Errorf("the moved task is in %q, %v", i.Queue, err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestClean_CopiesWhatWasSaidOnceOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		for i := range 30 { // each says who the master is, what the queue is, and that it is paused
			q := k.declare("q", reeve.QueueConfig{MaxLen: 100 + i})
			if err := q.Pause(fmt.Sprint("pause ", i)); err != nil {
				t.Fatal(err)
			}
			k.churn(newClient(k.Engine), k.declare("churn", reeve.QueueConfig{}))
			k.crash()
		}
		if s := k.lookup("q").Stats(); !s.Paused || s.PauseReason != "pause 29" || s.MaxLen != 129 {
			t.Errorf("paused %v: %q, MaxLen %d", s.Paused, s.PauseReason, s.MaxLen)
		}
		if s := k.journal.Stats(); s.Bytes > queue.CleanSlack+2048 {
			t.Errorf("the journal has %d bytes in %d frames", s.Bytes, s.Frames)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestClean_OutcomesAreRememberedAsLongAsTheyMayBeAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		id := queue.ClientID{Key: "key", Process: [16]byte{7}}
		who, _ := k.Clients().Attach(id)
		const base = 1_000_000 // it has been there for long
		put := func(req, low uint64) (first reeve.ID, fresh bool) {
			var err error
			if fresh, err = who.Begin(req, 1, low); err != nil {
				t.Fatal(err)
			}
			if !fresh {
				_, done, first, err := who.Seen(req)
				if !done || err != nil {
					t.Fatalf("request %d: done %v, %v", req, done, err)
				}
				return first, false
			}
			r := &decider{client: who}
			h := k.NewHolder(newClient(k.Engine), false)
			h.SetClient(who)
			k.declare("q", reeve.QueueConfig{}).Put(h, &queue.PutOp{Tasks: []reeve.Task{{}}, Tag: req, By: r})
			synctest.Wait()
			h.Release(false)
			return r.first, true
		}
		first := map[uint64]reeve.ID{}
		for req := uint64(base); req < base+20; req++ {
			first[req], _ = put(req, max(base, req-3))
		}
		for range 2 {
			k.churn(newClient(k.Engine), k.declare("churn", reeve.QueueConfig{}))
			k.crash()
			var known bool
			if who, known = k.Clients().Attach(id); !known {
				t.Fatal("the client is not known any more")
			}
			for req := uint64(base + 16); req < base+20; req++ {
				if again, fresh := put(req, base+16); fresh || again != first[req] {
					t.Errorf("request %d gives %v again, fresh %v, want %v", req, again, fresh, first[req])
				}
			}
		}
		if s := k.lookup("q").Stats(); s.Ready != 20 {
			t.Errorf("%d tasks were put, want 20", s.Ready)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

// decider remembers an outcome for its client.
type decider struct {
	client *queue.Client
	first  reeve.ID
}

func (d *decider) Decide(tag uint64, count int, first reeve.ID, err error) *queue.Client {
	d.client.Finish(tag, count, first, err)
	return d.client
}

func (d *decider) Reply(_ uint64, _ int, first reeve.ID, _ error) { d.first = first }

func TestClean_AListThatMeetsTheEndOfATaskGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var meet func() error // at the next Read
		k := open(t, queue.Config{Memory: 1})
		k.journal = journaltest.NewMemory(journaltest.MemoryConfig{TB: t, Before: func(c journaltest.Call) error {
			if f := meet; c.Op == journaltest.OpRead && f != nil {
				meet = nil
				return f()
			}
			return nil
		}})
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		k.open()
		q := k.declare("q", reeve.QueueConfig{})
		c := newClient(k.Engine)
		first := c.durably(t, c.put(q, "a")).first
		c.durably(t, c.put(q, "b"))
		meet = func() error {
			if err := k.Cancel(first, ""); err != nil {
				t.Error(err)
			}
			return journal.ErrTrimmed
		}
		page, err := q.List(nil, reeve.ListOptions{Payload: reeve.NoLimit})
		if err != nil || len(page.Tasks) != 2 || string(page.Tasks[1].Payload) != "b" {
			t.Errorf("the list is %v, %v", page.Tasks, err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}
