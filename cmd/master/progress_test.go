package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/batch"
	"github.com/reeveq/reeve/internal/program"
)

func TestProgress_WithoutATerminalItIsALineAtIntervals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		console := program.NewConsole(&out)
		p := newProgress(console, (&program.LogFlags{}).New(console), 1000, time.Minute, time.Now())
		for i := range 1201 { // two minutes
			p.update(batch.Numbers{Lines: 700, Done: int64(i), DoneSize: int64(i) / 4})
			time.Sleep(100 * time.Millisecond)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "lines=700 done=600 without_result=0 per_second=10 left=5m40s") {
			t.Fatalf("%q", lines)
		}
		p.update(batch.Numbers{Lines: 700, Done: 1200, DoneSize: 300})
		time.Sleep(10 * time.Minute)
		p.update(batch.Numbers{Lines: 700, Done: 1200, DoneSize: 300})
		if n := strings.Count(out.String(), "\n"); n > 3 {
			t.Errorf("%d lines although nothing has happened:\n%s", n, out.String())
		}
		p.end()
	})
}

func TestProgress_TheBarCountsBytesAndShowsTheRate(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	bar := newBar(&out, 200)
	_ = bar.Set64(50)
	bar.Describe(barText(batch.Numbers{Done: 7, Dead: 2}, 3.25, "5s"))
	if got := out.String(); !strings.Contains(got, "7 done, 3.2/s, 2 without result, 5s left  25% |") {
		t.Errorf("%q", got)
	}
	_ = bar.Exit()
}

func TestProgress_LeftIsKnownWithTheSize(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		size, done int64
		want       string
	}{{-1, 5, "unknown time"}, {100, 0, "unknown time"}, {100, 50, "10s"}, {100, 100, "0s"}, {100, 200, "0s"}, {1 << 62, 1, "over 1000h"}} {
		p := &progress{size: c.size, rate: meter{start: now}}
		if got := p.left(batch.Numbers{DoneSize: c.done}, now.Add(10*time.Second)); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
