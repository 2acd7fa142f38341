package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
)

// parsed are the keys of mustKey: each is stretched once for all tests.
var parsed sync.Map

func mustKey(t testing.TB, text string) Key {
	t.Helper()
	if k, ok := parsed.Load(text); ok {
		return k.(Key)
	}
	k, err := ParseKey([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := parsed.LoadOrStore(text, k)
	return kept.(Key)
}

func mustServer(t testing.TB, cfg ServerConfig, keys ...Key) *Server {
	t.Helper()
	if len(keys) > 0 {
		ring, err := Keys(keys...)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Keys = ring
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// outcome is one side's end of a handshake.
type outcome struct {
	conn net.Conn
	peer *Peer
	err  error
}

// login runs both sides over an in-memory connection.
func login(t testing.TB, s *Server, c *ClientConfig) (client, server outcome) {
	t.Helper()
	a, b := net.Pipe()
	return loginOver(t, s, c, a, b)
}

func loginOver(t testing.TB, s *Server, c *ClientConfig, a, b net.Conn) (client, server outcome) {
	t.Helper()
	done := make(chan struct{})
	go func() { // joined below
		defer close(done)
		server.conn, server.peer, server.err = s.Handshake(context.Background(), b)
	}()
	client.conn, client.peer, client.err = c.Handshake(context.Background(), a, "host:5000")
	<-done
	return client, server
}

func TestHandshake_SameKeyGivesAConnectionBothWays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := mustKey(t, "secret")
		c, s := login(t, mustServer(t, ServerConfig{}, key), &ClientConfig{Key: key})
		if c.err != nil || s.err != nil {
			t.Fatal(c.err, s.err)
		}
		defer s.conn.Close()
		defer c.conn.Close()
		if c.peer.KeyID != DefaultKeyID || s.peer.KeyID != DefaultKeyID {
			t.Errorf("peers are %q and %q, want %q", c.peer.KeyID, s.peer.KeyID, DefaultKeyID)
		}
		for _, dir := range [][2]net.Conn{{c.conn, s.conn}, {s.conn, c.conn}} {
			go dir[0].Write([]byte("hello")) // ends with the read below
			got := make([]byte, 5)
			if _, err := io.ReadFull(dir[1], got); err != nil || string(got) != "hello" {
				t.Errorf("read %q, %v", got, err)
			}
		}
	})
}

func TestHandshake_WrongKeyAndUnknownIDLookTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, ServerConfig{}, mustKey(t, "secret"))
		other, _, err := GenerateKey("worker-7")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []Key{mustKey(t, "Secret"), other} {
			start := time.Now()
			client, server := login(t, s, &ClientConfig{Key: key})
			rejected, ok := errors.AsType[*RejectedError](client.err)
			if !ok || !errors.Is(client.err, reeve.ErrAuth) || ExitCode(client.err) != ExitAuth || !GuessGiven(client.err) {
				t.Fatalf("%v: client's error is %#v", key, client.err)
			}
			want := `authentication failed: the master at host:5000 does not share this authkey (key id "` + key.ID() + `"). ` +
				"Check -authkey/REEVE_AUTHKEY on both sides. If the key is right, someone may be intercepting this connection."
			if rejected.Error() != want {
				t.Errorf("text is %q", rejected)
			}
			if _, ok := errors.AsType[*LoginError](server.err); !ok || !errors.Is(server.err, reeve.ErrAuth) {
				t.Errorf("%v: server's error is %#v", key, server.err)
			}
			if d := time.Since(start); d > 0 {
				t.Errorf("%v: rejected after a wait of %v", key, d)
			}
		}
		if got := s.Stats(); got.Failed != 2 || got.LoggedIn != 0 || got.Waiting != 0 {
			t.Errorf("stats are %+v", got)
		}
	})
}

func TestHandshake_CloseIsImmediateWhenThePeerDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := mustKey(t, "secret")
		c, s := login(t, mustServer(t, ServerConfig{}, key), &ClientConfig{Key: key})
		if c.err != nil || s.err != nil {
			t.Fatal(c.err, s.err)
		}
		written := make(chan error)
		go func() { // ends by Close
			_, err := c.conn.Write(make([]byte, 1<<20))
			written <- err
		}()
		synctest.Wait() // the write hangs: nobody reads
		start := time.Now()
		c.conn.Close()
		if err := <-written; err == nil {
			t.Error("the write succeeded")
		}
		s.conn.Close()
		if d := time.Since(start); d > 0 {
			t.Errorf("Close took %v", d)
		}
	})
}

func TestHandshake_CancelledContextEndsEitherSideAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		start := time.Now()
		a, b := net.Pipe()
		defer a.Close()
		s := mustServer(t, ServerConfig{}, mustKey(t, "secret"))
		if _, _, err := s.Handshake(ctx, b); !errors.Is(err, cause) {
			t.Errorf("server: %v", err)
		}
		a, b = net.Pipe()
		defer b.Close()
		if _, _, err := (&ClientConfig{Key: mustKey(t, "secret")}).Handshake(ctx, a, "x"); !errors.Is(err, cause) {
			t.Errorf("client: %v", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func TestHandshake_NoClockMatters(t *testing.T) {
	t.Parallel()
	key := mustKey(t, "secret")
	for _, year := range []int{1970, 2100} {
		wrong := func() time.Time { return time.Date(year, 1, 1, 0, 0, 1, 0, time.UTC) }
		for _, side := range []struct {
			s ServerConfig
			c ClientConfig
		}{
			{ServerConfig{now: wrong}, ClientConfig{Key: key}},
			{ServerConfig{}, ClientConfig{Key: key, now: wrong}},
		} {
			c, s := login(t, mustServer(t, side.s, key), &side.c)
			if c.err != nil || s.err != nil {
				t.Fatal(year, c.err, s.err)
			}
			c.conn.Close()
			s.conn.Close()
		}
	}
}

func TestConfig_ErrorsNameTheField(t *testing.T) {
	t.Parallel()
	ring, err := Keys(mustKey(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	for field, cfg := range map[string]ServerConfig{
		"Keys":                {},
		"Timeout":             {Keys: ring, Timeout: -1},
		"MaxWaiting":          {Keys: ring, MaxWaiting: -1},
		"MaxWaitingPerSource": {Keys: ring, MaxWaitingPerSource: -1},
		"MaxComputing":        {Keys: ring, MaxComputing: -1},
		"Guesses":             {Keys: ring, Guesses: GuessBudget{Total: -1}},
	} {
		if _, err := NewServer(cfg); err == nil || !bytes.Contains([]byte(err.Error()), []byte("ServerConfig."+field)) {
			t.Errorf("%s: %v", field, err)
		}
	}
	a, b := net.Pipe()
	defer b.Close()
	if _, _, err := (&ClientConfig{}).Handshake(t.Context(), a, "x"); !errors.Is(err, reeve.ErrKey) {
		t.Errorf("no key: %v", err)
	}
}
