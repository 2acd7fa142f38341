package queue

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

// histogram counts durations by size: counts[i] those below 2^i microseconds
// and, but for the first, not below half of that. The zero value is empty.
type histogram struct {
	counts [histogramSizes]uint64
	sum    int64 // nanoseconds; stays at the most it can be
}

// histogramSizes is one more than the bits of the most microseconds that there
// are in an int64 of nanoseconds.
const histogramSizes = 55

// add counts a duration of d nanoseconds; less than 0 counts as 0.
func (h *histogram) add(d int64) {
	d = max(d, 0)
	h.counts[bits.Len64(uint64(d)/1000)]++
	if h.sum += d; h.sum < 0 {
		h.sum = math.MaxInt64
	}
}

// export is a copy without trailing zeros.
func (h *histogram) export() reeve.Histogram {
	n := len(h.counts)
	for n > 0 && h.counts[n-1] == 0 {
		n--
	}
	return reeve.Histogram{Counts: slices.Clone(h.counts[:n:n]), Sum: time.Duration(h.sum)}
}
