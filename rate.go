package reeve

import (
	"fmt"
	"math"
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

// Validate reports what is out of range: [ErrInvalid].
func (r Rate) Validate() error {
	switch {
	case r.Tasks == 0 && r != (Rate{}):
		return fmt.Errorf("%w: a rate of 0 tasks, want at least 1 (Pause holds a queue up)", ErrInvalid)
	case r.Tasks < 0 || r.Tasks > maxRateTasks:
		return fmt.Errorf("%w: a rate of %d tasks, want 1 to 1,000,000,000", ErrInvalid, r.Tasks)
	case r.Per != 0 && (r.Per < time.Millisecond || r.Per > maxRatePer):
		return fmt.Errorf("%w: a rate per %v, want 1ms to 365 days", ErrInvalid, r.Per)
	case r.Burst < 0 || r.Burst > maxRateTasks:
		return fmt.Errorf("%w: a burst of %d, want 1 to 1,000,000,000", ErrInvalid, r.Burst)
	}
	return nil
}

// Interval is the time between two tasks at this rate, in nanoseconds; 0
// without a bound.
func (r Rate) Interval() float64 {
	if r.Tasks == 0 {
		return 0
	}
	per := r.Per
	if per == 0 {
		per = time.Second
	}
	return float64(per) / float64(r.Tasks)
}

// String is the form that [ParseRate] reads: "100/s", "30/5m", "1/s+9"; "" for
// no bound.
func (r Rate) String() string {
	if r.IsZero() {
		return ""
	}
	per := "s"
	switch {
	case r.Per == 0 || r.Per == time.Second:
	case r.Per == time.Minute:
		per = "m"
	case r.Per == time.Hour:
		per = "h"
	default:
		per = r.Per.String()
	}
	s := fmt.Sprintf("%d/%s", r.Tasks, per)
	if r.Burst > 1 {
		s += fmt.Sprintf("+%d", r.Burst)
	}
	return s
}

// ParseRate reads N/TIME, N tasks in each TIME, with +BURST after it for up to
// BURST tasks at once after a pause. TIME is s, m, h, or a duration as "5m".
func ParseRate(s string) (Rate, error) {
	bad := func() (Rate, error) {
		return Rate{}, fmt.Errorf("%w: rate %.100q, want N/TIME or N/TIME+BURST, as 100/s or 30/5m+10", ErrInvalid, s)
	}
	n, rest, ok := strings.Cut(s, "/")
	if !ok {
		return bad()
	}
	per, burst, hasBurst := strings.Cut(rest, "+")
	var r Rate
	var err error
	if r.Tasks, err = strconv.Atoi(n); err != nil || r.Tasks < 1 {
		return bad()
	}
	switch per {
	case "s", "m", "h":
		per = "1" + per
	case "d":
		per = "24h"
	}
	if r.Per, err = time.ParseDuration(per); err != nil || r.Per <= 0 {
		return bad()
	}
	if r.Per == time.Second {
		r.Per = 0
	}
	if hasBurst {
		if r.Burst, err = strconv.Atoi(burst); err != nil || r.Burst < 1 || r.Burst > math.MaxInt32 {
			return bad()
		}
	}
	return r, r.Validate()
}
