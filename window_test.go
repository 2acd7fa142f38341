package reeve_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata" // zones, whatever this machine has

	"github.com/reeveq/reeve"
)

// in makes a time of a zone's clocks; of two that show the same, the first.
func in(t *testing.T, zone, text string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation(time.DateTime, text, loc)
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range []time.Duration{time.Hour, 30 * time.Minute} {
		if first := at.Add(-before); first.Format(time.DateTime) == text {
			return first
		}
	}
	return at
}

func window(t testing.TB, s string) reeve.Window {
	t.Helper()
	w, err := reeve.ParseWindow(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWindow_IsOpenFromItsBeginningUntilItsEnd(t *testing.T) {
	t.Parallel()
	for text, times := range map[string]map[string]bool{
		"09:00-17:00": {"08:59:59": false, "09:00:00": true, "16:59:59": true, "17:00:00": false, "00:00:00": false},
		"23:00-02:00": {"22:59:59": false, "23:00:00": true, "00:00:00": true, "01:59:59": true, "02:00:00": false},
		"12:00-12:00": {"11:59:59": true, "12:00:00": true, "23:59:59": true},
		"00:00-24:00": {"00:00:00": true, "23:59:59": true},
		"22:00-24:00": {"21:59:59": false, "22:00:00": true, "23:59:59": true, "00:00:00": false},
		"24:00-01:00": {"23:59:59": false, "00:00:00": true, "00:59:59": true, "01:00:00": false},
	} {
		for at, want := range times {
			for _, zone := range []string{"", "UTC", "Europe/Berlin", "Asia/Kathmandu"} {
				w := window(t, text)
				w.Zone = zone
				if got := w.Open(in(t, zone, "2026-05-04 "+at)); got != want {
					t.Errorf("%v at %s: %v", w, at, got)
				}
			}
		}
	}
	w := window(t, "09:00-17:00")
	if end := in(t, "", "2026-05-04 17:00:00"); !w.Open(end.Add(-1)) || w.Open(end) {
		t.Error("it ends a moment early or late")
	}
}

func TestWindow_OpensOnTheLastDayOfALeapYear(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Pacific/Auckland", "Australia/Sydney"} {
		w := window(t, "09:00-10:00@"+zone)
		if got, want := w.Opens(in(t, zone, "2044-12-31 20:00:00")), in(t, zone, "2045-01-01 09:00:00"); !got.Equal(want) {
			t.Errorf("%v: %v", w, got)
		}
	}
}

// TestWindow_OpensByWhatTheClocksShow goes over days on which clocks are
// changed: an hour forward, an hour back, and a whole day left out.
func TestWindow_OpensByWhatTheClocksShow(t *testing.T) {
	t.Parallel()
	const berlin, newYork, apia = "Europe/Berlin", "America/New_York", "Pacific/Apia"
	for name, c := range map[string]struct {
		window, zone, from string
		want               string        // by the clocks
		after              time.Duration // from `from` on
	}{
		"open now":                       {"09:00-17:00", berlin, "2026-05-04 10:00:00", "2026-05-04 10:00:00", 0},
		"later that day":                 {"09:00-17:00", berlin, "2026-05-04 08:30:15", "2026-05-04 09:00:00", 29*time.Minute + 45*time.Second},
		"the next day":                   {"09:00-17:00", berlin, "2026-05-04 17:00:00", "2026-05-05 09:00:00", 16 * time.Hour},
		"over a short night":             {"09:00-17:00", berlin, "2026-03-28 17:00:00", "2026-03-29 09:00:00", 15 * time.Hour},
		"over a long night":              {"09:00-17:00", berlin, "2026-10-24 17:00:00", "2026-10-25 09:00:00", 17 * time.Hour},
		"its beginning is left out":      {"02:30-03:30", berlin, "2026-03-29 01:00:00", "2026-03-29 03:00:00", time.Hour},
		"all of it is left out":          {"02:10-02:50", berlin, "2026-03-29 01:00:00", "2026-03-30 02:10:00", 24*time.Hour + 10*time.Minute},
		"the hour before, forward":       {"01:30-02:00", berlin, "2026-03-29 01:00:00", "2026-03-29 01:30:00", 30 * time.Minute},
		"the first of two":               {"02:30-02:45", berlin, "2026-10-25 02:00:00", "2026-10-25 02:30:00", 30 * time.Minute},
		"in between, back":               {"02:00-02:30", berlin, "2026-10-25 02:30:00", "2026-10-25 02:00:00", 30 * time.Minute},
		"only after the change, back":    {"03:00-04:00", berlin, "2026-10-25 02:30:00", "2026-10-25 03:00:00", 90 * time.Minute},
		"over a short night, New York":   {"09:00-17:00", newYork, "2026-03-07 17:00:00", "2026-03-08 09:00:00", 15 * time.Hour},
		"left out, New York":             {"02:00-03:00", newYork, "2026-03-08 01:00:00", "2026-03-09 02:00:00", 24 * time.Hour},
		"in between, back, New York":     {"01:00-01:30", newYork, "2026-11-01 01:30:00", "2026-11-01 01:00:00", 30 * time.Minute},
		"over a long night, New York":    {"09:00-17:00", newYork, "2026-10-31 17:00:00", "2026-11-01 09:00:00", 17 * time.Hour},
		"a day that was left out, Apia":  {"09:00-17:00", apia, "2011-12-29 17:00:00", "2011-12-31 09:00:00", 16 * time.Hour},
		"before the day left out, Apia":  {"23:30-23:45", apia, "2011-12-29 20:00:00", "2011-12-29 23:30:00", 3*time.Hour + 30*time.Minute},
		"over midnight, left out, Apia":  {"00:00-01:00", apia, "2011-12-29 20:00:00", "2011-12-31 00:00:00", 4 * time.Hour},
		"a short night, Apia":            {"09:00-17:00", apia, "2011-09-23 17:00:00", "2011-09-24 09:00:00", 15 * time.Hour},
		"a long night, Apia":             {"09:00-17:00", apia, "2012-03-31 17:00:00", "2012-04-01 09:00:00", 17 * time.Hour},
		"half an hour, Lord Howe, short": {"02:15-03:00", "Australia/Lord_Howe", "2026-10-04 01:30:00", "2026-10-04 02:30:00", 30 * time.Minute},
	} {
		w := window(t, c.window+"@"+c.zone)
		from := in(t, c.zone, c.from)
		got := w.Opens(from)
		if text := got.In(from.Location()).Format(time.DateTime); text != c.want || got.Sub(from) != c.after {
			t.Errorf("%s: %v opens at %s, in %v, want %s, in %v", name, w, text, got.Sub(from), c.want, c.after)
		}
		// Where the caller's clocks are does not matter.
		if other := w.Opens(from.UTC()); !other.Equal(got) {
			t.Errorf("%s: %v or %v", name, other, got)
		}
	}
}

// opensSlowly is what Opens is to be, found second by second of one minute
// after another.
func opensSlowly(w reeve.Window, t time.Time) time.Time {
	if w.Open(t) {
		return t
	}
	for next := t.Truncate(time.Minute); ; {
		if next = next.Add(time.Minute); w.Open(next) {
			return next
		}
	}
}

func TestWindow_OpensIsTheFirstOpenMomentNearEveryChange(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	clock := func() time.Duration { return time.Duration(random.IntN(24*60+1)) * time.Minute }
	for _, zone := range []string{"", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata"} {
		for _, year := range []int{2011, 2026, 2044} {
			for range 60 {
				w := reeve.Window{From: clock(), To: clock(), Zone: zone}
				if random.IntN(2) == 0 { // a short one, which a change may leave out
					w.To = min(w.From+time.Duration(1+random.IntN(40))*time.Minute, 24*time.Hour)
				}
				at := in(t, zone, "2000-01-01 00:00:00").AddDate(year-2000, 0, random.IntN(365)).Add(time.Duration(random.Int64N(int64(24 * time.Hour))))
				if _, change := at.ZoneBounds(); !change.IsZero() && random.IntN(4) > 0 {
					at = change.Add(-time.Duration(random.Int64N(int64(26 * time.Hour))))
				}
				if got, want := w.Opens(at), opensSlowly(w, at); !got.Equal(want) {
					t.Fatalf("%v after %v: %v, want %v", w, at, got, want)
				}
			}
		}
	}
}

func TestWindow_LocalIsTheZoneOfTheProcess(t *testing.T) {
	t.Parallel()
	w := reeve.Window{From: 9 * time.Hour, To: 17 * time.Hour, Zone: "Local"}
	if err := w.Validate(); err != nil {
		t.Fatal(err)
	}
	for hour := range 24 {
		at := time.Date(2026, 6, 10, hour, 30, 0, 0, time.Local)
		if w.Open(at) != (at.Hour() >= 9 && at.Hour() < 17) {
			t.Error(at)
		}
	}
}

func TestWindow_OfAZoneThatIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Mars/Olympus", "europe//berlin", "../etc/passwd", "/etc/passwd", "Europe/", "./UTC", "Europe/Berlin\x00", "\xff", " "} {
		w := reeve.Window{From: time.Hour, To: 2 * time.Hour, Zone: zone}
		if err := w.Validate(); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%q: %v", zone, err)
		}
		if at := time.Now(); w.Open(at) || !w.Opens(at).IsZero() {
			t.Errorf("%q: it opens", zone)
		}
	}
}

func TestParseWindow_RefusesWhatIsNoTimeOfDay(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "-", "@", "23:00", "23:00-", "-02:00", "23:00-02:00@", "2:00-03:00", "02:00-3:00", "24:01-01:00", "25:00-01:00", "12:60-13:00",
		"12:00:00-13:00", "+1:00-02:00", "12.00-13.00", "12:00 -13:00", "12:00-13:00-14:00", "１2:00-13:00", "12:00-13:00@UTC@UTC",
	} {
		if w, err := reeve.ParseWindow(s); !errors.Is(err, reeve.ErrInvalid) || w != (reeve.Window{}) {
			t.Errorf("%q: %v, %v", s, w, err)
		}
	}
}

func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"23:00-02:00@Europe/Berlin", "00:00-24:00", "24:00-00:00@Local", "1:2-3:4", "09:00-17:00@UTC"} {
		f.Add(s, int64(1_900_000_000))
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		w, err := reeve.ParseWindow(s)
		if err != nil {
			if !errors.Is(err, reeve.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		if w.String() != s || w.Validate() != nil {
			t.Fatalf("%q is %v, %v", s, w, w.Validate())
		}
		at := time.Unix(unix%(1<<40), 0)
		if opens := w.Opens(at); opens.Before(at) || !w.Open(opens) || opens.Sub(at) > 49*time.Hour {
			t.Fatalf("%v after %v: %v", w, at, opens)
		}
	})
}

func BenchmarkWindow_Opens(b *testing.B) {
	w := window(b, "02:30-02:45@Europe/Berlin")
	at := time.Date(2026, 3, 29, 0, 45, 0, 0, time.UTC)
	for b.Loop() {
		w.Opens(at)
	}
}
