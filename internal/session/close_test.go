package session_test

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/internal/session/sessiontest"
)

// Most tests here run in bubbles: a goroutine that outlives its session fails
// them, and time is exact.

// TestClose_IsPromptInEveryState closes a session while calls on it wait for
// all a call can wait for, over TLS. Every call must end, and no time pass.
func TestClose_IsPromptInEveryState(t *testing.T) {
	for _, state := range []struct {
		name  string
		reach func(conn *memnet.Conn)
	}{
		{"peer is well but does not read its streams", func(*memnet.Conn) {}},
		{"nothing arrives any more", (*memnet.Conn).BlackHole},
		{"nothing leaves any more", func(c *memnet.Conn) { c.StallAfter(0) }},
		{"connection was reset", (*memnet.Conn).Reset},
		{"connection stalls within a frame", func(c *memnet.Conn) { c.Peer().StallAfter(5) }},
	} {
		t.Run(state.name, func(t *testing.T) {
			sessiontest.Bubble(t, func(t *testing.T) {
				conn, far := memnet.Pipe()
				c, s := secure(t, conn, far)
				client, server := sessions(t, c, s, session.Config{})
				calls, _ := stream(t, client, server, session.Calls)
				bulk, _ := stream(t, client, server, session.Bulk)
				back, _ := stream(t, server, client, session.Bulk)

				var ended sync.WaitGroup
				call := func(name string, f func() error) {
					ended.Go(func() {
						if err := f(); err == nil {
							t.Errorf("%s ended without an error", name)
						}
					})
				}
				state.reach(conn)
				call("read", func() error { _, err := calls.Read(make([]byte, 1)); return err })
				call("write", func() error { _, err := bulk.Write(make([]byte, 8<<20)); return err })
				call("write at the peer", func() error { _, err := back.Write(make([]byte, 8<<20)); return err })
				call("accept", func() error { _, err := client.Accept(context.Background()); return err })
				synctest.Wait()

				begin := time.Now()
				var closed sync.WaitGroup
				for range 3 { // at once, and again
					closed.Go(func() { client.Close() })
				}
				closed.Wait()
				client.Close()
				if d := time.Since(begin); d > 0 {
					t.Errorf("close took %v", d)
				}
				server.Close()
				ended.Wait()
			})
		})
	}
}

// TestClose_DoesNotWaitToSayGoodbyeInTLS closes an idle session whose
// connection has no room left for the alert that crypto/tls sends.
func TestClose_DoesNotWaitToSayGoodbyeInTLS(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		conn, far := memnet.Pipe()
		c, s := secure(t, conn, far)
		client, server := sessions(t, c, s, session.Config{})
		stream(t, client, server, session.Control)
		conn.BlackHole()
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := conn.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("filling the buffer: %v", err)
		}
		begin := time.Now()
		client.Close()
		if d := time.Since(begin); d > 0 {
			t.Errorf("close took %v", d)
		}
	})
}

// TestClose_ConnThatDoesNotLetGoIsLeftBehind needs real time: yamux waits for
// such a connection with a mutex held, which stops a bubble's clock.
func TestClose_ConnThatDoesNotLetGoIsLeftBehind(t *testing.T) {
	for name, stickRead := range map[string]bool{"write": false, "read and write": true} {
		t.Run(name, func(t *testing.T) {
			near, far := memnet.Pipe()
			defer far.Close()
			conn := &stuckConn{Conn: near, stickRead: stickRead, free: make(chan struct{})}
			client, err := session.Client(conn, session.Config{})
			if err != nil {
				t.Fatal(err)
			}
			st, err := client.Open(context.Background(), session.Bulk)
			if err != nil {
				t.Fatal(err)
			}
			read, write := make(chan error, 1), make(chan error, 1)
			go func() {
				_, err := st.Read(make([]byte, 1))
				read <- err
			}()
			go func() {
				_, err := st.Write(make([]byte, 1<<20))
				write <- err
			}()
			begin := time.Now()
			client.Close()
			if d := time.Since(begin); d > 10*time.Second {
				t.Errorf("close took %v", d)
			}
			for _, end := range []chan error{read, write} {
				if err := <-end; !errors.Is(err, session.ErrClosed) {
					t.Errorf("call ended with %v", err)
				}
			}
			close(conn.free)
		})
	}
}

func TestClose_TwoEndsThatWriteAndDoNotReadAreNotWedged(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{})
		near, far := stream(t, client, server, session.Calls)
		const size = 8 << 20 // many windows
		var sent sync.WaitGroup
		for _, st := range []*session.Stream{near, far} {
			sent.Go(func() {
				if _, err := st.Write(make([]byte, size)); err != nil {
					t.Errorf("write: %v", err)
				}
			})
		}
		time.Sleep(time.Hour) // both wait for the other to read
		var got sync.WaitGroup
		for _, st := range []*session.Stream{near, far} {
			got.Go(func() {
				if n, err := io.CopyN(io.Discard, st, size); err != nil {
					t.Errorf("read %d bytes: %v", n, err)
				}
			})
		}
		sent.Wait()
		got.Wait()
	})
}

func TestWriteTimeout_PeerThatTakesNothingEndsTheSession(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		const timeout = 10 * time.Second
		near, far := memnet.Pipe()
		defer far.Close() // nobody ever reads there
		client, err := session.Client(near, session.Config{WriteTimeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		st, err := client.Open(context.Background(), session.Bulk)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // an idle connection is not what the limit is for
		begin := time.Now()
		if _, err := st.Write(make([]byte, 1<<20)); !errors.Is(err, session.ErrWriteTimeout) {
			t.Errorf("write: %v", err)
		}
		if d := time.Since(begin); d != timeout {
			t.Errorf("it took %v", d)
		}
		if !errors.Is(client.Err(), session.ErrWriteTimeout) {
			t.Errorf("cause: %v", client.Err())
		}
	})
}

// TestWriteTimeout_HoldsThoughNobodyWaits: small frames gather, and their
// writers have gone on by the time the connection stops.
func TestWriteTimeout_HoldsThoughNobodyWaits(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		const timeout = 10 * time.Second
		near, far := memnet.Pipe()
		defer far.Close() // nobody ever reads there
		client, err := session.Client(near, session.Config{WriteTimeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		st, err := client.Open(t.Context(), session.Bulk)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for range 40 {
			if _, err := st.Write(make([]byte, 4<<10)); err != nil {
				if !errors.Is(err, session.ErrWriteTimeout) { // the one that wrote for all
					t.Fatal(err)
				}
				break
			}
		}
		<-client.Done()
		if !errors.Is(client.Err(), session.ErrWriteTimeout) {
			t.Errorf("cause: %v", client.Err())
		}
		if d := time.Since(begin); d != timeout {
			t.Errorf("it took %v", d)
		}
	})
}

func TestWriteTimeout_SlowPeerIsSuffered(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		client, err := session.Client(near, session.Config{WriteTimeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		var reading sync.WaitGroup
		defer reading.Wait()
		defer client.Close()
		reading.Go(func() { // 16 KiB a second
			p := make([]byte, 16<<10)
			for {
				if _, err := io.ReadFull(far, p); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		for range 3 {
			st, err := client.Open(t.Context(), session.Bulk)
			if err != nil {
				t.Fatal(err)
			}
			// As much as the first window allows: the peer grants no more.
			if _, err := st.Write(make([]byte, 200<<10)); err != nil {
				t.Errorf("write: %v", err)
			}
		}
		if err := client.Flush(context.Background()); err != nil {
			t.Errorf("flush: %v", err)
		}
	})
}

func TestFail_FirstCauseCounts(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{})
		near, _ := stream(t, client, server, session.Calls)
		silent := errors.New("peer is silent")
		client.Fail(silent)
		client.Fail(errors.New("too late"))
		client.Close()
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, silent) {
			t.Errorf("read: %v", err)
		}
		if client.Err() != silent {
			t.Errorf("cause: %v", client.Err())
		}
	})
}
