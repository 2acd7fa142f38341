package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/address"
)

// Config is how a [Client] connects. Only AuthKey is required.
type Config struct {
	// AuthKey is the key that the master shares.
	AuthKey auth.Key
	// Name is what operators are shown for this client. Empty: the program's name.
	Name string
	// Dialer makes the raw connection to one address. nil: TCP, and Unix sockets.
	Dialer func(ctx context.Context, addr string) (net.Conn, error)
	// MinBackoff and MaxBackoff bound the pause before the connection is tried
	// again: a random time up to a bound that starts at MinBackoff and doubles
	// with each failure up to MaxBackoff. 0: 100 ms and 4 s. After a failed
	// authentication the bound starts at 1 s and doubles up to a minute.
	MinBackoff, MaxBackoff time.Duration
	// DialOnce makes Dial return the error of the first attempt at all
	// addresses instead of trying until its ctx ends.
	DialOnce bool
	// Require names queues and shared objects that the master must have. Dial, and
	// not the first use of each, then tells what is missing: an error that is a
	// [*reeve.NoSuchQueueError] and a [*reeve.NoSuchNameError] with the names that
	// there are. A later connection is not asked again. Empty: none.
	Require []string
	// Control carries out commands of operators, one at a time; package worker
	// has one for its workers. ctx ends when the client is closed, which Control
	// must not do itself. nil: this client takes no commands.
	Control func(ctx context.Context, cmd reeve.Command) (*reeve.WorkerStatus, error)
	// EventBuffer is how many events wait for one loop that is slow, at most
	// 65,536; beyond that it misses the oldest. 0: [DefaultEventBuffer].
	EventBuffer int
	// ProgressEvery is how often at most the master is told how far tasks are,
	// at least 1 ms. 0: [DefaultProgressEvery].
	ProgressEvery time.Duration
	// OnState is told of every change of the connection, in order. It must not
	// block, nor call Close.
	OnState func(State)
	// Logger gets one line per change at the debug level. nil: none.
	Logger *slog.Logger
}

// Defaults of [Config].
const (
	DefaultEventBuffer   = 4096
	DefaultProgressEvery = 100 * time.Millisecond
)

const (
	defaultMinBackoff = 100 * time.Millisecond
	defaultMaxBackoff = 4 * time.Second
	maxNameText       = 255
	maxEventBuffer    = 1 << 16
)

func (cfg Config) withDefaults() Config {
	cfg.Name = cmp.Or(cfg.Name, filepath.Base(os.Args[0]))
	cfg.MinBackoff = cmp.Or(cfg.MinBackoff, defaultMinBackoff)
	cfg.MaxBackoff = cmp.Or(cfg.MaxBackoff, max(defaultMaxBackoff, cfg.MinBackoff))
	cfg.EventBuffer = cmp.Or(cfg.EventBuffer, DefaultEventBuffer)
	cfg.ProgressEvery = cmp.Or(cfg.ProgressEvery, DefaultProgressEvery)
	if cfg.Dialer == nil {
		cfg.Dialer = dial
	}
	if cfg.OnState == nil {
		cfg.OnState = func(State) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

func (cfg Config) validate() error {
	switch {
	case cfg.AuthKey.IsZero():
		return errors.New("proxy: Config.AuthKey is not set")
	case len(cfg.Name) > maxNameText:
		return fmt.Errorf("proxy: Config.Name must be at most %d bytes", maxNameText)
	case slices.Contains(cfg.Require, ""):
		return errors.New("proxy: Config.Require has an empty name")
	case cfg.MinBackoff < 0:
		return errors.New("proxy: Config.MinBackoff must not be negative")
	case cfg.MaxBackoff < cfg.MinBackoff:
		return errors.New("proxy: Config.MaxBackoff must not be less than Config.MinBackoff")
	case cfg.EventBuffer < 0 || cfg.EventBuffer > maxEventBuffer:
		return fmt.Errorf("proxy: Config.EventBuffer is %d, want 1 to 65,536", cfg.EventBuffer)
	case cfg.ProgressEvery < time.Millisecond:
		return fmt.Errorf("proxy: Config.ProgressEvery is %v, want at least 1ms", cfg.ProgressEvery)
	}
	return nil
}

func dial(ctx context.Context, addr string) (net.Conn, error) {
	return address.Dial(ctx, addr, connectTimeout)
}

// parseAddrs splits a list of addresses at its commas.
func parseAddrs(list string) ([]string, error) {
	var addrs []string
	for a := range strings.SplitSeq(list, ",") {
		if a = strings.TrimSpace(a); a != "" {
			addrs = append(addrs, a)
		}
	}
	if len(addrs) == 0 {
		return nil, errors.New(`proxy: no address to connect to, want "host:port", "unix:/path" or several with commas between them`)
	}
	return addrs, nil
}
