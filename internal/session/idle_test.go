package session_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/session"
)

const idleSessions = 1000

// idleClientEnv makes a copy of the test program the other end of
// BenchmarkIdleMemory: its value is the address to dial.
const idleClientEnv = "SESSION_TEST_IDLE_CLIENT"

// BenchmarkIdleMemory reports what an idle session costs its server, with
// both its streams open and a goroutine waiting on each, over TLS, after one
// message in both directions. The clients are another process. One
// iteration tells it all: run it with -benchtime 1x.
func BenchmarkIdleMemory(b *testing.B) {
	b.Run("plain", func(b *testing.B) { benchmarkIdle(b, 100) })
	b.Run("after 1 MiB", func(b *testing.B) { benchmarkIdle(b, 1<<20) })
}

func benchmarkIdle(b *testing.B, message int) {
	for b.Loop() {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		client := exec.Command(os.Args[0], "-test.run", "^$")
		client.Env = append(os.Environ(), idleClientEnv+"="+ln.Addr().String(), "SIZE="+strconv.Itoa(message))
		client.Stderr = os.Stderr
		stdin, err := client.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := client.Start(); err != nil {
			b.Fatal(err)
		}
		config := serverTLS()
		before, goroutines := memory(), runtime.NumGoroutine()
		var all []*session.Session
		for range idleSessions {
			conn, err := ln.Accept()
			if err != nil {
				b.Fatal(err)
			}
			secured := tls.Server(conn, config)
			if err := secured.Handshake(); err != nil {
				b.Fatal(err)
			}
			s, err := session.Server(secured, session.Config{})
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, s)
			for range 2 {
				st, err := s.Accept(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				p := make([]byte, 512)
				for got := 0; got < message; {
					n, err := st.Read(p)
					if err != nil {
						b.Fatal(err)
					}
					got += n
				}
				for sent := 0; sent < message; sent += 100 << 10 {
					if _, err := st.Write(make([]byte, min(100<<10, message-sent))); err != nil {
						b.Fatal(err)
					}
				}
				go st.Read(p) // ends with the session
			}
		}
		time.Sleep(time.Second) // let the clients read what they were sent
		used := memory() - before
		b.ReportMetric(float64(used)/idleSessions, "B/session")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/idleSessions, "goroutines/session")
		for _, s := range all {
			s.Close()
		}
		stdin.Close()
		if err := client.Wait(); err != nil {
			b.Fatal(err)
		}
		ln.Close()
	}
}

// memory is what the process holds, of heap and of stacks.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// idleClients is the other end: it holds its sessions until stdin ends.
func idleClients(address string) error {
	size, err := strconv.Atoi(os.Getenv("SIZE"))
	if err != nil {
		return err
	}
	ctx := context.Background()
	for range idleSessions {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		s, err := session.Client(tls.Client(conn, clientTLS()), session.Config{})
		if err != nil {
			return err
		}
		for _, kind := range []session.Kind{session.Control, session.Calls} {
			st, err := s.Open(ctx, kind)
			if err != nil {
				return err
			}
			if _, err := st.Write(make([]byte, size)); err != nil {
				return err
			}
			if _, err := io.CopyN(io.Discard, st, int64(size)); err != nil {
				return err
			}
		}
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
