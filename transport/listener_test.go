package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/transport"
)

func TestDial_AnotherKeyIsRefusedOnBothSides(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		l := listen(t, addr, cfg)
		other := cfg
		other.Key = newKey(t)
		_, err := transport.Dial(t.Context(), l.Addr().String(), other)
		var rejected *auth.RejectedError
		if !errors.Is(err, reeve.ErrAuth) || !errors.As(err, &rejected) || !auth.GuessGiven(err) {
			t.Errorf("%v", err)
		}
		near := dial(t, l, cfg) // Accept tells nothing of the other
		far := accept(t, l)
		send(t, near, "hello")
		receives(t, far, "hello")
		s := l.Stats()
		for ; s.Failed+s.LoggedIn < 2; s = l.Stats() { // the listener may still be about the one it has refused
			runtime.Gosched()
		}
		if s.Failed != 1 || s.LoggedIn != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestListener_GoesOnAfterStrangers is a port scan, garbage, plain HTTP, and
// many who say nothing.
func TestListener_GoesOnAfterStrangers(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		l := listen(t, addr, cfg)
		for i := range 60 {
			c := stranger(t, l)
			switch i % 4 {
			case 0:
				c.Close() // a scan
			case 1:
				fmt.Fprintf(c, "GET / HTTP/1.0\r\n\r\n")
			case 2:
				_, _ = c.Write([]byte{0x16, 3, 1, 0xff, 0xff, 1, 2, 3}) // the beginning of a TLS record
			default: // says nothing
			}
		}
		near := dial(t, l, cfg)
		far := accept(t, l)
		send(t, near, "hello")
		receives(t, far, "hello")
	})
}

func TestListener_ASilentClientIsCutOff(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		cfg.Timeout = 100 * time.Millisecond
		l := listen(t, addr, cfg)
		c := stranger(t, l)
		if _, err := c.Read(make([]byte, 1)); err == nil { // waits until the other end closes
			t.Error("a stranger was told something")
		}
	})
}

func TestListener_RefusesWhomNobodyAccepts(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		cfg.Backlog = 2
		l := listen(t, addr, cfg)
		waiting := []*transport.Conn{dial(t, l, cfg), dial(t, l, cfg)}
		if _, err := transport.Dial(t.Context(), l.Addr().String(), cfg); !errors.Is(err, reeve.ErrLimit) {
			t.Fatalf("%v", err)
		}
		for _, near := range waiting {
			send(t, near, "I was first")
			receives(t, accept(t, l), "I was first")
		}
		dial(t, l, cfg) // there is room again
	})
}

func TestAccept_EndsWithItsContextOrTheListener(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		l := listen(t, addr, cfg)
		if _, err := l.Accept(ended(t)); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		got := make(chan error, 1)
		go func() { _, err := l.Accept(context.Background()); got <- err }()
		near := dial(t, l, cfg) // goes to that Accept, or is closed
		err := <-got
		if err != nil {
			t.Fatal(err)
		}
		near.Close()
		left := dial(t, l, cfg)
		l.Close()
		l.Close()
		if _, err := l.Accept(t.Context()); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if _, err := left.RecvBytes(t.Context(), 0); !errors.Is(err, reeve.ErrDisconnected) {
			t.Errorf("a connection that was not accepted: %v", err)
		}
		if _, err := transport.Dial(t.Context(), l.Addr().String(), cfg); err == nil {
			t.Error("somebody answers after Close")
		}
	})
}

func TestClose_OfTheListenerLeavesWhatWasAccepted(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		l := listen(t, addr, cfg)
		near := dial(t, l, cfg)
		far := accept(t, l)
		l.Close()
		send(t, near, "still here")
		receives(t, far, "still here")
	})
}

// failing is a listener whose Accept fails for good.
type failing struct {
	net.Listener
	err error
}

func (f failing) Accept() (net.Conn, error) { return nil, f.err }

func TestAccept_TellsWhyNobodyCanConnectAnyMore(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("the network is gone")
	l, err := transport.NewListener(failing{ln, why}, transport.Config{Key: newKey(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Accept(t.Context()); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

func TestDial_NobodyThereIsAnErrorAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		l := listen(t, addr, cfg)
		l.Close()
		_, err := transport.Dial(t.Context(), l.Addr().String(), cfg)
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" {
			t.Errorf("%v", err)
		}
	})
}

// TestDial_AListenerThatStopsAfterTheProofIsATimeout has a peer with the key
// that does not say hello.
func TestDial_AListenerThatStopsAfterTheProofIsATimeout(t *testing.T) {
	t.Parallel()
	cfg := transport.Config{Key: newKey(t), Timeout: 200 * time.Millisecond}
	keys, err := auth.Keys(cfg.Key)
	if err != nil {
		t.Fatal(err)
	}
	server, err := auth.NewServer(auth.ServerConfig{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	over := make(chan error, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			over <- err
			return
		}
		c, _, err = server.Handshake(context.Background(), c)
		if err == nil {
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
		over <- err
	}()
	_, err = transport.Dial(t.Context(), ln.Addr().String(), cfg)
	var late *auth.TimeoutError
	if !errors.As(err, &late) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
}

func TestDial_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0") // and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	go func() {
		if c, err := ln.Accept(); err == nil {
			defer c.Close()
			_, _ = c.Read(make([]byte, 1)) // the hello has begun
			cancel(why)
			_, _ = io.Copy(io.Discard, c)
		}
	}()
	if _, err := transport.Dial(ctx, ln.Addr().String(), transport.Config{Key: newKey(t)}); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

func TestDial_AMasterWithTheSameKeyIsNoListener(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		m, err := manager.New(manager.Config{AuthKey: cfg.Key})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if err := m.Start(t.Context(), addr); err != nil {
			t.Fatal(err)
		}
		if _, err := transport.Dial(t.Context(), m.Addr().String(), cfg); !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("%v", err)
		}
	})
}

func TestListener_AClientOfMastersIsNotAccepted(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		l := listen(t, addr, cfg)
		if c, err := proxy.Dial(t.Context(), l.Addr().String(), proxy.Config{AuthKey: cfg.Key, DialOnce: true}); err == nil {
			c.Close()
			t.Error("connected")
		}
		near := dial(t, l, cfg)
		if far := accept(t, l); far.RemoteAddr().String() != near.LocalAddr().String() {
			t.Errorf("accepted %v", far.RemoteAddr())
		}
	})
}

func TestListen_TwiceAtOneAddressIsAnError(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		l := listen(t, addr, cfg)
		if _, err := transport.Listen(t.Context(), l.Addr().String(), cfg); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%v", err)
		}
	})
}

func TestConfig_ErrorsNameTheField(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	for field, cfg := range map[string]transport.Config{
		"Config.Key":        {},
		"Config.MaxMessage": {Key: key, MaxMessage: -1},
		"Config.Timeout":    {Key: key, Timeout: -1},
		"Config.Backlog":    {Key: key, Backlog: -1},
	} {
		_, listen := transport.Listen(t.Context(), "127.0.0.1:0", cfg)
		_, dial := transport.Dial(t.Context(), "127.0.0.1:1", cfg)
		for _, err := range []error{listen, dial} {
			if err == nil || len(err.Error()) < len(field) || err.Error()[len("transport: "):][:len(field)] != field {
				t.Errorf("%s: %v", field, err)
			}
		}
	}
}

func TestMemory_IsANetworkOfItsOwn(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	var first, second transport.Memory
	for _, mem := range []*transport.Memory{&first, &second} {
		ln, err := mem.Listen("jobs")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mem.Listen("jobs"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%v", err)
		}
		l, err := transport.NewListener(ln, transport.Config{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		near := dial(t, l, transport.Config{Key: key, Dialer: mem.Dial})
		far := accept(t, l)
		send(t, near, "hello")
		receives(t, far, "hello")
		l.Close()
		if _, err := mem.Dial(t.Context(), "jobs"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v", err)
		}
	}
}

func TestMemory_CarriesAMaster(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	var mem transport.Memory
	ln, err := mem.Listen("master")
	if err != nil {
		t.Fatal(err)
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(context.Background(), ln) }()
	c, err := proxy.Dial(t.Context(), "master", proxy.Config{AuthKey: key, Dialer: mem.Dial})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Queues(t.Context()); err != nil {
		t.Error(err)
	}
	c.Close()
	m.Close()
	<-served
}

// TestConn_HasNoGoroutine also shows that many clients at once are let in.
func TestConn_HasNoGoroutine(t *testing.T) {
	key := newKey(t)
	cfg := transport.Config{Key: key}
	l := listen(t, "127.0.0.1:0", cfg)
	before := runtime.NumGoroutine()
	const n = 50
	conns := make([]*transport.Conn, n)
	var all sync.WaitGroup
	for i := range conns {
		all.Go(func() {
			c, err := transport.Dial(t.Context(), l.Addr().String(), cfg)
			if err != nil {
				t.Error(err)
				return
			}
			conns[i] = c
		})
	}
	var accepted []*transport.Conn
	for range n {
		accepted = append(accepted, accept(t, l))
	}
	all.Wait()
	for range 1000 { // those that have made the connections end
		if runtime.NumGoroutine() < before+n/2 {
			break
		}
		runtime.Gosched()
	}
	if got := runtime.NumGoroutine() - before; got >= n/2 {
		t.Errorf("%d goroutines for %d connections", got, n)
	}
	for _, c := range append(conns, accepted...) {
		c.Close()
	}
}
