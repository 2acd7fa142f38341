package pool

import (
	"cmp"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// Config says how a pool behaves. The zero value is usable.
type Config struct {
	// Codec writes inputs and reads results; the workers must have the same.
	// nil: codec.CBOR. Bytes that codec.Raw takes as they are must not be
	// changed any more.
	Codec reeve.Codec

	// Chunk is how many inputs of a Map are put with one request. Unlike
	// Python's chunksize it does not say how they are shared out: each input is
	// a task of its own, which goes to whoever is free. 0: a quarter of the
	// inputs, 1024 at most; at most MaxPending and [reeve.MaxBatch].
	Chunk int
	// MaxPending bounds the tasks of the pool that are in the queue or with
	// workers. What is beyond waits here: the inputs of a Map until there is
	// room, and as many calls of Go, after which Go blocks. 0: 16384.
	MaxPending int
	// ReadAhead bounds how many inputs Imap and ImapUnordered have taken whose
	// results their loop has not got. 0: 1024.
	ReadAhead int

	// Timeout is how long one attempt may run. 0: the queue's.
	Timeout time.Duration
	// Attempts is how many failed attempts, and apart from them how many lost
	// workers, end a task with an error. 0: the queue's. A handler that returns
	// worker.Permanent ends it at once.
	Attempts int
	// Keep is for how long the master keeps the outcome of a task, as far as the
	// queue's MaxResultBytes have room: a pool whose connection is lost for
	// longer does not learn it ([reeve.ErrNoSuchTask]). 0: 10 min; at least 1 s.
	Keep time.Duration
	// Put are options of all tasks: priority, expiry, labels, backoff. Those
	// that have a field above, and the type, are overridden by it, where it is
	// not zero. Unique keys are refused: every call is a task of its own.
	Put []reeve.PutOption
}

// Defaults of [Config].
const (
	DefaultMaxPending = 1 << 14
	DefaultReadAhead  = 1024
	DefaultKeep       = 10 * time.Minute

	maxAutoChunk = 1024
)

func (c Config) withDefaults() Config {
	c.MaxPending = cmp.Or(c.MaxPending, DefaultMaxPending)
	c.ReadAhead = cmp.Or(c.ReadAhead, DefaultReadAhead)
	c.Keep = cmp.Or(c.Keep, DefaultKeep)
	if c.Codec == nil {
		c.Codec = codec.CBOR
	}
	return c
}

// validate checks a config that has its defaults.
func (c *Config) validate() error {
	const most = 1 << 20
	switch {
	case c.MaxPending < 1 || c.MaxPending > most:
		return invalid("Config.MaxPending is %d, want 1 to %d", c.MaxPending, most)
	case c.Chunk < 0 || c.Chunk > min(reeve.MaxBatch, c.MaxPending):
		return invalid("Config.Chunk is %d, want 0 to %d", c.Chunk, min(reeve.MaxBatch, c.MaxPending))
	case c.ReadAhead < 1 || c.ReadAhead > most:
		return invalid("Config.ReadAhead is %d, want 1 to %d", c.ReadAhead, most)
	case c.Keep < time.Second || c.Keep > reeve.MaxTime:
		return invalid("Config.Keep is %v, want 1s to 100 years", c.Keep)
	case c.Timeout < 0 || c.Timeout > reeve.MaxTime:
		return invalid("Config.Timeout is %v, want 0 (the queue's) to 100 years", c.Timeout)
	case c.Attempts < 0 || c.Attempts > reeve.MaxAttempts:
		return invalid("Config.Attempts is %d, want 0 (the queue's) to %d", c.Attempts, reeve.MaxAttempts)
	}
	return nil
}

// options is what every put of tasks of type typ says.
func (c *Config) options(typ string) (reeve.PutOption, error) {
	o := reeve.NewPutOptions(c.Put...)
	o.Task.Type = typ
	o.Task.Timeout = cmp.Or(c.Timeout, o.Task.Timeout)
	o.Rules.Attempts = cmp.Or(c.Attempts, o.Rules.Attempts)
	o.Rules.KeepResult = c.Keep
	if o.Rules.Unique != "" {
		return nil, invalid("Config.Put has a unique key")
	}
	var t reeve.Task
	o.Apply(&t)
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("pool: Config.Put, or the type: %w", err)
	}
	return func(all *reeve.PutOptions) { *all = o }, nil
}

// chunk is how many of n inputs are put together.
func (c *Config) chunk(n int) int {
	if c.Chunk > 0 {
		return c.Chunk
	}
	return max(1, min((n+3)/4, maxAutoChunk, c.MaxPending/4))
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("pool: %s: %w", fmt.Sprintf(format, args...), reeve.ErrInvalid)
}
