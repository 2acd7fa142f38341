package manager_test

// What goes wrong between a master and its clients, over real sockets: clients
// that come too early, masters that go away under a call, strangers.

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
)

// quick is how a client connects to a master whose address stays free while it
// is away.
func quick(cfg manager.Config) proxy.Config {
	return proxy.Config{AuthKey: cfg.AuthKey, MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond}
}

// whenLost is a client's OnState that calls f the first time that there is no
// connection.
func whenLost(f func()) func(proxy.State) {
	f = sync.OnceFunc(f)
	return func(s proxy.State) {
		if !s.Connected {
			f()
		}
	}
}

// askedBoth waits until both calls of the client have been asked.
func askedBoth(c *proxy.Client) {
	for c.Stats().Unanswered < 2 {
		runtime.Gosched()
	}
}

// begin starts a master with the queue tasks at addr.
func begin(t *testing.T, addr string, cfg manager.Config) *manager.Master {
	t.Helper()
	m := newMaster(t, cfg)
	if _, err := m.Queue("tasks", reeve.QueueConfig{}); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context(), addr); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDial_BeforeTheMasterIsThereWaitsForItOrSaysSo(t *testing.T) {
	t.Parallel()
	addr := places(t)["unix"]
	cfg := manager.Config{AuthKey: testKey(t)}
	once := quick(cfg)
	once.DialOnce = true
	var op *net.OpError
	if _, err := proxy.Dial(t.Context(), addr, once); !errors.As(err, &op) || op.Op != "dial" {
		t.Errorf("once: %v", err)
	}
	tried := make(chan struct{})
	patient := quick(cfg)
	patient.OnState = whenLost(func() { close(tried) })
	dialled := make(chan error, 1)
	go func() {
		c, err := proxy.Dial(t.Context(), addr, patient)
		if err == nil {
			_, err = c.Queues(t.Context())
			c.Close()
		}
		dialled <- err
	}()
	<-tried
	begin(t, addr, cfg)
	if err := <-dialled; err != nil {
		t.Error(err)
	}
}

// TestBlockedCalls_GoOnWithTheNextMaster has calls of both kinds wait while the
// master goes away without a goodbye and another takes its place.
func TestBlockedCalls_GoOnWithTheNextMaster(t *testing.T) {
	t.Parallel()
	addr := places(t)["unix"]
	cfg := manager.Config{AuthKey: testKey(t)}
	first := begin(t, addr, cfg)
	c, err := proxy.Dial(t.Context(), addr, quick(cfg))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got := make(chan error, 1)
	go func() {
		_, err := c.Queue("tasks").Get(t.Context(), 1)
		got <- err
	}()
	event, err := shared.NewEvent(t.Context(), c, "ready", shared.EventConfig{})
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() { waited <- event.Wait(t.Context()) }()
	askedBoth(c)
	first.Close()

	second := begin(t, addr, cfg)
	local, err := second.Lookup("tasks")
	if err != nil {
		t.Fatal(err)
	}
	putOne(t, local, "x")
	if err := <-got; err != nil {
		t.Errorf("Get: %v", err)
	}
	// The next master has no such event: the call ends and says so.
	var unknown *reeve.NoSuchNameError
	if err := <-waited; !errors.As(err, &unknown) || unknown.Name != "ready" {
		t.Errorf("Wait: %v", err)
	}
}

func TestBlockedCalls_EndWithTheirContextWhenTheMasterDoesNotComeBack(t *testing.T) {
	t.Parallel()
	addr := places(t)["unix"]
	cfg := manager.Config{AuthKey: testKey(t)}
	m := begin(t, addr, cfg)
	lost := make(chan struct{})
	client := quick(cfg)
	client.OnState = whenLost(func() { close(lost) })
	c, err := proxy.Dial(t.Context(), addr, client)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	event, err := shared.NewEvent(t.Context(), c, "ready", shared.EventConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 2)
	go func() { _, err := c.Queue("tasks").Get(ctx, 1); errs <- err }()
	go func() { errs <- event.Wait(ctx) }()
	askedBoth(c)
	m.Close()
	<-lost
	cancel()
	for range 2 {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	// What is asked from now on says why it waits.
	short, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer end()
	if err := event.Set(short); !errors.Is(err, reeve.ErrDisconnected) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestPortScan_OfAUnixSocketLeavesTheListenerAlive(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	cfg := manager.Config{AuthKey: testKey(t)}
	m := begin(t, "unix:"+path, cfg)
	var silent []net.Conn
	for _, text := range []string{"", "\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01", "\x80\x00\x00\x00", strings.Repeat("A", 100_000)} {
		for _, stays := range []bool{false, true} {
			c, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(c, text) // the master may have closed it by then
			if stays {
				silent = append(silent, c)
			} else {
				c.Close()
			}
		}
	}
	c := reach(t, m, cfg)
	putOne(t, c.Queue("tasks"), "x")
	for _, s := range silent {
		s.Close()
	}
}
