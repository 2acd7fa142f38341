package session_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/sessiontest"
)

func TestGuard_BrokenRuleEndsTheSession(t *testing.T) {
	for _, rule := range []struct {
		name  string
		sent  []byte
		cause string
	}{
		{"version", []byte{1, ping, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, "version 1"},
		{"type", header(4, 0, 0, 0), "unknown type 4"},
		{"flags", header(window, 16, 1, 0), "unknown flags"},
		{"frame of 4 GiB", header(data, 0, 1, 1<<32-1), "frame of 4294967295 bytes"},
		{"frame one byte too long", header(data, syn, 1, session.MaxFrame+1), "frame of 65537 bytes"},
		{"grant beyond all windows", header(window, 0, 1, session.MaxWindow+1), "window of"},
		{"stream of the wrong side", header(window, syn, 2, 0), "not the peer's to open"},
		{"stream 0", header(window, syn, 0, 0), "not the peer's to open"},
		{"stream opened twice", append(header(window, syn, 1, 0), header(window, syn, 1, 0)...), "opened twice"},
		{"end after the end", append(opening(1, session.Bulk), append(header(window, fin, 1, 0), header(window, fin, 1, 0)...)...), "unexpected flag"},
		{"goodbye for a reason", header(goAway, 0, 0, 1), "protocol error"},
	} {
		t.Run(rule.name, func(t *testing.T) {
			sessiontest.Bubble(t, func(t *testing.T) {
				server, peer := rawServer(t, session.Config{})
				if _, err := peer.Write(rule.sent); err != nil {
					t.Fatal(err)
				}
				<-server.Done()
				if err := server.Err(); !errors.Is(err, session.ErrProtocol) || !strings.Contains(err.Error(), rule.cause) {
					t.Errorf("cause: %v", err)
				}
			})
		})
	}
}

// TestGuard_MoreThanTheWindowEndsTheSession: nothing is read, so no more than
// the first 256 KiB may come.
func TestGuard_MoreThanTheWindowEndsTheSession(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		server, peer := rawServer(t, session.Config{})
		sent := slices.Concat(opening(1, session.Bulk), slices.Repeat(frame(data, 0, 1, session.MaxFrame), 3), frame(data, 0, 1, session.MaxFrame-1))
		if _, err := peer.Write(sent); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := server.Err(); err != nil {
			t.Fatalf("the window itself was too much: %v", err)
		}
		if _, err := peer.Write(header(data, 0, 1, 1)); err != nil {
			t.Fatal(err)
		}
		<-server.Done()
		if err := server.Err(); !errors.Is(err, session.ErrProtocol) || !strings.Contains(err.Error(), "more than its window") {
			t.Errorf("cause: %v", err)
		}
	})
}

func TestGuard_PingFloodEndsTheSession(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		server, peer := rawServer(t, session.Config{})
		flood := slices.Repeat(frame(ping, syn, 0, 7), 1000)
		for {
			// Nothing is read: the answers must not pile up as goroutines.
			if _, err := peer.Write(flood); err != nil {
				break
			}
		}
		<-server.Done()
		if err := server.Err(); !errors.Is(err, session.ErrProtocol) {
			t.Errorf("cause: %v", err)
		}
	})
}

func TestGuard_FewPingsAreAnswered(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		server, peer := rawServer(t, session.Config{})
		answer := make([]byte, 12)
		ask := func() {
			t.Helper()
			if _, err := peer.Write(frame(ping, syn, 0, 7)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(peer, answer); err != nil {
				t.Fatalf("%v, cause: %v", err, server.Err())
			}
			if want := frame(ping, ack, 0, 7); !slices.Equal(answer, want) {
				t.Fatalf("answer is %x, not %x", answer, want)
			}
		}
		for range 16 {
			ask()
		}
		for range 100 {
			time.Sleep(time.Second / 2)
			ask()
		}
	})
}

func TestGuard_StreamFloodEndsTheSession(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		const limit = 5
		server, peer := rawServer(t, session.Config{MaxStreams: limit})
		id := uint32(1)
		for range 2 * limit { // as many may be there: the ends do not see a stream end at the same moment
			if _, err := peer.Write(opening(id, session.Bulk)); err != nil {
				t.Fatal(err)
			}
			id += 2
		}
		for range 2 * limit {
			if _, err := server.Accept(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := peer.Write(opening(id, session.Bulk)); err != nil {
			t.Fatal(err)
		}
		<-server.Done()
		if err := server.Err(); !errors.Is(err, session.ErrProtocol) {
			t.Errorf("cause: %v", err)
		}
	})
}

// TestGuard_StreamsClosedHereOnlyStillCount: a peer that opens streams, sends
// what gets them closed and never ends them would otherwise have a window of
// memory for each.
func TestGuard_StreamsClosedHereOnlyStillCount(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		server, peer := rawServer(t, session.Config{MaxStreams: 2})
		id := uint32(1)
		openAndClose := func() error {
			if _, err := peer.Write(opening(id, session.Bulk)); err != nil {
				return err
			}
			id += 2
			st, err := server.Accept(t.Context())
			if err == nil {
				err = st.Close()
			}
			return err
		}
		for range 4 {
			if err := openAndClose(); err != nil {
				t.Fatal(err)
			}
		}
		if err := openAndClose(); !errors.Is(err, session.ErrProtocol) {
			t.Errorf("one more: %v", err)
		}
	})
}
