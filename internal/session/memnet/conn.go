package memnet

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Conn is one end of a connection. Besides what every net.Conn does it has
// the faults of a real network, which a test calls from either end.
type Conn struct {
	net           *Network // nil for the accepting end and for Pipe
	local, remote Addr
	in, out       *half
	peer          *Conn
}

// Pipe makes a connection without a network. Unlike net.Pipe's it has
// buffers, as a socket has: Write returns once its bytes are in the buffer
// (64 KiB in each direction), and waits only when that is full.
func Pipe() (*Conn, *Conn) { return pair("mem:a", "mem:b") }

func pair(a, b Addr) (*Conn, *Conn) {
	there, back := newHalf(), newHalf()
	near := &Conn{local: a, remote: b, in: back, out: there}
	far := &Conn{local: b, remote: a, in: there, out: back, peer: near}
	near.peer = far
	return near, far
}

// Read waits for bytes from the other end and takes what there is. After the
// other end's Close it gives what was still on the way, then io.EOF.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.wrap("read", err)
}

// Write puts p into the buffer, and waits while that is full.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.wrap("write", err)
}

// Close ends this end: its own calls fail with net.ErrClosed, the other end
// reads what is on the way and then io.EOF, and its writes fail with
// syscall.EPIPE. While the connection is a black hole the other end learns
// nothing of it.
func (c *Conn) Close() error {
	if !c.in.closeReader() {
		return c.wrap("close", net.ErrClosed)
	}
	c.out.closeWriter()
	if c.net != nil {
		c.net.forget(c)
	}
	return nil
}

// Reset breaks the connection at once, at both ends: what is on the way is
// lost, and every call fails with syscall.ECONNRESET.
func (c *Conn) Reset() {
	c.in.reset()
	c.out.reset()
}

// BlackHole lets the connection stall in both directions without a sign, as
// when a cable is pulled: nothing arrives any more, neither bytes nor the
// end of the other side, and writes go on until the buffer is full.
func (c *Conn) BlackHole() {
	c.in.stall(0)
	c.out.stall(0)
}

// Heal ends a stall: what is on the way arrives.
func (c *Conn) Heal() {
	c.in.heal()
	c.out.heal()
}

// CutAfter breaks the connection once this end has sent n more bytes: the
// other end gets these n and then syscall.ECONNRESET, and so does this end
// at once.
func (c *Conn) CutAfter(n int) { c.out.cut(n, c.in.reset) }

// StallAfter makes the connection a black hole for what this end sends after
// n more bytes. The other direction goes on.
func (c *Conn) StallAfter(n int) { c.out.stall(n) }

// Peer returns the other end.
func (c *Conn) Peer() *Conn { return c.peer }

// LocalAddr returns this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the other end's address.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline makes Read fail with os.ErrDeadlineExceeded from t on. The
// zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.wrap("set", c.in.setReadDeadline(t))
}

// SetWriteDeadline makes Write fail with os.ErrDeadlineExceeded from t on.
// The zero time means never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.wrap("set", c.out.setWriteDeadline(t))
}

func (c *Conn) wrap(op string, err error) error {
	switch err {
	case nil, io.EOF:
		return err
	}
	return &net.OpError{Op: op, Net: network, Source: c.local, Addr: c.remote, Err: err}
}

var (
	_ net.Conn = (*Conn)(nil)

	errTimeout = os.ErrDeadlineExceeded
	errReset   = error(syscall.ECONNRESET)
	errPipe    = error(syscall.EPIPE)
)
