package transport_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/transport"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newKey(t testing.TB) auth.Key {
	t.Helper()
	key, _, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// everywhere runs a test over each kind of network, in parallel. cfg has a key,
// and reaches addr, which is free.
func everywhere(t *testing.T, f func(t *testing.T, addr string, cfg transport.Config)) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			addr := "127.0.0.1:0"
			if network == "unix" {
				addr = "unix:" + filepath.Join(t.TempDir(), "s")
			}
			f(t, addr, transport.Config{Key: newKey(t)})
		})
	}
}

func listen(t *testing.T, addr string, cfg transport.Config) *transport.Listener {
	t.Helper()
	l, err := transport.Listen(t.Context(), addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func dial(t *testing.T, l *transport.Listener, cfg transport.Config) *transport.Conn {
	t.Helper()
	c, err := transport.Dial(t.Context(), l.Addr().String(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func accept(t *testing.T, l *transport.Listener) *transport.Conn {
	t.Helper()
	c, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// joined returns both ends of a connection; the first one dialled.
func joined(t *testing.T, addr string, cfg transport.Config) (near, far *transport.Conn) {
	t.Helper()
	l := listen(t, addr, cfg)
	near = dial(t, l, cfg)
	return near, accept(t, l)
}

// pipe returns both ends of a Pipe.
func pipe(t *testing.T) (a, b *transport.Conn) {
	t.Helper()
	a, b = transport.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func send(t *testing.T, c *transport.Conn, text string) {
	t.Helper()
	if err := c.SendBytes(t.Context(), []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func receives(t *testing.T, c *transport.Conn, want string) {
	t.Helper()
	if got, err := c.RecvBytes(t.Context(), 0); err != nil || string(got) != want {
		t.Fatalf("%d bytes, %v, want %d", len(got), err, len(want))
	}
}

// ended is a ctx that has ended.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// stranger connects to a listener without a key.
func stranger(t *testing.T, l *transport.Listener) net.Conn {
	t.Helper()
	network, addr := l.Addr().Network(), l.Addr().String()
	if network == "unix" {
		addr = addr[len("unix:"):]
	}
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
