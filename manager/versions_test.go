package manager_test

// A master and its clients need not be of one version: what the other side does
// not know it ignores, or says so to the request that needs it, and goes on.

import (
	"errors"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/managertest"
)

func TestNewerClient_IsWelcomedWithTheMastersVersion(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m, func(h *wire.Hello) { h.Version = 9 })
		if r.welcome.Version != wire.Version {
			t.Errorf("welcomed with version %d", r.welcome.Version)
		}
		r.alive()
	})
}

// fromTheFuture adds unknown keys to the map of a message with fewer than 21
// keys, in a frame of its own.
func fromTheFuture(framed []byte) []byte {
	body := append([]byte(nil), framed[wire.HeaderLen:]...)
	at := 1
	if body[0] == 0x18 {
		at = 2
	}
	body[at] += 3
	return frame(append(body,
		0x18, 200, 0x63, 'n', 'e', 'w',
		0x18, 201, 0xa2, 1, 0x82, 1, 0x41, 0, 2, 0xf5,
		0x19, 1, 0, 0x20)...)
}

func TestUnknownFields_AreIgnoredInEveryMessage(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		m.Declare(t, "results", reeve.QueueConfig{})

		r := knock(t, m)
		r.openControl()
		r.write(r.control, fromTheFuture(encode(t, wire.Hello{Version: 2, Client: wire.ClientID{1}, Low: 1})))
		r.read(r.said, wire.TypeWelcome, &r.welcome)
		r.calls = r.open(session.Calls)
		r.answers = wire.NewReader(r.calls, int(r.welcome.MaxFrame))
		r.write(r.control, fromTheFuture(encode(t, wire.Heartbeat{Seq: 42})))
		var beat wire.Heartbeat
		if r.read(r.said, wire.TypeHeartbeat, &beat); beat.Seq != 42 {
			t.Errorf("the echo of a heartbeat: %+v", beat)
		}

		send := func(b []byte) { r.write(r.calls, fromTheFuture(b)) }
		confirmed := func(what string, b []byte) {
			t.Helper()
			send(b)
			if _, err := r.answer(r.req); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		// lease puts a task and gets it.
		lease := func() reeve.Task {
			t.Helper()
			confirmed("Put", build(t, func(b *wire.Builder) error {
				return b.Put(r.next(), 1, "tasks", 0, []reeve.Task{{Payload: []byte("x"), Type: "t"}})
			}))
			send(encode(t, wire.Get{Req: r.next(), Low: 1, Queue: "tasks", Max: 1}))
			var d wire.DeliverFrame
			if r.read(r.answers, wire.TypeDeliver, &d); d.Req != r.req || len(d.Tasks) != 1 {
				t.Fatalf("%+v", d)
			}
			return d.Tasks[0]
		}
		l := lease()
		confirmed("Ack", build(t, func(b *wire.Builder) error { return b.Ack(r.next(), 1, "tasks", l.ID, l.Attempt) }))
		l = lease()
		confirmed("Complete", build(t, func(b *wire.Builder) error {
			return b.Complete(r.next(), 1, "tasks", "results", l.ID, l.Attempt, &reeve.Task{Payload: []byte("y")})
		}))
		l = lease()
		confirmed("Extend", encode(t, wire.Extend{Req: r.next(), Low: 1, Queue: "tasks", ID: l.ID, Attempt: l.Attempt, Duration: 1e9}))
		send(encode(t, wire.Claim{Req: r.next(), Low: 1, Queue: "tasks", Entries: wire.Pairs{{ID: l.ID, Attempt: l.Attempt}}}))
		if a, err := r.answer(r.req); err != nil || len(a.Kept) != 1 || !a.Kept[0] {
			t.Errorf("Claim: %+v, %v", a, err)
		}
		confirmed("Bury", encode(t, wire.Bury{Req: r.next(), Low: 1, Queue: "tasks", ID: l.ID, Attempt: l.Attempt, Error: "e"}))
		send(encode(t, wire.DeadRequest{Req: r.next(), Low: 1, Queue: "tasks", Max: 10}))
		if a, err := r.answer(r.req); err != nil || len(a.Dead) != 1 {
			t.Errorf("Dead: %+v, %v", a, err)
		}
		l = lease()
		confirmed("Nack", encode(t, wire.Nack{Req: r.next(), Low: 1, Queue: "tasks", ID: l.ID, Attempt: l.Attempt}))
		send(encode(t, wire.Consume{Req: r.next(), Low: 1, Queue: "results", Consumer: 5, Slots: 0}))
		if a, err := r.answer(r.req); err != nil || a.Lease == 0 {
			t.Errorf("Consume: %+v, %v", a, err)
		}
		confirmed("Unconsume", encode(t, wire.Unconsume{Req: r.next(), Low: 1, Consumer: 5}))
		join := r.next()
		send(encode(t, wire.Join{Req: join, Low: 1, Queue: "tasks"}))
		send(encode(t, wire.Cancel{Req: join}))
		if _, err := r.answer(join); err == nil {
			t.Error("a Join of a queue with a ready task was not cancelled")
		}
		confirmed("Shutdown", encode(t, wire.ShutdownRequest{Req: r.next(), Low: 1, Queue: "tasks"}))
		send(encode(t, wire.StatsRequest{Req: r.next(), Low: 1}))
		a, err := r.answer(r.req)
		if err != nil || len(a.Queues) != 2 {
			t.Fatalf("Stats: %+v, %v", a, err)
		}
		s := a.Queues[0].QueueStats()
		if s.Done != 2 || s.Failed != 1 || s.Buried != 1 || s.Ready != 1 || !s.Shutdown {
			t.Errorf("%+v", s)
		}
		r.write(r.control, fromTheFuture(encode(t, wire.Goodbye{})))
		<-r.s.Done()
		settle()
		if s := m.Manager().Stats(); s.Protocol+s.Unsupported != 0 || s.Clients != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestUnknownMessages_AreAnsweredOrIgnoredAndTheSessionGoesOn(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		r.alive()
		withID := frame(0x18, 60, 0xa2, 1, 0x18, 77, 2, 1)
		r.write(r.calls, withID)
		if _, err := r.answer(77); !errors.Is(err, reeve.ErrUnsupported) {
			t.Errorf("a request of an unknown type: %v", err)
		}
		r.write(r.calls, frame(0x19, 0x10, 0x00, 0xa1, 1, 0x61, 'x')) // no number to answer to
		r.alive()
		bulk := r.open(session.Bulk)
		r.write(bulk, withID)
		if _, err := r.answer(77); !errors.Is(err, reeve.ErrUnsupported) {
			t.Errorf("a large request of an unknown type: %v", err)
		}
		r.write(r.control, frame(9, 0xa1, 1, 1))
		r.write(r.control, encode(t, wire.Heartbeat{Seq: 3}))
		var beat wire.Heartbeat
		if r.read(r.said, wire.TypeHeartbeat, &beat); beat.Seq != 3 {
			t.Errorf("%+v", beat)
		}
		r.alive()
		if n := m.Manager().Stats().Unsupported; n != 4 {
			t.Errorf("%d messages of unknown type were counted", n)
		}
	})
}

func TestSentWithTheHello_IsNotLost(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		r := knock(t, m)
		r.openControl()
		b := encode(t, wire.Hello{Version: 1, Client: wire.ClientID{1}, Low: 1})
		for seq := range uint64(100) {
			b = append(b, encode(t, wire.Heartbeat{Seq: seq + 1})...)
		}
		r.write(r.control, b)
		r.read(r.said, wire.TypeWelcome, &r.welcome)
		for seq := range uint64(100) {
			var beat wire.Heartbeat
			if r.read(r.said, wire.TypeHeartbeat, &beat); beat.Seq != seq+1 {
				t.Fatalf("heartbeat %d instead of %d", beat.Seq, seq+1)
			}
		}
	})
}
