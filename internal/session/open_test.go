package session_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/sessiontest"
)

func TestAccept_RefusesKindsItDoesNotKnowOrHas(t *testing.T) {
	for name, kinds := range map[string][]session.Kind{
		"none":           {0},
		"unknown":        {77},
		"second control": {session.Control, session.Control},
		"second calls":   {session.Bulk, session.Calls, session.Control, session.Calls},
	} {
		t.Run(name, func(t *testing.T) {
			sessiontest.Bubble(t, func(t *testing.T) {
				server, peer := rawServer(t, session.Config{})
				for i, kind := range kinds {
					if _, err := peer.Write(opening(uint32(2*i+1), kind)); err != nil {
						t.Fatal(err)
					}
				}
				for _, kind := range kinds[:len(kinds)-1] {
					st, err := server.Accept(t.Context())
					if err != nil || st.Kind() != kind {
						t.Fatalf("accept: %v", err)
					}
				}
				if st, err := server.Accept(t.Context()); st != nil || !errors.Is(err, session.ErrProtocol) {
					t.Errorf("accept: %v, %v", st, err)
				}
				if !errors.Is(server.Err(), session.ErrProtocol) {
					t.Errorf("cause: %v", server.Err())
				}
			})
		})
	}
}

func TestAccept_StreamThatDoesNotSayItsKindEndsTheSession(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		server, peer := rawServer(t, session.Config{})
		if _, err := peer.Write(frame(window, syn, 1, 0)); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if _, err := server.Accept(t.Context()); !errors.Is(err, session.ErrProtocol) {
			t.Errorf("accept: %v", err)
		}
		if d := time.Since(begin); d != 10*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

func TestAccept_StreamGivenUpBeforeItsKindIsPassedOver(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		server, peer := rawServer(t, session.Config{})
		sent := slices.Concat(
			frame(window, syn, 1, 0), frame(window, fin, 1, 0),
			frame(window, syn, 3, 0), frame(window, rst, 3, 0),
			opening(5, session.Bulk),
		)
		if _, err := peer.Write(sent); err != nil {
			t.Fatal(err)
		}
		if st, err := server.Accept(t.Context()); err != nil || st.Kind() != session.Bulk {
			t.Errorf("accept: %v", err)
		}
	})
}

func TestAccept_CancelledLosesNoStream(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		server, peer := rawServer(t, session.Config{})
		give := func(b []byte) {
			if _, err := peer.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		accept := func(want error) *session.Stream {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			st, err := server.Accept(ctx)
			if !errors.Is(err, want) {
				t.Fatalf("accept: %v", err)
			}
			return st
		}
		accept(context.DeadlineExceeded) // nothing there
		give(frame(window, syn, 1, 0))
		accept(context.DeadlineExceeded) // a stream, but not its kind
		accept(context.DeadlineExceeded)
		give(append(header(data, 0, 1, 1), byte(session.Calls)))
		if st := accept(nil); st.Kind() != session.Calls {
			t.Errorf("stream of kind %v", st.Kind())
		}
	})
}

func TestOpen_RefusesASecondOfWhatExistsOnce(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{})
		stream(t, client, server, session.Control)
		for _, s := range []*session.Session{client, server} {
			if _, err := s.Open(t.Context(), session.Control); err != session.ErrKindTaken {
				t.Errorf("open: %v", err)
			}
			if s.Err() != nil {
				t.Errorf("session ended: %v", s.Err())
			}
		}
		if _, err := client.Open(t.Context(), 9); err == nil {
			t.Error("a stream of kind 9 was opened")
		}
	})
}

func TestOpen_WaitsUntilAStreamIsOverAtBothEnds(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{MaxStreams: 2})
		first, farFirst := stream(t, client, server, session.Bulk)
		second, farSecond := stream(t, client, server, session.Bulk)
		opened := make(chan error, 1)
		open := func() {
			_, err := client.Open(t.Context(), session.Bulk)
			opened <- err
		}
		waits := func(why string) {
			t.Helper()
			synctest.Wait()
			select {
			case err := <-opened:
				t.Fatalf("open did not wait (%s): %v", why, err)
			default:
			}
		}
		go open()
		waits("two are open")
		first.Close()
		waits("the other end has not closed")
		farFirst.Close()
		if err := <-opened; err != nil {
			t.Fatal(err)
		}
		go open()
		waits("two are open again")
		second.Close()
		farSecond.Close()
		if err := <-opened; err != nil {
			t.Fatal(err)
		}
	})
}

func TestOpen_CancelledWhileItWaitsLeavesItsKindFree(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{MaxStreams: 1})
		near, far := stream(t, client, server, session.Bulk)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.Open(ctx, session.Calls); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("open: %v", err)
		}
		near.Close()
		far.Close()
		stream(t, client, server, session.Calls)
	})
}

func TestOpen_CancelledHarmsNothing(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{MaxStreams: 4})
		go func() { // ends with the session
			for {
				st, err := server.Accept(context.Background())
				if err != nil {
					return
				}
				st.Close()
			}
		}()
		for i := range 1000 {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			st, err := client.Open(ctx, session.Bulk)
			switch {
			case err == nil:
				st.Close()
			case !errors.Is(err, context.Canceled):
				t.Fatalf("open %d: %v", i, err)
			}
		}
		st, err := client.Open(t.Context(), session.Bulk)
		if err != nil {
			t.Fatalf("cancelled calls have used up something: %v", err)
		}
		st.Close()
		if client.Err() != nil || server.Err() != nil {
			t.Errorf("sessions ended: %v, %v", client.Err(), server.Err())
		}
	})
}
