package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/color"
)

// watch shows m on the screen, which was initialised, takes a sample every
// m.interval and does what keys say. It returns when the user or ctx ends it;
// the terminal is as it was before then, and when something panics, too.
func watch(ctx context.Context, screen tcell.Screen, m *topModel, sample func(context.Context) topSample) error {
	ctx, cancel := context.WithCancel(ctx)
	samples := make(chan topSample)
	var looking sync.WaitGroup
	defer looking.Wait()
	defer cancel()
	defer screen.Fini() // first of all
	looking.Go(func() { look(ctx, sample, m.interval, samples) })

	clock := time.NewTicker(time.Second) // to tell that there was no answer
	defer clock.Stop()
	for {
		draw(screen, m, time.Now())
		select {
		case <-ctx.Done():
			return nil // ended as one ends it
		case s := <-samples:
			if s.panicked != nil {
				panic(s.panicked)
			}
			m.take(s)
		case ev, ok := <-screen.EventQ():
			if !ok {
				return nil // the terminal is gone
			}
			switch ev := ev.(type) {
			case *tcell.EventKey:
				a := actionOf(ev)
				if a == actQuit {
					return nil
				}
				m.act(a)
			case *tcell.EventResize:
				screen.Sync()
			case *tcell.EventError:
				return fmt.Errorf("cannot use the terminal: %w", ev)
			}
		case <-clock.C:
		}
	}
}

// look sends a sample now and every interval, until ctx ends.
func look(ctx context.Context, sample func(context.Context) topSample, interval time.Duration, to chan<- topSample) {
	send := func(s topSample) {
		select {
		case to <- s:
		case <-ctx.Done():
		}
	}
	defer func() { // so that the terminal is restored before the program ends
		if p := recover(); p != nil {
			send(topSample{panicked: fmt.Errorf("%v\n\n%s", p, debug.Stack())})
		}
	}()
	again := time.NewTicker(interval)
	defer again.Stop()
	for ctx.Err() == nil {
		send(sample(ctx))
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

// draw shows what has changed.
func draw(screen tcell.Screen, m *topModel, now time.Time) {
	screen.Clear()
	w, h := screen.Size()
	for y, line := range m.render(w, h, now) {
		x := 0
		for _, s := range line {
			screen.PutStrStyled(x, y, s.text, topStyles[s.style])
			x += s.width
		}
	}
	screen.Show()
}

// topStyles are the terminal's own colours: they suit whatever background the
// user has.
var topStyles = map[topStyle]tcell.Style{
	stylePlain:   tcell.StyleDefault,
	styleStrong:  tcell.StyleDefault.Bold(true),
	styleFaint:   tcell.StyleDefault.Dim(true),
	styleHeading: tcell.StyleDefault.Reverse(true),
	styleSorted:  tcell.StyleDefault.Reverse(true).Bold(true),
	styleGood:    tcell.StyleDefault.Foreground(color.Green),
	styleWarning: tcell.StyleDefault.Foreground(color.Yellow).Bold(true),
	styleBad:     tcell.StyleDefault.Foreground(color.Red).Bold(true),
}

// actionOf is what a key means.
func actionOf(ev *tcell.EventKey) topAction {
	if a, ok := topKeys[ev.Key()]; ok {
		return a
	}
	switch ev.Str() {
	case "q", "Q":
		return actQuit
	case "c":
		if ev.Modifiers()&tcell.ModCtrl != 0 { // how some terminals send Ctrl-C
			return actQuit
		}
	case "r", "R":
		return actReverse
	case "<":
		return actLeft
	case ">":
		return actRight
	case "k":
		return actUp
	case "j":
		return actDown
	}
	return actNone
}

var topKeys = map[tcell.Key]topAction{
	tcell.KeyCtrlC: actQuit, tcell.KeyLeft: actLeft, tcell.KeyRight: actRight,
	tcell.KeyUp: actUp, tcell.KeyDown: actDown, tcell.KeyPgUp: actPageUp, tcell.KeyPgDn: actPageDown,
	tcell.KeyHome: actHome, tcell.KeyEnd: actEnd, tcell.KeyTab: actOther, tcell.KeyBacktab: actOther,
}
