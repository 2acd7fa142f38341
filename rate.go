package reeve

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate bounds how often something happens: Tasks in each Per, and up to Burst
// at once after a pause (a token bucket). The zero value is no bound.
type Rate struct {
	Tasks int           // 1 to 1,000,000,000; 0: no bound
	Per   time.Duration // 0: a second; 1 ms to 365 days
	Burst int           // 0: 1
}

// Limits of [Rate].
const (
	maxRateTasks = 1_000_000_000
	maxRatePer   = 365 * 24 * time.Hour
)

// IsZero reports whether there is no bound.
func (r Rate) IsZero() bool { return r.Tasks == 0 }

// withDefaults says what zeros stand for.
func (r Rate) withDefaults() Rate {
	if r.Tasks != 0 {
		r.Per, r.Burst = cmp.Or(r.Per, time.Second), cmp.Or(r.Burst, 1)
	}
	return r
}

// Validate reports what is out of range: [ErrInvalid].
func (r Rate) Validate() error { return invalid(r.problem()) }

// problem is what is out of range; empty: nothing.
func (r Rate) problem() string {
	switch {
	case r.Tasks == 0 && r != (Rate{}):
		return "a rate of 0 tasks, want at least 1 (Pause holds a queue up)"
	case r.Tasks < 0 || r.Tasks > maxRateTasks:
		return fmt.Sprintf("a rate of %d tasks, want 1 to 1,000,000,000", r.Tasks)
	case r.Per != 0 && (r.Per < time.Millisecond || r.Per > maxRatePer):
		return fmt.Sprintf("a rate per %v, want 1ms to 365 days", r.Per)
	case r.Burst < 0 || r.Burst > maxRateTasks:
		return fmt.Sprintf("a burst of %d, want 1 to 1,000,000,000", r.Burst)
	}
	return ""
}

// Interval is the time between two tasks at this rate, in nanoseconds; 0
// without a bound.
func (r Rate) Interval() float64 {
	if r.Tasks == 0 {
		return 0
	}
	return float64(cmp.Or(r.Per, time.Second)) / float64(r.Tasks)
}

// String is the form that [ParseRate] reads: "100/s", "30/5m", "1/s+9"; "" for
// no bound.
func (r Rate) String() string {
	if r.IsZero() {
		return ""
	}
	s := strconv.Itoa(r.Tasks) + "/" + formatPer(cmp.Or(r.Per, time.Second))
	if r.Burst > 1 {
		s += "+" + strconv.Itoa(r.Burst)
	}
	return s
}

// formatPer writes d without the units that are zero, and one of a unit as that
// unit: "s", "5m", "1h30m".
func formatPer(d time.Duration) string {
	switch d {
	case time.Second:
		return "s"
	case time.Minute:
		return "m"
	case time.Hour:
		return "h"
	case day:
		return "d"
	}
	return shortDuration(d)
}

// shortDuration writes d without the units at its end that are zero.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// ParseRate reads N/TIME, N tasks in each TIME, with +BURST after it for up to
// BURST tasks at once after a pause. TIME is s, m, h, d, or a duration as "5m".
// [ErrInvalid].
func ParseRate(s string) (Rate, error) {
	bad := fmt.Errorf("%w: rate %.100q, want N/TIME or N/TIME+BURST, as 100/s or 30/5m+10", ErrInvalid, s)
	tasks, rest, ok := strings.Cut(s, "/")
	per, burst, hasBurst := strings.Cut(rest, "+")
	var r Rate
	if r.Tasks = parseCount(tasks); !ok || r.Tasks < 0 {
		return Rate{}, bad
	}
	if r.Per, ok = parsePer(per); !ok {
		return Rate{}, bad
	}
	if r.Burst = 1; hasBurst {
		if r.Burst = parseCount(burst); r.Burst < 1 {
			return Rate{}, bad
		}
	}
	if err := r.Validate(); err != nil {
		return Rate{}, err
	}
	return r, nil
}

// parseCount is the number that the digits of s are; -1: they are none, or too
// many.
func parseCount(s string) int {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}

func parsePer(s string) (time.Duration, bool) {
	switch s {
	case "s", "m", "h":
		s = "1" + s
	case "d":
		s = "24h"
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d > 0
}
