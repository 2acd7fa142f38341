package manager_test

// What operators look at, put their hands to and follow: see verbs_test.go.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
)

var operatorVerbs = map[string]verb{
	"looking": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		for i := range 10 {
			putOne(t, q, fmt.Sprint(i), reeve.WithType(fmt.Sprint("even ", i%2 == 0)), reeve.WithPriority(int32(i)))
		}
		var all []string
		o := reeve.ListOptions{Max: 3, Payload: 1}
		for pages := 0; ; pages++ {
			page := must(s.List(ctx, "tasks", reeve.Filter{Types: []string{"even true"}}, o))(t)
			all = append(all, payloads(page.Tasks)...)
			if o.After = page.Next; page.Next == 0 || pages > 10 {
				break
			}
		}
		if !slices.Equal(all, []string{"0", "2", "4", "6", "8"}) {
			t.Errorf("listed %q", all)
		}
		if got := payloads(must(s.Peek(ctx, "tasks", 3, reeve.NoLimit))(t)); !slices.Equal(got, []string{"9", "8", "7"}) {
			t.Errorf("peeked %q", got)
		}
		types := must(s.Types(ctx, "tasks"))(t)
		if len(types) != 2 || types[0].Ready != 5 {
			t.Errorf("types %+v", types)
		}
		id := putOne(t, q, "later", reeve.WithDelay(time.Hour))
		e := must(s.Explain(ctx, id))(t)
		if !slices.ContainsFunc(e.Reasons, func(r reeve.Reason) bool { return r.Code == reeve.ReasonDelayed && r.Until.After(e.Now) }) {
			t.Errorf("%+v", e)
		}
		if i := must(s.Task(ctx, id))(t); i.Queue != "tasks" || i.State != reeve.StateDelayed || i.Due.IsZero() || string(i.Payload) != "later" {
			t.Errorf("%+v", i)
		}
		if qs := must(s.Queues(ctx))(t); len(qs) != 2 || qs[0].Name != "tasks" || qs[0].Ready != 10 {
			t.Errorf("%+v", qs)
		}
		_, err := s.Task(ctx, 1)
		wantErr(t, "no task", err, reeve.ErrNoSuchTask)
		_, err = s.Explain(ctx, 1)
		wantErr(t, "no task", err, reeve.ErrNoSuchTask)
		_, err = s.List(ctx, "nope", reeve.Filter{}, reeve.ListOptions{})
		wantErr(t, "no queue", err, reeve.ErrNoSuchQueue)
		_, err = s.Types(ctx, "nope")
		wantErr(t, "no queue", err, reeve.ErrNoSuchQueue)
		_, err = s.List(ctx, "tasks", reeve.Filter{}, reeve.ListOptions{Max: -1})
		wantErr(t, "a page of -1", err, reeve.ErrInvalid)
		_, err = s.List(ctx, "tasks", reeve.Filter{}, reeve.ListOptions{Payload: -2})
		wantErr(t, "-2 bytes of each", err, reeve.ErrInvalid)
		_, err = s.Peek(ctx, "tasks", 0, 0)
		wantErr(t, "Peek at none", err, reeve.ErrInvalid)
		_, err = s.List(ctx, "tasks", reeve.Filter{States: []reeve.State{reeve.StateDone}}, reeve.ListOptions{})
		wantErr(t, "a list of the gone", err, reeve.ErrInvalid)
	},

	"cancel": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		waits, runs := putOne(t, q, "waits", reeve.WithDelay(time.Hour)), putOne(t, q, "runs")
		l := get(t, q)
		lost := make(chan error, 1)
		l.OnLost(func(cause error) { lost <- cause })
		for _, id := range []reeve.ID{waits, runs, runs} { // the third time it is remembered
			if err := s.Cancel(ctx, id, "not needed"); err != nil {
				t.Errorf("cancel: %v", err)
			}
		}
		wantErr(t, "the holder", <-lost, reeve.ErrCancelled, reeve.ErrLeaseLost)
		wantErr(t, "a late end", l.Ack(ctx), reeve.ErrLeaseLost)
		r := must(s.Result(ctx, runs))(t)
		wantErr(t, "the result", r.Err(), reeve.ErrCancelled)
		wantErr(t, "one that never was", s.Cancel(ctx, 1, ""), reeve.ErrNoSuchTask)
		wantErr(t, "a long reason", s.Cancel(ctx, waits, strings.Repeat("x", reeve.MaxErrorText+1)), reeve.ErrTooLarge)
		if st := statsOf(t, q); st.Cancelled != 2 || st.Unsettled() != 0 {
			t.Errorf("%+v", st)
		}
	},

	"acting on many": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		put(t, q, 10)
		for range 4 {
			if err := get(t, q).Bury(ctx, "bad"); err != nil {
				t.Fatal(err)
			}
		}
		wantCount(t, "revive none", 0)(s.Revive(ctx, "tasks", reeve.Filter{Error: "nothing like it"}))
		wantCount(t, "revive", 4)(s.Revive(ctx, "tasks", reeve.Filter{}))
		wantCount(t, "purge the dead", 0)(s.Purge(ctx, "tasks", reeve.Filter{}))
		first := must(s.Peek(ctx, "tasks", 2, 0))(t)
		wantCount(t, "purge two", 2)(s.Purge(ctx, "tasks", reeve.Filter{IDs: []reeve.ID{first[0].ID, first[1].ID}, States: []reeve.State{reeve.StateReady}}))
		n, err := s.Move(ctx, "tasks", "other", reeve.Filter{})
		wantErr(t, "move into a full queue", err, reeve.ErrQueueFull)
		if n != 3 {
			t.Errorf("moved %d", n)
		}
		wantCount(t, "move back", 3)(s.Move(ctx, "other", "tasks", reeve.Filter{}))
		wantCount(t, "cancel all", 8)(s.CancelAll(ctx, "tasks", reeve.Filter{}, "over"))
		_, err = s.Move(ctx, "tasks", "nope", reeve.Filter{})
		wantErr(t, "move nowhere", err, reeve.ErrNoSuchQueue)
		_, err = s.Purge(ctx, "nope", reeve.Filter{})
		wantErr(t, "purge nothing", err, reeve.ErrNoSuchQueue)
		_, err = s.Revive(ctx, "tasks", reeve.Filter{IDs: make([]reeve.ID, reeve.MaxBatch+1)})
		wantErr(t, "a long filter", err, reeve.ErrTooLarge)
		types := make([]string, reeve.MaxTypes)
		for i := range types {
			types[i] = fmt.Sprint(i, strings.Repeat("x", 200))
		}
		wantCount(t, "with a filter that is a large frame", 0)(s.Revive(ctx, "tasks", reeve.Filter{Types: types}))
	},
}

var eventVerbs = map[string]verb{
	"events": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var kinds []reeve.EventKind
		got := make(chan reeve.Event, 100)
		over := make(chan error, 1)
		go func() {
			for e, err := range s.Events(ctx, "tasks") {
				if err != nil {
					over <- err
					return
				}
				got <- e
			}
			over <- nil
		}()
		settle()
		putOne(t, s.queue("other"), "unseen")
		id := putOne(t, q, "x", reeve.WithType("a type"))
		if err := get(t, q).Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := q.Pause(t.Context(), "why"); err != nil {
			t.Fatal(err)
		}
		for len(kinds) < 4 {
			e := <-got
			kinds = append(kinds, e.Kind)
			if e.Queue != "tasks" || e.Kind == reeve.EventPut && (e.ID != id || e.Type != "a type") || e.Kind == reeve.EventPaused && e.Text != "why" {
				t.Errorf("%+v", e)
			}
		}
		if want := []reeve.EventKind{reeve.EventPut, reeve.EventStarted, reeve.EventDone, reeve.EventPaused}; !slices.Equal(kinds, want) {
			t.Errorf("%v, want %v", kinds, want)
		}
		cancel()
		if err := <-over; err != nil {
			t.Errorf("the end of its ctx: %v", err)
		}
		for _, err := range s.Events(t.Context(), "nope") {
			wantErr(t, "events of no queue", err, reeve.ErrNoSuchQueue)
		}
	},

	"events missed": func(ctx context.Context, t *testing.T, s side) {
		q := s.queue("tasks")
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		slow := make(chan struct{})
		total := make(chan uint64, 1)
		go func() {
			var n uint64
			for e, err := range s.Events(ctx) {
				if err != nil {
					t.Error(err)
				}
				<-slow
				n += 1 + e.Missed
				if e.Kind == reeve.EventPaused {
					break
				}
			}
			total <- n
		}()
		settle()
		const most = 20_000 // far more than wait for anybody
		for range most / 1000 {
			put(t, q, 1000)
		}
		settle()
		if err := q.Pause(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		settle()
		close(slow)
		if n := <-total; n != most+1 {
			t.Errorf("%d events are seen or counted, want %d", n, most+1)
		}
	},
}

func TestOperator_OfAClosedMasterSaysSo(t *testing.T) {
	m := managertest.Start(t)
	m.Declare(t, "tasks", reeve.QueueConfig{})
	op := m.Manager()
	m.Kill()
	ctx := t.Context()
	for name, do := range map[string]func() error{
		"Queues":  func() error { _, err := op.Queues(ctx); return err },
		"Types":   func() error { _, err := op.Types(ctx, "tasks"); return err },
		"Task":    func() error { _, err := op.Task(ctx, 1); return err },
		"List":    func() error { _, err := op.List(ctx, "tasks", reeve.Filter{}, reeve.ListOptions{}); return err },
		"Peek":    func() error { _, err := op.Peek(ctx, "tasks", 1, 0); return err },
		"Explain": func() error { _, err := op.Explain(ctx, 1); return err },
		"Cancel":  func() error { return op.Cancel(ctx, 1, "") },
		"Purge":   func() error { _, err := op.Purge(ctx, "tasks", reeve.Filter{}); return err },
		"Result":  func() error { _, err := op.Result(ctx, 1); return err },
		"Wait":    func() error { _, err := op.Wait(ctx, 1); return err },
		"Workers": func() error { _, err := op.Workers(ctx); return err },
		"Command": func() error {
			_, err := op.Command(ctx, reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandReport}, 0)
			return err
		},
		"Events": func() (last error) {
			for _, err := range op.Events(ctx) {
				last = err
			}
			return last
		},
	} {
		wantErr(t, name, do(), reeve.ErrClosed)
	}
}
