package reeve_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

func TestBackoff_WaitsLongerAfterEachFailureUpToItsLongest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reeve.Backoff
		want []time.Duration // without jitter
	}{
		{reeve.Backoff{}, []time.Duration{0, 0, 0}},
		{reeve.Backoff{Base: time.Second}, []time.Duration{1e9, 2e9, 4e9, 8e9, 16e9, 32e9, 64e9, 128e9, 256e9, 512e9, 600e9, 600e9}},
		{reeve.Backoff{Base: time.Second, Factor: 1}, []time.Duration{1e9, 1e9, 1e9}},
		{reeve.Backoff{Base: time.Second, Factor: 1.5, Max: 3 * time.Second}, []time.Duration{1e9, 1500e6, 2250e6, 3e9, 3e9}},
		{reeve.Backoff{Base: time.Hour}, []time.Duration{time.Hour, time.Hour}}, // longer than the default of Max
		{reeve.Backoff{Base: time.Hour, Max: time.Hour, Factor: 100}, []time.Duration{time.Hour, time.Hour}},
		{reeve.Backoff{Base: reeve.MaxTime}, []time.Duration{reeve.MaxTime, reeve.MaxTime}},
	} {
		c.Jitter = reeve.NoJitter
		if c.Base == 0 {
			c.Jitter = 0
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%+v: %v", c.Backoff, err)
		}
		for i, want := range c.want {
			if got := c.Wait(i+1, 0.9); got != want {
				t.Errorf("%+v after failure %d: %v, want %v", c.Backoff, i+1, got, want)
			}
		}
	}
}

func TestBackoff_JitterIsAPartToBothSides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		jitter, random float64
		want           time.Duration
	}{
		{0, 0, 8 * time.Second}, {0, 0.5, 10 * time.Second}, {0, 1, 12 * time.Second},
		{1, 0, 0}, {1, 0.25, 5 * time.Second}, {1, 1, 20 * time.Second}, {0.5, 0, 5 * time.Second},
		{reeve.NoJitter, 0, 10 * time.Second}, {reeve.NoJitter, 1, 10 * time.Second},
	} {
		b := reeve.Backoff{Base: 10 * time.Second, Jitter: c.jitter}
		if got := b.Wait(1, c.random); got.Round(time.Millisecond) != c.want {
			t.Errorf("jitter %v at %v: %v, want %v", c.jitter, c.random, got, c.want)
		}
	}
}

func TestBackoff_WaitIsNeverNegativeNorTooLong(t *testing.T) {
	t.Parallel()
	odd := []float64{0, -1, 1, 2, 100, -0.5, 0.5, math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1)}
	times := []time.Duration{0, 1, -1, time.Second, reeve.MaxTime, math.MaxInt64, math.MinInt64}
	for _, factor := range odd {
		for _, jitter := range odd {
			for _, base := range times {
				for _, most := range times {
					b := reeve.Backoff{Base: base, Factor: factor, Max: most, Jitter: jitter}
					for _, n := range []int{math.MinInt, 0, 1, 2, 1000, math.MaxInt} {
						for _, random := range []float64{0, 0.5, math.Nextafter(1, 0)} {
							d := b.Wait(n, random)
							valid := b.Validate() == nil
							if d < 0 || d > reeve.MaxTime || valid && base > 0 && most >= base && float64(d) > 2*float64(most) {
								t.Fatalf("%+v (valid: %v), %d, %v: %v", b, valid, n, random, d)
							}
						}
					}
				}
			}
		}
	}
}

func TestBackoff_ValidateTakesEachLimitAndNothingBeyond(t *testing.T) {
	t.Parallel()
	for _, b := range []reeve.Backoff{
		{}, {Base: 1}, {Base: reeve.MaxTime, Max: reeve.MaxTime}, {Base: 1, Factor: 1}, {Base: 1, Factor: 100}, {Base: 5, Max: 5},
		{Base: 1, Jitter: 1}, {Base: 1, Jitter: reeve.NoJitter}, {Base: 1, Jitter: math.SmallestNonzeroFloat64},
	} {
		if err := b.Validate(); err != nil {
			t.Errorf("%+v: %v", b, err)
		}
	}
	for _, b := range []reeve.Backoff{
		{Base: -1}, {Base: math.MinInt64}, {Base: reeve.MaxTime + 1}, {Base: math.MaxInt64}, {Factor: 2}, {Max: time.Second}, {Jitter: 0.5}, {Jitter: reeve.NoJitter},
		{Base: 1, Factor: -1}, {Base: 1, Factor: 0.99}, {Base: 1, Factor: 100.01}, {Base: 1, Factor: math.NaN()}, {Base: 1, Factor: math.Inf(1)}, {Base: 1, Factor: math.Inf(-1)},
		{Base: 5, Max: 4}, {Base: 1, Max: -1}, {Base: 1, Max: reeve.MaxTime + 1}, {Base: 1, Jitter: -0.5}, {Base: 1, Jitter: 1.01},
		{Base: 1, Jitter: math.NaN()}, {Base: 1, Jitter: math.Inf(1)}, {Base: 1, Jitter: math.Inf(-1)}, {Factor: math.NaN()}, {Jitter: math.NaN()},
	} {
		if err := b.Validate(); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

func FuzzBackoff_Wait(f *testing.F) {
	f.Add(int64(time.Second), 2.0, int64(0), 0.2, 5, uint64(7))
	f.Add(int64(1), 100.0, int64(reeve.MaxTime), 1.0, 1<<30, uint64(1))
	f.Fuzz(func(t *testing.T, base int64, factor float64, most int64, jitter float64, n int, seed uint64) {
		b := reeve.Backoff{Base: time.Duration(base), Factor: factor, Max: time.Duration(most), Jitter: jitter}
		random := rand.New(rand.NewPCG(seed, 0)).Float64()
		d := b.Wait(n, random)
		if d < 0 || d > reeve.MaxTime {
			t.Fatalf("%+v, %d, %v: %v", b, n, random, d)
		}
		if b.Validate() != nil || b.Base == 0 {
			return
		}
		b.Jitter = reeve.NoJitter
		if n > 1 && n < math.MaxInt && b.Wait(n+1, 0) < b.Wait(n, 0) {
			t.Fatalf("%+v waits less after failure %d", b, n+1)
		}
		if first := b.Wait(1, 0); math.Abs(float64(first)-float64(b.Base)) > 1e-9*float64(b.Base) {
			t.Fatalf("%+v waits %v first", b, first)
		}
	})
}
