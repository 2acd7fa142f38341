package manager_test

// Whoever connects, with the key or without it, and whatever he says, harms
// nobody but himself: others are served as before, nothing is allocated on the
// word of a header, and the one who broke the rules is told which.

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

func TestSilentStrangers_DelayNoLoginAndAreClosed(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		var strangers []net.Conn
		for range 1000 {
			c, err := m.ClientConfig().Dialer(t.Context(), m.Addr())
			if err != nil {
				t.Fatal(err)
			}
			strangers = append(strangers, c)
		}
		settle()
		if n := m.Manager().Stats().Waiting; n < 1000 {
			t.Fatalf("%d connections wait", n)
		}
		began := time.Now()
		m.Dial(t)
		soon(t, began, 100*time.Millisecond, "a login beside a thousand silent connections")
		var closed sync.WaitGroup
		for _, c := range strangers {
			closed.Go(func() {
				if _, err := io.Copy(io.Discard, c); err != nil {
					t.Error(err)
				}
				c.Close()
			})
		}
		closed.Wait()
		soon(t, began, auth.DefaultTimeout/2, "the end of the silent connections")
		settle()
		if n := m.Manager().Stats().Waiting; n != 0 {
			t.Errorf("%d connections wait", n)
		}
	})
}

func TestWrongKey_IsAnErrorOnBothSidesAtOnce(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		cfg := m.ClientConfig()
		cfg.AuthKey = testKey(t)
		began := time.Now()
		if _, err := proxy.Dial(t.Context(), m.Addr(), cfg); !errors.Is(err, reeve.ErrAuth) {
			t.Errorf("a client with another key: %v", err)
		}
		soon(t, began, time.Second, "the refusal")
		settle()
		if s := m.Manager().Stats(); s.LoginFailed != 1 || s.LoggedIn != 0 || s.Sessions != 0 {
			t.Errorf("%+v", s)
		}
		checkServes(t, m)
	})
}

func TestPortScan_LeavesTheListenerAlive(t *testing.T) {
	t.Parallel()
	_, addr, cfg := listenTCP(t, manager.Config{}, "tasks")
	says := []string{"", "\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SSH-2.0-x\r\n", "\x16\x03\x01", "\x80\x00\x00\x00", strings.Repeat("A", 100_000)}
	var scans sync.WaitGroup
	for _, text := range says {
		for _, linger := range []int{0, -1} {
			scans.Go(func() {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				c.(*net.TCPConn).SetLinger(linger)
				io.WriteString(c, text) // the master may have closed it by then
			})
		}
	}
	scans.Wait()
	c, err := proxy.Dial(t.Context(), addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	putOne(t, c.Queue("tasks"), "x")
}

func TestClientThatProvedItselfAndSaysNothing_IsClosed(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		silent := knock(t, m)
		half := knock(t, m)
		half.openControl()
		half.write(half.control, encode(t, wire.Hello{Version: 1})[:7])
		began := time.Now()
		<-silent.s.Done()
		<-half.s.Done()
		soon(t, began, 11*time.Second, "the end of those who said no hello")
		checkServes(t, m)
	})
}

func TestHello_ThatBreaksTheRulesIsToldWhy(t *testing.T) {
	hello := func(t *testing.T) []byte { return encode(t, wire.Hello{Version: wire.Version}) }
	tests := []struct {
		name  string
		bytes func(t *testing.T) []byte
		want  error
	}{
		{"an old version", func(t *testing.T) []byte { return encode(t, wire.Hello{Version: 0, Impl: "old"}) }, reeve.ErrVersion},
		{"another message first", func(t *testing.T) []byte { return encode(t, wire.Heartbeat{Seq: 1}) }, reeve.ErrProtocol},
		{"a request first", func(t *testing.T) []byte { return encode(t, wire.StatsRequest{Req: 1}) }, reeve.ErrProtocol},
		{"no CBOR", func(*testing.T) []byte { return frame([]byte("GET / HTTP/1.1")...) }, reeve.ErrProtocol},
		{"two hellos", func(t *testing.T) []byte { return append(hello(t), hello(t)...) }, reeve.ErrProtocol},
		{"more than 1 KiB", func(t *testing.T) []byte {
			return encode(t, wire.Hello{Version: wire.Version, Impl: strings.Repeat("x", 1024)})
		}, reeve.ErrProtocol},
		{"4 GiB", func(*testing.T) []byte { return []byte{255, 255, 255, 255, 1, 2, 3} }, reeve.ErrProtocol},
		{"nothing", func(*testing.T) []byte { return frame() }, reeve.ErrProtocol},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				m.Declare(t, "tasks", reeve.QueueConfig{})
				r := knock(t, m)
				r.openControl()
				r.write(r.control, test.bytes(t))
				if err := r.goodbye(); !errors.Is(err, test.want) {
					t.Errorf("the goodbye says %v, want %v", err, test.want)
				}
				checkServes(t, m)
			})
		})
	}
}

func TestFirstStream_ThatIsNotControlEndsTheSession(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		for _, k := range []session.Kind{session.Calls, session.Bulk} {
			r := knock(t, m)
			// The master may end the session before all of this is written.
			if st, err := r.s.Open(t.Context(), k); err == nil {
				st.Write(encode(t, wire.StatsRequest{Req: 1}))
			}
			<-r.s.Done()
		}
		checkServes(t, m)
	})
}

// garbage is what no stream of an authenticated client may carry.
func garbage(t *testing.T) map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 5000)
	for i := range random {
		random[i] = byte(rnd.Uint32())
	}
	random[0] = 0x7f // a length beyond any limit
	return map[string][]byte{
		"random bytes":        random,
		"a frame of 4 GiB":    {255, 255, 255, 255, 16, 0xa0},
		"a frame of nothing":  {0, 0, 0, 0},
		"a frame of one byte": {0, 0, 0, 1, 16},
		"text":                frame([]byte("hello, world")...),
		"a type without body": frame(0x18, 200),
		"an array as body":    frame(16, 0x80),
		"a body cut short":    frame(16, 0xa5, 1, 1),
		"a key twice":         frame(24, 30, 0xa2, 1, 1, 1, 2),
		"an endless map":      frame(16, 0xbf),
		"deep nesting":        frame(append([]byte{0x18, 99, 0xa1, 2}, bytes.Repeat([]byte{0x81}, 1000)...)...),
		"two bodies":          frame(0x18, 27, 0xa1, 1, 1, 0xa1, 1, 1),
		"an invalid text":     frame(0x18, 27, 0xa2, 1, 1, 3, 0x62, 0xff, 0xfe),
	}
}

// onRequests is what only requests can break.
func onRequests(t *testing.T) map[string][]byte {
	task := []reeve.Task{{Payload: []byte("x")}}
	return map[string][]byte{
		"request 0":              encodeUnchecked(27, 1, 0),
		"low above the request":  encodeUnchecked(27, 1, 1, 2, 2),
		"a put of nothing":       frame(16, 0xa3, 1, 1, 3, 0x65, 't', 'a', 's', 'k', 's', 5, 0x80),
		"beyond the window":      build(t, func(b *wire.Builder) error { return b.Put(1<<40, 1, "tasks", 0, task) }),
		"nack beyond the window": encode(t, wire.Nack{Req: 1 << 40, Low: 1, Queue: "tasks", ID: 1, Attempt: 1}),
		"an attempt of 64 bits":  frame(0x18, 21, 0xa2, 1, 1, 5, 0x1b, 1, 0, 0, 0, 0, 0, 0, 0),
	}
}

// encodeUnchecked is a message of a type above 23 with unsigned keys and values
// below 24.
func encodeUnchecked(t byte, pairs ...byte) []byte {
	return frame(append([]byte{0x18, t, 0xa0 | byte(len(pairs)/2)}, pairs...)...)
}

func TestGarbage_EndsItsSessionWithAReasonAndNoOther(t *testing.T) {
	for _, kind := range []session.Kind{session.Control, session.Calls, session.Bulk} {
		all := garbage(t)
		if kind == session.Control {
			all["a second hello"] = encode(t, wire.Hello{Version: wire.Version})
			all["a heartbeat of text"] = frame(3, 0xa1, 1, 0x61, 'x')
			delete(all, "a type without body") // unknown types are ignored there, body and all
			delete(all, "deep nesting")
			delete(all, "two bodies")
			delete(all, "a key twice")
			delete(all, "an array as body")
			delete(all, "a body cut short")
			delete(all, "an endless map")
			delete(all, "an invalid text")
		} else {
			for name, b := range onRequests(t) {
				all[name] = b
			}
		}
		for name, b := range all {
			t.Run(kind.String()+"/"+name, func(t *testing.T) {
				managertest.Run(t, func(t *testing.T, m *managertest.Master) {
					m.Declare(t, "tasks", reeve.QueueConfig{})
					r := enter(t, m)
					st := r.control
					switch kind {
					case session.Calls:
						st = r.calls
					case session.Bulk:
						r.alive() // the calls stream has come
						st = r.open(kind)
					}
					r.write(st, b)
					if err := r.goodbye(); !errors.Is(err, reeve.ErrProtocol) {
						t.Errorf("the goodbye says %v", err)
					}
					settle()
					if s := m.Manager().Stats(); s.Protocol != 1 || s.Sessions != 0 {
						t.Errorf("%+v", s)
					}
					checkServes(t, m)
				})
			})
		}
	}
}

func TestStreamThatEndsInAFrame_EndsItsSession(t *testing.T) {
	for _, kind := range []session.Kind{session.Control, session.Calls, session.Bulk} {
		t.Run(kind.String(), func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				m.Declare(t, "tasks", reeve.QueueConfig{})
				r := enter(t, m)
				r.alive()
				st := map[session.Kind]*session.Stream{session.Control: r.control, session.Calls: r.calls}[kind]
				if st == nil {
					st = r.open(kind)
				}
				r.write(st, []byte{0, 1, 0, 0, 16, 0xa1})
				st.Close()
				<-r.s.Done()
				checkServes(t, m)
			})
		})
	}
}

func TestTypesOfTheOtherRole_AreAnsweredUnsupported(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		for i, msg := range []wire.Message{
			wire.Answer{Req: 7}, &wire.Error{Req: 7, Code: 1}, wire.End{Consumer: 7}, wire.Welcome{Version: 7},
			wire.Hello{Version: 7}, wire.Heartbeat{Seq: 7}, wire.Goodbye{Code: 7},
		} {
			r.write(r.calls, encode(t, msg))
			if _, err := r.answer(7); !errors.Is(err, reeve.ErrUnsupported) {
				t.Errorf("%T: %v", msg, err)
			}
			if n := m.Manager().Stats().Unsupported; n != uint64(i+1) {
				t.Errorf("%d counted after %T", n, msg)
			}
		}
		r.alive()
	})
}

func TestHeaderOfALargeFrame_CostsNothingUntilItsBytesCome(t *testing.T) {
	m := managertest.Start(t)
	m.Declare(t, "tasks", reeve.QueueConfig{})
	const n = 20
	clients := make([]*raw, n)
	streams := make([]*session.Stream, n)
	for i := range clients {
		clients[i] = enter(t, m)
		clients[i].alive()
		streams[i] = clients[i].open(session.Bulk)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i, r := range clients {
		r.write(streams[i], []byte{1, 0, 0, 0, 16, 0xa5, 1, 1}) // 16 MiB
		r.alive()
		r.alive()
	}
	runtime.ReadMemStats(&after)
	if got := int64(after.TotalAlloc - before.TotalAlloc); got > n*256<<10 {
		t.Errorf("%d headers of 16 MiB made %d KiB of allocations", n, got>>10)
	}
	checkServes(t, m)
}

func TestClientThatComesBack_EndsItsOldSession(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		same := func(h *wire.Hello) { h.Client = wire.ClientID{1, 2, 3} }
		first := enter(t, m, same)
		first.alive()
		second := enter(t, m, same) // the same key: the client came back
		<-first.s.Done()
		second.alive()
		if s := m.Manager().Stats(); s.TakenOver != 1 || s.Sessions != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func FuzzSession(f *testing.F) {
	task := []reeve.Task{{Payload: []byte("payload"), Type: "t", Delay: 1, Timeout: 1}}
	for _, b := range [][]byte{
		build(f, func(b *wire.Builder) error { return b.Put(1, 1, "tasks", wire.FlagEach, task) }),
		build(f, func(b *wire.Builder) error { return b.Ack(1, 1, "tasks", 1, 1) }),
		build(f, func(b *wire.Builder) error { return b.Complete(1, 1, "tasks", "tasks", 1, 1, &task[0]) }),
		encode(f, wire.Get{Req: 1, Low: 1, Queue: "tasks", Max: 10}),
		encode(f, wire.Consume{Req: 1, Low: 1, Queue: "tasks", Consumer: 1, Slots: 10}),
		encode(f, wire.Claim{Req: 1, Low: 1, Queue: "tasks", Entries: wire.Pairs{{ID: 1, Attempt: 1}}, Consumer: 1}),
		encode(f, wire.Nack{Req: 1, Low: 1, Queue: "tasks", ID: 1, Attempt: 1, Error: "e", Stack: "s"}),
		encode(f, wire.Join{Req: 1, Low: 1, Queue: "tasks"}),
		encode(f, wire.DeadRequest{Req: 1, Low: 1, Queue: "tasks", Max: 10}),
		encode(f, wire.Cancel{Req: 1}),
		encode(f, wire.Heartbeat{Seq: 1}),
		encode(f, wire.Goodbye{Code: 1}),
		{0xff, 0xff, 0xff, 0xff},
		frame(0x18, 99, 0xa1, 1, 1),
	} {
		for kind := byte(1); kind <= 3; kind++ {
			f.Add(kind, b)
		}
	}
	m := managertest.Start(f)
	m.Declare(f, "tasks", reeve.QueueConfig{MaxLen: 100})
	other := m.Dial(f)
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		r := enter(t, m)
		r.alive()
		over := make(chan struct{})
		go func() { // ends with the session
			defer close(over)
			for {
				frame, err := r.said.Next()
				if err != nil {
					return
				}
				if kind, _, _ := wire.ParseType(frame); kind == wire.TypeGoodbye {
					r.s.Close()
				}
			}
		}()
		go io.Copy(io.Discard, r.calls) // ends with the session
		st := r.control
		switch kind % 3 {
		case 1:
			st = r.calls
		case 2:
			st = r.open(session.Bulk)
		}
		st.Write(data) // the master may have had enough
		st.Close()
		if st.Kind() == session.Bulk {
			r.calls.Close()
		}
		select {
		case <-over:
		case <-time.After(30 * time.Second):
			t.Error("the session goes on without one of its streams")
		}
		r.s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := other.Queue("tasks").Stats(ctx); err != nil {
			t.Errorf("another client: %v", err)
		}
		if n := m.Manager().Stats().Panics; n != 0 {
			t.Fatalf("%d requests panicked", n)
		}
	})
}

func TestConnectionThatEnds_IsNoViolation(t *testing.T) {
	for _, name := range []string{"without a word", "right after goodbye", "in a frame"} {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				m.Declare(t, "tasks", reeve.QueueConfig{})
				r := enter(t, m)
				r.alive()
				switch name {
				case "right after goodbye":
					r.write(r.control, encode(t, wire.Goodbye{}))
				case "in a frame":
					r.write(r.calls, []byte{0, 1, 0, 0, 16, 0xa1})
				}
				r.s.Flush(t.Context())
				r.conn.Close()
				settle()
				if s := m.Manager().Stats(); s.Protocol != 0 || s.Sessions != 0 {
					t.Errorf("%d violations, %d sessions", s.Protocol, s.Sessions)
				}
				checkServes(t, m)
			})
		})
	}
}
