package manager_test

// Every verb does the same on both sides of a connection: one table, carried
// out by a client and by the master itself.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

// side is one end of a connection.
type side struct {
	reeve.Operator
	m     *managertest.Master
	queue func(name string) reeve.Queue
}

func remoteSide(t *testing.T, m *managertest.Master) side {
	c := m.Dial(t)
	return side{Operator: c, m: m, queue: c.Queue}
}

func masterSide(t *testing.T, m *managertest.Master) side {
	return side{Operator: m.Manager(), m: m, queue: func(name string) reeve.Queue {
		q, err := m.Manager().Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}}
}

// onBothSides runs f with the queues "tasks" and "other", as a client and as
// the master.
func onBothSides(t *testing.T, name string, f verb) {
	for where, make := range map[string]func(*testing.T, *managertest.Master) side{"client": remoteSide, "master": masterSide} {
		t.Run(name+"/"+where, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour, Attempts: 2})
				m.Declare(t, "other", reeve.QueueConfig{MaxLen: 3})
				f(t.Context(), t, make(t, m))
			}, manager.Config{EventBuffer: 1000})
		})
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantCount(t testing.TB, what string, want int) func(int, error) {
	return func(n int, err error) {
		t.Helper()
		if n != want || err != nil {
			t.Fatalf("%s: %d, %v, want %d", what, n, err, want)
		}
	}
}

func wantErr(t testing.TB, what string, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("%s: %v, want %v", what, err, w)
		}
	}
}

func payloads(ts []reeve.TaskInfo) (out []string) {
	for _, t := range ts {
		out = append(out, string(t.Payload))
	}
	return out
}

func TestVerbs_DoTheSameOnBothSides(t *testing.T) {
	for _, table := range []map[string]verb{queueVerbs, operatorVerbs, eventVerbs} {
		for name, do := range table {
			onBothSides(t, name, do)
		}
	}
}

// verb is a verb, or a few that go together, with what must come of them.
type verb func(ctx context.Context, t *testing.T, s side)

// queueVerbs are those of a queue, its leases and their results.
var queueVerbs = map[string]verb{
	"slots of a closed consumer": func(ctx context.Context, t *testing.T, s side) {
		c := consume(t, s.queue("tasks"), 1)
		if err := c.SetSlots(2); err != nil {
			t.Error(err)
		}
		c.Close()
		wantErr(t, "slots", c.SetSlots(3), reeve.ErrClosed)
		_, err := c.Next(ctx)
		wantErr(t, "next", err, reeve.ErrClosed)
	},
	"pause": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		putOne(t, q, "x")
		if err := q.Pause(ctx, "lunch"); err != nil {
			t.Fatal(err)
		}
		_, err := q.TryGet(ctx, 1)
		wantErr(t, "get while paused", err, reeve.ErrEmpty)
		if st := statsOf(t, q); !st.Paused || st.PauseReason != "lunch" || st.Ready != 1 {
			t.Errorf("paused: %+v", st)
		}
		if err := q.Resume(ctx); err != nil {
			t.Fatal(err)
		}
		get(t, q)
	},

	"rules": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		putOne(t, q, "low")
		putOne(t, q, "high", reeve.WithPriority(5), reeve.WithKey("k"), reeve.WithAttempts(7))
		l := get(t, q)
		if string(l.Payload) != "high" || l.Priority != 5 || l.Rules == nil || l.Rules.Key != "k" || l.Rules.Attempts != 7 {
			t.Errorf("%+v, rules %+v", l.Task, l.Rules)
		}
		if l = get(t, q); l.Rules != nil {
			t.Errorf("a task without rules has %+v", l.Rules)
		}
	},

	"unique": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		first := putOne(t, q, "a", reeve.WithUnique("a", reeve.UniqueUntilDone))
		tasks := make([]reeve.Task, 4)
		for i, key := range []string{"b", "a", "", "b"} {
			if key != "" {
				tasks[i].Rules = &reeve.Rules{Unique: key}
			}
		}
		ids, err := q.Put(ctx, tasks)
		var dup *reeve.DuplicateError
		if !errors.As(err, &dup) || !slices.Equal(dup.Tasks, []int{1, 3}) || !slices.Equal(dup.IDs, []reeve.ID{first, ids[0]}) {
			t.Fatalf("%v, %v (%+v)", ids, err, dup)
		}
		if ids[1] != first || ids[3] != ids[0] || ids[2] == 0 || ids[0] == 0 {
			t.Errorf("ids %v, the first is %v", ids, first)
		}
		one, err := q.Put(ctx, tasks[1:2])
		if !errors.As(err, &dup) || len(one) != 1 || one[0] != first || dup.IDs[0] != first {
			t.Errorf("one: %v, %v", one, err)
		}
		again, err := q.Put(ctx, tasks[:2], reeve.IgnoreDuplicates())
		if err != nil || !slices.Equal(again, ids[:2]) {
			t.Errorf("ignored: %v, %v", again, err)
		}
		if st := statsOf(t, q); st.Ready != 3 || st.Duplicates != 5 {
			t.Errorf("%+v", st)
		}
	},

	"unique into a full queue": func(ctx context.Context, t *testing.T, s side) {
		tasks := make([]reeve.Task, 5)
		for i := range tasks {
			tasks[i].Rules = &reeve.Rules{Unique: fmt.Sprint(i)}
		}
		ids, err := s.queue("other").Put(ctx, tasks, reeve.NoWait())
		wantErr(t, "put", err, reeve.ErrQueueFull)
		if len(ids) != 5 || ids[2] == 0 || ids[3] != 0 {
			t.Errorf("ids %v", ids)
		}
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		ids, err = s.queue("other").Put(ctx, tasks)
		wantErr(t, "put that waits", err, context.DeadlineExceeded)
		if st := statsOf(t, s.queue("other")); st.Ready != 3 || st.WaitingPuts != 0 {
			t.Errorf("ids %v, %+v", ids, st)
		}
	},

	"types and labels": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		putOne(t, q, "a", reeve.WithType("a"))
		putOne(t, q, "b", reeve.WithType("b"), reeve.WithLabels("gpu"))
		_, err := q.TryGet(ctx, 1, reeve.ForTypes())
		wantErr(t, "no types", err, reeve.ErrEmpty)
		_, err = q.TryGet(ctx, 1, reeve.ForTypes("b"))
		wantErr(t, "without the label", err, reeve.ErrEmpty)
		ls := must(q.TryGet(ctx, 5, reeve.ForTypes("b"), reeve.HavingLabels("gpu", "x")))(t)
		if len(ls) != 1 || ls[0].Type != "b" {
			t.Errorf("%v", ls)
		}
		c := must(q.Consume(ctx, 5, reeve.ForTypes("c", "a")))(t)
		if l := next(t, c); l.Type != "a" {
			t.Errorf("%v", l.Task)
		}
		_, err = q.TryGet(ctx, 1, reeve.ForTypes(strings.Repeat("x", 256)))
		wantErr(t, "a long type", err, reeve.ErrTooLarge)
	},

	"sources": func(ctx context.Context, t *testing.T, s side) {
		putOne(t, s.queue("tasks"), "t")
		putOne(t, s.queue("other"), "o")
		from := s.From(reeve.Source{Queue: "other"}, reeve.Source{Queue: "tasks"})
		if l := must(from.Get(ctx, 5))(t)[0]; l.Queue() != "other" {
			t.Errorf("from %q", l.Queue())
		}
		c := must(from.Consume(ctx, 2))(t)
		l := next(t, c)
		if l.Queue() != "tasks" {
			t.Errorf("from %q", l.Queue())
		}
		putOne(t, s.queue("other"), "o2")
		if l := next(t, c); l.Queue() != "other" {
			t.Errorf("from %q", l.Queue())
		}
		putOne(t, s.queue("tasks"), "t2")
		settle()
		if st := statsOf(t, s.queue("tasks")); st.Ready != 1 {
			t.Errorf("more than two slots are used: %+v", st)
		}
		if err := l.Ack(ctx); err != nil {
			t.Fatal(err)
		}
		if l := next(t, c); string(l.Payload) != "t2" {
			t.Errorf("%q", l.Payload)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := s.From().Get(ctx, 1)
		wantErr(t, "no sources", err, reeve.ErrInvalid)
		_, err = s.From(reeve.Source{Queue: "nope"}).Consume(ctx, 1)
		wantErr(t, "an unknown source", err, reeve.ErrNoSuchQueue)
		_, err = s.From(reeve.Source{Queue: "nope"}).TryGet(ctx, 1)
		wantErr(t, "an unknown source", err, reeve.ErrNoSuchQueue)
		_, err = from.TryGet(ctx, 1)
		wantErr(t, "empty sources", err, reeve.ErrEmpty)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err = from.Get(short, 1)
		wantErr(t, "a Get given up", err, context.DeadlineExceeded)
		for _, st := range must(s.Queues(ctx))(t) {
			if st.Consumers != 0 {
				t.Errorf("it still waits: %+v", st)
			}
		}
	},

	"ends": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		id := putOne(t, q, "x")
		if err := get(t, q).Snooze(ctx, time.Minute); err != nil {
			t.Fatal(err)
		}
		if i := must(s.Task(ctx, id))(t); i.State != reeve.StateDelayed || i.Counts.Snoozed != 1 {
			t.Errorf("snoozed: %+v", i)
		}
		if err := get(t, q).Skip(ctx); err != nil {
			t.Fatal(err)
		}
		if r := must(s.Result(ctx, id))(t); r.State != reeve.StateDone || r.Err() != nil {
			t.Errorf("skipped: %+v", r)
		}
		id = putOne(t, q, "y")
		if err := get(t, q).Discard(ctx, "nobody wants it"); err != nil {
			t.Fatal(err)
		}
		r := must(s.Result(ctx, id))(t)
		wantErr(t, "discarded", r.Err(), reeve.ErrDiscarded)
		if !strings.Contains(r.Reason, "nobody wants it") {
			t.Errorf("reason %q", r.Reason)
		}
		if st := statsOf(t, q); st.Snoozed != 1 || st.Skipped != 1 || st.Discarded != 1 {
			t.Errorf("%+v", st)
		}
	},

	"results": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		id := putOne(t, q, "x")
		_, err := s.Result(ctx, id)
		wantErr(t, "not done", err, reeve.ErrNotDone)
		_, err = s.Result(ctx, 1)
		wantErr(t, "unknown", err, reeve.ErrNoSuchTask)
		_, err = s.Wait(ctx, 1)
		wantErr(t, "unknown", err, reeve.ErrNoSuchTask)

		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err = s.Wait(short, id)
		wantErr(t, "given up", err, context.DeadlineExceeded)

		for _, payload := range []string{"small", strings.Repeat("large", 50_000)} {
			ended := make(chan reeve.Result, 1)
			go func() {
				r, err := s.Wait(ctx, id)
				if err != nil {
					t.Error(err)
				}
				ended <- r
			}()
			settle()
			if err := get(t, q).Complete(ctx, "", reeve.Task{Payload: []byte(payload)}); err != nil {
				t.Fatal(err)
			}
			if r := <-ended; r.ID != id || string(r.Payload) != payload || r.State != reeve.StateDone {
				t.Errorf("waited: %v, %d bytes", r.State, len(r.Payload))
			}
			if r := must(s.Result(ctx, id))(t); string(r.Payload) != payload {
				t.Errorf("asked: %d bytes", len(r.Payload))
			}
			if r := must(s.Wait(ctx, id))(t); string(r.Payload) != payload {
				t.Errorf("waited afterwards: %d bytes", len(r.Payload))
			}
			id = putOne(t, q, "again")
		}
	},

	"progress": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		id := putOne(t, q, "x")
		l := get(t, q)
		for i := range 101 {
			if err := l.Progress(float64(i), fmt.Sprint("step ", i)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if p := must(s.Task(ctx, id))(t).Progress; p == nil || p.Percent != 100 || p.Text != "step 100" {
			t.Errorf("%+v", p)
		}
		wantErr(t, "out of range", l.Progress(101, ""), reeve.ErrInvalid)
	},
}
