package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// kinds of ends that leave leases behind: the master is killed, once or twice,
// or the session falls silent.
var leavings = map[string]func(k *kept, c *client){
	"killed": func(k *kept, _ *client) { k.crash() },
	"killed twice": func(k *kept, _ *client) {
		k.crash()
		synctest.Wait()
		k.crash()
	},
	"silent": func(_ *kept, c *client) { c.Leave() },
}

// counted is what is held against a task.
func counted(t *testing.T, k *kept, id reeve.ID) reeve.Counts {
	t.Helper()
	info, err := k.Task(id)
	if err != nil {
		t.Fatal(err)
	}
	return info.Counts
}

func TestClaimsComplete_ReturnsWhatNeverReachedTheClient(t *testing.T) {
	for name, leave := range leavings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := open(t, queue.Config{})
				q, other := k.declare("q", reeve.QueueConfig{}), k.declare("other", reeve.QueueConfig{})
				a, b := k.clientOf(1), k.clientOf(2)
				a.durably(t, a.put(q, "0", "1", "2", "3", "4", "5"))
				a.durably(t, a.put(other, "there"))
				of := b.getNow(t, q, 1)[0]
				ts := a.getNow(t, q, 4)
				a.getNow(t, other, 1)
				synctest.Wait()
				leave(k, a)
				if name == "silent" {
					b.Leave()
				}
				q, other = k.lookup("q"), k.lookup("other")
				a = k.clientOf(1)
				if kept := q.Claim(a.Holder, nil, []queue.AckOp{{ID: ts[1].ID, Attempt: 1}}); !kept[0] {
					t.Fatal("it is not claimed")
				}
				for range 2 { // the second one finds nothing
					a.ClaimsComplete()
					q.Check()
					if s, o := q.Stats(), other.Stats(); s.Leased != 2 || s.Ready != 4 || s.Lost != 0 || o.Leased != 0 || o.Ready != 1 {
						t.Fatalf("%+v, %+v", s, o)
					}
				}
				if name != "silent" { // it is recorded
					synctest.Wait()
					k.crash()
					q = k.lookup("q")
					a = k.clientOf(1)
					if s := q.Stats(); s.Leased != 2 || s.Ready != 4 {
						t.Errorf("after another crash: %+v", s)
					}
				}
				c := k.clientOf(3)
				for i, x := range c.getNow(t, q, 8) {
					want := []string{"1", "3", "4", "5"}[i]
					attempt := uint32(2)
					if i == 3 {
						attempt = 1
					}
					if string(x.Payload) != want || x.Attempt != attempt {
						t.Errorf("%d is %q, attempt %d, want %q, %d", i, x.Payload, x.Attempt, want, attempt)
					}
					if n := counted(t, k, x.ID); n.Lost+n.Failed+n.TimedOut != 0 {
						t.Errorf("%q: %+v", x.Payload, n)
					}
				}
				if r := a.durably(t, a.ack(q, ts[1])); r.err != nil {
					t.Errorf("the ack of what was claimed: %v", r.err)
				}
				b = k.clientOf(2)
				if kept := q.Claim(b.Holder, nil, []queue.AckOp{{ID: of.ID, Attempt: 1}}); !kept[0] {
					t.Error("another client does not get what it had")
				}
				if err := k.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestClaimsComplete_LeavesTheSessionsThatLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{})
		a := k.clientOf(1)
		a.durably(t, a.put(q, "a", "b"))
		a.getNow(t, q, 1)
		later, nobody := k.clientOf(1), newClient(k.Engine)
		nobody.getNow(t, q, 1)
		later.ClaimsComplete()
		nobody.ClaimsComplete()
		if s := q.Stats(); s.Leased != 2 {
			t.Errorf("%+v", s)
		}
		a.Leave()
		later.Leave()
		later.ClaimsComplete() // a session that is over has nothing to say
		if s := q.Stats(); s.Leased != 2 {
			t.Errorf("%+v", s)
		}
		k.clientOf(1).ClaimsComplete()
		if s := q.Stats(); s.Leased != 1 || s.Ready != 1 {
			t.Errorf("%+v", s)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestClaimsComplete_HandsOverToWhoWaits(t *testing.T) {
	for name, leave := range leavings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := open(t, queue.Config{})
				q := k.declare("q", reeve.QueueConfig{Concurrency: 1, KeyConcurrency: 1})
				a := k.clientOf(1)
				for range 2 {
					a.durably(t, a.add(q, reeve.Task{Rules: &reeve.Rules{Key: "k"}}))
				}
				x := a.getNow(t, q, 1)[0]
				synctest.Wait()
				leave(k, a)
				q = k.lookup("q")
				b := k.clientOf(2)
				tag := b.tag(1)
				q.Get(b.Holder, &queue.GetOp{Max: 1, Tag: tag})
				k.clientOf(1).ClaimsComplete()
				synctest.Wait()
				if g := b.gotOf(t, tag); len(g.ts) != 1 || g.ts[0].ID != x.ID {
					t.Errorf("got %+v, want %v", g, x.ID)
				}
				q.Check()
				if err := k.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestClaimsComplete_LeavesATaskWhoseResultWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q, to := k.declare("q", reeve.QueueConfig{}), k.declare("to", reeve.QueueConfig{MaxLen: 1})
		a := k.clientOf(1)
		a.durably(t, a.put(q, "a"))
		a.durably(t, a.put(to, "full"))
		x := a.getNow(t, q, 1)[0]
		synctest.Wait()
		k.crash()
		q, to = k.lookup("q"), k.lookup("to")
		a = k.clientOf(1)
		tag := a.tag(1) // sent again without a Claim
		q.Complete(a.Holder, to, []queue.CompleteOp{{ID: x.ID, Attempt: 1, Result: reeve.Task{Payload: []byte("r")}, Tag: tag, By: a}})
		a.ClaimsComplete()
		if s := q.Stats(); s.Leased != 1 {
			t.Errorf("%+v", s)
		}
		a.durably(t, a.ack(to, a.getNow(t, to, 1)[0]))
		if r := a.durably(t, tag); r.err != nil {
			t.Errorf("Complete: %v", r.err)
		}
		if s := q.Stats(); s.Leased+s.Ready != 0 || s.Done != 1 {
			t.Errorf("%+v", s)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestClaimsComplete_InAQueueThatIsConfiguredAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q := k.declare("q", reeve.QueueConfig{})
		a := k.clientOf(1)
		a.durably(t, a.put(q, "a"))
		a.getNow(t, q, 1)
		synctest.Wait()
		k.crash()
		q = k.declare("q", reeve.QueueConfig{Attempts: 7, Lease: time.Hour})
		k.clientOf(1).ClaimsComplete()
		if s := q.Stats(); s.Leased != 0 || s.Ready != 1 {
			t.Errorf("%+v", s)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}
