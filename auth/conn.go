package auth

import (
	"context"
	"errors"
	"net"
	"time"
)

// DefaultTimeout is how long a handshake may take on either side.
const DefaultTimeout = 10 * time.Second

var errTimeout = errors.New("handshake timeout")

// Peer is who is at the other end of an authenticated connection.
type Peer struct {
	KeyID  string   // the id of the key that both sides have proved to hold
	Remote net.Addr // of the connection below
}

// secured is what a handshake returns: TLS, closed without ceremony.
type secured struct {
	net.Conn // a *tls.Conn
	raw      net.Conn
}

// Close closes the connection at once, whatever other calls are doing. It sends
// no close_notify: that may block for seconds on a peer that does not read, and
// ends of sessions are told by the protocol above.
func (c *secured) Close() error { return c.raw.Close() }

// joined runs f in a goroutine of its own and returns after it has ended: the
// handshake's deep stack goes with it and is not carried by the caller for as
// long as the session lives. When ctx ends first, conn is closed, which ends f;
// joined then returns the cause.
func joined(ctx context.Context, conn net.Conn, f func() error) error {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.Close()
		close(closed)
	})
	result := make(chan error, 1)
	go func() { result <- f() }() // joined by the next line
	err := <-result
	if !stop() {
		<-closed
		return context.Cause(ctx)
	}
	return err
}
