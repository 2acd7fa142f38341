package queue

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

var someRates = []reeve.Rate{
	{Tasks: 1},
	{Tasks: 1, Burst: 5},
	{Tasks: 3, Per: time.Second, Burst: 2},
	{Tasks: 7, Per: time.Minute, Burst: 100},
	{Tasks: 30, Per: 5 * time.Minute, Burst: 10},
	{Tasks: 999_983, Per: 1_000_003 * time.Nanosecond, Burst: 17},
	{Tasks: 1_000_000_000, Per: time.Millisecond},
	{Tasks: 1_000_000_000, Per: time.Millisecond, Burst: 1_000_000_000},
	{Tasks: 1, Per: 365 * 24 * time.Hour, Burst: 1_000_000_000},
}

// came is how many tokens a rate brings in d.
func came(r reeve.Rate, d int64) *big.Int {
	per := r.Per
	if per == 0 {
		per = time.Second
	}
	n := new(big.Int).Mul(big.NewInt(d), big.NewInt(int64(r.Tasks)))
	return n.Div(n, big.NewInt(int64(per)))
}

// In any window no more is taken than comes in it and stood there before.
func TestBucket_NeverExceedsRateAndBurstInAnyWindow(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, r := range someRates {
		t.Run(r.String(), func(t *testing.T) {
			b := newBucket(r)
			var taken []int64
			now := rnd.Int64N(1 << 40)
			for range 600 {
				switch rnd.IntN(3) {
				case 0: // at the very moment
					if now = b.next(now); now == never {
						return
					}
				case 1:
					now += rnd.Int64N(int64(3*r.Interval()) + 2)
				}
				if b.take(now) {
					taken = append(taken, now)
				}
			}
			burst := int64(max(r.Burst, 1))
			for from := range taken {
				for to := from; to < len(taken); to++ {
					most := came(r, taken[to]-taken[from])
					if n := int64(to - from + 1); most.Add(most, big.NewInt(burst)).Cmp(big.NewInt(n)) < 0 {
						t.Fatalf("%d in %v, at most %v", n, time.Duration(taken[to]-taken[from]), most)
					}
				}
			}
		})
	}
}

// Taken as soon as it may be, token n of an empty bucket comes at n intervals,
// not a nanosecond early or late, for ten years.
func TestBucket_DoesNotDrift(t *testing.T) {
	t.Parallel()
	const years = int64(10 * 365 * 24 * time.Hour)
	for _, r := range []reeve.Rate{
		{Tasks: 1, Per: 7 * time.Hour},
		{Tasks: 7, Per: 24*time.Hour + time.Nanosecond, Burst: 2},
		{Tasks: 9973, Per: 365 * 24 * time.Hour, Burst: 3},
	} {
		b := newBucket(r)
		start := int64(12345)
		for b.take(start) {
		}
		n, now := int64(0), start
		for now-start < years {
			now = b.next(now)
			if !b.take(now) {
				t.Fatalf("%v: no token when one was told", r)
			}
			n++
			if early := came(r, now-start-1).Int64(); early != n-1 {
				t.Fatalf("%v: token %d came after %d ns; %d were due a nanosecond before", r, n, now-start, early)
			}
			if due := came(r, now-start).Int64(); due != n {
				t.Fatalf("%v: token %d came after %d ns; %d were due", r, n, now-start, due)
			}
		}
	}
}

// However often it is looked at, as much comes.
func TestBucket_LookingOftenLosesNothing(t *testing.T) {
	t.Parallel()
	for _, r := range []reeve.Rate{{Tasks: 3}, {Tasks: 999_983, Per: 1_000_003}} {
		r.Burst = 1000
		rnd := rand.New(rand.NewPCG(7, 8))
		b := newBucket(r)
		for b.take(0) {
		}
		now := int64(0)
		for range 100_000 {
			now += rnd.Int64N(int64(r.Interval()/50) + 3)
			b.ready(now)
		}
		n := int64(0)
		for b.take(now) {
			n++
		}
		if want := min(came(r, now).Int64(), 1000); n != want {
			t.Errorf("%v: %d tokens came in %v, want %d", r, n, time.Duration(now), want)
		}
	}
}

func TestBucket_IsFullAgainWhenItSays(t *testing.T) {
	t.Parallel()
	for _, r := range someRates {
		b := newBucket(r)
		if at := b.full(5); at != 5 {
			t.Errorf("%v: a new bucket is full at %d, not at once", r, at)
		}
		for range 3 {
			b.take(100)
		}
		at := b.full(100)
		if at == never {
			continue
		}
		early := b
		if at > 100 && (early.full(at-1) != at || b.full(at) != at) || b.tokens != b.burst {
			t.Errorf("%v: not full at %d", r, at)
		}
	}
}

func TestBucket_AClockThatGoesBackBringsNothingAndLosesNothing(t *testing.T) {
	t.Parallel()
	const second = int64(time.Second)
	b := newBucket(reeve.Rate{Tasks: 1, Burst: 2})
	now := int64(time.Hour)
	for i := range 3 {
		if b.take(now) != (i < 2) {
			t.Fatal("want two tokens")
		}
	}
	for _, back := range []int64{now - 1, now - second, 0, -second, math.MinInt64} {
		if b.take(back) {
			t.Fatalf("a token at %d, before the last was taken", back)
		}
		if at := b.next(back); at != now+second {
			t.Fatalf("at %d the next comes at %d, want %d", back, at, now+second)
		}
	}
	if !b.take(now+second) || b.take(now+second) {
		t.Fatal("want one token a second later")
	}
}

func TestBucket_WithoutARateHasNoBound(t *testing.T) {
	t.Parallel()
	b := newBucket(reeve.Rate{})
	for range 100 {
		if !b.ready(7) || b.next(7) != 7 || !b.take(7) || b.full(7) != 7 {
			t.Fatal("a bound")
		}
	}
}

func TestBucket_TheEndOfTimeIsNever(t *testing.T) {
	t.Parallel()
	b := newBucket(reeve.Rate{Tasks: 1, Per: 365 * 24 * time.Hour, Burst: 1000})
	for b.take(0) {
	}
	if at := b.full(0); at != never {
		t.Errorf("full at %d, in 1000 years", at)
	}
	late := newBucket(reeve.Rate{Tasks: 1})
	late.take(never - 1)
	if at := late.next(never - 1); at != never {
		t.Errorf("next at %d", at)
	}
	if !b.ready(never) || b.tokens != 292 {
		t.Errorf("%d tokens after 292 years", b.tokens)
	}
}

func BenchmarkBucket(b *testing.B) {
	for _, r := range []reeve.Rate{{Tasks: 1_000_000}, {Tasks: 1_000_000, Burst: 1000}} {
		for _, every := range []int64{100, 5000} {
			b.Run(fmt.Sprintf("%v/every=%v", r, time.Duration(every)), func(b *testing.B) {
				k := newBucket(r)
				now := int64(0)
				for b.Loop() {
					now += every
					k.take(now)
				}
			})
		}
	}
}
