package manager_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/managertest"
)

// raw is a client that knows the key and says what a test wants, byte by byte.
type raw struct {
	t       testing.TB
	conn    *memnet.Conn
	s       *session.Session
	control *session.Stream
	calls   *session.Stream
	said    *wire.Reader // on control
	answers *wire.Reader // on calls
	welcome wire.Welcome
	req     uint64
}

// knock authenticates, and says nothing.
func knock(t testing.TB, m *managertest.Master) *raw {
	t.Helper()
	cfg := m.ClientConfig()
	conn, err := cfg.Dialer(t.Context(), m.Addr())
	if err != nil {
		t.Fatal(err)
	}
	handshake := auth.ClientConfig{Key: cfg.AuthKey}
	secured, _, err := handshake.Handshake(t.Context(), conn, m.Addr())
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.Client(secured, session.Config{Window: session.MinWindow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &raw{t: t, conn: conn.(*memnet.Conn), s: s}
}

// enter says hello, as change has it, and opens the calls stream.
func enter(t testing.TB, m *managertest.Master, change ...func(*wire.Hello)) *raw {
	t.Helper()
	r := knock(t, m)
	hello := wire.Hello{Version: wire.Version, Low: 1}
	rand.Read(hello.Client[:])
	for _, f := range change {
		f(&hello)
	}
	r.openControl()
	r.write(r.control, encode(t, hello))
	r.read(r.said, wire.TypeWelcome, &r.welcome)
	r.calls = r.open(session.Calls)
	r.answers = wire.NewReader(r.calls, int(r.welcome.MaxFrame))
	return r
}

func (r *raw) openControl() {
	r.t.Helper()
	r.control = r.open(session.Control)
	r.said = wire.NewReader(r.control, 0)
}

func (r *raw) open(k session.Kind) *session.Stream {
	r.t.Helper()
	st, err := r.s.Open(r.t.Context(), k)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// write writes bytes that the master may stop taking.
func (r *raw) write(st *session.Stream, b []byte) {
	r.t.Helper()
	if _, err := st.Write(b); err != nil && r.s.Err() == nil {
		r.t.Fatal(err)
	}
}

// read reads the next message, which must be of type want.
func (r *raw) read(from *wire.Reader, want wire.Type, m any) {
	r.t.Helper()
	frame, err := from.Next()
	if err != nil {
		r.t.Fatalf("%v instead of %v", err, want)
	}
	got, body, err := wire.ParseType(frame)
	if err != nil || got != want {
		r.t.Fatalf("%v (%v) instead of %v: %x", got, err, want, body[:min(len(body), 200)])
	}
	if d, ok := m.(interface{ Decode([]byte) error }); ok {
		err = d.Decode(body)
	} else {
		err = wire.Decode(got, body, m)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// next is the id of a new request.
func (r *raw) next() uint64 { r.req++; return r.req }

// ask sends a request and reads the next answer, which must be one to it.
func (r *raw) ask(msg func(req uint64) wire.Message) (*wire.Answer, error) {
	r.t.Helper()
	req := r.next()
	r.write(r.calls, encode(r.t, msg(req)))
	return r.answer(req)
}

// answer reads the next answer on calls: an Answer, a Confirm (nil) or an Error.
func (r *raw) answer(req uint64) (*wire.Answer, error) {
	r.t.Helper()
	frame, err := r.answers.Next()
	if err != nil {
		r.t.Fatal(err)
	}
	kind, body, err := wire.ParseType(frame)
	if err != nil {
		r.t.Fatal(err)
	}
	var got uint64
	var a *wire.Answer
	switch kind {
	case wire.TypeConfirm:
		var f wire.ConfirmFrame
		err = f.Decode(body)
		if err == nil {
			got = f.Ranges[0].Req
		}
	case wire.TypeAnswer:
		a = new(wire.Answer)
		err = wire.Decode(kind, body, a)
		got = a.Req
	case wire.TypeError:
		var e wire.Error
		if err := wire.Decode(kind, body, &e); err != nil {
			r.t.Fatal(err)
		}
		if e.Req != req {
			r.t.Fatalf("an answer to %d instead of %d: %v", e.Req, req, e.Err())
		}
		return nil, e.Err()
	default:
		r.t.Fatalf("%v is no answer", kind)
	}
	if err != nil || got != req {
		r.t.Fatalf("an answer to %d instead of %d: %v", got, req, err)
	}
	return a, nil
}

// goodbye reads the reason for which the master ends the session, and waits for
// its end.
func (r *raw) goodbye() error {
	r.t.Helper()
	var bye wire.Goodbye
	for {
		frame, err := r.said.Next()
		if err != nil {
			r.t.Fatalf("no goodbye: %v", err)
		}
		kind, body, err := wire.ParseType(frame)
		if err != nil {
			r.t.Fatal(err)
		}
		if kind != wire.TypeGoodbye {
			continue
		}
		if err := wire.Decode(kind, body, &bye); err != nil {
			r.t.Fatal(err)
		}
		break
	}
	r.s.Close()
	return bye.Err()
}

// alive requires that the session goes on.
func (r *raw) alive() {
	r.t.Helper()
	r.aliveAs(r.next())
}

// aliveAs is alive with a request id of the caller's.
func (r *raw) aliveAs(req uint64) {
	r.t.Helper()
	r.write(r.calls, encode(r.t, wire.StatsRequest{Req: req, Low: 1}))
	a, err := r.answer(req)
	if err != nil || len(a.Queues) == 0 {
		r.t.Fatalf("the session does not go on: %v", err)
	}
}

func encode(t testing.TB, m wire.Message) []byte {
	t.Helper()
	b, err := wire.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// frame puts a length before a message.
func frame(body ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// build is what a Builder makes of what f adds to it.
func build(t testing.TB, f func(*wire.Builder) error) []byte {
	t.Helper()
	var b wire.Builder
	b.SetMaxFrame(64 << 20)
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Take()
}

// checkServes requires that the master goes on serving others.
func checkServes(t testing.TB, m *managertest.Master) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q := m.Dial(t).Queue("tasks")
	if _, err := q.Put(ctx, []reeve.Task{{Payload: []byte("x")}}); err != nil {
		t.Fatalf("another client: %v", err)
	}
	ls, err := q.Get(ctx, 1)
	if err != nil {
		t.Fatalf("another client: %v", err)
	}
	if err := ls[0].Ack(ctx); err != nil && !errors.Is(err, reeve.ErrLeaseLost) {
		t.Fatalf("another client: %v", err)
	}
}
