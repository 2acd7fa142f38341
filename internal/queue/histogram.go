package queue

import (
	"math/bits"
	"slices"

	"github.com/reeveq/reeve"
)

// histogram counts durations by size: counts[i] those below 2^i microseconds
// and, but for the first, not below half of that. The zero value is empty.
type histogram struct {
	counts [histogramSizes]uint64
	sum    uint64 // microseconds
	rest   uint64 // nanoseconds, less than one of these
}

// histogramSizes is one more than the bits of the most microseconds that there
// are in an int64 of nanoseconds.
const histogramSizes = 55

// add counts a duration of d nanoseconds; less than 0 counts as 0.
func (h *histogram) add(d int64) {
	ns := uint64(max(d, 0))
	h.counts[bits.Len64(ns/1000)]++
	h.rest += ns
	h.sum += h.rest / 1000
	h.rest %= 1000
}

// export is a copy without trailing zeros.
func (h *histogram) export() reeve.Histogram {
	n := len(h.counts)
	for n > 0 && h.counts[n-1] == 0 {
		n--
	}
	return reeve.Histogram{Counts: slices.Clone(h.counts[:n:n]), Sum: h.sum}
}
