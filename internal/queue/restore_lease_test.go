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

// clientOf is a new session of the client n.
func (k *kept) clientOf(n byte) *client {
	c := newClient(k.Engine)
	who, _ := k.Clients().Attach(queue.ClientID{Key: "key", Process: [16]byte{n}})
	c.SetClient(who)
	return c
}

// durably waits until all that was done is told.
func (c *client) durably(t *testing.T, tag uint64) reply {
	t.Helper()
	synctest.Wait()
	return c.must(t, tag)
}

func (k *kept) lookup(name string) *queue.Queue {
	k.t.Helper()
	q, err := k.Lookup(name)
	if err != nil {
		k.t.Fatal(err)
	}
	return q
}

func TestRestart_LeasesOfClientsStandOneLeaseLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{Lease: 10 * time.Second})
		a, own := k.clientOf(1), newClient(k.Engine)
		a.durably(t, a.put(q, "a", "b"))
		a.getNow(t, q, 1)
		own.getNow(t, q, 1)
		time.Sleep(9 * time.Second)
		k.crash()
		synctest.Wait()
		q = k.lookup("q")
		if s := q.Stats(); s.Leased != 1 || s.Ready != 1 {
			t.Errorf("after the restart %d are leased, %d ready: want that of the master itself to be ready", s.Leased, s.Ready)
		}
		time.Sleep(9 * time.Second)
		if s := q.Stats(); s.Leased != 1 {
			t.Errorf("9 s later %d are leased, want 1", s.Leased)
		}
		time.Sleep(2 * time.Second)
		if s := q.Stats(); s.Leased != 0 || s.Ready != 2 {
			t.Errorf("after a lease %d are leased, %d ready", s.Leased, s.Ready)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestRestart_ExtendedLeasesStandAsLongAsWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{Lease: time.Second})
		a := k.clientOf(1)
		a.durably(t, a.put(q, "a"))
		x := a.getNow(t, q, 1)[0]
		tag := a.tag(1)
		q.Extend(a.Holder, x.ID, x.Attempt, time.Minute, tag, a)
		if r := a.durably(t, tag); r.err != nil {
			t.Fatal(r.err)
		}
		time.Sleep(500 * time.Millisecond)
		for range 2 {
			k.crash()
			k.declare("q", reeve.QueueConfig{Lease: time.Second, Attempts: 7}) // configured anew, too
			synctest.Wait()
		}
		time.Sleep(59 * time.Second)
		q = k.lookup("q")
		if s := q.Stats(); s.Leased != 1 {
			t.Errorf("before the minute is over %d are leased, want 1", s.Leased)
		}
		time.Sleep(2 * time.Second)
		if s := q.Stats(); s.Leased != 0 {
			t.Errorf("after the minute %d are leased, want none", s.Leased)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestRestart_AClientClaimsItsLeasesAndNobodyElseDoes(t *testing.T) {
	for _, durable := range []bool{true, false} { // the record of the hand-over
		synctest.Test(t, func(t *testing.T) {
			k := open(t, queue.Config{})
			q := k.declare("q", reeve.QueueConfig{})
			a := k.clientOf(1)
			a.durably(t, a.put(q, "a", "b"))
			if !durable {
				k.journal.Block(journaltest.OpAppend)
			}
			a.getNow(t, q, 2)
			ts := a.gots[len(a.gots)-1].ts
			if len(ts) != 2 {
				t.Fatalf("got %v", ts)
			}
			k.crash()
			q = k.lookup("q")
			a, b := k.clientOf(1), k.clientOf(2)
			ops := []queue.AckOp{{ID: ts[0].ID, Attempt: 1}, {ID: ts[1].ID, Attempt: 1}}
			if durable { // else nobody knows whose it was
				if kept := q.Claim(b.Holder, nil, ops); kept[0] || kept[1] {
					t.Errorf("another client claims the leases: %v", kept)
				}
				if r := b.durably(t, b.ack(q, ts[0])); !errors.Is(r.err, reeve.ErrLeaseLost) {
					t.Errorf("another client's ack: %v, want ErrLeaseLost", r.err)
				}
			}
			if kept := q.Claim(a.Holder, nil, ops); !kept[0] || !kept[1] {
				t.Errorf("durable %v: the client claims its leases: %v", durable, kept)
			}
			if kept := q.Claim(b.Holder, nil, ops); kept[0] || kept[1] {
				t.Errorf("another client claims them then: %v", kept)
			}
			if r := b.durably(t, b.ack(q, ts[0])); !errors.Is(r.err, reeve.ErrLeaseLost) {
				t.Errorf("another client's ack: %v, want ErrLeaseLost", r.err)
			}
			for _, x := range ts {
				if r := a.durably(t, a.ack(q, x)); r.err != nil {
					t.Errorf("the client's ack: %v", r.err)
				}
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRestart_AHandOverWithoutARecordGoesToTheFirstWhoTakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{})
		a := k.clientOf(1)
		a.durably(t, a.put(q, "a"))
		k.journal.Block(journaltest.OpAppend)
		x := a.getNow(t, q, 1)[0]
		k.crash()
		q = k.lookup("q")
		a, b := k.clientOf(1), k.clientOf(2)
		if y := b.getNow(t, q, 1)[0]; y.ID != x.ID || y.Attempt != x.Attempt {
			t.Fatalf("got %v, want %v again", y, x)
		}
		if kept := q.Claim(a.Holder, nil, []queue.AckOp{{ID: x.ID, Attempt: x.Attempt}}); kept[0] {
			t.Error("two clients have one task")
		}
		if r := a.durably(t, a.ack(q, x)); !errors.Is(r.err, reeve.ErrLeaseLost) {
			t.Errorf("the ack of who had it before: %v, want ErrLeaseLost", r.err)
		}
		if r := b.durably(t, b.ack(q, x)); r.err != nil {
			t.Error(r.err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestRestart_ClaimsDoNotOverrunAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{})
		a := k.clientOf(1)
		var ids []reeve.ID
		for range 2 {
			tag := a.add(q, reeve.Task{Rules: &reeve.Rules{Key: "k"}})
			ids = append(ids, a.durably(t, tag).first)
		}
		k.crash()
		q = k.lookup("q")
		a, b := k.clientOf(1), k.clientOf(2)
		if ts := b.getNow(t, q, 2); len(ts) != 1 || ts[0].ID != ids[0] {
			t.Fatalf("got %v", ts)
		}
		if kept := q.Claim(a.Holder, nil, []queue.AckOp{{ID: ids[1], Attempt: 1}}); kept[0] {
			t.Error("two tasks of a key run at a time")
		}
		q.Check()
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}
