package soak

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Report is how a run went.
type Report struct {
	Seed    uint64    `json:"seed"`
	For     float64   `json:"for_s"`
	Took    float64   `json:"took_s"` // with the time until everything was done
	Started time.Time `json:"started"`

	Counts Counts `json:"counts"`
	Faults Faults `json:"faults"`
	// Wrong is what the book found, the first of WrongCount; Failed what went
	// wrong besides.
	Wrong      []string `json:"wrong,omitempty"`
	WrongCount int      `json:"wrong_count"`
	Failed     []string `json:"failed,omitempty"`

	Rule   string   `json:"rule"`
	Growth []Growth `json:"growth"`
	// AtFirst and AtLast are the master before and after all of it, with nobody
	// connected; Rests says that its goroutines were gone.
	AtFirst Sample   `json:"at_first"`
	AtLast  Sample   `json:"at_last"`
	Rests   bool     `json:"rests"`
	Samples []Sample `json:"samples"`
}

// OK reports whether nothing was lost, nothing was wrong and nothing grew.
func (r *Report) OK() bool {
	for _, g := range r.Growth {
		if g.Bad {
			return false
		}
	}
	return r.WrongCount == 0 && len(r.Failed) == 0 && r.Rests && r.Counts.Put > 0
}

// Markdown writes the report for people.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	verdict := "**Nothing was lost, nothing grew.**"
	if !r.OK() {
		verdict = "**It failed.**"
	}
	c, f := &r.Counts, &r.Faults
	fmt.Fprintf(&b, "%s %v under faults, seed %d, %s.\n\n", verdict, seconds(r.For), r.Seed, r.Started.UTC().Format("2006-01-02"))
	fmt.Fprintf(&b, "| what happened | |\n|---|---:|\n")
	for _, row := range []struct {
		what string
		n    int
	}{
		{"puts acknowledged", c.Put},
		{"results acknowledged, one for each put that was not cancelled", c.Results},
		{"cancels acknowledged", c.Cancelled},
		{"acknowledged puts without a result", c.Lost},
		{"outcome of a put or cancel unknown", c.Unknown},
		{"results whose lease was lost, and that came again", c.LeasesLost},
		{"writes to a durable map, each read back", c.MapWrites},
		{"holds of locks", c.Holds},
		{"of them lost with the connection", c.HoldsLost},
		{"calls of objects that a restart left without a known outcome", c.CallUnknown},
		{"masters killed", f.MastersKilled},
		{"workers killed", f.WorkersKilled},
		{"connections cut", f.Cuts},
		{"connections stalled", f.Stalls},
		{"connections slowed", f.Slow},
		{fmt.Sprintf("bursts of %d puts", burstTasks), f.Bursts},
	} {
		fmt.Fprintf(&b, "| %s | %d |\n", row.what, row.n)
	}
	fmt.Fprintf(&b, "\n| the master | first | last | lowest | median | highest | grew by | allowed | |\n|---|---:|---:|---:|---:|---:|---:|---:|---|\n")
	for i := range r.Growth {
		g := &r.Growth[i]
		flat := "flat"
		if g.Bad {
			flat = "**grew**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", g.What, g.show(r.AtFirst.figure(g.What)), g.show(r.AtLast.figure(g.What)),
			g.show(g.Min), g.show(g.Median), g.show(g.Max), g.show(g.Grew), g.show(g.Allowed), flat)
	}
	fmt.Fprintf(&b, "\nFirst and last are with nobody connected, before and after all of it. In between the figures are of the part in which the\n"+
		"master was not killed any more, without its first quarter. %s%s.\n", strings.ToUpper(r.Rule[:1]), r.Rule[1:])
	if !r.Rests {
		fmt.Fprintf(&b, "\nGoroutines stayed when everybody had gone: %d, %d at first.\n", r.AtLast.Goroutines, r.AtFirst.Goroutines)
	}
	for _, s := range r.Failed {
		fmt.Fprintf(&b, "\n- failed: %s", s)
	}
	for _, s := range r.Wrong {
		fmt.Fprintf(&b, "\n- wrong: %s", s)
	}
	if n := r.WrongCount - len(r.Wrong); n > 0 {
		fmt.Fprintf(&b, "\n- and %d more like these", n)
	}
	if len(r.Failed)+len(r.Wrong) > 0 {
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// show is a value of the growth's unit.
func (g *Growth) show(v float64) string {
	if g.Unit == "B" {
		return mib(int64(v))
	}
	return fmt.Sprintf("%.0f", v)
}

// figure is one of the figures that growths looks at.
func (s *Sample) figure(what string) float64 {
	switch what {
	case whatRSS:
		return float64(s.RSS)
	case whatHeap:
		return float64(s.Heap)
	case whatDisk:
		return float64(s.Disk)
	case whatGoroutines:
		return float64(s.Goroutines)
	default:
		return float64(s.Files)
	}
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
