package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/address"
)

// Config is how connections are made, on either side. Only Key is required.
type Config struct {
	// Key is what both sides must have.
	Key auth.Key
	// Codec turns values into messages and back. nil: [codec.CBOR].
	Codec reeve.Codec
	// MaxMessage bounds one message that is received, in bytes, up to 2 GiB. The
	// other side learns it when the connection is made. 0: [DefaultMaxMessage].
	MaxMessage int
	// Timeout is how long the making of a connection may take, apart from Dial's
	// reaching of the address, which has the same time for itself. 0:
	// [auth.DefaultTimeout].
	Timeout time.Duration
	// Backlog is how many connections may wait in a listener for Accept; more are
	// refused. 0: [DefaultBacklog].
	Backlog int
	// Dialer makes the raw connection to an address. nil: TCP and Unix sockets.
	Dialer func(ctx context.Context, addr string) (net.Conn, error)
	// Logger gets what a listener refuses, once per source and minute. nil:
	// nothing is logged.
	Logger *slog.Logger
}

// Defaults of [Config].
const (
	DefaultMaxMessage = 16 << 20
	DefaultBacklog    = 128
)

func (c Config) withDefaults() Config {
	c.MaxMessage = cmp.Or(c.MaxMessage, DefaultMaxMessage)
	c.Timeout = cmp.Or(c.Timeout, auth.DefaultTimeout)
	c.Backlog = cmp.Or(c.Backlog, DefaultBacklog)
	if c.Codec == nil {
		c.Codec = codec.CBOR
	}
	if c.Dialer == nil {
		timeout := c.Timeout
		c.Dialer = func(ctx context.Context, addr string) (net.Conn, error) { return address.Dial(ctx, addr, timeout) }
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Key.IsZero():
		return errors.New("transport: Config.Key is not set (auth.ParseKey makes one from a password or a generated key)")
	case c.MaxMessage < 0 || c.MaxMessage > math.MaxInt32:
		return fmt.Errorf("transport: Config.MaxMessage is %d, want 1 to %d", c.MaxMessage, math.MaxInt32)
	case c.Timeout < 0:
		return errors.New("transport: Config.Timeout must not be negative")
	case c.Backlog < 0:
		return errors.New("transport: Config.Backlog must not be negative")
	}
	return nil
}
