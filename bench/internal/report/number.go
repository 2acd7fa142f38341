package report

import (
	"math"
	"strconv"
)

// scale is how figures of one size and unit are written: divided, with what
// stands behind them.
type scale struct {
	divisor float64
	suffix  string
}

// step is a multiple of a unit.
type step struct {
	factor float64
	suffix string
}

// The steps of units, the smallest first.
var (
	byteSteps  = []step{{1, " B"}, {1 << 10, " KiB"}, {1 << 20, " MiB"}, {1 << 30, " GiB"}, {1 << 40, " TiB"}}
	timeSteps  = []step{{1, " ns"}, {1e3, " µs"}, {1e6, " ms"}, {1e9, " s"}}
	speedSteps = []step{{1, " MB/s"}, {1e3, " GB/s"}}
	plainSteps = []step{{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}}
)

// scaleFor is the scale in which v, which is given in unit, is read easily.
func scaleFor(v float64, unit string) scale {
	switch unit {
	case "B":
		return pick(v, 1, byteSteps)
	case "MB/s":
		return pick(v, 1, speedSteps)
	case "ns":
		return pick(v, 1, timeSteps)
	case "µs":
		return pick(v, 1e3, timeSteps)
	case "ms":
		return pick(v, 1e6, timeSteps)
	case "s":
		return pick(v, 1e9, timeSteps)
	}
	s := pick(v, 1, plainSteps)
	if unit != "" && unit != "/s" { // "/s" is said by what heads the figures
		s.suffix += " " + unit
	}
	return s
}

// pick takes the largest step that v reaches; v counts in units of so many of
// the steps' own.
func pick(v, unit float64, steps []step) scale {
	took := steps[0]
	for _, s := range steps[1:] {
		// What would be written as 1000 of the step before belongs to this one.
		// Nothing at all is written in the unit that it was measured in.
		if math.Abs(v)*unit >= s.factor*0.9995 || v == 0 && unit >= s.factor {
			took = s
		}
	}
	return scale{took.factor / unit, took.suffix}
}

// digits writes v in the scale, with three digits that count and without the suffix.
func (s scale) digits(v float64) string {
	v /= s.divisor
	if notFinite(v) {
		return "–"
	}
	decimals := 0
	if v != 0 {
		decimals = max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	}
	// Reading the digits again drops the zeros at their end.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', min(decimals, 9), 64), 64)
	return strconv.FormatFloat(rounded+0, 'f', -1, 64) // +0: no "-0"
}

// Number writes v, given in unit, for people, as the tables do: "213k", "3.6 µs".
func Number(v float64, unit string) string { return number(v, unit) }

// number writes v, given in unit, for people: 213k, 3.6 µs, 35.7 KiB.
func number(v float64, unit string) string {
	if notFinite(v) {
		return "–"
	}
	s := scaleFor(v, unit)
	return s.digits(v) + s.suffix
}

// spread writes the median and the range of values, in one scale.
func spread(values []float64, unit string) string {
	if len(values) == 0 {
		return "–"
	}
	mid := median(values)
	text := number(mid, unit)
	if len(values) == 1 {
		return text
	}
	s := scaleFor(mid, unit)
	low, high := bounds(values)
	mult := map[string]string{"k": "k", "M": "M", "G": "G"}[s.suffix] // these belong to each of the figures
	return text + " (" + s.digits(low) + mult + "–" + s.digits(high) + mult + ")"
}

// times writes a ratio: 30.5×, 1.21×, 0.0042×.
func times(r float64) string {
	switch {
	case r >= 9.995:
		return scale{divisor: 1}.digits(r) + "×"
	case r >= 0.0995:
		return strconv.FormatFloat(r, 'f', 2, 64) + "×"
	}
	return strconv.FormatFloat(r, 'g', 2, 64) + "×"
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
