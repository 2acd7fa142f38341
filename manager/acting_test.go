package manager_test

// What operators ask for happens once, is bounded, and holds up nobody else.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

func TestAct_AskedAgainHappensOnce(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour})
		m.Declare(t, "full", reeve.QueueConfig{MaxLen: 2})
		put(t, q, 5)
		id := putOne(t, q, "x", reeve.WithDelay(time.Hour))
		var hello wire.Hello
		r := enter(t, m, func(h *wire.Hello) { hello = *h })
		again := func() *raw { // the same client comes back and asks the same
			r.conn.Reset()
			settle()
			return enter(t, m, func(h *wire.Hello) { h.Client, h.Epoch = hello.Client, r.welcome.Epoch })
		}
		type want struct {
			msg   wire.Message
			first uint64
			err   error
		}
		for i, w := range []want{
			{wire.CancelTask{Req: 1, Low: 1, ID: id}, 0, nil},
			{wire.Pause{Req: 2, Low: 1, Queue: "tasks", Paused: true}, 0, nil},
			{wire.Act{Req: 3, Low: 1, Queue: "tasks", To: "full", Verb: wire.ActMove}, 2, reeve.ErrQueueFull},
			{wire.Act{Req: 4, Low: 1, Queue: "tasks", Verb: wire.ActCancel}, 3, nil},
			{wire.Act{Req: 5, Low: 1, Queue: "tasks", Verb: 9}, 0, reeve.ErrInvalid},
			{wire.Act{Req: 6, Low: 1, Queue: "nope", Verb: wire.ActPurge}, 0, reeve.ErrNoSuchQueue},
		} {
			for range 2 {
				r.write(r.calls, encode(t, w.msg))
				frame, err := r.answers.Next()
				if err != nil {
					t.Fatal(err)
				}
				kind, body, _ := wire.ParseType(frame)
				switch kind {
				case wire.TypeConfirm:
					var f wire.ConfirmFrame
					if err := f.Decode(body); err != nil || len(f.Ranges) != 1 || uint64(f.Ranges[0].First) != w.first || w.err != nil {
						t.Errorf("%d: %+v, %v", i, f.Ranges, err)
					}
				case wire.TypeError:
					var e wire.Error
					if err := wire.Decode(kind, body, &e); err != nil || w.err == nil || !errors.Is(e.Err(), w.err) || e.First != w.first {
						t.Errorf("%d: %+v, %v", i, e, err)
					}
				default:
					t.Fatalf("%d: %v", i, kind)
				}
				r = again()
			}
		}
		if s := statsOf(t, q); s.Cancelled != 4 || s.MovedOut != 2 || !s.Paused {
			t.Errorf("%+v", s)
		}
	})
}

// Of several Moves at once each task is moved by one.
func TestMove_ManyAtOnceMoveEachTaskOnce(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		m.Declare(t, "other", reeve.QueueConfig{})
		const n = 20_000
		for range n / 1000 {
			put(t, q, 1000)
		}
		c := m.Dial(t)
		type outcome struct {
			n   int
			err error
		}
		moved := make(chan outcome, 8)
		for range 8 {
			go func() {
				n, err := c.Move(t.Context(), "tasks", "other", reeve.Filter{})
				moved <- outcome{n, err}
			}()
		}
		sum := 0
		for range 8 {
			o := <-moved
			if sum += o.n; o.err != nil {
				t.Error(o.err)
			}
		}
		if s := statsOf(t, c.Queue("other")); sum != n || s.Ready != n || s.MovedIn != n {
			t.Errorf("moved %d in all: %+v", sum, s)
		}
	})
}

// A client that asks for more than fits is told so, and for the rest is served.
func TestLooking_OfOneClientIsBounded(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		const n = 100
		var b []byte
		for range n {
			b = append(b, encode(t, wire.List{Req: r.next(), Low: 1, Queue: "tasks", Max: 10, Filter: &wire.Filter{IDs: make([]reeve.ID, 4000)}})...)
		}
		r.write(r.calls, b)
		refused := 0
		for range n { // in any order: who is refused is told at once
			frame, err := r.answers.Next()
			if err != nil {
				t.Fatal(err)
			}
			kind, body, _ := wire.ParseType(frame)
			var e wire.Error
			if kind == wire.TypeError && wire.Decode(kind, body, &e) == nil && errors.Is(e.Err(), reeve.ErrLimit) && strings.Contains(e.Text, "MaxWaiting") {
				refused++
			} else if kind != wire.TypeAnswer {
				t.Fatalf("%v %+v", kind, e)
			}
		}
		if refused == n {
			t.Error("all are refused")
		}
		r.alive()
	}, manager.Config{MaxWaiting: 40_000})
}

// Requests that make no sense are answered, and messages that need no answer
// and make no sense are ignored.
func TestRequests_WithNothingInThemAreAnswered(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		r.write(r.control, encode(t, wire.Report{}))
		r.write(r.calls, encode(t, wire.Progress{}))
		r.write(r.calls, encode(t, wire.Progress{Queue: "tasks", ID: 1, Percent: 1e300}))
		for name, msg := range map[string]func(req uint64) wire.Message{
			"Task":           func(q uint64) wire.Message { return wire.TaskRequest{Req: q, Low: 1} },
			"List":           func(q uint64) wire.Message { return wire.List{Req: q, Low: 1} },
			"Peek":           func(q uint64) wire.Message { return wire.Peek{Req: q, Low: 1, Queue: "tasks", Payload: math.MinInt64} },
			"Explain":        func(q uint64) wire.Message { return wire.Explain{Req: q, Low: 1} },
			"CancelTask":     func(q uint64) wire.Message { return wire.CancelTask{Req: q, Low: 1} },
			"Act":            func(q uint64) wire.Message { return wire.Act{Req: q, Low: 1, Queue: "tasks"} },
			"Pause":          func(q uint64) wire.Message { return wire.Pause{Req: q, Low: 1} },
			"Result":         func(q uint64) wire.Message { return wire.ResultRequest{Req: q, Low: 1} },
			"Wait":           func(q uint64) wire.Message { return wire.ResultRequest{Req: q, Low: 1, Wait: true} },
			"CommandRequest": func(q uint64) wire.Message { return wire.CommandRequest{Req: q, Low: 1, Concurrency: math.MaxUint64} },
			"Events":         func(q uint64) wire.Message { return wire.Events{Req: q, Low: 1} },
			"Types":          func(q uint64) wire.Message { return wire.TypesRequest{Req: q, Low: 1} },
			"Get": func(q uint64) wire.Message {
				return wire.Get{Req: q, Low: 1, Max: 1, Sources: []wire.Source{{Queue: "tasks", Weight: 1 << 30}}}
			},
			"Get of both": func(q uint64) wire.Message {
				return wire.Get{Req: q, Low: 1, Max: 1, Queue: "tasks", Sources: []wire.Source{{Queue: "tasks"}}}
			},
			"Consume": func(q uint64) wire.Message {
				return wire.Consume{Req: q, Low: 1, Consumer: 1, Queue: "tasks", Labels: []string{""}}
			},
		} {
			if a, err := r.ask(msg); err == nil {
				t.Errorf("%s: %+v", name, a)
			}
		}
		r.alive()
	})
}

func TestEvents_SubscriptionsOfOneClientAreBounded(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		ask := func(f func(req uint64) wire.Message) error {
			_, err := r.ask(f)
			return err
		}
		sub := func(n uint64) error {
			return ask(func(req uint64) wire.Message { return wire.Events{Req: req, Low: 1, Sub: n} })
		}
		for _, n := range []uint64{1, 2, 2} {
			if err := sub(n); err != nil {
				t.Fatalf("subscription %d: %v", n, err)
			}
		}
		if err := sub(3); !errors.Is(err, reeve.ErrLimit) || !strings.Contains(err.Error(), "MaxSubscriptions") {
			t.Errorf("a third: %v", err)
		}
		if err := sub(0); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("number 0: %v", err)
		}
		for _, n := range []uint64{1, 77} {
			if err := ask(func(req uint64) wire.Message { return wire.Unevents{Req: req, Low: 1, Sub: n} }); err != nil {
				t.Errorf("the end of %d: %v", n, err)
			}
		}
		if err := sub(3); err != nil {
			t.Errorf("in place of the first: %v", err)
		}
	}, manager.Config{MaxSubscriptions: 2})
}

// A client that follows events and reads nothing misses some; the queue and its
// other users go on.
func TestEvents_AClientThatDoesNotReadHoldsUpNothing(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		if _, err := r.ask(func(req uint64) wire.Message { return wire.Events{Req: req, Low: 1, Sub: 1} }); err != nil {
			t.Fatal(err)
		}
		const n = 50_000
		for range n / 1000 {
			put(t, q, 1000)
		}
		settle() // nothing goes out any more: the client's window is full
		var seen, missed uint64
		for seen+missed < n {
			var e wire.Event
			r.read(r.answers, wire.TypeEvent, &e)
			for _, one := range e.Events {
				seen++
				missed += one.Missed
				if one.Kind != string(reeve.EventPut) || e.Sub != 1 {
					t.Fatalf("%+v", one)
				}
			}
		}
		if seen+missed != n || missed == 0 {
			t.Errorf("%d seen, %d missed, want %d in all", seen, missed, n)
		}
	}, manager.Config{EventBuffer: 100})
}

// The end of a client ends its Waits and its commands, and frees its places.
func TestWaits_OfAClientThatIsGoneEnd(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		id := putOne(t, q, "x")
		c, cable := plug(t, m)
		over := make(chan error, 2)
		go func() { _, err := c.Wait(t.Context(), id); over <- err }()
		go func() {
			for _, err := range c.Events(t.Context()) {
				over <- err
				return
			}
		}()
		settle()
		cable.Kill()
		settle()
		if err := get(t, q).Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Close()
		for range 2 {
			wantErr(t, "the client's calls", <-over, reeve.ErrClosed)
		}
	})
}

// A group's leases are claimed after a break, and take its slots again.
func TestSources_SurviveABreak(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		put(t, m.Declare(t, "a", reeve.QueueConfig{}), 5)
		put(t, m.Declare(t, "b", reeve.QueueConfig{}), 5)
		c, cable := plug(t, m)
		supply := must(c.From(reeve.Source{Queue: "a", Weight: 1}, reeve.Source{Queue: "b", Weight: 1}).Consume(t.Context(), 4))(t)
		var held []*reeve.Lease
		from := map[string]int{}
		for range 4 {
			l := next(t, supply)
			held = append(held, l)
			from[l.Queue()]++
		}
		if from["a"] != 2 || from["b"] != 2 {
			t.Fatalf("%v", from)
		}
		cable.Last().Reset()
		settle()
		time.Sleep(time.Minute)
		leased := 0
		for _, s := range must(c.Queues(t.Context()))(t) {
			leased += s.Leased
		}
		if leased != 4 {
			t.Errorf("%d are leased, want 4", leased)
		}
		for _, l := range held {
			if err := l.Ack(t.Context()); err != nil {
				t.Errorf("ack of a claimed one: %v", err)
			}
		}
		for range 4 {
			next(t, supply)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if l, err := supply.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a fifth: %v, %v", l, err)
		}
	})
}

// A consumer whose types do not fit into a small frame is like any other.
func TestConsumer_WithManyTypesSurvivesABreak(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		types := make([]string, reeve.MaxTypes)
		for i := range types {
			types[i] = fmt.Sprint(i, strings.Repeat("x", 200))
		}
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		putOne(t, q, "x", reeve.WithType(types[7]))
		putOne(t, q, "x", reeve.WithType(types[8]))
		c, cable := plug(t, m)
		supply := must(c.Queue("tasks").Consume(t.Context(), 1, reeve.ForTypes(types...)))(t)
		l := next(t, supply)
		cable.Last().Reset()
		settle()
		time.Sleep(time.Minute)
		if s := statsOf(t, q); s.Leased != 1 || s.Ready != 1 {
			t.Errorf("%+v", s)
		}
		if err := l.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l := next(t, supply); l.Type != types[8] {
			t.Errorf("%q", l.Type)
		}
		if err := supply.Close(); err != nil {
			t.Fatal(err)
		}
		settle()
		if s := statsOf(t, q); s.Consumers != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Progress that was told before a break is told again after it.
func TestProgress_SurvivesABreak(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		id := putOne(t, q, "x")
		c, cable := plug(t, m)
		l := get(t, c.Queue("tasks"))
		if err := l.Progress(10, ""); err != nil {
			t.Fatal(err)
		}
		settle()
		cable.BlackHole()
		if err := l.Progress(20, "in the dark"); err != nil {
			t.Fatal(err)
		}
		settle()
		cable.Last().Reset()
		cable.Heal()
		settle()
		time.Sleep(time.Minute)
		if p := must(m.Manager().Task(t.Context(), id))(t).Progress; p == nil || p.Percent != 20 {
			t.Errorf("%+v", p)
		}
	})
}
