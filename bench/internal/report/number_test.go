package report

import (
	"math"
	"testing"
)

func TestNumber_IsForPeople(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{213_402, "/s", "213k"}, {999.96, "/s", "1k"}, {999.4, "/s", "999"}, {1_250_000, "/s", "1.25M"}, {0, "/s", "0"}, {-0.0001, "/s", "-0.0001"},
		{3.6, "µs", "3.6 µs"}, {0, "µs", "0 µs"}, {0, "B", "0 B"}, {0.25, "µs", "250 ns"}, {1500, "µs", "1.5 ms"}, {2_000_000, "µs", "2 s"}, {12, "ms", "12 ms"}, {90, "s", "90 s"}, {7.5, "ns", "7.5 ns"},
		{36_557, "B", "35.7 KiB"}, {250, "B", "250 B"}, {-2048, "B", "-2 KiB"}, {5 << 30, "B", "5 GiB"},
		{812.4, "MB/s", "812 MB/s"}, {1210, "MB/s", "1.21 GB/s"},
		{42, "", "42"}, {1.5, "%", "1.5 %"}, {math.NaN(), "/s", "–"}, {math.Inf(1), "%", "–"},
	} {
		if got := number(c.v, c.unit); got != c.want {
			t.Errorf("%v of %q: %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

func TestSpread_HasOneScale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		unit   string
		want   string
	}{
		{nil, "/s", "–"}, {[]float64{7}, "/s", "7"}, {[]float64{1010e3, 990e3, 1030e3}, "/s", "1.01M (0.99M–1.03M)"},
		{[]float64{1100, 900}, "B", "1000 B (900–1100)"}, {[]float64{3, 1, 2, 4}, "µs", "2.5 µs (1–4)"},
	} {
		if got := spread(c.values, c.unit); got != c.want {
			t.Errorf("%v of %q: %q, want %q", c.values, c.unit, got, c.want)
		}
	}
}

func TestTimes_ShowsSmallAndLargeRatios(t *testing.T) {
	t.Parallel()
	for r, want := range map[float64]string{1: "1.00×", 1.214: "1.21×", 30.53: "30.5×", 412.4: "412×", 0.314: "0.31×", 0.0731: "0.073×", 9.999: "10×"} {
		if got := times(r); got != want {
			t.Errorf("%v: %q, want %q", r, got, want)
		}
	}
}

func TestTicks_AreRoundAndFew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ticks
		low, high float64
	}{
		{ticks{unit: "/s"}, 0, 372e3}, {ticks{unit: "B"}, -4096, 61 << 10}, {ticks{unit: "µs"}, 0, 1}, {ticks{unit: "B", log: true}, 1000, 1e9},
		{ticks{unit: "/s", log: true}, 1, 20}, {ticks{unit: "/s", log: true}, 1e-300, 1e300}, {ticks{}, 0, 5e-324}, {ticks{}, -1e308, 1e308},
	} {
		marks := c.Ticks(c.low, c.high)
		if len(marks) > 9 {
			t.Errorf("%+v: %d marks", c, len(marks))
		}
		for _, m := range marks {
			if m.Value < c.low || m.Value > c.high || m.Label == "" {
				t.Errorf("%+v: mark %+v", c, m)
			}
		}
	}
}
