package reeve

import (
	"fmt"
	"strings"
	"time"
)

// Durability is what an acknowledged change of a queue has survived by the time
// it is acknowledged, if the master keeps a journal: a put, an outcome, whatever
// an operator does. A master that is killed loses nothing of it in any case; the
// difference is a power cut, or a crash of the operating system. More than 0 is
// an interval, 1 ms to 1 min: what was acknowledged is safe from a power cut at
// most that long after. The zero value is what the master has been told for all
// queues, which is [DurabilitySync] if nothing.
type Durability time.Duration

const (
	// DurabilitySync: nothing acknowledged is lost in a power cut.
	DurabilitySync Durability = -1
	// DurabilityNone: whatever the operating system has not written yet is.
	DurabilityNone Durability = -2

	minDurabilityInterval = Durability(time.Millisecond)
	maxDurabilityInterval = Durability(time.Minute)
)

const (
	durabilitySync     = "sync"
	durabilityNone     = "none"
	durabilityInterval = "interval="
)

// Interval is after what time at most an acknowledged change is safe from a
// power cut; 0 if d is no interval.
func (d Durability) Interval() time.Duration { return time.Duration(max(d, 0)) }

// Validate reports what is out of range: [ErrInvalid].
func (d Durability) Validate() error { return invalid(d.problem()) }

// problem is what is out of range; empty: nothing.
func (d Durability) problem() string {
	switch {
	case d < DurabilityNone:
		return fmt.Sprintf("a durability of %d, want DurabilitySync, DurabilityNone or an interval", int64(d))
	case d > 0 && (d < minDurabilityInterval || d > maxDurabilityInterval):
		return fmt.Sprintf("a durability interval of %v, want 1ms to 1m", time.Duration(d))
	}
	return ""
}

// String is the form that [ParseDurability] reads; "" for the master's.
func (d Durability) String() string {
	switch d {
	case 0:
		return ""
	case DurabilitySync:
		return durabilitySync
	case DurabilityNone:
		return durabilityNone
	}
	return durabilityInterval + shortDuration(time.Duration(d))
}

// ParseDurability reads sync, none, or interval=TIME with a TIME as "100ms", 1ms
// to 1m. [ErrInvalid].
func ParseDurability(s string) (Durability, error) {
	switch s {
	case durabilitySync:
		return DurabilitySync, nil
	case durabilityNone:
		return DurabilityNone, nil
	}
	text, ok := strings.CutPrefix(s, durabilityInterval)
	interval, err := time.ParseDuration(text)
	if !ok || err != nil || interval <= 0 {
		return 0, fmt.Errorf("%w: durability %.100q, want sync, none or interval=TIME, as interval=100ms", ErrInvalid, s)
	}
	d := Durability(interval)
	if err := d.Validate(); err != nil {
		return 0, err
	}
	return d, nil
}

// MarshalText writes what String does. An invalid d is [ErrInvalid].
func (d Durability) MarshalText() ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what [ParseDurability] does, and "" for the master's.
func (d *Durability) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	v, err := ParseDurability(string(text))
	if err == nil {
		*d = v
	}
	return err
}
