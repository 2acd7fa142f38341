package queue_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

func TestJournalFull_RefusesPutsAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		q, to := k.declare("q", reeve.QueueConfig{}), k.declare("to", reeve.QueueConfig{})
		c := newClient(k.Engine)
		c.durably(t, c.put(q, "a", "b", "c", "d"))
		k.journal.SetSpace(journaltest.ReserveOnly)
		c.put(q, "the one that finds out")
		synctest.Wait()
		if r := c.durably(t, c.put(q, "x")); !errors.Is(r.err, reeve.ErrJournalFull) {
			t.Errorf("a put into a full journal: %v, want ErrJournalFull", r.err)
		}
		ts := c.getNow(t, q, 4)
		if len(ts) != 4 {
			t.Fatalf("got %d tasks of a full journal, want 4", len(ts))
		}
		for what, tag := range map[string]uint64{
			"ack": c.ack(q, ts[0]), "nack": c.nack(q, ts[1], queue.NackOp{Bury: true, Error: "bad"}), "complete": c.complete(q, to, ts[2], "result"),
		} {
			if r := c.durably(t, tag); r.err != nil {
				t.Errorf("%s with a full journal: %v", what, r.err)
			}
		}
		k.journal.SetSpace(journaltest.NoSpace)
		last := c.ack(q, ts[3])
		time.Sleep(time.Second)
		if _, ok := c.answer(last); ok {
			t.Error("an ack was answered that could not be written")
		}
		k.journal.SetSpace(journaltest.Enough)
		time.Sleep(time.Second)
		if r := c.durably(t, last); r.err != nil {
			t.Errorf("the ack, when there is space: %v", r.err)
		}
		if r := c.durably(t, c.put(q, "y")); r.err != nil {
			t.Errorf("a put when there is space again: %v", r.err)
		}
		k.crash()
		if s := k.lookup("q").Stats(); s.Ready != 2 || s.Dead != 1 {
			t.Errorf("after a restart %d are ready, %d dead, want 2 and 1", s.Ready, s.Dead)
		}
		if s := k.lookup("to").Stats(); s.Ready != 1 {
			t.Errorf("%d results, want 1", s.Ready)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestJournalFailure_IsToldToAllWhoWaitAndEndsEverything(t *testing.T) {
	boom := errors.New("boom")
	for _, op := range []journaltest.Op{journaltest.OpAppend, journaltest.OpSync} {
		synctest.Test(t, func(t *testing.T) {
			var failed atomic.Int32
			k := open(t, queue.Config{Failed: func(err error) {
				if !errors.Is(err, reeve.ErrJournal) || !errors.Is(err, boom) {
					t.Errorf("Failed is told %v", err)
				}
				failed.Add(1)
			}})
			q, to := k.declare("q", reeve.QueueConfig{}), k.declare("to", reeve.QueueConfig{})
			c := newClient(k.Engine)
			c.durably(t, c.put(q, "a", "b", "c"))
			ts := c.getNow(t, q, 3)
			waits := c.await(ts[2].ID)
			g := k.journal.Block(journaltest.OpAppend)
			k.journal.Fail(op, 1, boom)
			tags := map[string]uint64{
				"put": c.put(q, "d"), "ack": c.ack(q, ts[0]), "complete": c.complete(q, to, ts[1], "r"), "ack of what is waited for": c.ack(q, ts[2]),
			}
			synctest.Wait()
			g.Open()
			synctest.Wait()
			tags["put afterwards"] = c.put(q, "e")
			tags["ack afterwards"] = c.ack(q, ts[0])
			synctest.Wait()
			for what, tag := range tags {
				if r := c.must(t, tag); !errors.Is(r.err, reeve.ErrJournal) && what != "ack afterwards" {
					t.Errorf("%v: %s: %v, want ErrJournal", op, what, r.err)
				} else if r.err == nil {
					t.Errorf("%v: %s has no error", op, what)
				}
			}
			if x, ok := c.endOf(waits); !ok || !errors.Is(x.err, reeve.ErrJournal) {
				t.Errorf("%v: who waits is told %+v", op, x)
			}
			after := make(chan error, 1)
			k.After(func(err error) { after <- err })
			if err := <-after; !errors.Is(err, reeve.ErrJournal) {
				t.Errorf("%v: After: %v", op, err)
			}
			if err := k.Close(); !errors.Is(err, reeve.ErrJournal) {
				t.Errorf("%v: Close: %v, want ErrJournal", op, err)
			}
			if n := failed.Load(); n != 1 {
				t.Errorf("%v: Failed was called %d times", op, n)
			}
			k.reopen() // what was there before is
			if s := k.lookup("q").Stats(); s.Ready+s.Leased > 4 || s.Ready+s.Leased < 1 {
				t.Errorf("%v: afterwards there are %d and %d", op, s.Ready, s.Leased)
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDamage_OfAPayloadHarmsItsTaskOnly(t *testing.T) {
	for _, consumer := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := open(t, queue.Config{Memory: 1})
			q := k.declare("q", reeve.QueueConfig{})
			c := newClient(k.Engine)
			var ids []reeve.ID
			var at []journal.Pos
			for _, p := range []string{"one", "two", "three"} {
				ids = append(ids, c.durably(t, c.put(q, p)).first)
				at = append(at, k.journal.Stats().Last)
			}
			k.journal.Damage(at[1])
			if _, err := q.List(nil, reeve.ListOptions{Payload: reeve.NoLimit}); !errors.Is(err, journal.ErrCorrupt) {
				t.Errorf("List: %v, want ErrCorrupt", err)
			}
			if _, err := q.Peek(10, reeve.NoLimit); !errors.Is(err, journal.ErrCorrupt) {
				t.Errorf("Peek: %v, want ErrCorrupt", err)
			}
			if _, err := k.Task(ids[1]); !errors.Is(err, journal.ErrCorrupt) {
				t.Errorf("Task: %v, want ErrCorrupt", err)
			}
			if i, err := k.Task(ids[2]); err != nil || string(i.Payload) != "three" {
				t.Errorf("Task of one that is whole: %q, %v", i.Payload, err)
			}
			if page, err := q.List(nil, reeve.ListOptions{}); err != nil || len(page.Tasks) != 3 {
				t.Errorf("List without payloads: %v, %v", page.Tasks, err)
			}
			var got string
			if consumer {
				q.Consume(c.Holder, 1, 10, reeve.GetOptions{})
				synctest.Wait()
				got = payloads(c.seen())
			} else {
				got = payloads(c.getNow(t, q, 3))
			}
			if got != "one three " {
				t.Errorf("got %q, want the two that are whole", got)
			}
			i, err := k.Task(ids[1])
			if i.State != reeve.StateDead || !strings.Contains(i.Reason, "damaged by the test") {
				t.Errorf("the damaged one is %v: %q, %v", i.State, i.Reason, err)
			}
			if s := q.Stats(); s.Leased != 2 || s.Dead != 1 {
				t.Errorf("%d are leased, %d dead, want 2 and 1", s.Leased, s.Dead)
			}
			q.Check()
			if n, err := q.Purge(&reeve.Filter{}); n != 1 || err != nil {
				t.Errorf("purged %d, %v", n, err)
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDamage_IsRefusedAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		c := newClient(k.Engine)
		c.durably(t, c.put(k.declare("q", reeve.QueueConfig{}), "a"))
		k.journal.Damage(k.journal.Stats().Last)
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		k.cfg.Journal = k.journal.Crash(journaltest.Kill())
		_, err := queue.Open(t.Context(), k.cfg)
		var corrupt *journal.CorruptError
		if !errors.As(err, &corrupt) || corrupt.Pos == 0 {
			t.Errorf("Open: %v, want a CorruptError with the frame", err)
		}
	})
}
