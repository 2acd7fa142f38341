package main

import (
	"fmt"
	"strconv"
	"time"
)

// How the verbs write times and numbers for people.

// stamp is a moment by the clocks here.
func stamp(t time.Time) string { return t.Local().Format(time.RFC3339) }

// ago is a moment with how long it is past, or still to come.
func ago(t, now time.Time) string {
	if d := t.Sub(now); d > 0 {
		return fmt.Sprintf("%s (in %s)", stamp(t), span(d))
	}
	return fmt.Sprintf("%s (%s ago)", stamp(t), span(now.Sub(t)))
}

// span is a time in a few characters: 0.4s, 12.3s, 4m10s, 3h20m, 12d04h.
func span(d time.Duration) string {
	if d = max(d, 0); d < time.Minute-50*time.Millisecond {
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	}
	switch d = d.Round(time.Second); {
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d/time.Minute), int(d%time.Minute/time.Second))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d/time.Hour), int(d%time.Hour/time.Minute))
	}
	return fmt.Sprintf("%dd%02dh", int(d/(24*time.Hour)), int(d%(24*time.Hour)/time.Hour))
}

// plural is n of what: "1 task", "2 tasks".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// orDash is s, or the dash that a table has in place of nothing.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
