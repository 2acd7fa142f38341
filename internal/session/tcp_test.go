package session_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/session"
)

// TestClose_IsPromptOverRealTLS: the buffers of the kernel are full, so the
// farewell of TLS would wait for 5 s.
func TestClose_IsPromptOverRealTLS(t *testing.T) {
	c, s := tcpPair(t)
	defer s.Close()
	c, _ = secure(t, c, s) // and nobody reads at the other end any more
	client, err := session.Client(c, session.Config{Window: session.MaxWindow, MaxStreams: 256})
	if err != nil {
		t.Fatal(err)
	}
	var streams []*session.Stream
	for range 200 { // each may send its first window: 50 MiB in all
		st, err := client.Open(context.Background(), session.Bulk)
		if err != nil {
			t.Fatal(err)
		}
		streams = append(streams, st)
	}
	var writers sync.WaitGroup
	for _, st := range streams {
		writers.Go(func() {
			for {
				if _, err := st.Write(make([]byte, session.MaxFrame)); err != nil {
					if !errors.Is(err, session.ErrClosed) {
						t.Errorf("write: %v", err)
					}
					return
				}
			}
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	for client.Flush(ctx) == nil { // until nothing moves any more
	}
	begin := time.Now()
	client.Close()
	if d := time.Since(begin); d > 4500*time.Millisecond {
		t.Errorf("close took %v", d)
	}
	writers.Wait()
}

func TestLogger_IsToldLittleHoweverMuchAPeerProvokes(t *testing.T) {
	var out lockedBuilder
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server, peer := rawServer(t, session.Config{Logger: log})
	for range 10000 {
		// Nobody has opened stream 9: yamux complains of each.
		if _, err := peer.Write(frame(window, fin, 9, 0)); err != nil {
			t.Fatal(err)
		}
	}
	peer.Close()
	<-server.Done()
	server.Close()
	if text := out.String(); !strings.Contains(text, "missing stream") || strings.Count(text, "\n") > 500 {
		t.Errorf("%d lines were logged", strings.Count(text, "\n"))
	}
}

type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuilder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuilder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
