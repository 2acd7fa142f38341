package main

import (
	"testing"
	"time"
)

func TestParseTime_ReadsMomentsAndTheNextTimeOfDay(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 3, 31, 12, 0, 0, 0, time.Local)
	for s, want := range map[string]time.Time{
		"2030-01-31T18:30:00Z":      time.Date(2030, 1, 31, 18, 30, 0, 0, time.UTC),
		"2030-01-31T18:30:00+02:00": time.Date(2030, 1, 31, 16, 30, 0, 0, time.UTC),
		"2030-01-31T18:30:00.5Z":    time.Date(2030, 1, 31, 18, 30, 0, 5e8, time.UTC),
		"2030-01-31T18:30":          time.Date(2030, 1, 31, 18, 30, 0, 0, time.Local),
		"2030-01-31 18:30":          time.Date(2030, 1, 31, 18, 30, 0, 0, time.Local),
		"2030-01-31 18:30:15":       time.Date(2030, 1, 31, 18, 30, 15, 0, time.Local),
		"18:30":                     time.Date(2030, 3, 31, 18, 30, 0, 0, time.Local),
		"12:00":                     time.Date(2030, 4, 1, 12, 0, 0, 0, time.Local),
		"12:00:01":                  time.Date(2030, 3, 31, 12, 0, 1, 0, time.Local),
		"00:00":                     time.Date(2030, 4, 1, 0, 0, 0, 0, time.Local),
		"":                          {}, "now": {}, "24:00": {}, "2030-02-30 10:00": {}, "2201-01-01 00:00": {}, "1969-12-31T00:00:00Z": {}, "1893456000": {},
	} {
		got, err := parseTime(s, now)
		if !got.Equal(want) || (err != nil) != want.IsZero() {
			t.Errorf("%q: %v, %v, want %v", s, got, err, want)
		}
	}
}

func TestPrintable_LeavesNothingThatMovesTheCursor(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"zwölf 漢字 🙂": "zwölf 漢字 🙂", "a\nb\tc\rd": "a b c d", "\x1b[2J\x07\x00": "?[2J??", "\u202eabc\u200b": "?abc?", "\xff\xfe": "??", "\u009b31m": "?31m",
	} {
		if got := printable(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	if got := clipped("zwölf漢字", 6); got != "zwölf…" {
		t.Errorf("%q", got)
	}
}
