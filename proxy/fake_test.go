package proxy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

var testKey = sync.OnceValue(func() auth.Key {
	key, _, err := auth.GenerateKey("test")
	if err != nil {
		panic(err)
	}
	return key
})

// fake is a master that does what a test tells it: it lets clients in, reads
// their requests, and answers nothing by itself but Claimed.
type fake struct {
	t       *testing.T
	net     *memnet.Network
	ln      *memnet.Listener
	server  *auth.Server
	welcome wire.Welcome // of the sessions to come

	old bool // it does not know Claimed

	sessions chan *fakeSession
	ended    sync.WaitGroup

	mu   sync.Mutex // guards open and changes of welcome, which only the test's goroutine makes
	open []*session.Session
}

const fakeAddr = "master:1"

func newFake(t *testing.T) *fake {
	ring, err := auth.Keys(testKey())
	if err != nil {
		t.Fatal(err)
	}
	server, err := auth.NewServer(auth.ServerConfig{Keys: ring})
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{
		t: t, net: new(memnet.Network), server: server, sessions: make(chan *fakeSession, 16),
		welcome: wire.Welcome{Version: wire.Version, Epoch: 1, Heartbeat: 5 * time.Second, MaxFrame: 8 << 20, MaxPayload: 4 << 20, Window: 1 << 12},
	}
	f.listen()
	return f
}

func (f *fake) listen() {
	ln, err := f.net.Listen(fakeAddr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.ln = ln
	f.ended.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			f.ended.Go(func() { f.serve(conn) })
		}
	})
}

// stop refuses connections; those that stand go on.
func (f *fake) stop() { f.ln.Close() }

// close ends everything and waits for it.
func (f *fake) close() {
	f.stop()
	for _, conn := range f.net.Conns() {
		conn.Reset() // those in a handshake too
	}
	f.mu.Lock()
	open := f.open
	f.mu.Unlock()
	for _, s := range open {
		s.Fail(nil)
	}
	f.ended.Wait()
}

func (f *fake) serve(conn net.Conn) {
	secured, _, err := f.server.Handshake(context.Background(), conn)
	if err != nil {
		return
	}
	s, err := session.Server(secured, session.Config{})
	if err != nil {
		return
	}
	defer s.Close()
	f.mu.Lock()
	f.open = append(f.open, s)
	f.mu.Unlock()
	fs := &fakeSession{f: f, s: s, conn: conn.(*memnet.Conn), requests: make(chan request, 1<<16), reports: make(chan wire.Report, 64), bye: make(chan wire.Goodbye, 1), claimed: make(chan struct{}, 16)}
	if fs.control, err = s.Accept(context.Background()); err != nil {
		return
	}
	r := wire.NewReader(fs.control, 0)
	frame, err := r.Next()
	if err != nil {
		return
	}
	if _, body, err := wire.ParseType(frame); err != nil || wire.Decode(wire.TypeHello, body, &fs.hello) != nil {
		f.t.Errorf("the client's first message is not a hello: %v", err)
		return
	}
	f.mu.Lock()
	welcome := f.welcome
	f.mu.Unlock()
	fs.tell(welcome)
	var reading sync.WaitGroup
	reading.Go(func() { fs.readControl(r) })
	if fs.calls, err = s.Accept(context.Background()); err == nil {
		f.sessions <- fs
		reading.Go(func() { fs.read(fs.calls) })
	}
	for err == nil {
		var bulk *session.Stream
		if bulk, err = s.Accept(context.Background()); err == nil {
			reading.Go(func() { fs.read(bulk) })
		}
	}
	<-s.Done()
	s.Close()
	reading.Wait()
	close(fs.requests)
}

// change changes the welcome of the sessions to come.
func (f *fake) change(how func(*wire.Welcome)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(&f.welcome)
}

// session waits for the next session.
func (f *fake) session() *fakeSession {
	f.t.Helper()
	select {
	case s := <-f.sessions:
		return s
	case <-time.After(time.Minute):
		f.t.Fatal("no client connected")
		return nil
	}
}

// request is one request of a client.
type request struct {
	typ    wire.Type
	req    uint64
	low    uint64
	queue  string
	put    reeve.Task   // of a Put: the first
	tasks  int          // of a Put
	end    wire.Pair    // of Ack, Complete, Nack, Bury
	result reeve.Task   // of a Complete
	method string       // of a Call
	msg    wire.Message // of all others
	bulk   bool
}

type fakeSession struct {
	f        *fake
	s        *session.Session
	conn     *memnet.Conn
	hello    wire.Hello
	control  *session.Stream
	calls    *session.Stream
	requests chan request
	reports  chan wire.Report
	bye      chan wire.Goodbye
	claimed  chan struct{} // one for each Claimed

	mu  sync.Mutex // guards writes
	out wire.Builder
}

func (s *fakeSession) readControl(r *wire.Reader) {
	for {
		frame, err := r.Next()
		if err != nil {
			return
		}
		t, body, _ := wire.ParseType(frame)
		switch t {
		case wire.TypeHeartbeat:
			s.tell(wire.Heartbeat{})
		case wire.TypeReport:
			var m wire.Report
			wire.Decode(t, body, &m)
			s.reports <- m
		case wire.TypeGoodbye:
			var m wire.Goodbye
			wire.Decode(t, body, &m)
			s.bye <- m
		}
	}
}

func (s *fakeSession) read(stream *session.Stream) {
	r := wire.NewReader(stream, 8<<20)
	for {
		frame, err := r.Next()
		if err != nil {
			if s.s.Err() == nil && !errors.Is(err, io.EOF) {
				s.f.t.Errorf("read from the client: %v", err)
			}
			return
		}
		if err := s.parse(frame, stream.Kind() == session.Bulk); err != nil {
			s.f.t.Errorf("the client sent %x: %v", frame, err)
			return
		}
	}
}

// parse splits a frame into requests: each entry of a hot frame is one.
func (s *fakeSession) parse(frame []byte, bulk bool) error {
	t, body, err := wire.ParseType(frame)
	if err != nil {
		return err
	}
	add := func(r request) { r.typ, r.bulk = t, bulk; s.requests <- r }
	own := func(t reeve.Task) reeve.Task { t.Payload = append([]byte(nil), t.Payload...); return t }
	switch t {
	case wire.TypePut:
		var m wire.PutFrame
		if err := m.Decode(body); err != nil {
			return err
		}
		if m.Flags&wire.FlagEach == 0 {
			add(request{req: m.Req, low: m.Low, queue: m.Queue, put: own(m.Tasks[0]), tasks: len(m.Tasks)})
			return nil
		}
		for i, task := range m.Tasks {
			add(request{req: m.Req + uint64(i), low: m.Low, queue: m.Queue, put: own(task), tasks: 1})
		}
	case wire.TypeAck:
		var m wire.AckFrame
		if err := m.Decode(body); err != nil {
			return err
		}
		for i, p := range m.Entries {
			add(request{req: m.Req + uint64(i), low: m.Low, queue: m.Queue, end: wire.Pair{ID: p.ID, Attempt: p.Attempt}})
		}
	case wire.TypeComplete:
		var m wire.CompleteFrame
		if err := m.Decode(body); err != nil {
			return err
		}
		for i, e := range m.Entries {
			add(request{req: m.Req + uint64(i), low: m.Low, queue: m.Queue, end: wire.Pair{ID: e.ID, Attempt: e.Attempt}, result: own(e.Result)})
		}
	case wire.TypeCall:
		var m wire.CallFrame
		if err := m.Decode(body); err != nil {
			return err
		}
		add(request{req: m.Req, low: m.Low, method: m.Method})
	default:
		return s.parseMessage(t, body, add)
	}
	return nil
}

func (s *fakeSession) parseMessage(t wire.Type, body []byte, add func(request)) error {
	var m wire.Message
	switch t {
	case wire.TypeNack:
		m = new(wire.Nack)
	case wire.TypeBury:
		m = new(wire.Bury)
	case wire.TypeExtend:
		m = new(wire.Extend)
	case wire.TypeClaim:
		m = new(wire.Claim)
	case wire.TypeClaimed:
		return s.onClaimed(body)
	case wire.TypeGet:
		m = new(wire.Get)
	case wire.TypeConsume:
		m = new(wire.Consume)
	case wire.TypeUnconsume:
		m = new(wire.Unconsume)
	case wire.TypeCancel:
		m = new(wire.Cancel)
	case wire.TypeStats:
		m = new(wire.StatsRequest)
	case wire.TypeJoin:
		m = new(wire.Join)
	case wire.TypeShutdown:
		m = new(wire.ShutdownRequest)
	case wire.TypeDead:
		m = new(wire.DeadRequest)
	case wire.TypeAct:
		m = new(wire.Act)
	case wire.TypeResult:
		m = new(wire.ResultRequest)
	case wire.TypeProgress:
		m = new(wire.Progress)
	case wire.TypeWorkers:
		m = new(wire.WorkersRequest)
	case wire.TypeEvents:
		m = new(wire.Events)
	case wire.TypeUnevents:
		m = new(wire.Unevents)
	case wire.TypeBackup:
		m = new(wire.Backup)
	}
	if err := wire.Decode(t, body, m); err != nil {
		return err
	}
	req, _, err := wire.RequestID(body)
	r := request{req: req, msg: m}
	switch m := m.(type) {
	case *wire.Nack:
		r.queue, r.end = m.Queue, wire.Pair{ID: m.ID, Attempt: m.Attempt}
	case *wire.Get:
		r.queue, r.low = m.Queue, m.Low
	case *wire.Consume:
		r.queue = m.Queue
	}
	add(r)
	return err
}

// onClaimed takes the client's word that it has claimed what it has.
func (s *fakeSession) onClaimed(body []byte) error {
	var m wire.Claimed
	if err := wire.Decode(wire.TypeClaimed, body, &m); err != nil {
		return err
	}
	s.claimed <- struct{}{}
	if s.f.old {
		s.refuse(m.Req, reeve.ErrUnsupported)
	} else {
		s.confirm(m.Req, 0)
	}
	return nil
}

// next waits for the next request, which must be of type t.
func (s *fakeSession) next(t wire.Type) request {
	s.f.t.Helper()
	select {
	case r, ok := <-s.requests:
		if !ok {
			s.f.t.Fatalf("the session ended before a %v came", t)
		}
		if r.typ != t {
			s.f.t.Fatalf("the client sent %+v, want a %v", r, t)
		}
		return r
	case <-time.After(time.Minute):
		s.f.t.Fatalf("no %v came", t)
		return request{}
	}
}

// tell writes a message to the control stream.
func (s *fakeSession) tell(m wire.Message) {
	b, err := wire.Append(nil, m)
	if err != nil {
		s.f.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.control.Write(b) // a lost connection is what many tests are about
}

// answer writes what build adds to the calls stream.
func (s *fakeSession) answer(build func(b *wire.Builder)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	build(&s.out)
	s.calls.Write(s.out.Take())
}

// raw writes bytes to the calls stream.
func (s *fakeSession) raw(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.Write(b)
}

func (s *fakeSession) confirm(req uint64, first reeve.ID) {
	s.answer(func(b *wire.Builder) { b.Confirm(req, 1, first) })
}

func (s *fakeSession) refuse(req uint64, err error) {
	s.answer(func(b *wire.Builder) { b.Message(wire.ErrorFor(req, err, "")) })
}

func (s *fakeSession) message(m wire.Message) {
	s.answer(func(b *wire.Builder) {
		if err := b.Message(m); err != nil {
			s.f.t.Error(err)
		}
	})
}

// deliver hands tasks over: to a consumer, or as the answer to a Get.
func (s *fakeSession) deliver(consumer, req uint64, queue string, tasks ...reeve.Task) {
	s.answer(func(b *wire.Builder) {
		for i := range tasks {
			b.Deliver(consumer, req, queue, &tasks[i])
		}
	})
}

// drop breaks the connection.
func (s *fakeSession) drop() { s.conn.Reset() }

func (f *fake) config() proxy.Config {
	return proxy.Config{AuthKey: testKey(), Name: "test", Dialer: func(ctx context.Context, addr string) (net.Conn, error) {
		return f.net.DialContext(ctx, "mem", addr)
	}}
}

// dial connects a client, whose configuration how may change.
func (f *fake) dial(how ...func(*proxy.Config)) (*proxy.Client, *fakeSession) {
	f.t.Helper()
	cfg := f.config()
	for _, change := range how {
		change(&cfg)
	}
	c, err := proxy.Dial(f.t.Context(), fakeAddr, cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	return c, f.session()
}

// async runs f and returns where its result will be.
func async[T any](f func() (T, error)) <-chan outcome[T] {
	done := make(chan outcome[T], 1)
	go func() {
		v, err := f()
		done <- outcome[T]{v, err}
	}()
	return done
}

type outcome[T any] struct {
	v   T
	err error
}

func await[T any](t *testing.T, what string, done <-chan outcome[T]) (T, error) {
	t.Helper()
	select {
	case o := <-done:
		return o.v, o.err
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s does not end", what)
		panic("unreachable")
	}
}
