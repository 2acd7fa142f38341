package reeve

import (
	"fmt"
	"math"
	"time"
)

// Backoff is how long to wait after the n-th failed attempt: Base × Factor^(n-1),
// at most Max, made up to Jitter smaller or larger at random so that tasks that
// failed together do not come back together. The zero value is no wait.
type Backoff struct {
	Base   time.Duration // after the first; 0: no wait at all
	Factor float64       // 0: 2; at least 1, at most 100
	Max    time.Duration // 0: the larger of Base and [DefaultMaxBackoff]
	Jitter float64       // a part of the wait, 0 to 1; 0: 0.2; [NoJitter]: none
}

// Defaults of [Backoff].
const (
	DefaultMaxBackoff = 10 * time.Minute
	NoJitter          = -1

	defaultFactor = 2
	defaultJitter = 0.2
)

func (b Backoff) withDefaults() Backoff {
	if b.Factor == 0 {
		b.Factor = defaultFactor
	}
	if b.Max == 0 {
		b.Max = max(b.Base, DefaultMaxBackoff)
	}
	if b.Jitter == 0 {
		b.Jitter = defaultJitter
	}
	return b
}

// Validate reports what is out of range: [ErrInvalid].
func (b Backoff) Validate() error { return invalid(b.problem()) }

// problem is what is out of range; empty: nothing. What is no number is.
func (b Backoff) problem() string {
	switch {
	case b.Base < 0 || b.Base > MaxTime:
		return fmt.Sprintf("Backoff.Base is %v, want 0 (no wait) to 100 years", b.Base)
	case b.Base == 0 && b != (Backoff{}):
		return "Backoff.Base is 0 and other fields are set, want a first wait"
	case b.Factor != 0 && !(b.Factor >= 1 && b.Factor <= 100):
		return fmt.Sprintf("Backoff.Factor is %v, want 1 to 100", b.Factor)
	case b.Max != 0 && (b.Max < b.Base || b.Max > MaxTime):
		return fmt.Sprintf("Backoff.Max is %v, want Base (%v) to 100 years", b.Max, b.Base)
	case b.Jitter != NoJitter && !(b.Jitter >= 0 && b.Jitter <= 1):
		return fmt.Sprintf("Backoff.Jitter is %v, want 0 to 1, or NoJitter", b.Jitter)
	}
	return ""
}

// Wait is the wait after the n-th failed attempt, n from 1 on: 0 to [MaxTime].
// random is uniform in [0, 1).
func (b Backoff) Wait(n int, random float64) time.Duration {
	if b.Base <= 0 {
		return 0
	}
	b = b.withDefaults()
	d, most := float64(b.Base)*math.Pow(b.Factor, float64(max(n, 1)-1)), float64(b.Max)
	if !(d >= 0 && d < most) { // the product may be infinite
		d = most
	}
	if b.Jitter > 0 {
		d *= 1 + min(b.Jitter, 1)*(2*random-1)
	}
	return time.Duration(max(0, min(d, float64(MaxTime))))
}

// invalid makes the error of what is out of range, if something is.
func invalid(problem string) error {
	if problem == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrInvalid, problem)
}
