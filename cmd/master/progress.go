package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/reeveq/reeve/internal/batch"
	"github.com/reeveq/reeve/internal/program"
	"github.com/schollz/progressbar/v3"
)

// progress shows how far a batch run is: a bar with rate and remaining time on
// a terminal, otherwise a line in the log at intervals. The bar counts bytes of
// input, since how many lines there are is known last.
type progress struct {
	console *program.Console
	log     *program.Log
	every   time.Duration // of the log lines; 0: none

	bar     *progressbar.ProgressBar // nil: no terminal
	size    int64                    // of the input; -1 as long as it is not known
	rate    meter
	lastLog time.Time
	logged  int64
}

func newProgress(console *program.Console, log *program.Log, size int64, every time.Duration, now time.Time) *progress {
	p := &progress{console: console, log: log, every: every, lastLog: now, rate: meter{at: now, start: now}, size: size}
	if console.Terminal() {
		p.show()
	}
	return p
}

// show begins a bar of the size that is known now. A bar cannot change from
// one of unknown length.
func (p *progress) show() {
	p.console.SetStatus(func(w io.Writer) program.Status {
		p.bar = newBar(w, p.size)
		return barStatus{p.bar}
	})
}

func newBar(w io.Writer, size int64) *progressbar.ProgressBar {
	if size <= 0 {
		size = -1 // not known
	}
	return progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(20), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionThrottle(0), progressbar.OptionSpinnerType(14), progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionSetRenderBlankState(true))
}

// barStatus is the bar as the console draws it.
type barStatus struct{ bar *progressbar.ProgressBar }

func (s barStatus) Clear() { _ = s.bar.Clear() } // nobody is told when a terminal is gone
func (s barStatus) Draw()  { _ = s.bar.RenderBlank() }

// update is told the numbers ten times a second.
func (p *progress) update(n batch.Numbers) {
	now := time.Now()
	perSecond := p.rate.add(n.Done, now)
	if n.ReadAll && p.size != n.ReadSize {
		p.size = n.ReadSize
		if p.bar != nil {
			p.show()
		}
	}
	left := p.left(n, now)
	if p.bar != nil {
		p.console.Update(func() {
			_ = p.bar.Set64(n.DoneSize)
			p.bar.Describe(barText(n, perSecond, left))
		})
		return
	}
	if p.every > 0 && now.Sub(p.lastLog) >= p.every && n.Done+n.Dead != p.logged {
		p.log.Info("batch run", "lines", n.Lines, "done", n.Done, "without_result", n.Dead, "per_second", rate(perSecond), "left", left)
		p.lastLog, p.logged = now, n.Done+n.Dead
	}
}

func barText(n batch.Numbers, perSecond float64, left string) string {
	text := fmt.Sprintf("%d done, %s/s", n.Done, rate(perSecond))
	if n.Dead > 0 {
		text += fmt.Sprintf(", %d without result", n.Dead)
	}
	return text + ", " + left + " left"
}

// left is how long the rest will take if it goes on as it has until now. It
// is known when the size of the input is.
func (p *progress) left(n batch.Numbers, now time.Time) string {
	if p.size <= 0 || n.DoneSize <= 0 {
		return "unknown time"
	}
	took := now.Sub(p.rate.start)
	rest := float64(took) * max(0, float64(p.size-n.DoneSize)) / float64(n.DoneSize)
	if rest > float64(1000*time.Hour) {
		return "over 1000h"
	}
	return time.Duration(rest).Round(time.Second).String()
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		p.console.SetStatus(nil)
	}
}

// meter is a rate over about the last ten seconds.
type meter struct {
	at        time.Time // of the last value
	start     time.Time
	value     int64
	perSecond float64
}

func (m *meter) add(value int64, now time.Time) float64 {
	passed := now.Sub(m.at).Seconds()
	if passed <= 0 {
		return m.perSecond
	}
	current := float64(value-m.value) / passed
	// At first the average is that of the time there has been.
	weight := max(passed/10, passed/max(now.Sub(m.start).Seconds(), passed))
	m.perSecond += min(weight, 1) * (current - m.perSecond)
	m.at, m.value = now, value
	return m.perSecond
}

// rate writes a number per second with the digits that matter.
func rate(r float64) string {
	if r < 10 {
		return strconv.FormatFloat(r, 'f', 1, 64)
	}
	return strconv.FormatFloat(r, 'f', 0, 64)
}
