package reeve

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Rules are what a task asks for beyond its payload, type, priority, delay and
// timeout. The zero value asks for nothing: the queue's own rules hold.
type Rules struct {
	// At is the earliest time at which the task is handed over, by the master's
	// wall clock, whatever is done to that clock meanwhile. It cannot be
	// combined with Task.Delay. Zero: at once.
	At time.Time
	// Expiry makes the task expire when no attempt has begun that long after
	// the Put; ExpireAt does so at a time of the master's wall clock. An attempt
	// that has begun goes on; no further one begins. At most one of the two may
	// be set. Zero: never.
	Expiry   time.Duration
	ExpireAt time.Time

	// Attempts is how many failed or timed out attempts make the task dead. 0:
	// the queue's [QueueConfig.Attempts].
	Attempts int
	// Backoff is the wait after a failed attempt. Zero: the queue's.
	Backoff Backoff

	// Key groups tasks: those of one key run one at a time, in the order of
	// their puts, over all workers, or as [QueueConfig.KeyConcurrency] and
	// [QueueConfig.KeyRate] say. At most [MaxKey] bytes of UTF-8; empty: none.
	Key string

	// Unique makes the Put find an earlier task with the same Unique in the
	// queue instead of putting another one: [ErrDuplicate]. UniqueMode says for
	// how long the key is taken, UniqueFor for how long in mode [UniqueForTime].
	// At most [MaxKey] bytes of UTF-8; empty: none.
	Unique     string
	UniqueMode UniqueMode
	UniqueFor  time.Duration

	// Labels are what a worker must have been given to get the task, all of
	// them. At most [MaxLabels], of 1 to 255 bytes of UTF-8 each.
	Labels []string

	// KeepResult is for how long the task's outcome and result can be asked for
	// by its id, after its end. 0: the queue's [QueueConfig.KeepResult];
	// negative: not at all.
	KeepResult time.Duration

	// Blobs are what the task needs besides its payload: the blobs live as long
	// as the task, and the result that is kept of it. An unknown one makes the
	// Put fail: [ErrNoSuchBlob]. At most [MaxTaskBlobs].
	Blobs []BlobRef
}

// isZero reports whether r asks for nothing.
func (r *Rules) isZero() bool {
	return r.At.IsZero() && r.Expiry == 0 && r.ExpireAt.IsZero() && r.Attempts == 0 && r.Backoff == Backoff{} &&
		r.Key == "" && r.Unique == "" && r.UniqueMode == 0 && r.UniqueFor == 0 && len(r.Labels) == 0 && r.KeepResult == 0 &&
		len(r.Blobs) == 0
}

// Limits of [Rules].
const (
	MaxKey    = 1 << 10 // bytes of Rules.Key and of Rules.Unique
	MaxLabels = 16      // labels of one task or of one worker
)

// UniqueMode says for how long a unique key is taken.
type UniqueMode uint8

// The modes. In each the key is free again when its task is cancelled, expires,
// is purged, moved to another queue or dropped by a shutdown, except in
// [UniqueForTime].
const (
	// UniqueUntilDone: until the task is done, dead or gone in another way.
	UniqueUntilDone UniqueMode = iota
	// UniqueUntilStart: until its first attempt begins.
	UniqueUntilStart
	// UniqueForTime: for Rules.UniqueFor after the Put, whatever becomes of the
	// task; 0: as long as the queue lives. It makes the keys a set of what was
	// seen, as crawlers need.
	UniqueForTime
)

var uniqueModes = [...]string{"until-done", "until-start", "for-time"}

// String is the mode's name: until-done, until-start or for-time.
func (m UniqueMode) String() string {
	if int(m) < len(uniqueModes) {
		return uniqueModes[m]
	}
	return fmt.Sprintf("unique mode %d", uint8(m))
}

// ParseUniqueMode reads the form of [UniqueMode.String]; [ErrInvalid].
func ParseUniqueMode(s string) (UniqueMode, error) {
	for m, name := range uniqueModes {
		if s == name {
			return UniqueMode(m), nil
		}
	}
	return 0, fmt.Errorf("%w: unique mode %.100q, want until-done, until-start or for-time", ErrInvalid, s)
}

// MarshalText writes the form of [UniqueMode.String].
func (m UniqueMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the form of [UniqueMode.String].
func (m *UniqueMode) UnmarshalText(b []byte) error {
	v, err := ParseUniqueMode(string(b))
	if err == nil {
		*m = v
	}
	return err
}

// MaxTime bounds every delay, timeout and expiry: what clocks can add up
// without overflow.
const MaxTime = 100 * 365 * 24 * time.Hour

// Validate reports what is out of range, as an [ErrInvalid] or a [*LimitError]
// that matches [ErrTooLarge].
func (r *Rules) Validate() error {
	switch {
	case r.Expiry < 0 || r.Expiry > MaxTime:
		return fmt.Errorf("%w: expiry of %v, want 0 (never) to 100 years", ErrInvalid, r.Expiry)
	case r.Expiry > 0 && !r.ExpireAt.IsZero():
		return fmt.Errorf("%w: Expiry and ExpireAt are both set, want one", ErrInvalid)
	case !inRange(r.At):
		return fmt.Errorf("%w: At is %v, want the years 1970 to 2200", ErrInvalid, r.At)
	case !inRange(r.ExpireAt):
		return fmt.Errorf("%w: ExpireAt is %v, want the years 1970 to 2200", ErrInvalid, r.ExpireAt)
	case r.Attempts < 0 || r.Attempts > MaxAttempts:
		return fmt.Errorf("%w: %d attempts, want 0 (the queue's) to 1,000,000", ErrInvalid, r.Attempts)
	case r.UniqueMode > UniqueForTime:
		return fmt.Errorf("%w: %v", ErrInvalid, r.UniqueMode)
	case r.Unique == "" && (r.UniqueMode != 0 || r.UniqueFor != 0):
		return fmt.Errorf("%w: a unique mode or time without a key", ErrInvalid)
	case r.UniqueFor < 0 || r.UniqueFor > MaxTime:
		return fmt.Errorf("%w: unique for %v, want 0 (as long as the queue lives) to 100 years", ErrInvalid, r.UniqueFor)
	case r.UniqueFor > 0 && r.UniqueMode != UniqueForTime:
		return fmt.Errorf("%w: UniqueFor is %v in mode %v", ErrInvalid, r.UniqueFor, r.UniqueMode)
	case r.KeepResult > MaxTime:
		return fmt.Errorf("%w: keep the result for %v, want at most 100 years", ErrInvalid, r.KeepResult)
	}
	if err := checkKey("key", r.Key); err != nil {
		return err
	}
	if err := checkKey("unique key", r.Unique); err != nil {
		return err
	}
	if err := r.Backoff.Validate(); err != nil {
		return err
	}
	if err := CheckBlobs(r.Blobs); err != nil {
		return err
	}
	return CheckLabels(r.Labels)
}

func checkKey(what, key string) error {
	if len(key) > MaxKey {
		return &LimitError{Kind: ErrTooLarge, Limit: what + " bytes", Value: int64(len(key)), Max: MaxKey}
	}
	if !utf8.ValidString(key) {
		return fmt.Errorf("%w: %s %q is not UTF-8", ErrInvalid, what, key)
	}
	return nil
}

// CheckLabels reports what is wrong with the labels of a task or a worker.
func CheckLabels(labels []string) error {
	if len(labels) > MaxLabels {
		return &LimitError{Kind: ErrTooLarge, Limit: "labels", Value: int64(len(labels)), Max: MaxLabels}
	}
	for _, l := range labels {
		if l == "" || len(l) > 255 || !utf8.ValidString(l) {
			return fmt.Errorf("%w: label %.300q of %d bytes, want 1 to 255, in UTF-8", ErrInvalid, l, len(l))
		}
	}
	return nil
}

// inRange bounds wall clock times to what positive int64 nanoseconds since 1970
// can tell; 0 stands for none.
func inRange(t time.Time) bool {
	return t.IsZero() || t.After(time.Unix(0, 0)) && t.UTC().Year() <= 2200
}
