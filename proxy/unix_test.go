package proxy_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

// serveAt runs a master on a real address until the end of the test.
func serveAt(t *testing.T, addr string, queues ...string) (m *manager.Master, at string, cfg proxy.Config) {
	t.Helper()
	key, _, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	m, err = manager.New(manager.Config{AuthKey: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	for _, name := range queues {
		if _, err := m.Queue(name, reeve.QueueConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Start(t.Context(), addr); err != nil {
		t.Fatal(err)
	}
	return m, m.Addr().String(), proxy.Config{AuthKey: key}
}

func unixSocket(t *testing.T) string { return "unix:" + filepath.Join(t.TempDir(), "s") }

func connectTo(t *testing.T, addr string, cfg proxy.Config) *proxy.Client {
	t.Helper()
	c, err := proxy.Dial(t.Context(), addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestDial_AUnixSocketIsAnAddressLikeAnyOther(t *testing.T) {
	t.Parallel()
	_, addr, cfg := serveAt(t, unixSocket(t), "tasks")
	c := connectTo(t, "127.0.0.1:1,"+addr, cfg) // nobody is at the first
	q := proxy.QueueOf[int](c, "tasks")
	if _, err := q.Put(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	item, err := q.Get(t.Context())
	if err != nil || item.Value != 7 {
		t.Fatalf("%v, %v", item, err)
	}
	if got := c.Stats().Addr; got != addr {
		t.Errorf("connected to %q", got)
	}
	workers, err := c.Workers(t.Context())
	if err != nil || len(workers) != 1 || workers[0].Addr != addr {
		t.Errorf("%+v, %v", workers, err)
	}
}

func TestDial_AWrongKeyIsRefusedOnAUnixSocket(t *testing.T) {
	t.Parallel()
	_, addr, cfg := serveAt(t, unixSocket(t))
	other, _, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	cfg.AuthKey = other
	if c, err := proxy.Dial(context.Background(), addr, cfg); !errors.Is(err, reeve.ErrAuth) {
		t.Errorf("%v, %v", c, err)
	}
}
