package session_test

import (
	"context"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/reeveq/reeve/internal/session"
)

// FuzzServer gives a server session the bytes of a hostile peer. Whatever
// they are, it must not panic, must end when the connection does, with all
// its goroutines, and must not have allocated more than a few buffers beyond
// what it was sent.
func FuzzServer(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	f.Add(opening(1, session.Calls))
	f.Add(slices.Concat(opening(1, session.Control), opening(3, session.Calls), frame(data, 0, 3, 5000), frame(window, fin, 3, 0)))
	f.Add(slices.Repeat(frame(ping, syn, 0, 1), 30))
	f.Add(slices.Concat(opening(1, session.Bulk), frame(window, rst, 1, 0), opening(1, session.Bulk), frame(data, fin, 1, 10)))
	f.Add(slices.Concat(opening(1, session.Bulk), header(data, syn|ack|fin|rst, 1, 100)))
	f.Add(slices.Concat(header(data, 0, 9, 65536), header(goAway, 0, 0, 2)))
	f.Add(header(data, 0, 1, 1<<32-1))
	f.Fuzz(func(t *testing.T, sent []byte) {
		before := allocated()
		server, peer := rawServer(t, session.Config{MaxStreams: 4})
		accepted := make(chan struct{})
		go func() {
			defer close(accepted)
			for {
				st, err := server.Accept(context.Background())
				if err != nil {
					return
				}
				go func() { // ends with the session
					io.Copy(io.Discard, st)
					st.Close()
				}()
			}
		}()
		go io.Copy(io.Discard, peer) // ends with the connection
		peer.Write(sent)
		peer.Close()
		<-server.Done()
		server.Close()
		<-accepted
		if server.Err() == nil {
			t.Error("session ended without a cause")
		}
		if used, limit := allocated()-before, uint64(1<<20+64*len(sent)); used > limit {
			t.Errorf("%d bytes made it allocate %d", len(sent), used)
		}
	})
}

// allocated is what this process has ever allocated on its heap.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
