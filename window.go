package reeve

import (
	"fmt"
	"strings"
	"time"
)

// Window is a time of every day: from From to To, each counted from midnight
// by the clocks of Zone. One that ends before it begins goes over midnight;
// one that ends when it begins is the whole day. Where clocks are put forward
// or back, what counts is the time that they show.
type Window struct {
	From, To time.Duration // 0 to 24 h, in whole minutes
	Zone     string        // of the IANA time zone database; empty: UTC; "Local": the master's
}

const day = 24 * time.Hour

// Validate reports what is out of range, or a zone that is not known:
// [ErrInvalid].
func (w Window) Validate() error {
	for _, t := range []time.Duration{w.From, w.To} {
		if t < 0 || t > day || t%time.Minute != 0 {
			return fmt.Errorf("%w: window time of %v after midnight, want 0 to 24h in whole minutes", ErrInvalid, t)
		}
	}
	_, err := w.location()
	return err
}

func (w Window) location() (*time.Location, error) {
	loc, err := time.LoadLocation(w.Zone)
	if err != nil {
		return nil, fmt.Errorf("%w: time zone %.100q of a window: %w", ErrInvalid, w.Zone, err)
	}
	return loc, nil
}

// Open reports whether t is in the window. The window must be valid.
func (w Window) Open(t time.Time) bool {
	loc, err := w.location()
	if err != nil {
		return false
	}
	h, m, s := t.In(loc).Clock()
	at := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	switch from, to := w.From%day, w.To%day; {
	case from == to:
		return true
	case from < to:
		return from <= at && at < to
	default:
		return at >= from || at < to
	}
}

// Opens is the first time from t on that is in the window, to the minute: t
// itself if it is.
func (w Window) Opens(t time.Time) time.Time {
	// Where clocks are changed a time of day may not exist, or twice: so look
	// at what they show, minute by minute near the change, instead of adding.
	if w.Open(t) {
		return t
	}
	loc, err := w.location()
	if err != nil {
		return time.Time{}
	}
	next := t.Truncate(time.Minute)
	for range 3 * 24 * 60 { // bounded: a day has at most 25 hours
		next = next.Add(time.Minute)
		if w.Open(next) {
			return next.In(loc)
		}
	}
	return time.Time{}
}

// String is the form that [ParseWindow] reads.
func (w Window) String() string {
	s := clock(w.From) + "-" + clock(w.To)
	if w.Zone != "" {
		s += "@" + w.Zone
	}
	return s
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d/time.Hour), int(d%time.Hour/time.Minute))
}

// ParseWindow reads HH:MM-HH:MM, with @ZONE after it for clocks other than
// those of UTC: "23:00-02:00@Europe/Berlin".
func ParseWindow(s string) (Window, error) {
	bad := func() (Window, error) {
		return Window{}, fmt.Errorf("%w: window %.100q, want HH:MM-HH:MM or HH:MM-HH:MM@ZONE, as 23:00-02:00@Europe/Berlin", ErrInvalid, s)
	}
	times, zone, hasZone := strings.Cut(s, "@")
	from, to, ok := strings.Cut(times, "-")
	if !ok || hasZone && zone == "" {
		return bad()
	}
	w := Window{Zone: zone}
	if w.From, ok = parseClock(from); !ok {
		return bad()
	}
	if w.To, ok = parseClock(to); !ok {
		return bad()
	}
	return w, w.Validate()
}

func parseClock(s string) (time.Duration, bool) {
	if s == "24:00" {
		return day, true
	}
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil && len(s) == 5
}
