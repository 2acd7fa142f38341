package queue_test

import (
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

// kept is an engine with a journal in memory, that can be killed and comes back.
type kept struct {
	*queue.Engine
	t       *testing.T
	cfg     queue.Config
	journal *journaltest.Memory
}

func open(t *testing.T, cfg queue.Config) *kept {
	k := &kept{t: t, cfg: cfg, journal: journaltest.NewMemory(journaltest.MemoryConfig{TB: t})}
	k.open()
	return k
}

func (k *kept) open() {
	k.t.Helper()
	k.cfg.Journal = k.journal
	e, err := queue.Open(k.t.Context(), k.cfg)
	if err != nil {
		k.t.Fatal(err)
	}
	k.Engine = e
}

// crash ends the engine as a kill would, and opens it again.
func (k *kept) crash() {
	k.t.Helper()
	old := k.Engine
	k.journal = k.journal.Crash(journaltest.Kill())
	old.Close() // it can write nothing any more
	k.open()
}

func (k *kept) declare(name string, cfg reeve.QueueConfig) *queue.Queue {
	k.t.Helper()
	q, err := k.Declare(name, cfg)
	if err != nil {
		k.t.Fatal(err)
	}
	return q
}

// getNow gets up to n tasks that are there, whatever that takes.
func (c *client) getNow(t testing.TB, q *queue.Queue, n int) []reeve.Task {
	t.Helper()
	tag := c.tag(1)
	q.Get(c.Holder, &queue.GetOp{Max: n, NoWait: true, Tag: tag})
	synctest.Wait()
	return c.gotOf(t, tag).ts
}

func TestJournal_GivesTasksBack(t *testing.T) {
	for _, memory := range []int64{0, 1} { // bytes of payloads in memory
		synctest.Test(t, func(t *testing.T) {
			k := open(t, queue.Config{Memory: memory})
			q := k.declare("q", reeve.QueueConfig{})
			c := newClient(k.Engine)
			tag := c.put(q, "a", "b", "c")
			synctest.Wait()
			first := c.must(t, tag).first
			a := c.ack(q, c.getNow(t, q, 1)[0])
			synctest.Wait()
			if r := c.must(t, a); r.err != nil {
				t.Fatal(r.err)
			}
			k.crash()
			q, err := k.Lookup("q")
			if err != nil {
				t.Fatal(err)
			}
			if r := k.Recovered(); r.Tasks != 2 || r.Queues != 1 {
				t.Errorf("recovered %+v", r)
			}
			c = newClient(k.Engine)
			for i, want := range []string{"b", "c"} {
				ts := c.getNow(t, q, 1)
				if len(ts) != 1 || string(ts[0].Payload) != want || ts[0].ID != first+reeve.ID(i)+1 {
					t.Errorf("got %v, want %q", ts, want)
				}
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is acknowledged writes little; it is what it frees that counts.
func TestJournal_IsSmallAgainWhenLargeTasksAreDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := open(t, queue.Config{})
		defer k.Close()
		q := k.declare("q", reeve.QueueConfig{})
		c := newClient(k.Engine)
		const size, n = 64 << 10, 6
		for range n {
			c.put(q, string(make([]byte, size)))
			synctest.Wait()
		}
		if kept := k.journal.Stats().Bytes; kept < n*size {
			t.Fatalf("%d bytes are kept of %d tasks", kept, n)
		}
		for range n {
			c.ack(q, c.getNow(t, q, 1)[0])
			synctest.Wait()
		}
		if kept := k.journal.Stats().Bytes; kept > n*size/4 {
			t.Errorf("%d bytes are kept of tasks that are done", kept)
		}
	})
}
