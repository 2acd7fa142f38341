package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/memory"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal"
)

// Config says how a master is set up. AuthKey or Keys is required; every other
// field may be zero, which is its default.
type Config struct {
	// AuthKey is the key that clients must have.
	AuthKey auth.Key
	// Keys is where keys are found by their id, in place of AuthKey.
	Keys auth.Keyring

	// Heartbeat is how often clients give a sign of life, 100 ms to 1 h; three
	// without any end the session. It is lowered to a third of the shortest
	// lease of the queues. 0: [DefaultHeartbeat].
	Heartbeat time.Duration
	// MaxPayload bounds one payload, in bytes, 1 KiB to 1 GiB. A request, which
	// may be a batch, may be 2 MiB larger. 0: [DefaultMaxPayload].
	MaxPayload int64
	// MaxWaiting bounds the bytes of one client's requests that wait for room
	// in full queues; apart from these of the lists that it asks for and of
	// what it has done to many tasks, which wait for their turn; and of the
	// types and labels that its Gets and consumers want. 0: [DefaultMaxWaiting].
	MaxWaiting int64
	// MaxSessions bounds the connected clients, MaxSessionsPerKey those with one
	// key. 0: [DefaultMaxSessions], for both.
	MaxSessions, MaxSessionsPerKey int
	// MaxConsumers bounds the consumers of one client. 0: [DefaultMaxConsumers].
	MaxConsumers int
	// MaxCommands bounds the commands to workers that one client has asked for,
	// and those that one worker has not answered. More are refused. 0:
	// [DefaultMaxCommands].
	MaxCommands int
	// MaxSubscriptions bounds the event subscriptions of one client. 0:
	// [DefaultMaxSubscriptions].
	MaxSubscriptions int
	// MaxQueues bounds the queues: more are not declared, neither by clients nor by
	// this process. Those that the journal has are all there. 0: [DefaultMaxQueues].
	MaxQueues int
	// EventBuffer is how many events wait for one reader that is slow, at most
	// 65,536; beyond that it misses the oldest. 0: [DefaultEventBuffer].
	EventBuffer int
	// MaxReceiving bounds the bytes of large requests that are being received,
	// over all clients; more wait their turn. 0: [DefaultMaxReceiving]; at least
	// MaxPayload + 2 MiB.
	MaxReceiving int64
	// WriteTimeout is how long a client may take nothing of what is sent to it
	// before its session ends. 0: [DefaultWriteTimeout].
	WriteTimeout time.Duration
	// Watchdog is for how long tasks may be ready and consumers have free slots
	// while nothing moves in a queue, before that is logged and counted. 0:
	// [DefaultWatchdog]; negative: it is not looked for.
	Watchdog time.Duration
	// LoginTimeout is how long a connection may take to prove that it knows the
	// key. 0: [auth.DefaultTimeout].
	LoginTimeout time.Duration

	// Journal keeps the queues: what was acknowledged is there again after a
	// restart with it, as far as Durability says. The master owns it from New
	// on and closes it, also when New fails. nil: queues are kept in memory
	// only, and Memory and Durability mean nothing.
	Journal journal.Journal
	// Memory bounds the payloads that are kept in memory, in bytes. What is
	// beyond it is read back from the journal when it is handed over. 0: a
	// quarter of what this process may use, 256 MiB where that is not known.
	Memory int64
	// Durability is what acknowledged changes survive in queues that do not say
	// it themselves. 0: [reeve.DurabilitySync].
	Durability reeve.Durability

	// Blobs says where and how large values are kept.
	Blobs BlobConfig

	// OnStart is called once, when the master begins to be served and before a
	// client is let in, with the ctx of Start or Serve: [Master.Addr] is known by
	// then. An error ends Start or Serve, and it is called again by the next one.
	// It must not call either. nil: nothing is called.
	OnStart func(ctx context.Context, m *Master) error
	// AllowShutdown lets every client, whoever has the key, shut the master down.
	AllowShutdown bool
	// ShutdownGrace is how long a shutdown in order that a client has asked for
	// waits for leases that stand. 0: [DefaultShutdownGrace].
	ShutdownGrace time.Duration

	// Logger gets decisions: sessions and why they ended, refusals, never
	// tasks. nil: nothing is logged.
	Logger *slog.Logger
	// Debug sends stack traces of internal errors to clients.
	Debug bool
	// Impl names the program to clients; 0: "reeve".
	Impl string
}

// Defaults of [Config].
const (
	DefaultHeartbeat              = 5 * time.Second
	DefaultMaxPayload       int64 = 16 << 20
	DefaultMaxWaiting       int64 = 64 << 20
	DefaultMaxSessions            = 20_000
	DefaultMaxConsumers           = 4096
	DefaultMaxCommands            = 64
	DefaultMaxSubscriptions       = 16
	DefaultMaxQueues              = 10_000
	DefaultEventBuffer            = 4096
	DefaultMaxReceiving     int64 = 512 << 20
	DefaultWriteTimeout           = 30 * time.Second
	DefaultWatchdog               = 5 * time.Minute
	DefaultShutdownGrace          = 30 * time.Second
)

// frameExtra is how much larger than a payload a frame may be.
const frameExtra = 2 << 20

func (c Config) withDefaults() Config {
	c.Heartbeat = cmp.Or(c.Heartbeat, DefaultHeartbeat)
	c.MaxPayload = cmp.Or(c.MaxPayload, DefaultMaxPayload)
	c.MaxWaiting = cmp.Or(c.MaxWaiting, DefaultMaxWaiting)
	c.MaxSessions = cmp.Or(c.MaxSessions, DefaultMaxSessions)
	c.MaxSessionsPerKey = cmp.Or(c.MaxSessionsPerKey, DefaultMaxSessions)
	c.MaxConsumers = cmp.Or(c.MaxConsumers, DefaultMaxConsumers)
	c.MaxCommands = cmp.Or(c.MaxCommands, DefaultMaxCommands)
	c.MaxSubscriptions = cmp.Or(c.MaxSubscriptions, DefaultMaxSubscriptions)
	c.MaxQueues = cmp.Or(c.MaxQueues, DefaultMaxQueues)
	c.EventBuffer = cmp.Or(c.EventBuffer, DefaultEventBuffer)
	c.MaxReceiving = cmp.Or(c.MaxReceiving, max(DefaultMaxReceiving, c.MaxPayload+frameExtra))
	c.WriteTimeout = cmp.Or(c.WriteTimeout, DefaultWriteTimeout)
	c.Watchdog = cmp.Or(c.Watchdog, DefaultWatchdog)
	c.ShutdownGrace = cmp.Or(c.ShutdownGrace, DefaultShutdownGrace)
	c.Durability = cmp.Or(c.Durability, reeve.DurabilitySync)
	if c.Journal != nil {
		c.Memory = cmp.Or(c.Memory, memory.Share())
	}
	c.Impl = cmp.Or(c.Impl, "reeve")
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	bad := func(field string, v any, want string) error {
		return fmt.Errorf("manager: Config.%s is %v, want %s", field, v, want)
	}
	switch {
	case c.AuthKey.IsZero() && c.Keys == nil:
		return errors.New("manager: Config.AuthKey is not set (auth.ParseKey makes one from a password or a generated key)")
	case !c.AuthKey.IsZero() && c.Keys != nil:
		return errors.New("manager: Config.AuthKey and Config.Keys are both set, want one")
	case c.Heartbeat < 100*time.Millisecond || c.Heartbeat > time.Hour:
		return bad("Heartbeat", c.Heartbeat, "100ms to 1h")
	case c.MaxPayload < 1<<10 || c.MaxPayload > 1<<30:
		return bad("MaxPayload", c.MaxPayload, "1 KiB to 1 GiB")
	case c.MaxWaiting < 0:
		return bad("MaxWaiting", c.MaxWaiting, "more than 0")
	case c.MaxSessions < 0:
		return bad("MaxSessions", c.MaxSessions, "more than 0")
	case c.MaxSessionsPerKey < 0:
		return bad("MaxSessionsPerKey", c.MaxSessionsPerKey, "more than 0")
	case c.MaxConsumers < 0:
		return bad("MaxConsumers", c.MaxConsumers, "more than 0")
	case c.MaxCommands < 0:
		return bad("MaxCommands", c.MaxCommands, "more than 0")
	case c.MaxSubscriptions < 0:
		return bad("MaxSubscriptions", c.MaxSubscriptions, "more than 0")
	case c.MaxQueues < 0:
		return bad("MaxQueues", c.MaxQueues, "more than 0")
	case c.EventBuffer < 0 || c.EventBuffer > queue.MaxEvents:
		return bad("EventBuffer", c.EventBuffer, "1 to 65,536")
	case c.MaxReceiving < c.MaxPayload+frameExtra:
		return bad("MaxReceiving", c.MaxReceiving, "at least MaxPayload + 2 MiB")
	case c.WriteTimeout < 0:
		return bad("WriteTimeout", c.WriteTimeout, "more than 0")
	case c.ShutdownGrace < 0:
		return bad("ShutdownGrace", c.ShutdownGrace, "more than 0")
	case c.LoginTimeout < 0:
		return bad("LoginTimeout", c.LoginTimeout, "more than 0")
	case c.Memory < 0:
		return bad("Memory", c.Memory, "more than 0")
	}
	if err := c.Blobs.validate(); err != nil {
		return err
	}
	if err := c.Durability.Validate(); err != nil {
		return fmt.Errorf("manager: Config.Durability: %w", err)
	}
	return nil
}
