package reeve_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

func TestParseDurability_ReadsWordsAndIntervals(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]struct {
		reeve.Durability
		text     string
		interval time.Duration
	}{
		"sync":             {reeve.DurabilitySync, "sync", 0},
		"none":             {reeve.DurabilityNone, "none", 0},
		"interval=1ms":     {reeve.Durability(time.Millisecond), "interval=1ms", time.Millisecond},
		"interval=0.1s":    {reeve.Durability(100 * time.Millisecond), "interval=100ms", 100 * time.Millisecond},
		"interval=1s":      {reeve.Durability(time.Second), "interval=1s", time.Second},
		"interval=60s":     {reeve.Durability(time.Minute), "interval=1m", time.Minute},
		"interval=1.0001s": {reeve.Durability(1000100 * time.Microsecond), "interval=1.0001s", 1000100 * time.Microsecond},
	} {
		d, err := reeve.ParseDurability(s)
		if err != nil || d != want.Durability || d.String() != want.text || d.Interval() != want.interval {
			t.Errorf("%q: %d (%v, %v), %v", s, d, d, d.Interval(), err)
		}
	}
}

func TestParseDurability_RefusesTheRest(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "Sync", "sync ", "interval", "interval=", "interval=5", "interval=0s", "interval=-1ns", "interval=-2ns", "interval=999us", "interval=60.1s",
		"interval=999999999h", "interval=sync", "100ms", "none=1s", "interval=1s=1s",
	} {
		if d, err := reeve.ParseDurability(s); !errors.Is(err, reeve.ErrInvalid) || d != 0 {
			t.Errorf("%q: %v, %v", s, d, err)
		}
	}
}

func TestDurability_ValidateTakesEachLimitAndNothingBeyond(t *testing.T) {
	t.Parallel()
	for _, d := range []reeve.Durability{0, reeve.DurabilitySync, reeve.DurabilityNone, reeve.Durability(time.Millisecond), reeve.Durability(time.Minute)} {
		if err := d.Validate(); err != nil {
			t.Errorf("%d: %v", d, err)
		}
	}
	for _, d := range []reeve.Durability{-3, math.MinInt64, 1, reeve.Durability(time.Millisecond - 1), reeve.Durability(time.Minute + 1), math.MaxInt64} {
		if err := d.Validate(); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%d: %v", d, err)
		}
		if _, err := json.Marshal(d); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%d was written: %v", d, err)
		}
	}
}

func TestDurability_IsATextInJSON(t *testing.T) {
	t.Parallel()
	for d, want := range map[reeve.Durability]string{
		0: `""`, reeve.DurabilitySync: `"sync"`, reeve.DurabilityNone: `"none"`, reeve.Durability(time.Second): `"interval=1s"`,
	} {
		text, err := json.Marshal(d)
		if err != nil || string(text) != want {
			t.Errorf("%d: %s, %v", d, text, err)
		}
		back := reeve.Durability(7)
		if err := json.Unmarshal(text, &back); err != nil || back != d {
			t.Errorf("%s was read as %d, %v", text, back, err)
		}
	}
	kept := reeve.DurabilityNone
	if err := json.Unmarshal([]byte(`"always"`), &kept); !errors.Is(err, reeve.ErrInvalid) || kept != reeve.DurabilityNone {
		t.Errorf("%v, %v", kept, err)
	}
}

func FuzzParseDurability(f *testing.F) {
	for _, s := range []string{"sync", "none", "interval=100ms", "interval=1m0s", "interval=0s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := reeve.ParseDurability(s)
		if err != nil {
			if !errors.Is(err, reeve.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		if err := d.Validate(); err != nil || d == 0 {
			t.Fatalf("%q is %d: %v", s, d, err)
		}
		if back, err := reeve.ParseDurability(d.String()); err != nil || back != d {
			t.Fatalf("%q: %d was written as %q, read as %d, %v", s, d, d, back, err)
		}
	})
}
