package session

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"
)

// Limits of Config.Window.
const (
	MinWindow = 256 << 10 // what yamux begins with
	MaxWindow = 16 << 20
)

// Config says how a session behaves. The zero value is usable: each field
// that is zero has the default named with it. Both ends should be given the
// same MaxStreams; all else is each end's own affair.
type Config struct {
	// Window is the number of bytes a peer may send on one stream before
	// they are read here, from MinWindow to MaxWindow; 0 means 1 MiB. A
	// stream carries at most one window per round trip, and each stream may
	// cost as much memory.
	Window uint32

	// WriteTimeout is how long one write to the connection, of at most
	// MaxFrame and a header, may take before the session fails with
	// ErrWriteTimeout; 0 means 30 s. A frame that has waited four times as
	// long for its turn ends the session, too. It is not how long
	// Stream.Write waits for a peer that does not read that stream: that has
	// no limit.
	WriteTimeout time.Duration

	// MaxStreams is the number of streams the peer may have open here, and
	// the number that may be opened from here, at a time; 0 means 8.
	MaxStreams int

	// PingsPerSecond is the rate of yamux pings the peer may send, beyond a
	// first 16; 0 means 2. More end the session: each costs an answer, and
	// this package never sends one.
	PingsPerSecond float64

	// Logger gets what a peer does that is odd and breaks no rule, at the debug
	// level and at most a line a second, and why the session ended; nil means
	// nobody does.
	Logger *slog.Logger
}

const (
	defaultWindow       = 1 << 20
	defaultWriteTimeout = 30 * time.Second
	defaultMaxStreams   = 8
	defaultPingRate     = 2

	maxMaxStreams   = 1 << 10
	maxWriteTimeout = 24 * time.Hour
)

func (c Config) withDefaults() Config {
	c.Window = cmp.Or(c.Window, defaultWindow)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, defaultWriteTimeout)
	c.MaxStreams = cmp.Or(c.MaxStreams, defaultMaxStreams)
	c.PingsPerSecond = cmp.Or(c.PingsPerSecond, defaultPingRate)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Window < MinWindow || c.Window > MaxWindow:
		return fmt.Errorf("session: Config.Window must be between %d and %d", MinWindow, MaxWindow)
	case c.WriteTimeout < 0 || c.WriteTimeout > maxWriteTimeout:
		return fmt.Errorf("session: Config.WriteTimeout must be between 0 and %v", maxWriteTimeout)
	case c.MaxStreams < 0 || c.MaxStreams > maxMaxStreams:
		return fmt.Errorf("session: Config.MaxStreams must be between 1 and %d", maxMaxStreams)
	case !(c.PingsPerSecond >= 0 && c.PingsPerSecond <= 1e6):
		return fmt.Errorf("session: Config.PingsPerSecond must be between 0 and 1e6")
	}
	return nil
}
