package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
)

// Dial connects to the listener at addr, "host:port" or "unix:/path", once: it
// does not try again. It blocks until both sides have proved that they have the
// key, at most Config.Timeout for that and as long for the reaching of the
// address, and ends early when ctx does. ctx is for Dial only.
//
// Errors: those of the net package when nobody answers; of package auth when the
// keys differ ([reeve.ErrAuth]) or something else answers ([reeve.ErrProtocol]);
// [reeve.ErrLimit] when too many connections wait there to be accepted; ctx's
// cause. Whoever tries again should ask [auth.GuessGiven] first.
func Dial(ctx context.Context, addr string, cfg Config) (*Conn, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	dialCtx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	raw, err := cfg.Dialer(dialCtx, addr)
	cancel()
	if err != nil {
		return nil, fmt.Errorf("transport: connect to %s: %w", addr, err)
	}
	client := auth.ClientConfig{Key: cfg.Key, Timeout: cfg.Timeout}
	until := time.Now().Add(cfg.Timeout)
	secured, peer, err := client.Handshake(ctx, raw, addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { secured.Close() })
	theirs, err := greet(secured, cfg.MaxMessage, until)
	if !stop() {
		err = context.Cause(ctx)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &auth.TimeoutError{Addr: addr, After: cfg.Timeout}
	}
	if err != nil {
		secured.Close()
		return nil, fmt.Errorf("transport: connect to %s: %w", addr, err)
	}
	return newConn(secured, &cfg, theirs, peer), nil
}

// greet says hello and reads the answer.
func greet(c net.Conn, max int, until time.Time) (theirs int, err error) {
	if err := sendHello(c, max, until); err != nil {
		return 0, err
	}
	theirs, err = readHello(c, until)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		// Masters end the session so.
		return 0, fmt.Errorf("%w: the peer has the key, and closed the connection instead of saying hello", reeve.ErrProtocol)
	case err != nil:
		return 0, err
	case theirs == 0:
		return 0, fmt.Errorf("%w: too many connections wait there for Accept (set by Config.Backlog)", reeve.ErrLimit)
	}
	return theirs, c.SetDeadline(time.Time{})
}
