package session_test

import (
	"io"
	"sync"
	"testing"

	"github.com/reeveq/reeve/internal/session"
)

// tlsSessions are two sessions in this process over TLS and the loopback
// interface, as every real session has them.
func tlsSessions(b *testing.B) (client, server *session.Session) {
	c, s := tcpPair(b)
	c, s = secure(b, c, s)
	return sessions(b, c, s, session.Config{})
}

// BenchmarkPingPong is the round trip of one message of 100 bytes.
func BenchmarkPingPong(b *testing.B) {
	client, server := tlsSessions(b)
	near, far := stream(b, client, server, session.Calls)
	go func() {
		p := make([]byte, 100)
		for {
			if _, err := io.ReadFull(far, p); err != nil {
				return
			}
			if _, err := far.Write(p); err != nil {
				return
			}
		}
	}()
	p := make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := near.Write(p); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(near, p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSend is a flow in one direction, on several streams at once.
func BenchmarkSend(b *testing.B) {
	for _, bench := range []struct {
		name    string
		streams int
		size    int
	}{
		{"1x100B", 1, 100},
		{"8x100B", 8, 100},
		{"1x64KiB", 1, 64 << 10},
		{"1x1MiB", 1, 1 << 20},
		{"4x1MiB", 4, 1 << 20},
	} {
		b.Run(bench.name, func(b *testing.B) {
			client, server := tlsSessions(b)
			var received sync.WaitGroup
			var senders []*session.Stream
			for range bench.streams {
				near, far := stream(b, client, server, session.Bulk)
				senders = append(senders, near)
				received.Go(func() { io.CopyBuffer(struct{ io.Writer }{io.Discard}, far, make([]byte, 64<<10)) })
			}
			b.SetBytes(int64(bench.size))
			b.ReportAllocs()
			b.ResetTimer()
			var sent sync.WaitGroup
			for i, st := range senders {
				n := b.N / bench.streams
				if i == 0 {
					n += b.N % bench.streams
				}
				sent.Go(func() {
					p := make([]byte, bench.size)
					for range n {
						if _, err := st.Write(p); err != nil {
							b.Error(err)
							return
						}
					}
					st.Close()
				})
			}
			sent.Wait()
			received.Wait()
		})
	}
}

// BenchmarkBurst is the round trip of a request that is answered with ten
// messages, each written by itself.
func BenchmarkBurst(b *testing.B) {
	client, server := tlsSessions(b)
	near, far := stream(b, client, server, session.Calls)
	const burst = 10
	go func() {
		p := make([]byte, 100)
		for {
			if _, err := io.ReadFull(far, p); err != nil {
				return
			}
			for range burst {
				if _, err := far.Write(p); err != nil {
					return
				}
			}
		}
	}()
	p := make([]byte, 100*burst)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := near.Write(p[:100]); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(near, p); err != nil {
			b.Fatal(err)
		}
	}
}
