package worker

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/reeveq/reeve"
)

// Config says how a worker behaves. The zero value is usable.
type Config struct {
	// Concurrency is how many handlers run at a time. 0: one for each CPU the
	// program may use (runtime.GOMAXPROCS). [Worker.Control] may change it.
	Concurrency int
	// Prefetch is how many tasks may be held beside the running ones, so that
	// very small tasks need not wait for the network. They are withheld from
	// other workers meanwhile. 0: none. Concurrency and Prefetch together are
	// at most [reeve.MaxSlots].
	Prefetch int
	// Results names the queue that takes what handlers return, each in one
	// step with the end of its task. Empty: none, and results can be asked for
	// by the task's id only, if the task or its queue has them kept. [To]
	// overrides it for one handler.
	Results string
	// Codec reads payloads and writes results when the source has no codec of
	// its own. nil: codec.CBOR.
	Codec reeve.Codec

	// Labels are what the worker has, for tasks that ask for it
	// ([reeve.Rules.Labels]): it gets those too whose labels are all among
	// these. At most [reeve.MaxLabels], of 1 to 255 bytes each.
	Labels []string

	// Timeout is how long one attempt may run here; a task's own timeout counts
	// if it is shorter. 0: no limit but the task's.
	Timeout time.Duration

	// Grace is how long running handlers may go on after the worker was asked
	// to stop. 0: 30 s; negative: no time at all.
	Grace time.Duration
	// CancelGrace is how long a handler may go on after its context ended,
	// before it is given up. 0: 500 ms. It also bounds the wait for the
	// master's last answers after Grace.
	CancelGrace time.Duration
	// MaxStuck is how many given up handlers that have not returned make the
	// worker stop with [ErrStuck]. 0: 1000; negative: any number.
	MaxStuck int
	// MaxTasks makes the worker drain and Run return nil after that many
	// tasks, for a supervisor that starts it anew. 0: no limit.
	MaxTasks uint64

	// MaxUnsent and MaxUnsentBytes bound the ends of leases that the master
	// has not answered, as happens when it is away: at a bound no further task
	// is taken. What runs by then may exceed them. 0: 16384 and 64 MiB.
	MaxUnsent      int
	MaxUnsentBytes int64

	// Init is called by Run once, before the first task is taken: for what the
	// handlers need. Its error ends Run. Its ctx ends when the worker is to stop,
	// and Shutdown and Close wait for it. nil: nothing.
	Init func(ctx context.Context) error

	// Watchdog is after how long without the end of any task, while handlers
	// run, a warning is logged. 0: 5 min; negative: never.
	Watchdog time.Duration
	// Logger takes the worker's few log lines. nil: none.
	Logger *slog.Logger
}

// Defaults of [Config].
const (
	defaultGrace          = 30 * time.Second
	defaultCancelGrace    = 500 * time.Millisecond
	defaultMaxStuck       = 1000
	defaultMaxUnsent      = 16384
	defaultMaxUnsentBytes = 64 << 20
	defaultWatchdog       = 5 * time.Minute
)

func (c Config) withDefaults() Config {
	c.Concurrency = cmp.Or(c.Concurrency, runtime.GOMAXPROCS(0))
	c.Grace = cmp.Or(c.Grace, defaultGrace)
	c.CancelGrace = cmp.Or(c.CancelGrace, defaultCancelGrace)
	c.MaxStuck = cmp.Or(c.MaxStuck, defaultMaxStuck)
	c.MaxUnsent = cmp.Or(c.MaxUnsent, defaultMaxUnsent)
	c.MaxUnsentBytes = cmp.Or(c.MaxUnsentBytes, defaultMaxUnsentBytes)
	c.Watchdog = cmp.Or(c.Watchdog, defaultWatchdog)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// validate checks a config that has its defaults.
func (c *Config) validate() error {
	switch {
	case c.Concurrency < 0:
		return invalid("Config.Concurrency is %d, must not be negative", c.Concurrency)
	case c.Prefetch < 0:
		return invalid("Config.Prefetch is %d, must not be negative", c.Prefetch)
	case c.Concurrency > reeve.MaxSlots || c.Prefetch > reeve.MaxSlots-c.Concurrency:
		return invalid("Config.Concurrency %d and Config.Prefetch %d are more than %d together",
			c.Concurrency, c.Prefetch, reeve.MaxSlots)
	case c.Timeout < 0:
		return invalid("Config.Timeout is %v, must not be negative", c.Timeout)
	case c.CancelGrace < 0:
		return invalid("Config.CancelGrace is %v, must not be negative", c.CancelGrace)
	case c.MaxUnsent < 0:
		return invalid("Config.MaxUnsent is %d, must not be negative", c.MaxUnsent)
	case c.MaxUnsentBytes < 0:
		return invalid("Config.MaxUnsentBytes is %d, must not be negative", c.MaxUnsentBytes)
	}
	if err := reeve.CheckLabels(c.Labels); err != nil {
		return fmt.Errorf("worker: Config.Labels: %w", err)
	}
	return nil
}

func (c *Config) slots() int { return c.Concurrency + c.Prefetch }

func invalid(format string, args ...any) error {
	return fmt.Errorf("worker: %s: %w", fmt.Sprintf(format, args...), reeve.ErrInvalid)
}
