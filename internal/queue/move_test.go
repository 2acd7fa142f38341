package queue_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestMove_KeepsTasksAsTheyAre(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		z, to := newZoo(t, e, "q"), declare(t, e, "to", reeve.QueueConfig{})
		before := map[string]reeve.TaskInfo{}
		for name, id := range z.ids {
			before[name], _ = e.Task(id)
		}
		if n, err := z.q.Move(to, nil); n != len(z.ids)-1 || err != nil {
			t.Fatal(n, err)
		}
		for name, id := range z.ids {
			was := before[name]
			is, err := e.Task(id)
			if name == "leased" {
				if err != nil || is.Queue != "q" || is.State != reeve.StateLeased {
					t.Errorf("%s: %+v, %v", name, is, err)
				}
				continue
			}
			if err != nil || is.Queue != "to" || is.State != was.State || !is.Due.Equal(was.Due) || is.Type != name ||
				is.Attempt != was.Attempt || is.Counts != was.Counts || is.Error != was.Error || is.Reason != was.Reason ||
				!is.EndedAt.Equal(was.EndedAt) || len(is.History) != len(was.History) || !is.PutAt.Equal(was.PutAt) {
				t.Errorf("%s was %+v and is %+v, %v", name, was, is, err)
			}
		}
		from, at := z.q.Stats(), to.Stats()
		if from.Leased != 1 || from.Unsettled() != 1 || from.Dead != 0 || from.Keys != 0 || from.Uniques != 0 || from.MovedOut != 7 {
			t.Errorf("left: %+v", from)
		}
		if at.Ready != 3 || at.Delayed != 3 || at.Dead != 1 || at.Keys != 1 || at.Blocked != 1 || at.Uniques != 1 || at.MovedIn != 7 || at.Put != 0 {
			t.Errorf("came: %+v", at)
		}
		// And they go on: in order, one of the key at a time, and when due.
		w := worker(e, "W", to, 9, reeve.GetOptions{})
		if got := payloads(w.seen()); got != "ready released " {
			t.Errorf("handed over: %q", got)
		}
		if r := w.must(t, w.add(to, reeve.Task{Rules: &reeve.Rules{Unique: "u"}})); r.err != reeve.ErrDuplicate || r.first != z.ids["blocked"] {
			t.Errorf("a duplicate: %+v", r)
		}
		w.mustAdd(t, z.q, reeve.Task{Rules: &reeve.Rules{Unique: "u"}}) // where it is free
		w.ack(to, w.seen()[1])
		for range 3 { // the worker lives
			sleep(20 * time.Minute)
			w.Touch()
		}
		if got := w.seen(); len(got) < 6 {
			t.Errorf("handed over: %q", payloads(got))
		}
	})
}

func TestMove_LetsWhoWaitsForTheEndWaitInTheOtherQueue(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, b, c := declare(t, e, "a", reeve.QueueConfig{}), declare(t, e, "b", reeve.QueueConfig{}), newClient(e)
		ends, gone, stranger := outcomes{}, newClient(e), newClient(e)
		id := c.mustAdd(t, a, reeve.Task{})
		e.Wait(c.Holder, &queue.WaitOp{ID: id, Tag: 1, By: ends})
		e.Wait(c.Holder, &queue.WaitOp{ID: id, Tag: 2, By: ends})
		e.Wait(stranger.Holder, &queue.WaitOp{ID: id, Tag: 3, By: ends}) // has nothing in b
		e.Wait(gone.Holder, &queue.WaitOp{ID: id, Tag: 4, By: ends})
		if n, err := a.Move(b, nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if len(ends) != 0 {
			t.Fatalf("answered: %v", ends)
		}
		gone.Release(false)
		c.Cancel(2, errCancelled)
		if o, ok := ends.of(2); !ok || o.err != errCancelled {
			t.Errorf("cancelled: %+v", o)
		}
		c.ack(b, c.take(t, b, 1)[0])
		for _, tag := range []uint64{1, 3} {
			if o, ok := ends.of(tag); !ok || o != (outcome{reeve.StateDone, "b", nil}) {
				t.Errorf("%d: %+v", tag, o)
			}
		}
		if _, ok := ends.of(4); ok {
			t.Error("one that is gone was answered")
		}
	})
}

func TestMove_StopsWhenTheOtherQueueIsFull(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg reeve.QueueConfig
		n   int
	}{
		"tasks": {reeve.QueueConfig{MaxLen: 3}, 2},
		"bytes": {reeve.QueueConfig{MaxBytes: 4 * (reeve.TaskOverhead + 5)}, 3},
	} {
		run(t, func(t *testing.T, e *queue.Engine) {
			from, to, p := declare(t, e, "from", reeve.QueueConfig{}), declare(t, e, "to", c.cfg), newClient(e)
			p.put(to, "there")
			p.put(from, "task1", "task2", "task3", "task4", "task5")
			n, err := from.Move(to, nil)
			if n != c.n || !errors.Is(err, reeve.ErrQueueFull) {
				t.Errorf("%s: %d, %v", name, n, err)
			}
			if got, left := to.Stats(), from.Stats(); got.Ready != 1+c.n || left.Ready != 5-c.n {
				t.Errorf("%s: %d went, %d are left", name, got.Ready, left.Ready)
			}
		})
	}
}

func TestMove_RefusesQueuesThatTakeNothing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		from, to, c := declare(t, e, "from", reeve.QueueConfig{}), declare(t, e, "to", reeve.QueueConfig{}), newClient(e)
		c.put(from, "task")
		if n, err := from.Move(from, nil); n != 0 || !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("to itself: %d, %v", n, err)
		}
		to.Shutdown(false)
		if n, err := from.Move(to, nil); n != 0 || !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("to one that is shut down: %d, %v", n, err)
		}
		other := declare(t, e, "other", reeve.QueueConfig{})
		from.Shutdown(false) // what is left there can be saved
		if n, err := from.Move(other, nil); n != 1 || err != nil {
			t.Errorf("from one that is shut down: %d, %v", n, err)
		}
		e.Stop()
		if n, err := other.Move(to, nil); n != 0 || !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("when the engine has stopped: %d, %v", n, err)
		}
	})
}

func TestMove_EndsTheQueueThatItEmpties(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		from, to := declare(t, e, "from", reeve.QueueConfig{}), declare(t, e, "to", reeve.QueueConfig{})
		w := worker(e, "W", from, 1, reeve.GetOptions{})
		w.mustAdd(t, from, reeve.Task{Delay: time.Hour})
		join := w.join(from)
		from.Shutdown(false)
		w.waits(t, join)
		if n, err := from.Move(to, nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		w.ok(t, join)
		if !errors.Is(w.ended[1], reeve.ErrShutdown) {
			t.Errorf("its consumer was told %v", w.ended)
		}
	})
}

func TestMove_OfDeadTasksTakesNoUniqueKeyAndKeepsBounds(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		from, to := declare(t, e, "from", reeve.QueueConfig{}), declare(t, e, "to", reeve.QueueConfig{MaxDead: 2, DeadFor: time.Hour, MaxLen: 1})
		c := newClient(e)
		unique := reeve.Task{Rules: &reeve.Rules{Unique: "u", Key: "k"}}
		for range 3 {
			c.mustAdd(t, from, unique)
			c.nack(from, c.take(t, from, 1)[0], queue.NackOp{Bury: true})
		}
		if n, err := from.Move(to, nil); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		if s := to.Stats(); s.Dead != 2 || s.Purged != 1 || s.Uniques != 0 || s.Keys != 0 {
			t.Errorf("%+v", s)
		}
		c.mustAdd(t, to, unique)
		sleep(time.Hour)
		if s := to.Stats(); s.Dead != 0 || s.Purged != 3 {
			t.Errorf("an hour later: %+v", s)
		}
	})
}

// Tasks go to and fro while others put, take, cancel and ask for them: none is
// lost or done twice, and whoever waits for an end is told one.
func TestStress_NothingIsLostWhileTasksMove(t *testing.T) {
	queue.SetVerify(false)
	defer queue.SetVerify(true)
	e := queue.New(queue.Config{})
	defer e.Close()
	cfg := reeve.QueueConfig{KeepResult: time.Hour, MaxDead: 100_000, Attempts: 3}
	qs := []*queue.Queue{declare(t, e, "a", cfg), declare(t, e, "b", cfg)}
	const each = 3000
	var wg, producers, movers sync.WaitGroup
	done, put := make(chan struct{}), make(chan struct{})
	ends := waited{n: make(map[uint64]int)}
	for p := range 2 {
		producers.Go(func() {
			l := newLoader(e, 0)
			for i := range each {
				l.Touch()
				task := reeve.Task{Rules: &reeve.Rules{Key: fmt.Sprint(i % 50)}, Priority: int32(i % 3)}
				if i%7 == 0 {
					task.Delay = time.Duration(i%5) * time.Millisecond
				}
				ids := &firstID{ids: make(chan reeve.ID, 1)}
				qs[p].Put(l.Holder, &queue.PutOp{Tasks: []reeve.Task{task}, Tag: 1, By: ids})
				id := <-ids.ids
				e.Wait(l.Holder, &queue.WaitOp{ID: id, Tag: uint64(id), By: &ends})
				switch i % 10 {
				case 3:
					if err := e.Cancel(id, ""); err != nil && !errors.Is(err, reeve.ErrNoSuchTask) {
						panic(err)
					}
				case 5: // it is known, wherever it is
					if _, err := e.Task(id); err != nil {
						panic(err)
					}
					if _, err := e.Explain(id); err != nil {
						panic(err)
					}
				}
			}
		})
	}
	for i := range 2 {
		movers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-put:
					return
				default:
				}
				f := &reeve.Filter{}
				if n%3 == 0 {
					f.Key = fmt.Sprint(n % 50)
				}
				if _, err := qs[i].Move(qs[1-i], f); err != nil {
					panic(err)
				}
				if n%5 == 0 {
					if _, err := qs[i].Revive(&reeve.Filter{Key: fmt.Sprint(n % 50)}); err != nil {
						panic(err)
					}
				}
				runtime.Gosched()
			}
		})
		for range 2 {
			wg.Go(func() {
				l := newLoader(e, 8)
				qs[i].Consume(l.Holder, 1, 4, reeve.GetOptions{})
				for n := 0; ; n++ {
					select {
					case <-done:
						l.Release(true)
						return
					case err := <-l.replies:
						if err != nil && !errors.Is(err, reeve.ErrLeaseLost) { // cancelled
							panic(err)
						}
					case task := <-l.tasks:
						l.Touch()
						if n%13 == 0 {
							qs[i].Nack(l.Holder, &queue.NackOp{ID: task.ID, Attempt: task.Attempt}, 1, l)
						} else {
							qs[i].Ack(l.Holder, []queue.AckOp{{ID: task.ID, Attempt: task.Attempt}}, 1, l)
						}
					}
				}
			})
		}
	}
	producers.Wait()
	close(put)
	movers.Wait()
	for _, q := range qs {
		for q.Stats().Unsettled() > 0 {
			runtime.Gosched()
		}
	}
	close(done)
	wg.Wait()
	var came, over, dead uint64
	for _, q := range qs {
		q.Check()
		s := q.Stats()
		came += s.Put
		over += s.Done + s.Cancelled
		dead += uint64(s.Dead)
	}
	if came != 2*each || came != over+dead {
		t.Errorf("%d were put, %d ended, %d are dead", came, over, dead)
	}
	ends.mu.Lock()
	defer ends.mu.Unlock()
	if len(ends.n) != 2*each {
		t.Errorf("%d of %d Waits were answered", len(ends.n), 2*each)
	}
	for id, n := range ends.n {
		if n != 1 {
			t.Errorf("the Wait for %v was answered %d times", reeve.ID(id), n)
		}
	}
}

// waited counts the answers to Waits.
type waited struct {
	mu sync.Mutex
	n  map[uint64]int
}

func (w *waited) Ended(tag uint64, r reeve.Result, err error) {
	if err != nil {
		panic(fmt.Sprintf("the Wait for %v: %v", reeve.ID(tag), err))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n[tag]++
}

// firstID takes the answer to one Put.
type firstID struct{ ids chan reeve.ID }

func (f *firstID) Reply(_ uint64, _ int, first reeve.ID, err error) {
	if err != nil {
		panic(err)
	}
	f.ids <- first
}
