package session_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"

	"github.com/hashicorp/yamux"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
)

// The tests below have yamux itself as the peer: what this package speaks is
// its protocol, and not only what both ends of this package understand.

func yamuxConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.EnableKeepAlive = false
	c.LogOutput = io.Discard
	return c
}

// limited writes in frames that the protocol allows: yamux would fill a window.
type limited struct{ net.Conn }

func (l limited) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var k int
		k, err = l.Conn.Write(p[n:min(len(p), n+session.MaxFrame)])
		n += k
	}
	return n, err
}

// carry sends several windows both ways over one stream, and closes it at both
// ends, near first.
func carry(t *testing.T, near, far io.ReadWriteCloser) {
	t.Helper()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 3<<20/16)
	echoed := make(chan error, 1)
	go func() {
		_, err := io.CopyN(far, far, int64(len(sent)))
		echoed <- err
	}()
	written := make(chan error, 1)
	go func() {
		_, err := near.Write(sent)
		written <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(near, got); err != nil {
		t.Fatal(err)
	}
	for _, end := range []chan error{echoed, written} {
		if err := <-end; err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, sent) {
		t.Fatal("what came back differs from what was sent")
	}
	if err := near.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := far.Read(got); n != 0 || err != io.EOF {
		t.Fatalf("read at the other end: %d, %v", n, err)
	}
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPeer_YamuxAsTheClient(t *testing.T) {
	conn, far := memnet.Pipe()
	server, err := session.Server(far, session.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	peer, err := yamux.Client(conn, yamuxConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	for range 20 { // more than there may be at a time
		theirs, err := peer.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := theirs.Write([]byte{byte(session.Bulk)}); err != nil {
			t.Fatal(err)
		}
		ours, err := server.Accept(context.Background())
		if err != nil || ours.Kind() != session.Bulk {
			t.Fatalf("accept: %v", err)
		}
		carry(t, limited{theirs}, ours)
	}
	if _, err := peer.Ping(); err != nil {
		t.Fatal(err)
	}
	if err := server.Err(); err != nil || peer.NumStreams() != 0 {
		t.Errorf("cause %v, %d streams are left", err, peer.NumStreams())
	}
}

func TestPeer_YamuxAsTheServer(t *testing.T) {
	conn, far := memnet.Pipe()
	client, err := session.Client(conn, session.Config{Window: session.MinWindow})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	peer, err := yamux.Server(far, yamuxConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	for range 20 {
		ours, err := client.Open(context.Background(), session.Bulk)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := peer.Accept()
		if err != nil {
			t.Fatal(err)
		}
		kind := make([]byte, 1)
		if _, err := io.ReadFull(theirs, kind); err != nil || kind[0] != byte(session.Bulk) {
			t.Fatalf("kind %v, %v", kind, err)
		}
		carry(t, ours, limited{theirs})
	}
	if err := client.Err(); err != nil || peer.NumStreams() != 0 {
		t.Errorf("cause %v, %d streams are left", err, peer.NumStreams())
	}
	if err := peer.GoAway(); err != nil {
		t.Fatal(err)
	}
	if _, err := peer.Ping(); err != nil { // by its answer the goodbye has come
		t.Fatal(err)
	}
	if _, err := client.Open(context.Background(), session.Bulk); err == nil {
		t.Error("a stream was opened that the peer does not want")
	}
}
