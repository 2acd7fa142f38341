package transport

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
)

// goodbyeTime is how long Close may take to say goodbye to a peer that takes
// nothing.
const goodbyeTime = time.Second

// Conn is a connection that carries messages, in order, in both directions at
// the same time. Its methods may be called from any goroutine: messages of
// several senders are not mixed, and each message goes to one receiver.
type Conn struct {
	stream net.Conn
	codec  reeve.Codec
	peer   *auth.Peer // nil for Pipe
	max    int        // bytes of a message that is received; 0: none are
	theirs int        // bytes of a message that the peer takes; 0: none

	once   sync.Once
	closed chan struct{}

	sends    turn
	sendErr  error  // why nothing more can be sent; guarded by sends
	outgoing []byte // kept for reuse; guarded by sends

	recvs turn
	in    incoming // guarded by recvs
}

func newConn(stream net.Conn, cfg *Config, theirs int, peer *auth.Peer) *Conn {
	return &Conn{
		stream: stream, codec: cfg.Codec, peer: peer, max: cfg.MaxMessage, theirs: theirs,
		closed: make(chan struct{}), sends: make(turn, 1), recvs: make(turn, 1),
	}
}

// Peer is who is at the other end. For [Pipe] it is zero.
func (c *Conn) Peer() auth.Peer {
	if c.peer == nil {
		return auth.Peer{}
	}
	return *c.peer
}

// LocalAddr is the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.stream.LocalAddr() }

// RemoteAddr is the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.stream.RemoteAddr() }

// Close ends the connection: calls of this end that wait end with
// [reeve.ErrClosed], and the other end receives what was sent before and then
// io.EOF. It takes a second at most, when the other end takes nothing. What was
// sent may be lost if there are messages that this end has not received. Further
// calls do no harm.
func (c *Conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		if c.sends.tryTake() { // else a message is on its way, which is cut off
			if c.sendErr == nil && c.theirs > 0 && c.stream.SetWriteDeadline(time.Now().Add(goodbyeTime)) == nil {
				_, _ = c.stream.Write(goodbye[:])
			}
			c.sends.give()
		}
		c.stream.Close()
	})
	return nil
}

// abort is Close without a goodbye: the other end sees that the connection is
// lost.
func (c *Conn) abort() {
	c.once.Do(func() {
		close(c.closed)
		c.stream.Close()
	})
}

func (c *Conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// Stream returns the connection without messages, authenticated and encrypted all
// the same, for whatever both ends agree on. From then on the Conn can only be
// closed. Both ends must do this at the same place between messages: one that
// was sent or polled for, and not received, is [reeve.ErrInvalid]. It waits for
// calls of Send and Recv that are under way.
func (c *Conn) Stream(ctx context.Context) (net.Conn, error) {
	if err := c.takeTurn(ctx, c.sends); err != nil {
		return nil, err
	}
	defer c.sends.give()
	if err := c.takeTurn(ctx, c.recvs); err != nil {
		return nil, err
	}
	defer c.recvs.give()
	switch {
	case c.sendErr != nil:
		return nil, c.sendErr
	case c.in.err != nil:
		return nil, c.in.err
	case c.in.have > 0:
		return nil, fmt.Errorf("%w: there is a message that was not received", reeve.ErrInvalid)
	}
	c.sendErr = fmt.Errorf("%w: the connection is used as a stream", reeve.ErrInvalid)
	c.in.err = c.sendErr
	return c.stream, nil
}

// turn is a mutex that can be waited for with a ctx; cap 1.
type turn chan struct{}

func (t turn) tryTake() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

func (t turn) give() { <-t }

// takeTurn waits for t, until ctx ends or c is closed.
func (c *Conn) takeTurn(ctx context.Context, t turn) error {
	if c.isClosed() {
		return reeve.ErrClosed
	}
	if t.tryTake() {
		return nil
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-c.closed:
		return reeve.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lost is the error of a connection that failed with err.
func (c *Conn) lost(err error) error {
	if c.isClosed() {
		return reeve.ErrClosed
	}
	return &LostError{Addr: c.stream.RemoteAddr().String(), Err: err}
}

// LostError says that the connection with Addr is lost: the other end did not
// say goodbye. What was sent last may have arrived or not. It matches
// [reeve.ErrDisconnected] and its cause.
type LostError struct {
	Addr string
	Err  error
}

func (e *LostError) Error() string {
	return fmt.Sprintf("transport: the connection with %s is lost: %v", e.Addr, e.Err)
}

// Unwrap gives the cause.
func (e *LostError) Unwrap() error { return e.Err }

// Is reports whether target is [reeve.ErrDisconnected].
func (e *LostError) Is(target error) bool { return target == reeve.ErrDisconnected }

// endWith makes a call that waits for a deadline end when ctx does; set is
// SetReadDeadline or SetWriteDeadline. release is called once, when the call has
// returned.
func endWith(ctx context.Context, set func(time.Time) error) (release func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		_ = set(time.Unix(1, 0)) // fails when the connection is closed, which ends the call, too
	})
	return func() {
		if !stop() {
			<-fired
			_ = set(time.Time{})
		}
	}
}
