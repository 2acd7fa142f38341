package reeve

import (
	"fmt"
	"path"
	"sort"
	"strings"
	"sync"
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
func (w Window) Validate() error { return invalid(w.problem()) }

// problem is what is wrong; empty: nothing.
func (w Window) problem() string {
	for _, t := range []time.Duration{w.From, w.To} {
		if t < 0 || t > day || t%time.Minute != 0 {
			return fmt.Sprintf("window time of %v after midnight, want 0 to 24h in whole minutes", t)
		}
	}
	if w.location() == nil {
		return fmt.Sprintf("time zone %.100q of a window is not known", w.Zone)
	}
	return ""
}

// zones holds the zones that were loaded, by name: to load one reads a file. It
// has an entry for each zone of the database at most.
var zones sync.Map // string → *time.Location

// location is the window's zone; nil: it is not known.
func (w Window) location() *time.Location {
	if w.Zone == "Local" {
		return time.Local
	}
	if loc, ok := zones.Load(w.Zone); ok {
		return loc.(*time.Location)
	}
	if w.Zone != "" && path.Clean(w.Zone) != w.Zone {
		return nil // another name of a zone that has one
	}
	loc, err := time.LoadLocation(w.Zone)
	if err != nil {
		return nil
	}
	zones.Store(w.Zone, loc)
	return loc
}

// Open reports whether t is in the window, which must be valid.
func (w Window) Open(t time.Time) bool {
	loc := w.location()
	return loc != nil && w.openAt(sinceMidnight(t.In(loc)))
}

// sinceMidnight is what a clock shows at t.
func sinceMidnight(t time.Time) time.Duration {
	h, m, s := t.Clock()
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(t.Nanosecond())
}

func (w Window) openAt(at time.Duration) bool {
	switch from, to := w.From%day, w.To%day; {
	case from == to:
		return true
	case from < to:
		return from <= at && at < to
	default:
		return at >= from || at < to
	}
}

// Opens is the first time from t on that is in the window, which must be valid:
// t itself if it is.
func (w Window) Opens(t time.Time) time.Time {
	loc := w.location()
	if loc == nil {
		return time.Time{}
	}
	// Between two changes of the clocks, times of day can be added up; what a
	// change makes of a time of day that it leaves out or repeats is seen right
	// after it.
	for next := t; ; {
		at := sinceMidnight(next.In(loc))
		if w.openAt(at) {
			return next
		}
		ahead := (w.From%day - at + day) % day
		if offset(next, loc) == offset(next.Add(ahead), loc) {
			return next.Add(ahead)
		}
		next = nextChange(next, ahead, loc)
	}
}

// offset is what a zone's clocks are ahead of UTC at t, in seconds.
func offset(t time.Time, loc *time.Location) int {
	_, seconds := t.In(loc).Zone()
	return seconds
}

// nextChange is when the clocks are changed next after t, which they are within
// d. [time.Time.ZoneBounds] would tell, if it were right on the last day of a
// leap year.
func nextChange(t time.Time, d time.Duration, loc *time.Location) time.Time {
	start, now := t.Truncate(time.Second), offset(t, loc)
	after := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	return after(1 + sort.Search(int(d/time.Second)+1, func(i int) bool { return offset(after(1+i), loc) != now }))
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
// those of UTC: "23:00-02:00@Europe/Berlin". [ErrInvalid].
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
	if err := w.Validate(); err != nil {
		return Window{}, err
	}
	return w, nil
}

// parseClock reads HH:MM, 00:00 to 24:00.
func parseClock(s string) (time.Duration, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, m := twoDigits(s[:2]), twoDigits(s[3:])
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	return d, h >= 0 && m >= 0 && m < 60 && d <= day
}

// twoDigits is the number that they are; negative: they are not digits.
func twoDigits(s string) int {
	if s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return -1
	}
	return int(s[0]-'0')*10 + int(s[1]-'0')
}
