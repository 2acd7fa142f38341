package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// outcome is the answer to a Wait.
type outcome struct {
	state reeve.State
	queue string
	err   error
}

// outcomes takes the answers to Waits.
type outcomes map[uint64]outcome // guarded by told

func (o outcomes) Ended(tag uint64, r reeve.Result, err error) {
	told.Lock()
	defer told.Unlock()
	if _, twice := o[tag]; twice {
		panic(fmt.Sprintf("the Wait %d was answered twice", tag))
	}
	o[tag] = outcome{r.State, r.Queue, err}
}

func (o outcomes) of(tag uint64) (outcome, bool) {
	told.Lock()
	defer told.Unlock()
	x, ok := o[tag]
	return x, ok
}

// fate is the state of the task id, and the queue that it is in.
func fate(t *testing.T, e *queue.Engine, id reeve.ID) (reeve.State, string) {
	t.Helper()
	i, err := e.Task(id)
	if errors.Is(err, reeve.ErrNoSuchTask) {
		return 0, ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return i.State, i.Queue
}

// zoo is a queue with a task in every state, the leased ones with holder.
type zoo struct {
	q      *queue.Queue
	holder *client
	ids    map[string]reeve.ID
}

func newZoo(t *testing.T, e *queue.Engine, name string) *zoo {
	t.Helper()
	z := &zoo{q: declare(t, e, name, reeve.QueueConfig{}), holder: newClient(e), ids: map[string]reeve.ID{}}
	add := func(name string, task reeve.Task) {
		task.Payload, task.Type = []byte(name), name
		z.ids[name] = z.holder.mustAdd(t, z.q, task)
	}
	add("leased", reeve.Task{})
	z.holder.take(t, z.q, 1)
	add("dead", reeve.Task{})
	z.holder.nack(z.q, z.holder.take(t, z.q, 1)[0], queue.NackOp{Bury: true, Error: "dial: refused"})
	add("backoff", reeve.Task{})
	z.holder.nack(z.q, z.holder.take(t, z.q, 1)[0], queue.NackOp{Delay: time.Hour, Error: "dial: refused"})
	add("ready", reeve.Task{})
	add("delayed", reeve.Task{Delay: time.Hour})
	add("at", reeve.Task{Rules: &reeve.Rules{At: time.Now().Add(time.Hour)}})
	add("released", reeve.Task{Rules: &reeve.Rules{Key: "k"}})
	add("blocked", reeve.Task{Rules: &reeve.Rules{Key: "k", Unique: "u"}})
	return z
}

func TestCancel_EndsATaskInEveryState(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		z := newZoo(t, e, "q")
		for name, id := range z.ids {
			if err := e.Cancel(id, "of no use"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if r, err := e.Result(id); err != nil || r.State != reeve.StateCancelled || r.Reason != "of no use" || r.Type != name || !errors.Is(r.Err(), reeve.ErrCancelled) {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
			if err := e.Cancel(id, "again"); err != nil {
				t.Errorf("%s, again: %v", name, err)
			}
		}
		if causes := z.holder.lostCauses(); len(causes) != 1 || causes[0] != reeve.ErrCancelled {
			t.Errorf("the holder was told %v", causes)
		}
		s := z.q.Stats()
		if s.Ready+s.Delayed+s.Leased+s.Dead != 0 || s.Bytes != 0 || s.Keys != 0 || s.Uniques != 0 || s.Cancelled != uint64(len(z.ids)) {
			t.Errorf("%+v", s)
		}
		sleep(11 * time.Minute)
		for name, id := range z.ids {
			if err := e.Cancel(id, ""); !errors.Is(err, reeve.ErrNoSuchTask) {
				t.Errorf("%s, after its time: %v", name, err)
			}
		}
	})
}

func TestCancel_KnowsOnlyTasksThatAreThereOrWereCancelled(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{KeepResult: time.Hour}), newClient(e)
		id := c.mustAdd(t, q, reeve.Task{})
		c.ack(q, c.take(t, q, 1)[0])
		for name, id := range map[string]reeve.ID{"done": id, "none": 5, "zero": 0} {
			if err := e.Cancel(id, ""); !errors.Is(err, reeve.ErrNoSuchTask) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := e.Cancel(id, strings.Repeat("x", reeve.MaxErrorText+1)); !errors.Is(err, reeve.ErrTooLarge) {
			t.Errorf("a long reason: %v", err)
		}
		if _, err := q.CancelAll(nil, strings.Repeat("x", reeve.MaxErrorText+1)); !errors.Is(err, reeve.ErrTooLarge) {
			t.Errorf("a long reason for all: %v", err)
		}
	})
}

func TestCancel_OfALeasedTaskFreesItsSlotAndRefusesItsEnd(t *testing.T) {
	t.Parallel()
	for verb, end := range map[string]func(c *client, q *queue.Queue, task reeve.Task) uint64{
		"ack":  (*client).ack,
		"nack": func(c *client, q *queue.Queue, task reeve.Task) uint64 { return c.nack(q, task, queue.NackOp{}) },
		"return": func(c *client, q *queue.Queue, task reeve.Task) uint64 {
			return c.nack(q, task, queue.NackOp{Returned: true})
		},
		"discard": func(c *client, q *queue.Queue, task reeve.Task) uint64 {
			return c.nack(q, task, queue.NackOp{Discard: true})
		},
		"complete": func(c *client, q *queue.Queue, task reeve.Task) uint64 { return c.complete(q, q, task, "r") },
		"result":   func(c *client, q *queue.Queue, task reeve.Task) uint64 { return c.complete(q, nil, task, "r") },
		"extend": func(c *client, q *queue.Queue, task reeve.Task) uint64 {
			tag := c.tag(1)
			q.Extend(c.Holder, task.ID, task.Attempt, time.Minute, tag, c)
			return tag
		},
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q := declare(t, e, "q", reeve.QueueConfig{Concurrency: 1, TypeConcurrency: map[string]int{"": 1}})
				w := worker(e, "W", q, 1, reeve.GetOptions{})
				w.put(q, "one", "two")
				first := w.seen()[0]
				if err := e.Cancel(first.ID, ""); err != nil {
					t.Fatal(err)
				}
				if got := w.seen(); len(got) != 2 {
					t.Fatalf("the slot is not free: %q", payloads(got))
				}
				w.fails(t, reeve.ErrLeaseLost, end(w, q, first))
				if err := q.Progress(w.Holder, first.ID, first.Attempt, 50, ""); !errors.Is(err, reeve.ErrLeaseLost) {
					t.Errorf("progress: %v", err)
				}
				w.ok(t, w.ack(q, w.seen()[1]))
				if s := q.Stats(); s.Done != 1 || s.Cancelled != 1 || s.Unsettled() != 0 || s.Put != 2 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestCancel_AnswersACompleteThatWaitsForRoom(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(e *queue.Engine, q *queue.Queue, id reeve.ID) error{
		"one": func(e *queue.Engine, _ *queue.Queue, id reeve.ID) error { return e.Cancel(id, "") },
		"all": func(_ *queue.Engine, q *queue.Queue, _ reeve.ID) error {
			_, err := q.CancelAll(nil, "")
			return err
		},
	} {
		run(t, func(t *testing.T, e *queue.Engine) {
			q, out := declare(t, e, "q", reeve.QueueConfig{}), declare(t, e, "out", reeve.QueueConfig{MaxLen: 1})
			w := worker(e, "W", q, 1, reeve.GetOptions{})
			w.put(out, "fills it")
			id := w.mustAdd(t, q, reeve.Task{})
			tag := w.complete(q, out, w.seen()[0], "result")
			behind := w.put(out, "waits, too")
			w.waits(t, tag, behind)
			if err := cancel(e, q, id); err != nil {
				t.Fatal(name, err)
			}
			w.fails(t, reeve.ErrLeaseLost, tag)
			if s := out.Stats(); s.WaitingPuts != 1 {
				t.Errorf("%s: %d wait for room", name, s.WaitingPuts)
			}
			for _, want := range []string{"fills it ", "waits, too "} {
				if got := payloads(w.take(t, out, 1)); got != want {
					t.Errorf("%s: %q came, want %q", name, got, want)
				}
			}
		})
	}
}

func TestCancel_EndsAShutDownQueueAndItsJoins(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		ids := []reeve.ID{w.mustAdd(t, q, reeve.Task{}), w.mustAdd(t, q, reeve.Task{Delay: time.Hour})}
		join := w.join(q)
		q.Shutdown(false)
		if err := e.Cancel(ids[0], ""); err != nil {
			t.Fatal(err)
		}
		w.waits(t, join)
		if err := e.Cancel(ids[1], ""); err != nil {
			t.Fatal(err)
		}
		w.ok(t, join)
		if !errors.Is(w.ended[1], reeve.ErrShutdown) {
			t.Errorf("the consumer was told %v", w.ended)
		}
	})
}

func TestCancel_OfALeasedTaskAfterAShutdownAtOnce(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 1, reeve.GetOptions{})
		id := w.mustAdd(t, q, reeve.Task{})
		q.Shutdown(true)
		e.Stop()
		if err := e.Cancel(id, ""); err != nil {
			t.Fatal(err)
		}
		if causes := w.lostCauses(); len(causes) != 1 || causes[0] != reeve.ErrCancelled {
			t.Errorf("the holder was told %v", causes)
		}
		w.fails(t, reeve.ErrLeaseLost, w.ack(q, w.seen()[0]))
		if s := q.Stats(); s.Dropped != 0 || s.Cancelled != 1 || s.Unsettled() != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestCancel_FreesTheKeysOfItsTask(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		w := worker(e, "W", q, 2, reeve.GetOptions{})
		both := reeve.Task{Rules: &reeve.Rules{Key: "k", Unique: "u"}}
		id := w.mustAdd(t, q, both)
		next := w.mustAdd(t, q, keyed("next", "k"))
		if err := e.Cancel(id, ""); err != nil {
			t.Fatal(err)
		}
		if got := w.seen(); len(got) != 2 || got[1].ID != next {
			t.Errorf("the key is not free: %v", got)
		}
		w.mustAdd(t, q, both) // not a duplicate
	})
}

func TestCancel_TellsWhoWaitsForTheEnd(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		z := newZoo(t, e, "q")
		told := outcomes{}
		for name, id := range z.ids {
			if name != "dead" { // that is an end, too
				e.Wait(z.holder.Holder, &queue.WaitOp{ID: id, Tag: uint64(id), By: told})
			}
		}
		if n, err := z.q.CancelAll(nil, ""); n != len(z.ids) || err != nil {
			t.Fatal(n, err)
		}
		for name, id := range z.ids {
			if o, ok := told.of(uint64(id)); name != "dead" && (!ok || o != (outcome{reeve.StateCancelled, "q", nil})) {
				t.Errorf("%s: %+v", name, o)
			}
		}
	})
}

// Every field of a filter, for every verb that has one.
func TestOperate_DoesItToTheTasksThatTheFilterMeansAndNoOthers(t *testing.T) {
	t.Parallel()
	everything := []string{"at", "backoff", "blocked", "dead", "delayed", "leased", "ready", "released"}
	unleased := slices.DeleteFunc(slices.Clone(everything), func(name string) bool { return name == "leased" })
	for name, c := range map[string]struct {
		filter                func(z *zoo) *reeve.Filter
		cancel, purge, revive []string
		move                  []string // nil: as cancel, but for the leased
	}{
		"nil":   {func(*zoo) *reeve.Filter { return nil }, everything, []string{"dead"}, []string{"dead"}, unleased},
		"empty": {func(*zoo) *reeve.Filter { return &reeve.Filter{} }, everything, []string{"dead"}, []string{"dead"}, unleased},
		"ids": {func(z *zoo) *reeve.Filter {
			return &reeve.Filter{IDs: []reeve.ID{z.ids["ready"], 7, z.ids["dead"], z.ids["leased"]}}
		}, []string{"dead", "leased", "ready"}, []string{"dead"}, []string{"dead"}, []string{"dead", "ready"}},
		"ready":      {states(reeve.StateReady), []string{"blocked", "ready", "released"}, []string{"blocked", "ready", "released"}, nil, nil},
		"delayed":    {states(reeve.StateDelayed), []string{"at", "backoff", "delayed"}, []string{"at", "backoff", "delayed"}, nil, nil},
		"leased":     {states(reeve.StateLeased), []string{"leased"}, nil, nil, []string{}},
		"two states": {states(reeve.StateLeased, reeve.StateDead), []string{"dead", "leased"}, []string{"dead"}, []string{"dead"}, []string{"dead"}},
		"types":      {func(*zoo) *reeve.Filter { return &reeve.Filter{Types: []string{"dead", "at", "none"}} }, []string{"at", "dead"}, []string{"dead"}, []string{"dead"}, nil},
		"key":        {func(*zoo) *reeve.Filter { return &reeve.Filter{Key: "k"} }, []string{"blocked", "released"}, nil, nil, nil},
		"unique":     {func(*zoo) *reeve.Filter { return &reeve.Filter{Unique: "u"} }, []string{"blocked"}, nil, nil, nil},
		"error":      {func(*zoo) *reeve.Filter { return &reeve.Filter{Error: "refused"} }, []string{"backoff", "dead"}, []string{"dead"}, []string{"dead"}, nil},
		"before":     {func(*zoo) *reeve.Filter { return &reeve.Filter{Before: time.Now()} }, nil, nil, nil, nil},
		"after":      {func(*zoo) *reeve.Filter { return &reeve.Filter{Before: time.Now().Add(1)} }, everything, []string{"dead"}, []string{"dead"}, unleased},
		"two fields": {func(*zoo) *reeve.Filter { return &reeve.Filter{Key: "k", Types: []string{"released", "ready"}} }, []string{"released"}, nil, nil, nil},
	} {
		if c.move == nil {
			c.move = c.cancel
		}
		verb := func(verb string, want []string, after func(state reeve.State, q string) bool, do func(e *queue.Engine, z *zoo, f *reeve.Filter) (int, error)) {
			run(t, func(t *testing.T, e *queue.Engine) {
				z := newZoo(t, e, "q")
				before := map[string]reeve.State{}
				for kind, id := range z.ids {
					before[kind], _ = fate(t, e, id)
				}
				n, err := do(e, z, c.filter(z))
				if err != nil || n != len(want) {
					t.Errorf("%s %s: %d, %v, want %d", verb, name, n, err, len(want))
				}
				for kind, id := range z.ids {
					state, q := fate(t, e, id)
					if meant := slices.Contains(want, kind); meant && !after(state, q) || !meant && (state != before[kind] || q != "q") {
						t.Errorf("%s %s: %s is %v in %q", verb, name, kind, state, q)
					}
				}
				z.q.Check()
			})
		}
		verb("cancel", c.cancel, func(s reeve.State, _ string) bool { return s == reeve.StateCancelled }, func(_ *queue.Engine, z *zoo, f *reeve.Filter) (int, error) {
			return z.q.CancelAll(f, "")
		})
		verb("purge", c.purge, func(s reeve.State, _ string) bool { return s == 0 }, func(_ *queue.Engine, z *zoo, f *reeve.Filter) (int, error) {
			return z.q.Purge(f)
		})
		verb("revive", c.revive, func(s reeve.State, _ string) bool { return s == reeve.StateReady }, func(_ *queue.Engine, z *zoo, f *reeve.Filter) (int, error) {
			return z.q.Revive(f)
		})
		verb("move", c.move, func(_ reeve.State, q string) bool { return q == "to" }, func(e *queue.Engine, z *zoo, f *reeve.Filter) (int, error) {
			return z.q.Move(declare(t, e, "to", reeve.QueueConfig{}), f)
		})
	}
}

func states(list ...reeve.State) func(*zoo) *reeve.Filter {
	return func(*zoo) *reeve.Filter { return &reeve.Filter{States: list} }
}

func TestOperate_RefusesABadFilter(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		z, to := newZoo(t, e, "q"), declare(t, e, "to", reeve.QueueConfig{})
		bad := &reeve.Filter{States: []reeve.State{reeve.StateDone}}
		for verb, do := range map[string]func() (int, error){
			"cancel": func() (int, error) { return z.q.CancelAll(bad, "") },
			"purge":  func() (int, error) { return z.q.Purge(bad) },
			"revive": func() (int, error) { return z.q.Revive(bad) },
			"move":   func() (int, error) { return z.q.Move(to, bad) },
		} {
			if n, err := do(); n != 0 || !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("%s: %d, %v", verb, n, err)
			}
		}
	})
}

func TestRevive_StartsATaskOver(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 2}), newClient(e)
		id := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{Key: "k", Unique: "u", Expiry: time.Second}})
		for range 2 {
			c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Error: "boom"})
		}
		sleep(time.Minute) // it would have expired
		if n, err := q.Revive(nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		i, err := e.Task(id)
		if err != nil || i.State != reeve.StateReady || i.Counts != (reeve.Counts{}) || i.Error != "" || i.Reason != "" || len(i.History) != 2 || i.Attempt != 2 {
			t.Errorf("%+v, %v", i, err)
		}
		if r := c.must(t, c.add(q, reeve.Task{Rules: &reeve.Rules{Unique: "u"}})); r.first != id || r.err != reeve.ErrDuplicate {
			t.Errorf("a duplicate of it: %+v", r)
		}
		c.add(q, keyed("behind", "k"))
		got := c.take(t, q, 9)
		if len(got) != 1 || got[0].ID != id || got[0].Attempt != 3 {
			t.Fatalf("%v", got)
		}
		c.nack(q, got[0], queue.NackOp{Error: "boom"}) // the first of two
		if s, _ := fate(t, e, id); s != reeve.StateReady {
			t.Errorf("it is %v after the first attempt that failed", s)
		}
		if s := q.Stats(); s.Revived != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRevive_LeavesAUniqueKeyToWhoGotItMeanwhile(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		unique := reeve.Task{Rules: &reeve.Rules{Unique: "u"}}
		c.mustAdd(t, q, unique)
		c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Bury: true})
		id := c.mustAdd(t, q, unique)
		if n, err := q.Revive(nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		for range 2 {
			if r := c.must(t, c.add(q, unique)); r.first != id || r.err != reeve.ErrDuplicate {
				t.Errorf("%+v", r)
			}
			for _, task := range c.take(t, q, 2) {
				if task.ID != id { // its end frees nothing
					c.ack(q, task)
				}
			}
		}
	})
}

func TestRevive_NeedsAQueueThatTakesTasks(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		z := newZoo(t, e, "q")
		z.q.Shutdown(false)
		if n, err := z.q.Revive(nil); n != 0 || !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("%d, %v", n, err)
		}
		e.Stop()
		if n, err := z.q.Revive(nil); n != 0 || !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestPurge_FreesRoomForWhoWaits(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxBytes: 600}), newClient(e)
		c.put(q, "one")
		c.nack(q, c.take(t, q, 1)[0], queue.NackOp{Bury: true})
		c.put(q, "two")
		three := c.put(q, "three")
		c.waits(t, three)
		if n, err := q.Purge(nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		c.ok(t, three)
	})
}
