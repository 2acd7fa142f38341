package cmdline

import (
	"errors"
	"strconv"
	"strings"

	"github.com/reeveq/reeve"
)

// ParseBackoff reads FIRST[..MAX][xFACTOR][~JITTER], as "1s", "1s..10m",
// "1s..10mx3" or "500ms~0": what is left out is the default. "0" is no wait.
func ParseBackoff(s string) (reeve.Backoff, error) {
	bad := errors.New("want a time, or FIRST..MAX, with xFACTOR (1 to 100) and ~JITTER (0 to 1) if need be, as 1s, 1s..10m or 1s..10mx2~0.2; 0 is no wait")
	if s == "0" {
		return reeve.Backoff{}, nil
	}
	rest, jitter, hasJitter := strings.Cut(s, "~")
	rest, factor, hasFactor := strings.Cut(rest, "x")
	first, most, hasMost := strings.Cut(rest, "..")
	var b reeve.Backoff
	var err error
	if b.Base, err = ParseDuration(first); err != nil || b.Base == 0 {
		return reeve.Backoff{}, bad
	}
	if hasMost {
		if b.Max, err = ParseDuration(most); err != nil || b.Max == 0 {
			return reeve.Backoff{}, bad
		}
	}
	if hasFactor {
		if b.Factor, err = parseDecimal(factor); err != nil || b.Factor == 0 {
			return reeve.Backoff{}, bad
		}
	}
	if hasJitter {
		if b.Jitter, err = parseDecimal(jitter); err != nil {
			return reeve.Backoff{}, bad
		}
		if b.Jitter == 0 {
			b.Jitter = reeve.NoJitter
		}
	}
	if b.Validate() != nil {
		return reeve.Backoff{}, bad
	}
	return b, nil
}

// FormatBackoff writes b, which must be valid, as [ParseBackoff] reads it.
func FormatBackoff(b reeve.Backoff) string {
	if b.Base == 0 {
		return "0"
	}
	s := FormatDuration(b.Base)
	if b.Max != 0 {
		s += ".." + FormatDuration(b.Max)
	}
	if b.Factor != 0 {
		s += "x" + formatDecimal(b.Factor)
	}
	if b.Jitter != 0 {
		s += "~" + formatDecimal(max(b.Jitter, 0))
	}
	return s
}

// parseDecimal reads digits with or without a point: no sign, no exponent.
func parseDecimal(s string) (float64, error) {
	if strings.Trim(s, "0123456789.") != "" {
		return 0, errors.New("want a number, as 2 or 0.25")
	}
	return strconv.ParseFloat(s, 64)
}

func formatDecimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
