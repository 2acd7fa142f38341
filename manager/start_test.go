package manager_test

// How a master begins and ends: Start, Serve, Addr, OnStart, Join, and what
// happens when they are called in another order or twice.

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

func newMaster(t *testing.T, cfg manager.Config) *manager.Master {
	t.Helper()
	if cfg.AuthKey.IsZero() {
		cfg.AuthKey = testKey(t)
	}
	m, err := manager.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// places are addresses of both kinds that are free.
func places(t *testing.T) map[string]string {
	return map[string]string{"tcp": "127.0.0.1:0", "unix": "unix:" + filepath.Join(t.TempDir(), "s")}
}

func reach(t *testing.T, m *manager.Master, cfg manager.Config) *proxy.Client {
	t.Helper()
	c, err := proxy.Dial(t.Context(), m.Addr().String(), proxy.Config{AuthKey: cfg.AuthKey, DialOnce: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestStart_ServesInTheBackgroundUntilTheMasterIsOver(t *testing.T) {
	t.Parallel()
	for name, addr := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := manager.Config{AuthKey: testKey(t)}
			m := newMaster(t, cfg)
			if m.Addr() != nil {
				t.Errorf("an address before Start: %v", m.Addr())
			}
			ctx, cancel := context.WithCancel(t.Context())
			if err := m.Start(ctx, addr); err != nil {
				t.Fatal(err)
			}
			cancel() // is for Start only
			if _, err := reach(t, m, cfg).Queues(t.Context()); err != nil {
				t.Error(err)
			}
			joined := make(chan error, 1)
			go func() { joined <- m.Join(t.Context()) }()
			if err := m.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if err := <-joined; err != nil {
				t.Errorf("Join: %v", err)
			}
		})
	}
}

func TestStart_TwiceIsAnError(t *testing.T) {
	t.Parallel()
	m := newMaster(t, manager.Config{})
	if err := m.Start(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	first := m.Addr()
	if err := m.Start(t.Context(), "127.0.0.1:0"); err != manager.ErrStarted {
		t.Errorf("the second Start: %v", err)
	}
	if m.Addr() != first {
		t.Errorf("at %v, then at %v", first, m.Addr())
	}
	m.Close()
	for _, err := range []error{m.Start(t.Context(), "127.0.0.1:0"), m.ListenAndServe(t.Context(), "127.0.0.1:0")} {
		if !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestStart_MayBeTriedAgainAfterAnError(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	m := newMaster(t, manager.Config{})
	if err := m.Start(t.Context(), ln.Addr().String()); err == nil {
		t.Fatal("two listen on one port")
	}
	if m.Addr() != nil {
		t.Errorf("it listens nowhere, and has the address %v", m.Addr())
	}
	if err := m.Start(t.Context(), "127.0.0.1:0"); err != nil {
		t.Error(err)
	}
}

func TestStart_OfManyAtOnceOneSucceeds(t *testing.T) {
	t.Parallel()
	m := newMaster(t, manager.Config{})
	errs := make(chan error, 8)
	var all sync.WaitGroup
	for range cap(errs) {
		all.Go(func() { errs <- m.Start(t.Context(), "127.0.0.1:0") })
	}
	all.Wait()
	close(errs)
	started := 0
	for err := range errs {
		switch err {
		case nil:
			started++
		case manager.ErrStarted:
		default:
			t.Error(err)
		}
	}
	if started != 1 {
		t.Errorf("started %d times", started)
	}
}

// TestStart_AgainstCloseLeavesNothingBehind relies on TestMain for what is left.
func TestStart_AgainstCloseLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for range 50 {
		m := newMaster(t, manager.Config{})
		closed := make(chan error, 1)
		go func() { closed <- m.Close() }()
		if err := m.Start(t.Context(), "127.0.0.1:0"); err != nil && !errors.Is(err, reeve.ErrClosed) {
			t.Error(err)
		}
		if err := errors.Join(<-closed, m.Join(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

func TestOnStart_RunsOnceBeforeAClientIsLetIn(t *testing.T) {
	t.Parallel()
	calls := 0
	cfg := manager.Config{AuthKey: testKey(t), OnStart: func(_ context.Context, m *manager.Master) error {
		if calls++; m.Addr() == nil {
			t.Error("the address is not known")
		}
		_, err := m.Queue("tasks", reeve.QueueConfig{})
		return err
	}}
	m := newMaster(t, cfg)
	if err := m.Start(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(t.Context(), ln) }()
	c, err := proxy.Dial(t.Context(), ln.Addr().String(), proxy.Config{AuthKey: cfg.AuthKey})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Queue("tasks").Stats(t.Context()); err != nil {
		t.Error(err)
	}
	if m.Addr().String() == ln.Addr().String() {
		t.Error("the address is not the first listener's")
	}
	m.Close()
	if err := <-served; err != reeve.ErrClosed || calls != 1 {
		t.Errorf("%v; OnStart was called %d times", err, calls)
	}
}

func TestOnStart_AnErrorEndsTheStart(t *testing.T) {
	t.Parallel()
	bad := errors.New("not today")
	answers := []error{bad, nil}
	m := newMaster(t, manager.Config{OnStart: func(context.Context, *manager.Master) error {
		err := answers[0]
		answers = answers[1:]
		return err
	}})
	path := filepath.Join(t.TempDir(), "s")
	if err := m.Start(t.Context(), "unix:"+path); !errors.Is(err, bad) {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) || m.Addr() != nil {
		t.Errorf("it listens all the same: %v, %v", err, m.Addr())
	}
	if err := m.Start(t.Context(), "unix:"+path); err != nil {
		t.Error(err)
	}
}

func TestJoin_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	m := newMaster(t, manager.Config{})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("waited enough")
	cancel(why)
	if err := m.Join(ctx); err != why {
		t.Errorf("%v", err)
	}
}

func TestShutdown_TwiceAndAfterCloseDoesNoHarm(t *testing.T) {
	t.Parallel()
	m := newMaster(t, manager.Config{})
	if err := m.Start(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.Shutdown(t.Context()), m.Shutdown(t.Context()), m.Close(), m.Close(), m.Shutdown(t.Context()), m.Join(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestAskShutdown_IsRefusedUnlessItIsAllowed(t *testing.T) {
	t.Parallel()
	m := newMaster(t, manager.Config{})
	if _, err := m.AskShutdown("c", false); !errors.Is(err, reeve.ErrPermission) {
		t.Errorf("%v", err)
	}
	if m.Err() != nil {
		t.Errorf("it ended: %v", m.Err())
	}
}

func TestAskShutdown_EndsTheMasterOnceItIsBegun(t *testing.T) {
	t.Parallel()
	m := newMaster(t, manager.Config{AllowShutdown: true})
	if err := m.Start(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice does no harm
		begin, err := m.AskShutdown("c", true)
		if err != nil {
			t.Fatal(err)
		}
		begin()
	}
	if err := m.Join(t.Context()); err != nil {
		t.Errorf("Join: %v", err)
	}
}
