package report

import (
	"math"

	"gonum.org/v1/plot"
)

// ticks marks an axis with numbers for people.
type ticks struct {
	unit string
	log  bool
}

var _ plot.Ticker = ticks{}

// mostPowers is how many marks a logarithmic axis has room for.
const mostPowers = 7

// Ticks are the marks from low to high: round numbers, about four of them, and
// powers on a logarithmic axis.
func (t ticks) Ticks(low, high float64) []plot.Tick {
	var marks []plot.Tick
	if t.log {
		power := 10.0
		if t.unit == "B" {
			power = 16 // 1 KiB, 16 KiB, 256 KiB, 4 MiB
		}
		for math.Log(high/low)/math.Log(power) > mostPowers {
			power *= power
		}
		for i := math.Ceil(math.Log(low)/math.Log(power) - 1e-9); math.Pow(power, i) <= high; i++ {
			v := math.Pow(power, i)
			marks = append(marks, plot.Tick{Value: v, Label: number(v, t.unit)})
		}
		return marks
	}
	// Round is what is round as it is written: 20 KiB, not 19.5 KiB.
	unit := scaleFor(max(math.Abs(low), math.Abs(high)), t.unit).divisor
	step := roundStep((high-low)/4/unit) * unit
	for i := math.Ceil(low / step); i*step <= high; i++ {
		label := "0"
		if i != 0 {
			label = number(i*step, t.unit)
		}
		marks = append(marks, plot.Tick{Value: i * step, Label: label})
	}
	return marks
}

// roundStep is the least of 1, 2, 5, 10, 20, … that is at least v.
func roundStep(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if v <= f*unit {
			return f * unit
		}
	}
	return 10 * unit
}
