package session_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
)

// What yamux frames are made of, said a second time on purpose: the tests
// speak to a session as another implementation would.
const (
	data   = 0
	window = 1
	ping   = 2
	goAway = 3

	syn = 1
	ack = 2
	fin = 4
	rst = 8
)

// frame makes a header, and a body of zeros if it is a data frame.
func frame(kind byte, flags uint16, stream, length uint32) []byte {
	b := header(kind, flags, stream, length)
	if kind == data {
		b = append(b, make([]byte, length)...)
	}
	return b
}

func header(kind byte, flags uint16, stream, length uint32) []byte {
	b := []byte{0, kind}
	b = binary.BigEndian.AppendUint16(b, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	return binary.BigEndian.AppendUint32(b, length)
}

// opening is what a client sends to open a stream.
func opening(stream uint32, kind session.Kind) []byte {
	b := frame(window, syn, stream, 0)
	b = append(b, header(data, 0, stream, 1)...)
	return append(b, byte(kind))
}

// rawServer begins a server session whose client is played by the test.
func rawServer(t testing.TB, cfg session.Config) (*session.Session, *memnet.Conn) {
	t.Helper()
	near, far := memnet.Pipe()
	s, err := session.Server(far, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		near.Close()
		s.Close()
	})
	return s, near
}

// countingConn counts the writes that reach the connection, and can hold them
// up.
type countingConn struct {
	net.Conn

	mu     sync.Mutex
	writes []int
	gate   chan struct{} // nil, or received from before each write
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.writes = append(c.writes, len(p))
	gate := c.gate
	c.mu.Unlock()
	if gate != nil {
		<-gate
	}
	return c.Conn.Write(p)
}

// hold lets further writes wait until the returned function is called.
func (c *countingConn) hold() (release func()) {
	gate := make(chan struct{})
	c.mu.Lock()
	c.gate = gate
	c.writes = nil
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		c.gate = nil
		c.mu.Unlock()
		close(gate)
	}
}

// take returns the sizes of the writes since it was called last.
func (c *countingConn) take() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.writes
	c.writes = nil
	return w
}

// stuckConn does not let go of Write, nor of Read if told so, when it is
// closed: a connection that breaks net.Conn's promise.
type stuckConn struct {
	net.Conn
	stickRead bool
	free      chan struct{}
}

func (c *stuckConn) Write(p []byte) (int, error) {
	<-c.free
	return 0, io.ErrClosedPipe
}

func (c *stuckConn) Read(p []byte) (int, error) {
	if c.stickRead {
		<-c.free
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Read(p)
}
