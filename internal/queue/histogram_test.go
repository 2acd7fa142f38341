package queue

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogram_CountsByPowersOfTwoMicroseconds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d    time.Duration
		size int
	}{
		{-time.Second, 0}, {0, 0}, {999, 0},
		{time.Microsecond, 1}, {2*time.Microsecond - 1, 1}, {2 * time.Microsecond, 2},
		{time.Millisecond, 10}, {1024 * time.Microsecond, 11},
		{time.Second, 20}, {24 * time.Hour, 37}, {math.MaxInt64, 54}, {math.MinInt64, 0},
	} {
		var h histogram
		h.add(int64(c.d))
		x := h.export()
		if len(x.Counts) != c.size+1 || x.Counts[c.size] != 1 || x.Sum != uint64(max(c.d, 0))/1000 {
			t.Errorf("%v: %v, want one in %d", c.d, x, c.size)
		}
		if us := float64(max(c.d, 0)) / 1000; us >= math.Pow(2, float64(c.size)) || c.size > 0 && us < math.Pow(2, float64(c.size-1)) {
			t.Errorf("%v does not belong to size %d", c.d, c.size)
		}
	}
}

func TestHistogram_ExportsWhatWasCountedSoFar(t *testing.T) {
	t.Parallel()
	var h histogram
	if x := h.export(); len(x.Counts) != 0 || x.Sum != 0 {
		t.Fatalf("empty: %v", x)
	}
	h.add(5000)
	h.add(0)
	h.add(1500)
	x := h.export()
	h.add(1)
	if want := []uint64{1, 1, 0, 1}; !slices.Equal(x.Counts, want) || x.Sum != 6 {
		t.Fatalf("%v, want %v and 6", x, want)
	}
}

func TestHistogram_SumLosesNothingInRounding(t *testing.T) {
	t.Parallel()
	var h histogram
	for range 3 {
		h.add(math.MaxInt64)
	}
	for range 1000 {
		h.add(1)
	}
	if want := uint64(math.MaxInt64/1000)*3 + (3*(math.MaxInt64%1000)+1000)/1000; h.export().Sum != want {
		t.Fatalf("%d, want %d", h.export().Sum, want)
	}
}

// BenchmarkHistogram adds 1024 durations of all sizes.
func BenchmarkHistogram(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var ds [1024]int64
	for i := range ds {
		ds[i] = 1 << rnd.IntN(40)
	}
	var h histogram
	for b.Loop() {
		for _, d := range ds {
			h.add(d)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ds)), "ns/add")
}
