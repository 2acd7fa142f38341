package queue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// all lists the tasks that f means, page by page.
func all(t *testing.T, q *queue.Queue, f *reeve.Filter, o reeve.ListOptions) (ids []reeve.ID, pages int) {
	t.Helper()
	for {
		page, err := q.List(f, o)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, i := range page.Tasks {
			ids = append(ids, i.ID)
		}
		if page.Next == 0 {
			return ids, pages
		}
		if page.Next <= o.After {
			t.Fatalf("the page after %v goes on after %v", o.After, page.Next)
		}
		o.After = page.Next
	}
}

func TestList_PagesInTheOrderOfTheIDs(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		z := newZoo(t, e, "q")
		want := slices.Sorted(func(yield func(reeve.ID) bool) {
			for _, id := range z.ids {
				if !yield(id) {
					return
				}
			}
		})
		for _, n := range []int{0, 1, 2, 3, 7, 8, 9, reeve.MaxBatch} {
			ids, pages := all(t, z.q, nil, reeve.ListOptions{Max: n})
			if most := max(1, (len(want)+max(n, 1)-1)/max(n, 1)); !slices.Equal(ids, want) || n > 0 && pages != most {
				t.Errorf("pages of %d: %v in %d pages, want %v in %d", n, ids, pages, want, most)
			}
		}
		if page, err := z.q.List(nil, reeve.ListOptions{After: want[len(want)-1]}); err != nil || len(page.Tasks) != 0 || page.Next != 0 {
			t.Errorf("after the last: %+v, %v", page, err)
		}
		if ids, _ := all(t, z.q, &reeve.Filter{States: []reeve.State{reeve.StateDelayed}}, reeve.ListOptions{Max: 2}); len(ids) != 3 {
			t.Errorf("delayed: %v", ids)
		}
		if ids, _ := all(t, z.q, &reeve.Filter{IDs: []reeve.ID{z.ids["dead"], 9, z.ids["leased"], z.ids["dead"]}}, reeve.ListOptions{Max: 1}); !slices.Equal(ids, []reeve.ID{z.ids["leased"], z.ids["dead"]}) {
			t.Errorf("by id: %v", ids)
		}
	})
}

func TestList_MayGiveShortPagesOfLargeQueues(t *testing.T) {
	unverified(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxBytes: reeve.NoLimit}), newClient(e)
		const n = 200_000
		c.flood(t, q, n, func(i int) reeve.Task {
			if i == 3 || i == n-1 {
				return reeve.Task{Type: "rare"}
			}
			return reeve.Task{}
		})
		ids, pages := all(t, q, &reeve.Filter{Types: []string{"rare"}}, reeve.ListOptions{})
		if len(ids) != 2 || pages < 2 {
			t.Errorf("%v in %d pages", ids, pages)
		}
	})
}

func TestList_CutsPayloads(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.put(q, "0123456789")
		for most, want := range map[int]string{0: "", 1: "0", 9: "012345678", 10: "0123456789", 11: "0123456789", reeve.NoLimit: "0123456789"} {
			page, err := q.List(nil, reeve.ListOptions{Payload: most})
			if err != nil || string(page.Tasks[0].Payload) != want || page.Tasks[0].Size != 10 {
				t.Errorf("%d bytes: %+v, %v", most, page, err)
			}
			list, err := q.Peek(1, most)
			if err != nil || string(list[0].Payload) != want || list[0].Size != 10 {
				t.Errorf("peek at %d bytes: %+v, %v", most, list, err)
			}
		}
	})
}

func TestList_RefusesWhatIsOutOfRange(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		for _, o := range []reeve.ListOptions{{Max: -1}, {Max: reeve.MaxBatch + 1}, {Payload: -2}} {
			if _, err := q.List(nil, o); !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("%+v: %v", o, err)
			}
		}
		if _, err := q.List(&reeve.Filter{States: []reeve.State{99}}, reeve.ListOptions{}); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("a bad filter: %v", err)
		}
		for _, o := range [][2]int{{0, 0}, {-1, 0}, {reeve.MaxBatch + 1, 0}, {1, -2}} {
			if _, err := q.Peek(o[0], o[1]); !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("peek %v: %v", o, err)
			}
		}
	})
}

// A list that is read while tasks come and go has each that was there all the
// time, once and in order.
func TestList_HasEveryTaskThatStaysWhileOthersComeAndGo(t *testing.T) {
	queue.SetVerify(false)
	defer queue.SetVerify(true)
	e := queue.New(queue.Config{})
	defer e.Close()
	q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
	stay := map[reeve.ID]bool{}
	for i := range 3000 {
		id := c.mustAdd(t, q, reeve.Task{Type: []string{"go", "stay"}[i%2]})
		if i%2 == 1 {
			stay[id] = true
		}
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		other := newClient(e)
		for {
			select {
			case <-done:
				return
			default:
			}
			other.Touch()
			other.add(q, reeve.Task{Type: "go"})
			for _, task := range other.takeOf(t, q, 2, reeve.GetOptions{Types: []string{"go"}}) {
				other.ack(q, task)
			}
			other.forget()
		}
	})
	for range 20 {
		ids, _ := all(t, q, nil, reeve.ListOptions{Max: 100})
		n := 0
		for i, id := range ids {
			if i > 0 && id <= ids[i-1] {
				t.Fatalf("%v comes after %v", id, ids[i-1])
			}
			if stay[id] {
				n++
			}
		}
		if n != len(stay) {
			t.Fatalf("%d of %d tasks that stay", n, len(stay))
		}
	}
	close(done)
	wg.Wait()
}

// What Peek tells is what happens then, whatever the order is made of.
func TestPeek_TellsTheOrderOfHandOver(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]reeve.QueueConfig{
		"fifo": {}, "lifo": {LIFO: true}, "ageing": {Ageing: 2 * time.Second}, "reserve": {Reserve: reeve.Reserve{Slots: 1, Priority: 3}},
		"ageing lifo": {Ageing: time.Second, LIFO: true}, "key rate": {KeyRate: reeve.Rate{Tasks: 1}},
	} {
		for seed := range uint64(8) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			run(t, func(t *testing.T, e *queue.Engine) {
				q, c := declare(t, e, "q", cfg), newClient(e)
				for i := range 120 {
					task := reeve.Task{Payload: fmt.Append(nil, i), Priority: int32(rnd.IntN(30)), Type: fmt.Sprint(rnd.IntN(4))}
					if rnd.IntN(5) == 0 {
						task.Rules = &reeve.Rules{Key: fmt.Sprint(rnd.IntN(3))}
					}
					c.add(q, task)
					if rnd.IntN(4) == 0 {
						sleep(time.Duration(rnd.IntN(1000)) * time.Millisecond)
						c.Touch()
					}
					if rnd.IntN(8) == 0 { // some come back
						for _, task := range c.take(t, q, 1+rnd.IntN(4)) {
							c.nack(q, task, queue.NackOp{Returned: rnd.IntN(2) == 0})
						}
					}
				}
				want, err := q.Peek(reeve.MaxBatch, reeve.NoLimit)
				if err != nil || len(want) < 60 {
					t.Fatalf("%s: %d tasks, %v", name, len(want), err)
				}
				if few, err := q.Peek(7, 0); err != nil || len(few) != 7 || few[6].ID != want[6].ID {
					t.Errorf("%s: the first seven: %v, %v", name, few, err)
				}
				got := c.take(t, q, len(want))
				for i := range got {
					if got[i].ID != want[i].ID {
						t.Fatalf("%s, seed %d: the %dth is %v, Peek said %v", name, seed, i, got[i], want[i].Task)
					}
				}
				if len(got) != len(want) {
					t.Errorf("%s: %d tasks came, Peek said %d", name, len(got), len(want))
				}
			})
		}
	}
}

func TestPeek_HasOnlyWhatMayBeHandedOver(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		z := newZoo(t, e, "q")
		list, err := z.q.Peek(9, reeve.NoLimit)
		var names []string
		for _, i := range list {
			names = append(names, string(i.Payload))
		}
		if err != nil || !slices.Equal(names, []string{"ready", "released"}) {
			t.Errorf("%v, %v", names, err)
		}
		if list, err := declare(t, e, "empty", reeve.QueueConfig{}).Peek(1, 0); err != nil || len(list) != 0 {
			t.Errorf("an empty queue: %v, %v", list, err)
		}
	})
}

// Who looks changes nothing.
func TestLook_ChangesNothing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		z := newZoo(t, e, "q")
		task := func(id reeve.ID) reeve.TaskInfo {
			i, err := e.Task(id)
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		infos := map[string]reeve.TaskInfo{}
		for name, id := range z.ids {
			infos[name] = task(id)
		}
		stats := z.q.Stats()
		for range 3 {
			all(t, z.q, nil, reeve.ListOptions{Max: 2, Payload: 3})
			if _, err := z.q.Peek(9, 1); err != nil {
				t.Fatal(err)
			}
			z.q.Types()
			deadOf(z.q, 0, 9)
			z.holder.Info()
			for name, id := range z.ids {
				if i := task(id); !reflect.DeepEqual(i, infos[name]) {
					t.Errorf("%s was %+v and is %+v", name, infos[name], i)
				}
				if _, err := e.Explain(id); err != nil {
					t.Error(err)
				}
			}
		}
		if s := z.q.Stats(); !reflect.DeepEqual(s, stats) {
			t.Errorf("the numbers were %+v and are %+v", stats, s)
		}
		if got := payloads(z.holder.take(t, z.q, 9)); got != "ready released " {
			t.Errorf("handed over: %q", got)
		}
	})
}

func TestTask_TellsWhatIsKnownInEveryState(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Timeout: time.Minute, KeepResult: time.Hour}), newClient(e)
		c.SetName("W")
		info := func(id reeve.ID) reeve.TaskInfo {
			t.Helper()
			i, err := e.Task(id)
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		start := time.Now()
		rules := reeve.Rules{
			Key: "k", Unique: "u", UniqueMode: reeve.UniqueUntilStart, Attempts: 7, Labels: []string{"b", "a", "b"}, ExpireAt: in(time.Hour),
			Backoff: reeve.Backoff{Base: 2 * time.Second, Jitter: reeve.NoJitter}, KeepResult: time.Minute,
		}
		id := c.mustAdd(t, q, reeve.Task{Payload: []byte("payload"), Type: "mail", Priority: 4, Delay: time.Second, Timeout: 5 * time.Second, Rules: &rules})
		i := info(id)
		if i.State != reeve.StateDelayed || i.Queue != "q" || !i.Due.Equal(in(time.Second)) || i.Size != 7 || string(i.Payload) != "payload" ||
			i.Type != "mail" || i.Priority != 4 || i.Timeout != 5*time.Second || !i.PutAt.Equal(start) || i.Attempt != 0 {
			t.Errorf("delayed: %+v", i)
		}
		want := rules
		want.Labels = []string{"a", "b"}
		if r := *i.Rules; !r.ExpireAt.Equal(want.ExpireAt) {
			t.Errorf("its rules: %+v", r)
		} else if r.ExpireAt = want.ExpireAt; !reflect.DeepEqual(r, want) {
			t.Errorf("its rules: %+v", r)
		}
		sleep(time.Second)
		if i := info(id); i.State != reeve.StateReady || !i.Since.Equal(time.Now()) || !i.Due.IsZero() {
			t.Errorf("ready: %+v", i)
		}
		sleep(time.Second)
		c.Touch()
		task := c.takeOf(t, q, 1, reeve.GetOptions{Labels: []string{"a", "b"}})[0]
		begin := time.Now()
		sleep(3 * time.Second)
		if err := q.Progress(c.Holder, id, 1, 12.5, "an eighth"); err != nil {
			t.Fatal(err)
		}
		if i := info(id); i.State != reeve.StateLeased || i.Worker != "W" || !i.Since.Equal(begin) || !i.LeaseUntil.Equal(in(30*time.Second)) ||
			!i.TimeoutAt.Equal(begin.Add(5*time.Second)) || i.Attempt != 1 || i.Progress == nil || i.Progress.Percent != 12.5 || i.Progress.Text != "an eighth" || !i.Progress.At.Equal(time.Now()) {
			t.Errorf("leased: %+v", i)
		}
		c.nack(q, task, queue.NackOp{Error: "boom", Stack: "at line 7"})
		if i := info(id); i.State != reeve.StateDelayed || !i.Due.Equal(in(2*time.Second)) || i.Counts.Failed != 1 || i.Error != "boom" || i.Stack != "at line 7" ||
			i.Worker != "" || i.Progress != nil || len(i.History) != 1 || i.History[0].Worker != "W" || i.History[0].Outcome != "failed" ||
			!i.History[0].Start.Equal(begin) || !i.History[0].End.Equal(time.Now()) {
			t.Errorf("failed: %+v", i)
		}
		sleep(2 * time.Second)
		c.Touch()
		c.nack(q, c.takeOf(t, q, 1, reeve.GetOptions{Labels: []string{"a", "b"}})[0], queue.NackOp{Bury: true, Error: "hopeless"})
		died := time.Now()
		sleep(time.Second)
		if i := info(id); i.State != reeve.StateDead || i.Reason != "hopeless" || !i.EndedAt.Equal(died) || !i.Since.Equal(died) || len(i.History) != 2 {
			t.Errorf("dead: %+v", i)
		}
		if err := e.Cancel(id, "never mind"); err != nil {
			t.Fatal(err)
		}
		if i := info(id); i.State != reeve.StateCancelled || i.Reason != "never mind" || i.ID != id || i.Type != "mail" || i.Attempt != 2 || i.Error != "hopeless" || !i.EndedAt.Equal(time.Now()) || i.Queue != "q" {
			t.Errorf("cancelled: %+v", i)
		}
		sleep(time.Hour)
		if _, err := e.Task(id); !errors.Is(err, reeve.ErrNoSuchTask) {
			t.Errorf("forgotten: %v", err)
		}
	})
}

func TestTask_TellsOfOneThatTheMasterRuns(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		c := &client{ended: map[uint64]error{}, replies: map[uint64]reply{}}
		c.Holder = e.NewHolder(c, true)
		id := c.mustAdd(t, q, reeve.Task{Rules: &reeve.Rules{At: in(time.Minute)}})
		if i, err := e.Task(id); err != nil || i.Rules == nil || !i.Rules.At.Equal(in(time.Minute)) || !i.Due.Equal(in(time.Minute)) {
			t.Errorf("%+v, %v", i, err)
		}
		sleep(time.Minute)
		c.take(t, q, 1)
		if i, err := e.Task(id); err != nil || i.Worker != "master" || !i.LeaseUntil.IsZero() || !i.TimeoutAt.IsZero() || i.Rules != nil {
			t.Errorf("%+v, %v", i, err)
		}
	})
}

func TestTypes_CountsByStateAndTakers(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		for typ, n := range map[string]int{"": 1, "a": 5, "b": 1, "gone": 1} {
			for range n {
				c.add(q, reeve.Task{Type: typ})
			}
		}
		c.ack(q, c.takeOf(t, q, 1, reeve.GetOptions{Types: []string{"gone"}})[0])
		of := reeve.GetOptions{Types: []string{"a"}}
		c.nack(q, c.takeOf(t, q, 1, of)[0], queue.NackOp{Bury: true})
		c.nack(q, c.takeOf(t, q, 1, of)[0], queue.NackOp{Delay: time.Hour})
		c.takeOf(t, q, 1, of)
		worker(e, "1", q, 0, reeve.GetOptions{})
		worker(e, "2", q, 0, reeve.GetOptions{Types: []string{"b", "a"}})
		worker(e, "3", q, 0, reeve.GetOptions{Types: []string{"a", "b"}})
		q.Get(c.Holder, &queue.GetOp{Max: 1, Tag: c.tag(1), Want: reeve.GetOptions{Types: []string{"c", "gone"}}})
		want := []reeve.TypeStats{{Type: "a", Ready: 2, Delayed: 1, Leased: 1, Dead: 1, Takers: 3}, {Type: "", Ready: 1, Takers: 1}, {Type: "b", Ready: 1, Takers: 3}}
		if got := q.Types(); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v", got)
		}
	})
}

func TestTypes_AreBounded(t *testing.T) {
	unverified(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.flood(t, q, reeve.MaxTypes+10, func(i int) reeve.Task { return reeve.Task{Type: fmt.Sprintf("%05d", i)} })
		c.add(q, reeve.Task{Type: "often"})
		c.add(q, reeve.Task{Type: "often"})
		got := q.Types()
		if len(got) != reeve.MaxTypes || got[0].Type != "often" || got[1].Type != strings.Repeat("0", 5) {
			t.Errorf("%d types: %+v", len(got), got[:2])
		}
	})
}
