package soak

import (
	"slices"
	"time"
)

// Growth is how one figure of the master went over the long part of the run. A
// figure grows if it grew by more than Allowed from the first to the last sample,
// as the line through the samples has it whose slope is the median of the slopes
// between any two of them: a burst here and there does not change it.
type Growth struct {
	What    string  `json:"what"`
	Unit    string  `json:"unit"` // "B" or empty
	Min     float64 `json:"min"`
	Median  float64 `json:"median"`
	Max     float64 `json:"max"`
	Grew    float64 `json:"grew"` // over the time that was measured
	Allowed float64 `json:"allowed"`
	Bad     bool    `json:"bad"`
}

// Rule says in words what growth checks.
const Rule = "flat: the line through all samples (median of the slopes between any two) rises by no more than " +
	"a tenth of the median, or the slack if that is more: 32 MiB of RSS, 8 MiB of live heap, 64 MiB of journal (four of its files), 16 goroutines, 8 descriptors"

// slack is what a figure may grow in any case.
var slack = map[string]float64{
	whatRSS: 32 << 20, whatHeap: 8 << 20, whatDisk: 64 << 20, whatGoroutines: 16, whatFiles: 8,
}

const (
	whatRSS        = "RSS"
	whatHeap       = "live heap"
	whatDisk       = "journal on disk"
	whatGoroutines = "goroutines"
	whatFiles      = "file descriptors"
)

// growths are those of all figures in samples.
func growths(samples []Sample) []Growth {
	return []Growth{
		growth(whatRSS, "B", samples, func(s *Sample) float64 { return float64(s.RSS) }),
		growth(whatHeap, "B", samples, func(s *Sample) float64 { return float64(s.Heap) }),
		growth(whatGoroutines, "", samples, func(s *Sample) float64 { return float64(s.Goroutines) }),
		growth(whatFiles, "", samples, func(s *Sample) float64 { return float64(s.Files) }),
		growth(whatDisk, "B", samples, func(s *Sample) float64 { return float64(s.Disk) }),
	}
}

func growth(what, unit string, samples []Sample, get func(*Sample) float64) Growth {
	g := Growth{What: what, Unit: unit}
	if len(samples) < 2 {
		return g
	}
	values := make([]float64, len(samples))
	for i := range samples {
		values[i] = get(&samples[i])
	}
	var slopes []float64
	for i := range samples {
		for j := range i {
			if d := samples[i].At - samples[j].At; d > 0 {
				slopes = append(slopes, (values[i]-values[j])/d.Seconds())
			}
		}
	}
	span := samples[len(samples)-1].At - samples[0].At
	g.Grew = median(slopes) * span.Seconds()
	g.Min, g.Median, g.Max = slices.Min(values), median(values), slices.Max(values)
	g.Allowed = max(g.Median/10, slack[what])
	g.Bad = g.Grew > g.Allowed
	return g
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// between are the samples of a time after the start.
func between(samples []Sample, from, to time.Duration) (some []Sample) {
	for _, s := range samples {
		if s.At >= from && s.At <= to {
			some = append(some, s)
		}
	}
	return some
}
