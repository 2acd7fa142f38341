package reeve

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// QueueConfig says how a queue behaves. The zero value is usable: every field
// has a default.
type QueueConfig struct {
	// MaxLen bounds how many tasks may wait (ready and delayed). 0: unbounded.
	MaxLen int
	// MaxBytes bounds the memory of all tasks the queue keeps, leased and dead
	// ones included: their payloads, 256 bytes for each task, as many again for
	// one that has rules, and all texts that are kept with it. What keys take
	// that outlive their tasks counts, too. 0: [DefaultMaxBytes];
	// [NoLimit]: unbounded.
	MaxBytes int64
	// Refuse makes a full queue an error for every Put instead of a wait.
	Refuse bool
	// Lease is how long a silent holder keeps its tasks. 0: [DefaultLease];
	// at least 100 ms, at most 24 h.
	Lease time.Duration
	// Timeout is how long one attempt may run, for tasks that do not say it.
	// 0: as long as it takes.
	Timeout time.Duration

	// Attempts is how many failed or timed out attempts, and apart from them
	// how many lost holders, make a task dead. 0: [DefaultAttempts]; at most
	// [MaxAttempts].
	Attempts int
	// Backoff is the wait after a failed or timed out attempt, for tasks that
	// do not say it. Zero: none.
	Backoff Backoff
	// CountSnoozed makes attempts whose handler asked to be called again later
	// count as failed ones.
	CountSnoozed bool
	// History is how many attempts that did not succeed are kept with a task,
	// the latest ones. 0: [DefaultHistory]; at most 100; [NoLimit] is out of
	// range: it is bounded.
	History int
	// DeadFor is how long dead tasks are kept. 0: until they are revived or
	// purged.
	DeadFor time.Duration
	// MaxDead bounds the dead tasks: beyond it the oldest is purged. 0:
	// unbounded, but for MaxBytes.
	MaxDead int

	// LIFO hands over the task that was put last first, within a priority.
	LIFO bool
	// Ageing makes a task that has waited for that long count as one priority
	// higher, and for twice that long as two: so that no task waits for ever
	// while others of higher priority keep coming. 0: no ageing; at least 1 ms,
	// at most 24 h.
	Ageing time.Duration
	// Reserve keeps slots of the consumers free for tasks of high priority.
	Reserve Reserve

	// Concurrency bounds how many tasks are leased at a time. 0: unbounded.
	Concurrency int
	// TypeConcurrency does so for tasks of one type. At most [MaxTypes].
	TypeConcurrency map[string]int
	// Rate bounds how often a task is handed over. Zero: no bound.
	Rate Rate
	// KeyConcurrency bounds how many tasks of one key are leased at a time, and
	// KeyRate how often one is handed over. 0: one at a time, in the order of
	// their puts; [NoLimit]: any number. Zero KeyRate: no bound.
	KeyConcurrency int
	KeyRate        Rate
	// Windows are the times of day at which tasks are handed over; outside of
	// all of them none is. nil: always. At most 16.
	Windows []Window

	// KeepResult is for how long outcome and result of a task can be asked for
	// by its id, after its end, for tasks that do not say it. 0: not at all.
	KeepResult time.Duration
	// MaxResultBytes bounds the memory of what is kept for that, payloads and
	// 256 bytes each: beyond it the oldest go first. 0: [DefaultMaxResultBytes].
	MaxResultBytes int64

	// IdleTTL has the queue deleted when nobody has used it for so long: it has
	// no task, not even a dead one, keeps no result and no unique key, nobody
	// waits for anything of it, and nothing was asked of it but to be looked at. 0:
	// it stays until somebody deletes it; at least 1 s.
	IdleTTL time.Duration

	// Durability is what the queue's acknowledged changes survive, if the master
	// keeps a journal. 0: what the master says for all queues.
	Durability Durability
}

// Defaults and limits of [QueueConfig].
const (
	DefaultMaxBytes       int64 = 1 << 30
	DefaultLease                = 30 * time.Second
	DefaultAttempts             = 5
	DefaultHistory              = 10
	DefaultMaxResultBytes int64 = 64 << 20
	NoLimit                     = -1

	MaxAttempts = 1_000_000
	// TaskOverhead is what a task counts for besides its payload.
	TaskOverhead = 256
	maxHistory   = 100
	maxWindows   = 16
)

// Reserve keeps Slots of all slots that the consumers of a queue have free for
// tasks of at least Priority. Zero Slots: none.
type Reserve struct {
	Slots    int
	Priority int32
}

// WithDefaults is c with the defaults in place of zeros.
func (c QueueConfig) WithDefaults() QueueConfig {
	if c.MaxBytes == 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	if c.Lease == 0 {
		c.Lease = DefaultLease
	}
	if c.Attempts == 0 {
		c.Attempts = DefaultAttempts
	}
	if c.History == 0 {
		c.History = DefaultHistory
	}
	if c.KeyConcurrency == 0 {
		c.KeyConcurrency = 1
	}
	if c.MaxResultBytes == 0 {
		c.MaxResultBytes = DefaultMaxResultBytes
	}
	if c.Backoff != (Backoff{}) {
		c.Backoff = c.Backoff.withDefaults()
	}
	c.Rate, c.KeyRate = c.Rate.withDefaults(), c.KeyRate.withDefaults()
	return c
}

// Equal reports whether two configurations say the same.
func (c *QueueConfig) Equal(o *QueueConfig) bool {
	a, b := *c, *o
	if !maps.Equal(a.TypeConcurrency, b.TypeConcurrency) || !slices.Equal(a.Windows, b.Windows) {
		return false
	}
	return a.MaxLen == b.MaxLen && a.MaxBytes == b.MaxBytes && a.Refuse == b.Refuse && a.Lease == b.Lease &&
		a.Timeout == b.Timeout && a.Attempts == b.Attempts && a.Backoff == b.Backoff && a.CountSnoozed == b.CountSnoozed &&
		a.History == b.History && a.DeadFor == b.DeadFor && a.MaxDead == b.MaxDead && a.LIFO == b.LIFO &&
		a.Ageing == b.Ageing && a.Reserve == b.Reserve && a.Concurrency == b.Concurrency && a.Rate == b.Rate &&
		a.KeyConcurrency == b.KeyConcurrency && a.KeyRate == b.KeyRate && a.KeepResult == b.KeepResult &&
		a.MaxResultBytes == b.MaxResultBytes && a.IdleTTL == b.IdleTTL && a.Durability == b.Durability
}

// Validate reports the first field of c, which has its defaults, that is out
// of range: [ErrInvalid].
func (c *QueueConfig) Validate() error {
	bad := func(field string, v any, want string) error {
		return fmt.Errorf("%w: QueueConfig.%s is %v, want %s", ErrInvalid, field, v, want)
	}
	switch {
	case c.MaxLen < 0:
		return bad("MaxLen", c.MaxLen, "0 (unbounded) or more")
	case c.MaxBytes < TaskOverhead && c.MaxBytes != NoLimit:
		return bad("MaxBytes", c.MaxBytes, fmt.Sprintf("at least %d, or NoLimit", TaskOverhead))
	case c.Lease < 100*time.Millisecond || c.Lease > 24*time.Hour:
		return bad("Lease", c.Lease, "100ms to 24h")
	case c.Timeout < 0 || c.Timeout > MaxTime:
		return bad("Timeout", c.Timeout, "0 (none) to 100 years")
	case c.Attempts < 1 || c.Attempts > MaxAttempts:
		return bad("Attempts", c.Attempts, "1 to 1,000,000")
	case c.History < 1 || c.History > maxHistory:
		return bad("History", c.History, "1 to 100")
	case c.DeadFor < 0 || c.DeadFor > MaxTime:
		return bad("DeadFor", c.DeadFor, "0 (until purged) to 100 years")
	case c.MaxDead < 0:
		return bad("MaxDead", c.MaxDead, "0 (unbounded) or more")
	case c.Ageing != 0 && (c.Ageing < time.Millisecond || c.Ageing > 24*time.Hour):
		return bad("Ageing", c.Ageing, "0 (none), or 1ms to 24h")
	case c.Reserve.Slots < 0 || c.Reserve.Slots > MaxSlots:
		return bad("Reserve.Slots", c.Reserve.Slots, "0 to 65536")
	case c.Reserve.Slots == 0 && c.Reserve.Priority != 0:
		return bad("Reserve.Slots", 0, "at least 1 with a Reserve.Priority")
	case c.Concurrency < 0:
		return bad("Concurrency", c.Concurrency, "0 (unbounded) or more")
	case len(c.TypeConcurrency) > MaxTypes:
		return bad("TypeConcurrency", fmt.Sprintf("%d types", len(c.TypeConcurrency)), "at most 1024")
	case c.KeyConcurrency < 1 && c.KeyConcurrency != NoLimit || c.KeyConcurrency > math.MaxInt32:
		return bad("KeyConcurrency", c.KeyConcurrency, "at least 1, or NoLimit")
	case c.KeepResult < 0 || c.KeepResult > MaxTime:
		return bad("KeepResult", c.KeepResult, "0 (not at all) to 100 years")
	case c.MaxResultBytes < TaskOverhead:
		return bad("MaxResultBytes", c.MaxResultBytes, "at least 256")
	case c.IdleTTL != 0 && (c.IdleTTL < time.Second || c.IdleTTL > MaxTime):
		return bad("IdleTTL", c.IdleTTL, "0 (never), or 1s to 100 years")
	case len(c.Windows) > maxWindows:
		return bad("Windows", fmt.Sprintf("%d windows", len(c.Windows)), "at most 16")
	}
	for _, typ := range slices.Sorted(maps.Keys(c.TypeConcurrency)) {
		if err := checkType(typ); err != nil {
			return err
		}
		if n := c.TypeConcurrency[typ]; n < 1 {
			return bad("TypeConcurrency", fmt.Sprintf("%d for %q", n, typ), "at least 1")
		}
	}
	return c.checkParts()
}

// checkParts is Validate for the fields that are types of their own.
func (c *QueueConfig) checkParts() error {
	in := func(field, problem string) error {
		if problem == "" {
			return nil
		}
		return fmt.Errorf("%w: QueueConfig.%s: %s", ErrInvalid, field, problem)
	}
	for i, w := range c.Windows {
		if err := in(fmt.Sprintf("Windows[%d]", i), w.problem()); err != nil {
			return err
		}
	}
	return cmp.Or(in("Rate", c.Rate.problem()), in("KeyRate", c.KeyRate.problem()), in("Backoff", c.Backoff.problem()),
		in("Durability", c.Durability.problem()))
}
