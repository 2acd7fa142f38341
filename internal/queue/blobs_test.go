package queue_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

// blobCounts is a queue.Blobs that counts, and has some blobs only.
type blobCounts struct {
	mu    sync.Mutex // guards the fields below
	there map[reeve.BlobHash]bool
	n     map[reeve.BlobHash]int
}

func newBlobCounts(there ...reeve.BlobRef) *blobCounts {
	b := &blobCounts{there: map[reeve.BlobHash]bool{}, n: map[reeve.BlobHash]int{}}
	for _, r := range there {
		b.there[r.Hash] = true
	}
	return b
}

func (b *blobCounts) Take(refs []reeve.BlobRef) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range refs {
		if !b.there[r.Hash] {
			return reeve.ErrNoSuchBlob
		}
	}
	b.add(refs, 1)
	return nil
}

func (b *blobCounts) Keep(refs []reeve.BlobRef) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(refs, 1)
}

func (b *blobCounts) Drop(refs []reeve.BlobRef) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(refs, -1)
}

func (b *blobCounts) add(refs []reeve.BlobRef, by int) {
	for _, r := range refs {
		b.n[r.Hash] += by
		switch n := b.n[r.Hash]; {
		case n < 0:
			panic("dropped more often than taken")
		case n == 0:
			delete(b.n, r.Hash)
		}
	}
}

func (b *blobCounts) counts() map[reeve.BlobHash]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.n)
}

func blobRef(n byte) reeve.BlobRef { return reeve.BlobRef{Hash: reeve.BlobHash{n}, Size: int64(n)} }

var unknownBlob = blobRef(255)

func naming(payload string, refs ...reeve.BlobRef) reeve.Task {
	return reeve.Task{Payload: []byte(payload), Rules: &reeve.Rules{Blobs: refs}}
}

// withBlobs runs f with an engine that knows blobs 1 to 4.
func withBlobs(t *testing.T, f func(t *testing.T, e *queue.Engine, b *blobCounts)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBlobCounts(blobRef(1), blobRef(2), blobRef(3), blobRef(4))
		e := queue.New(queue.Config{MaxPayload: 1 << 20, Blobs: b})
		defer e.Close()
		f(t, e, b)
	})
}

func TestBlobs_AnUnknownOneRefusesItsTask(t *testing.T) {
	withBlobs(t, func(t *testing.T, e *queue.Engine, b *blobCounts) {
		q := declare(t, e, "q", reeve.QueueConfig{MaxLen: 4})
		c := newClient(e)
		// All or none.
		tag := c.tag(1)
		q.Put(c.Holder, &queue.PutOp{Tasks: []reeve.Task{naming("a", blobRef(1)), naming("b", blobRef(2), unknownBlob)}, Tag: tag, By: c})
		if r := c.must(t, tag); !errors.Is(r.err, reeve.ErrNoSuchBlob) {
			t.Errorf("%v", r.err)
		}
		// Each for itself.
		tag = c.tag(4)
		q.Put(c.Holder, &queue.PutOp{Each: true, Tag: tag, By: c, Tasks: []reeve.Task{
			naming("c", blobRef(1)), naming("d", unknownBlob), {Payload: []byte("e")}, naming("f", blobRef(1), blobRef(2)),
		}})
		for i, want := range []error{nil, reeve.ErrNoSuchBlob, nil, nil} {
			if r := c.must(t, tag+uint64(i)); !errors.Is(r.err, want) {
				t.Errorf("task %d: %v", i, r.err)
			}
		}
		// While it waits for room it counts for nothing; then it may be too late.
		full := c.add(q, naming("g", blobRef(3)))
		waits, late := c.add(q, naming("h", blobRef(3))), c.add(q, naming("i", blobRef(4)))
		c.ok(t, full)
		if n := b.counts(); n[blobRef(3).Hash] != 1 || n[blobRef(4).Hash] != 0 {
			t.Errorf("%v", n)
		}
		b.mu.Lock()
		b.there[blobRef(4).Hash] = false
		b.mu.Unlock()
		for _, task := range c.take(t, q, 2) {
			c.ack(q, task)
		}
		c.ok(t, waits)
		if r := c.must(t, late); !errors.Is(r.err, reeve.ErrNoSuchBlob) {
			t.Errorf("%v", r.err)
		}
		if n := b.counts(); !maps.Equal(n, e.Named()) || n[blobRef(3).Hash] != 2 {
			t.Errorf("%v", n)
		}
	})
}

func TestBlobs_AnEngineWithoutAnyRefusesThem(t *testing.T) {
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		c := newClient(e)
		if r := c.must(t, c.add(q, naming("a", blobRef(1)))); !errors.Is(r.err, reeve.ErrNoSuchBlob) {
			t.Errorf("%v", r.err)
		}
	})
}

// A Complete whose result names what is not there is refused, also after it waited
// for room: the lease stands, and its time runs on.
func TestBlobs_OfAResultThatWaitsForRoom(t *testing.T) {
	withBlobs(t, func(t *testing.T, e *queue.Engine, b *blobCounts) {
		tasks := declare(t, e, "tasks", reeve.QueueConfig{Timeout: time.Minute, Lease: time.Hour})
		results := declare(t, e, "results", reeve.QueueConfig{MaxLen: 1})
		c := newClient(e)
		c.put(tasks, "task")
		c.put(results, "full")
		task := c.take(t, tasks, 1)[0]
		tag := c.tag(1)
		tasks.Complete(c.Holder, results, []queue.CompleteOp{{ID: task.ID, Attempt: task.Attempt, Result: naming("r", unknownBlob), Tag: tag, By: c}})
		sleep(2 * time.Minute) // its time does not run meanwhile
		if _, answered := c.answer(tag); answered {
			t.Error("it did not wait")
		}
		c.ack(results, c.take(t, results, 1)[0])
		if r := c.must(t, tag); !errors.Is(r.err, reeve.ErrNoSuchBlob) {
			t.Errorf("%v", r.err)
		}
		sleep(50 * time.Second)
		if len(c.lostCauses()) > 0 {
			t.Errorf("%v", c.lostCauses())
		}
		sleep(20 * time.Second)
		if causes := c.lostCauses(); len(causes) != 1 || !errors.Is(causes[0], reeve.ErrTimeout) {
			t.Errorf("%v", causes)
		}
	})
}

// blobWorld does things at random, and compares what was counted with what names
// blobs after each.
type blobWorld struct {
	t     *testing.T
	r     *rand.Rand
	k     *kept
	b     *blobCounts
	c     *client
	taken map[reeve.ID]struct {
		q    string
		task reeve.Task
	}
	log   []string
	tight bool // there is too little room for results, of which others may stay after a restart
}

func (w *blobWorld) task() reeve.Task {
	t := reeve.Task{Payload: []byte("p")}
	if w.r.IntN(4) == 0 {
		return t
	}
	t.Rules = &reeve.Rules{}
	for range w.r.IntN(3) {
		t.Rules.Blobs = append(t.Rules.Blobs, blobRef(byte(1+w.r.IntN(4))))
	}
	switch w.r.IntN(8) {
	case 0:
		t.Rules.Blobs = append(t.Rules.Blobs, unknownBlob)
	case 1:
		t.Rules.KeepResult = time.Duration(1+w.r.IntN(100)) * time.Second
	case 2:
		t.Rules.Expiry = time.Duration(1+w.r.IntN(20)) * time.Second
	case 3:
		t.Rules.Unique = fmt.Sprint("u", w.r.IntN(3))
	case 4:
		t.Rules.Key = fmt.Sprint("k", w.r.IntN(3))
	}
	return t
}

func (w *blobWorld) queue() *queue.Queue {
	name := fmt.Sprint("q", w.r.IntN(3))
	if q, err := w.k.Lookup(name); err == nil {
		return q
	}
	return w.k.declare(name, w.config())
}

func (w *blobWorld) config() reeve.QueueConfig {
	cfg := reeve.QueueConfig{
		MaxLen: 5, Attempts: 1 + w.r.IntN(3), KeepResult: time.Duration(w.r.IntN(3)) * 10 * time.Second,
		Lease: time.Hour, Refuse: w.r.IntN(2) == 0,
	}
	if w.tight {
		cfg.MaxResultBytes = int64(1000 + w.r.IntN(3)*1000)
	}
	return cfg
}

func (w *blobWorld) step() {
	q, c := w.queue(), w.c
	everything := &reeve.Filter{}
	n := w.r.IntN(16)
	w.log = append(w.log, fmt.Sprint(n, " ", q.Name()))
	switch n {
	case 0, 1, 2:
		c.add(q, w.task())
	case 3:
		tasks := []reeve.Task{w.task(), w.task(), w.task()}
		q.Put(c.Holder, &queue.PutOp{Tasks: tasks, Each: w.r.IntN(2) == 0, Tag: c.tag(3), By: c})
	case 4, 5:
		for _, task := range c.getNow(w.t, q, 2) {
			w.taken[task.ID] = struct {
				q    string
				task reeve.Task
			}{q.Name(), task}
		}
	case 6, 7, 8, 9:
		for id, x := range w.taken {
			delete(w.taken, id)
			from, err := w.k.Lookup(x.q)
			if err != nil {
				break
			}
			switch w.r.IntN(5) {
			case 0:
				c.ack(from, x.task)
			case 1:
				c.nack(from, x.task, queue.NackOp{})
			case 2:
				c.nack(from, x.task, queue.NackOp{Bury: true})
			default:
				to := q
				if w.r.IntN(2) == 0 {
					to = nil
				}
				from.Complete(c.Holder, to, []queue.CompleteOp{{ID: id, Attempt: x.task.Attempt, Result: w.task(), Tag: c.tag(1), By: c}})
			}
			break
		}
	case 10:
		w.check2(q.Purge(everything))
	case 11:
		w.check2(q.CancelAll(everything, "no"))
	case 12:
		w.check2(q.Revive(everything))
	case 13:
		if to := w.queue(); to != q {
			q.Move(to, everything) // which may be full
		}
	case 14:
		if w.r.IntN(4) == 0 {
			if err := w.k.Delete(q.Name(), true); err != nil {
				w.t.Fatal(err)
			}
		}
	case 15:
		time.Sleep(time.Duration(w.r.IntN(10)) * time.Second)
	}
	time.Sleep(time.Nanosecond)
	synctest.Wait()
	w.compare()
}

func (w *blobWorld) check2(_ int, err error) {
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *blobWorld) compare() {
	w.t.Helper()
	if got, want := w.b.counts(), w.k.Named(); !maps.Equal(got, want) {
		w.t.Fatalf("counted %v, named %v, after %q", got, want, w.log[max(0, len(w.log)-5):])
	}
}

// restart opens what is recorded. Sometimes with other configurations.
func (w *blobWorld) restart() {
	w.b = newBlobCounts(blobRef(1), blobRef(2), blobRef(3), blobRef(4))
	w.k.cfg.Blobs = w.b
	before := w.k.Named()
	if w.r.IntN(2) == 0 {
		if err := w.k.Close(); err != nil {
			w.t.Fatal(err)
		}
		before = w.k.Named() // Completes that waited for room were let in
		w.k.reopen()
	} else {
		w.k.crash()
	}
	w.log = append(w.log, "restart")
	if after := w.k.Named(); !w.tight && !maps.Equal(before, after) {
		w.t.Fatalf("after a restart named %v, before %v; %q", after, before, w.log[max(0, len(w.log)-5):])
	}
	w.compare()
	if w.r.IntN(2) == 0 {
		w.k.declare("q0", w.config())
		w.compare()
	}
	w.c = newClient(w.k.Engine)
	clear(w.taken)
}

func TestBlobs_AreCountedAsTheyAreNamed(t *testing.T) {
	for i := range 30 {
		seed := uint64(i)
		if i > 0 {
			seed = rand.Uint64()
		}
		synctest.Test(t, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			})
			b := newBlobCounts(blobRef(1), blobRef(2), blobRef(3), blobRef(4))
			w := &blobWorld{t: t, r: rand.New(rand.NewPCG(seed, 0)), b: b, k: open(t, queue.Config{Blobs: b}), tight: i%2 == 1}
			w.taken = map[reeve.ID]struct {
				q    string
				task reeve.Task
			}{}
			w.c = newClient(w.k.Engine)
			defer func() { w.k.Close() }() // a second time, mostly
			for range 4 {
				for range 60 {
					w.step()
				}
				w.restart()
			}
			for _, name := range w.k.Names() {
				if err := w.k.Delete(name, true); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait() // until that is durable
			if n := w.b.counts(); len(n) > 0 {
				t.Errorf("all queues are deleted, and counted is %v", n)
			}
			if err := w.k.Close(); err != nil {
				t.Error(err)
			}
		})
		if t.Failed() {
			return
		}
	}
}

// A crash of the machine may bring a task back whose end was not durable: until
// then its blobs are needed.
func TestBlobs_OfATaskThatEndsAreNamedUntilThatIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBlobCounts(blobRef(1))
		k := open(t, queue.Config{Blobs: b})
		q := k.declare("q", reeve.QueueConfig{})
		c := newClient(k.Engine)
		c.durably(t, c.add(q, naming("a", blobRef(1))))
		c.durably(t, c.add(q, naming("b", blobRef(1))))
		x := c.getNow(t, q, 1)[0]
		synctest.Wait()
		gate := k.journal.Block(journaltest.OpSync)
		c.ack(q, x)
		synctest.Wait()
		if n := b.counts()[blobRef(1).Hash]; n != 2 {
			t.Errorf("before the end is durable it is named %d times", n)
		}
		gate.Open()
		synctest.Wait()
		if n := b.counts()[blobRef(1).Hash]; n != 1 {
			t.Errorf("then it is named %d times", n)
		}
		gate = k.journal.Block(journaltest.OpSync)
		if err := k.Delete("q", true); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := b.counts()[blobRef(1).Hash]; n != 1 {
			t.Errorf("before the delete is durable it is named %d times", n)
		}
		gate.Open()
		synctest.Wait()
		if n := b.counts(); len(n) > 0 {
			t.Errorf("then it is named: %v", n)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}
