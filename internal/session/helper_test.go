package session_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
)

// certificate is made once: it is no secret and never checked.
var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

func serverTLS() *tls.Config {
	return &tls.Config{
		Certificates:                []tls.Certificate{certificate()},
		MinVersion:                  tls.VersionTLS13,
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true,
	}
}

func clientTLS() *tls.Config {
	return &tls.Config{
		InsecureSkipVerify:          true, // the sessions under test trust whatever they are given
		MinVersion:                  tls.VersionTLS13,
		DynamicRecordSizingDisabled: true,
	}
}

// tcpPair returns the two ends of a connection over the loopback interface.
func tcpPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

// secure puts TLS 1.3 on a pair of ends.
func secure(t testing.TB, client, server net.Conn) (net.Conn, net.Conn) {
	t.Helper()
	s := tls.Server(server, serverTLS())
	c := tls.Client(client, clientTLS())
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return c, s
}

// sessions begins a session on each end.
func sessions(t testing.TB, client, server net.Conn, cfg session.Config) (*session.Session, *session.Session) {
	t.Helper()
	c, err := session.Client(client, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.Server(server, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return c, s
}

// memSessions begins a session on each end of a connection in memory.
func memSessions(t testing.TB, cfg session.Config) (client, server *session.Session, conn *memnet.Conn) {
	t.Helper()
	near, far := memnet.Pipe()
	client, server = sessions(t, near, far, cfg)
	return client, server, near
}

// stream opens a stream at one session and accepts it at the other.
func stream(t testing.TB, from, to *session.Session, kind session.Kind) (near, far *session.Stream) {
	t.Helper()
	near, err := from.Open(context.Background(), kind)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	far, err = to.Accept(context.Background())
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	return near, far
}
