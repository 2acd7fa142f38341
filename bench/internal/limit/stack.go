package limit

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// Stack is what lies between a stream of bytes and the machine's loopback. The
// zero value is TCP alone.
type Stack struct {
	tls, mux, coalescing bool
}

// The stacks that are measured.
var (
	TCP          = Stack{}
	TLS          = Stack{tls: true}
	Yamux        = Stack{mux: true}
	Coalesced    = Stack{mux: true, coalescing: true}
	CoalescedTLS = Stack{tls: true, mux: true, coalescing: true}
)

// About says what the stack consists of, from the top.
func (s Stack) About() string {
	var layers []string
	if s.mux {
		layers = append(layers, "yamux")
	}
	if s.coalescing {
		layers = append(layers, "a coalescing writer")
	}
	if s.tls {
		layers = append(layers, "TLS 1.3")
	}
	return strings.Join(append(layers, "TCP"), ", ")
}

// Link is what a client dials: one connection with streams in it, or, where the
// stack has no streams, as many connections. Safe for concurrent use.
type Link struct {
	stack   Stack
	addr    string
	config  *tls.Config
	session *yamux.Session // nil without streams
}

// Dial connects to the server at endpoint, which Serve announced.
func (s Stack) Dial(ctx context.Context, endpoint string) (*Link, error) {
	addr, certificate, _ := strings.Cut(endpoint, " ")
	l := &Link{stack: s, addr: addr}
	if s.tls {
		der, err := base64.StdEncoding.DecodeString(certificate)
		if err != nil {
			return nil, fmt.Errorf("endpoint: %w", err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("endpoint: %w", err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(cert)
		l.config = &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, DynamicRecordSizingDisabled: true}
	}
	if !s.mux {
		return l, nil
	}
	conn, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	l.session, err = yamux.Client(s.below(conn), muxConfig())
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return l, nil
}

// Open opens a stream, or a connection where there are no streams. The caller
// closes it.
func (l *Link) Open(ctx context.Context) (net.Conn, error) {
	if l.session != nil {
		return l.session.OpenStream()
	}
	return l.connect(ctx)
}

// Close closes the connection below the streams; it does nothing where each
// stream is a connection.
func (l *Link) Close() error {
	if l.session != nil {
		return l.session.Close()
	}
	return nil
}

func (l *Link) connect(ctx context.Context) (net.Conn, error) {
	if l.config != nil {
		return (&tls.Dialer{Config: l.config}).DialContext(ctx, "tcp", l.addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", l.addr)
}

func (s Stack) below(conn net.Conn) io.ReadWriteCloser {
	if s.coalescing {
		return newCoalescer(conn)
	}
	return conn
}

// muxConfig has a window that a payload of 1 MiB fits in several times.
func muxConfig() *yamux.Config {
	cfg := yamux.DefaultConfig()
	cfg.EnableKeepAlive = false
	cfg.MaxStreamWindowSize = 4 << 20
	cfg.ConnectionWriteTimeout = time.Minute
	cfg.LogOutput = nil
	cfg.Logger = log.New(io.Discard, "", 0)
	return cfg
}

// Serve listens on a free loopback port, announces the endpoint, and calls
// handle in a goroutine for each stream, or connection where there are no
// streams. When ctx ends it closes them all, and returns when every handle has
// returned. handle need not close its stream.
func (s Stack) Serve(ctx context.Context, announce func(endpoint string), handle func(net.Conn)) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	endpoint := ln.Addr().String()
	var config *tls.Config
	if s.tls {
		cert, err := selfSigned()
		if err != nil {
			return err
		}
		config = &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, DynamicRecordSizingDisabled: true,
		}
		endpoint += " " + base64.StdEncoding.EncodeToString(cert.Certificate[0])
	}
	announce(endpoint)

	defer context.AfterFunc(ctx, func() { ln.Close() })()
	var handlers sync.WaitGroup // waited for before Serve returns
	defer handlers.Wait()
	for {
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		handlers.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			if config != nil {
				s.streams(tls.Server(conn, config), handle)
			} else {
				s.streams(conn, handle)
			}
		})
	}
}

// streams handles the streams of a connection until it ends.
func (s Stack) streams(conn net.Conn, handle func(net.Conn)) {
	if !s.mux {
		handle(conn)
		return
	}
	session, err := yamux.Server(s.below(conn), muxConfig())
	if err != nil {
		return
	}
	var handlers sync.WaitGroup // waited for before streams returns
	defer handlers.Wait()
	defer session.Close()
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			return
		}
		handlers.Go(func() {
			defer stream.Close()
			handle(stream)
		})
	}
}

// selfSigned is a certificate for the loopback address, of a key of its own.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(30 * 24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
