package reeve_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

func TestParseRate_ReadsTasksTimeAndBurst(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]struct {
		reeve.Rate
		text     string
		interval time.Duration
	}{
		"100/s":                     {reeve.Rate{Tasks: 100, Per: time.Second, Burst: 1}, "100/s", 10 * time.Millisecond},
		"1/1s":                      {reeve.Rate{Tasks: 1, Per: time.Second, Burst: 1}, "1/s", time.Second},
		"007/s+1":                   {reeve.Rate{Tasks: 7, Per: time.Second, Burst: 1}, "7/s", time.Second / 7},
		"30/5m+10":                  {reeve.Rate{Tasks: 30, Per: 5 * time.Minute, Burst: 10}, "30/5m+10", 10 * time.Second},
		"6/m":                       {reeve.Rate{Tasks: 6, Per: time.Minute, Burst: 1}, "6/m", 10 * time.Second},
		"1/h":                       {reeve.Rate{Tasks: 1, Per: time.Hour, Burst: 1}, "1/h", time.Hour},
		"24/d":                      {reeve.Rate{Tasks: 24, Per: 24 * time.Hour, Burst: 1}, "24/d", time.Hour},
		"2/1h0m30s":                 {reeve.Rate{Tasks: 2, Per: time.Hour + 30*time.Second, Burst: 1}, "2/1h0m30s", 30*time.Minute + 15*time.Second},
		"1/8760h":                   {reeve.Rate{Tasks: 1, Per: 365 * 24 * time.Hour, Burst: 1}, "1/8760h", 365 * 24 * time.Hour},
		"1000000000/1ms+1000000000": {reeve.Rate{Tasks: 1e9, Per: time.Millisecond, Burst: 1e9}, "1000000000/1ms+1000000000", 0},
	} {
		r, err := reeve.ParseRate(s)
		if err != nil || r != want.Rate || r.String() != want.text || time.Duration(r.Interval()) != want.interval {
			t.Errorf("%q: %+v (%v, %v), %v", s, r, r, time.Duration(r.Interval()), err)
		}
	}
}

func TestParseRate_RefusesTheRest(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "/", "5", "/s", "5/", "0/s", "-1/s", "+1/s", "1.5/s", "NaN/s", "Inf/s", "1e3/s", "0x10/s", "1_0/s", "99999999999999999999/s", "1000000001/s",
		"1/0s", "1/-1s", "1/week", "1/1us", "1/8761h", "1/999999999h", "1/s+", "1/s+0", "1/s+-1", "1/s++1", "1/s+1.5", "1/s+1000000001", "1/s+1+1", "1/s/s", " 1/s", "1/s ",
	} {
		if r, err := reeve.ParseRate(s); !errors.Is(err, reeve.ErrInvalid) || r != (reeve.Rate{}) {
			t.Errorf("%q: %+v, %v", s, r, err)
		}
	}
}

func TestRate_ValidateTakesEachLimitAndNothingBeyond(t *testing.T) {
	t.Parallel()
	const most = 1_000_000_000
	for _, r := range []reeve.Rate{
		{}, {Tasks: 1}, {Tasks: most}, {Tasks: 1, Per: time.Millisecond}, {Tasks: 1, Per: 365 * 24 * time.Hour}, {Tasks: 1, Burst: most},
	} {
		if err := r.Validate(); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
	for _, r := range []reeve.Rate{
		{Per: time.Second}, {Burst: 1}, {Tasks: -1}, {Tasks: math.MinInt}, {Tasks: most + 1}, {Tasks: math.MaxInt}, {Tasks: 1, Per: -1},
		{Tasks: 1, Per: time.Millisecond - 1}, {Tasks: 1, Per: math.MinInt64}, {Tasks: 1, Per: math.MaxInt64}, {Tasks: 1, Burst: -1}, {Tasks: 1, Burst: most + 1},
	} {
		if err := r.Validate(); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestRate_ZeroIsNoBound(t *testing.T) {
	t.Parallel()
	if r := (reeve.Rate{}); !r.IsZero() || r.String() != "" || r.Interval() != 0 {
		t.Errorf("%+v", r)
	}
	if r := (reeve.Rate{Tasks: 4}); r.IsZero() || r.String() != "4/s" || r.Interval() != 250e6 {
		t.Errorf("%v, %v", r, r.Interval())
	}
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"100/s", "30/5m+10", "1/d", "1/1h0m0s", "0/s", "1/s+1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := reeve.ParseRate(s)
		if err != nil {
			if !errors.Is(err, reeve.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		if err := r.Validate(); err != nil || r.IsZero() || !(r.Interval() > 0) {
			t.Fatalf("%q is %+v: %v", s, r, err)
		}
		if back, err := reeve.ParseRate(r.String()); err != nil || back != r {
			t.Fatalf("%q: %+v was written as %q, read as %+v, %v", s, r, r, back, err)
		}
	})
}
