package manager_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// A consumer whose queue ends is forgotten by both sides: it does not count
// against the client's bound for as long as the session lives.
func TestConsumers_ThatEndedDoNotCountAgainstTheBound(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		if _, err := r.ask(func(req uint64) wire.Message {
			return wire.ShutdownRequest{Req: req, Low: req, Queue: "tasks"}
		}); err != nil {
			t.Fatal(err)
		}
		for tag := uint64(1); tag <= 5; tag++ {
			if _, err := r.ask(func(req uint64) wire.Message {
				return wire.Consume{Req: req, Low: req, Queue: "tasks", Consumer: tag, Slots: 1}
			}); err != nil {
				t.Fatalf("consumer %d: %v", tag, err)
			}
			var end wire.End
			if r.read(r.answers, wire.TypeEnd, &end); end.Consumer != tag || !errors.Is(end.Err(), reeve.ErrShutdown) {
				t.Fatalf("the end of consumer %d is %v of %d", tag, end.Err(), end.Consumer)
			}
		}
	}, manager.Config{MaxConsumers: 2})
}

// A batch arrives in one piece of memory. Tasks of it that stay must not keep
// that of those that are gone: nobody counts it.
func TestBatch_TheMemoryOfSettledTasksIsFreed(t *testing.T) {
	const batches, per, size = 16, 16, 256 << 10
	m, addr, cfg := listenTCP(t, manager.Config{}, "tasks")
	c, err := proxy.Dial(t.Context(), addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	q := c.Queue("tasks")
	before := heap()
	for range batches {
		tasks := make([]reeve.Task, per)
		for i := range tasks {
			tasks[i].Payload = make([]byte, size)
		}
		if _, err := q.Put(t.Context(), tasks); err != nil {
			t.Fatal(err)
		}
		for i := range per {
			l := get(t, q)
			if i == 0 {
				if err := l.Bury(t.Context(), "stays"); err != nil {
					t.Fatal(err)
				}
			} else if err := l.Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What stays is 4 MiB, all that came 64 MiB.
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("%d MiB more in use, for %d MiB of tasks that are still there", grown>>20, m.QueueStats()[0].Bytes>>20)
	}
}

// A queue name that no queue can have is not kept with the outcome of its
// request.
func TestNames_LongerThanAnyQueueEndTheSession(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		nack := []byte{byte(wire.TypeNack), 0xa3, 1, 1, 2, 1, 3, 0x79, 1, 0} // requests 1, a name of 256 bytes
		r.write(r.calls, frame(append(nack, bytes.Repeat([]byte("q"), wire.MaxName+1)...)...))
		if err := r.goodbye(); !errors.Is(err, reeve.ErrProtocol) {
			t.Fatalf("goodbye with %v", err)
		}
		checkServes(t, m)
	}, usual)
}

// What a stack tells is for those who debug a master, not for its clients.
func TestPanic_ItsStackIsSentInDebugModeOnly(t *testing.T) {
	for _, debug := range []bool{false, true} {
		managertest.Run(t, func(t *testing.T, m *managertest.Master) {
			m.Declare(t, "tasks", reeve.QueueConfig{})
			m.Manager().Spy(func(wire.Type) { panic("as a bug would") })
			_, err := m.Dial(t).Queue("tasks").Stats(t.Context())
			var remote *reeve.RemoteError
			if !errors.As(err, &remote) || !errors.Is(err, reeve.ErrInternal) {
				t.Fatalf("Debug %v: %v", debug, err)
			}
			if (remote.Stack != "") != debug {
				t.Errorf("Debug %v: the client got the stack %q", debug, remote.Stack)
			}
		}, manager.Config{Debug: debug})
	}
}

// A client that says goodbye has not died: what it holds was not lost.
func TestClientThatLeaves_ItsTasksComeBackInOrderAndNothingIsCounted(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1})
		ids := put(t, q, 10)
		c := m.Dial(t)
		if _, err := c.Queue("tasks").Get(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		c.Close()
		settle()
		if s := statsOf(t, q); s.Ready != 10 || s.Returned != 5 || s.Lost != 0 || s.Dead != 0 {
			t.Fatalf("ready %d, returned %d, lost %d, dead %d", s.Ready, s.Returned, s.Lost, s.Dead)
		}
		for i, id := range ids {
			if l := get(t, q); l.ID != id {
				t.Fatalf("task %d is %v, want %v", i, l.ID, id)
			}
		}
	})
}
