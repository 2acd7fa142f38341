package auth

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fromAddr is a connection that claims to come from somewhere.
type fromAddr struct {
	net.Conn
	addr string
}

func (c fromAddr) RemoteAddr() net.Addr { return textAddr(c.addr) }

type textAddr string

func (a textAddr) Network() string { return "tcp" }
func (a textAddr) String() string  { return string(a) }

// loginFrom is one login from an address; both connections are closed.
func loginFrom(t *testing.T, s *Server, key Key, addr string) error {
	t.Helper()
	a, b := net.Pipe()
	client, server := loginOver(t, s, &ClientConfig{Key: key}, a, fromAddr{b, addr})
	for _, o := range []outcome{client, server} {
		if o.conn != nil {
			o.conn.Close()
		}
	}
	return client.err
}

func isThrottled(err error) bool {
	_, ok := errors.AsType[*ThrottledError](err)
	return ok
}

func TestGuesses_OneSourceAllAtOnceGetsItsBudgetOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, ServerConfig{}, mustKey(t, "secret"))
		wrong := mustKey(t, "wrong")
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() { loginFrom(t, s, wrong, fmt.Sprintf("192.0.2.1:%d", i)) })
		}
		wg.Wait()
		if got := s.Stats(); got.Failed != 20 || got.Throttled != 40 {
			t.Errorf("of 60 guesses at once %d were looked at and %d put off, want 20 and 40", got.Failed, got.Throttled)
		}
		err := loginFrom(t, s, mustKey(t, "secret"), "192.0.2.1:99")
		e, ok := errors.AsType[*ThrottledError](err)
		if !ok || e.RetryAfter != 2*time.Second || GuessGiven(err) || e.Error() != "master asks to wait 2s: too many failed attempts" {
			t.Errorf("the right key from there: %v", err)
		}
		time.Sleep(e.RetryAfter)
		for i := range 5 { // right guesses cost nothing
			if err := loginFrom(t, s, mustKey(t, "secret"), "192.0.2.1:99"); err != nil {
				t.Errorf("right key %d, after the wait: %v", i, err)
			}
		}
	})
}

func TestGuesses_ManySourcesShareATotalAndLockNobodyKnownOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		generated, _, err := GenerateKey("worker-7")
		if err != nil {
			t.Fatal(err)
		}
		password, wrong := mustKey(t, "secret"), mustKey(t, "wrong")
		s := mustServer(t, ServerConfig{}, password, generated)
		if err := loginFrom(t, s, password, "198.51.100.1:1"); err != nil {
			t.Fatal(err)
		}
		for i := range 150 {
			loginFrom(t, s, wrong, fmt.Sprintf("192.0.2.%d:1", i))
		}
		if got := s.Stats(); got.Failed != 100 || got.Throttled != 50 {
			t.Fatalf("of 150 guesses %d were looked at and %d put off, want 100 and 50", got.Failed, got.Throttled)
		}
		if err := loginFrom(t, s, password, "198.51.100.1:2"); err != nil {
			t.Errorf("a known source: %v", err)
		}
		if err := loginFrom(t, s, generated, "203.0.113.1:1"); err != nil {
			t.Errorf("a generated key from a new source: %v", err)
		}
		if err := loginFrom(t, s, password, "203.0.113.2:1"); !isThrottled(err) {
			t.Errorf("a password from a new source: %v", err)
		}
		time.Sleep(10 * time.Second)
		if err := loginFrom(t, s, password, "203.0.113.2:1"); err != nil {
			t.Errorf("a password from a new source, later: %v", err)
		}
		time.Sleep(goodFor)
		if s.guesses.knownLocked("198.51.100.1", time.Now()) {
			t.Error("a source is known for ever")
		}
	})
}

func TestGuesses_AKnownSourceKeepsItsOwnLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, ServerConfig{Guesses: GuessBudget{PerSource: 3, Total: 1}}, mustKey(t, "secret"))
		if err := loginFrom(t, s, mustKey(t, "secret"), "192.0.2.1:1"); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			loginFrom(t, s, mustKey(t, "wrong"), "192.0.2.1:1")
		}
		if got := s.Stats(); got.Failed != 3 {
			t.Errorf("%d guesses looked at, want 3", got.Failed)
		}
	})
}

func TestGuesses_AConnectionThatNeverProvesAnythingCostsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, ServerConfig{Guesses: GuessBudget{PerSource: 1, Total: 1}}, mustKey(t, "secret"))
		for range 5 {
			serverAgainst(t, s, func(c net.Conn) { c.Close() })
		}
		if wait := s.guesses.wait("pipe"); wait != 0 {
			t.Errorf("wait is %v", wait)
		}
	})
}

func TestGuesses_MemoryIsBounded(t *testing.T) {
	t.Parallel()
	g := newGuesses(GuessBudget{Total: 1 << 30}.withDefaults())
	for i := range rememberedSources * 3 {
		taken, wait := g.take(fmt.Sprint(i))
		if wait != 0 {
			t.Fatal(wait)
		}
		g.succeeded(fmt.Sprint(i), taken)
	}
	if g.fails.Len() > rememberedSources || g.good.Len() > rememberedSources {
		t.Errorf("%d and %d sources remembered", g.fails.Len(), g.good.Len())
	}
}

func TestSource_AddressesOfOneCustomerCountTogether(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"192.0.2.1:5000":                "192.0.2.1",
		"[::ffff:192.0.2.1]:5000":       "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:1":      "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:2":      "2001:db8:1:2::/64",
		"[2001:db8:1:3::1]:2":           "2001:db8:1:3::/64",
		"[fe80::1%eth0]:1":              "fe80::/64",
		"pipe":                          "pipe",
		"@":                             "@",
		"/run/reeve.sock":               "/run/reeve.sock",
		"no-such-host.example.org:5000": "no-such-host.example.org:5000",
	} {
		if got := sourceOf(textAddr(addr)); got != want {
			t.Errorf("source of %s is %s, want %s", addr, got, want)
		}
	}
	if got := sourceOf(nil); got != "" {
		t.Errorf("source of nil is %q", got)
	}
}
