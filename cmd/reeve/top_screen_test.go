package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/vt"
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
)

// terminal is an emulated one that remembers what was written to it.
type terminal struct {
	vt.MockTerm

	mu      sync.Mutex // guards the fields below
	written bytes.Buffer
	stopped bool
}

func newTerminal(width, height int) *terminal {
	return &terminal{MockTerm: vt.NewMockTerm(vt.MockOptSize{X: vt.Col(width), Y: vt.Row(height)})}
}

func (e *terminal) Write(b []byte) (int, error) {
	e.mu.Lock()
	e.written.Write(b)
	e.mu.Unlock()
	return e.MockTerm.Write(b)
}

func (e *terminal) Stop() error {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	return e.MockTerm.Stop()
}

// restored reports whether the terminal shows the user's screen again, as it
// was before.
func (e *terminal) restored() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	const enter, leave, showCursor = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"
	s := e.written.String()
	return e.stopped && strings.LastIndex(s, leave) > strings.LastIndex(s, enter) && strings.Contains(s, enter) && strings.Contains(s, showCursor)
}

func (e *terminal) text(width, height int) string {
	var b strings.Builder
	for y := range height {
		for x := range width {
			b.WriteString(e.GetCell(vt.Coord{X: vt.Col(x), Y: vt.Row(y)}).C)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// verbOn is top on a terminal.
func verbOn(e *terminal) (*topVerb, *bytes.Buffer) {
	var log bytes.Buffer
	v := &topVerb{
		session: &session{tool: &tool{}, connect: "h:1"}, interval: time.Millisecond, sort: "ready", held: &heldOutput{w: &log},
		screen: func() (tcell.Screen, error) { return tcell.NewTerminfoScreenFromTty(e) },
	}
	return v, &log
}

// looks counts the looks at a master. When the n-th begins, all but the last
// two before it have been shown.
type looks struct {
	began chan int
	n     int
}

func (l *looks) queues() ([]reeve.QueueStats, error) {
	l.n++
	l.began <- l.n
	return []reeve.QueueStats{{Name: fmt.Sprintf("look-%d", l.n), Ready: l.n}}, nil
}

func (l *looks) until(n int) {
	for <-l.began < n {
	}
}

func TestTop_RefreshesInPlaceFollowsTheWindowAndEndsWithQ(t *testing.T) {
	t.Parallel()
	e := newTerminal(80, 20)
	v, log := verbOn(e)
	l := &looks{began: make(chan int)}
	ended := make(chan error, 1)
	go func() { ended <- v.show(t.Context(), &staged{queues: l.queues, workers: crew()}) }() // received below
	l.until(4)
	if got := e.text(80, 20); !strings.Contains(got, "look-") || !strings.Contains(got, "resizer") || strings.Count(got, "look-") != 1 {
		t.Errorf("the screen shows\n%s", got)
	}
	fmt.Fprintln(v.held, "a log line")
	if got := e.text(80, 20); strings.Contains(got, "log line") || log.Len() != 0 {
		t.Errorf("a log line is on the screen\n%s", got)
	}
	e.SetSize(vt.Coord{X: 60, Y: 14})
	for strings.Contains(e.text(60, 14), "end  ←→") == false || !strings.HasPrefix(strings.Split(e.text(60, 14), "\n")[13], "q end") {
		<-l.began
	}
	e.KeyTap(vt.KeyQ)
	for done := false; !done; {
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			done = true
		case <-l.began:
		}
	}
	if !e.restored() {
		t.Errorf("the terminal is not as it was")
	}
	if log.String() != "a log line\n" {
		t.Errorf("the log is %q", log.String())
	}
}

func TestTop_ASignalRestoresTheTerminal(t *testing.T) {
	t.Parallel()
	e := newTerminal(80, 20)
	v, _ := verbOn(e)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := v.show(ctx, &staged{queues: func() ([]reeve.QueueStats, error) {
		if n++; n == 3 {
			cancel()
		}
		return nil, errors.New("none")
	}})
	if err != nil || !e.restored() {
		t.Fatalf("%v, restored: %v", err, e.restored())
	}
}

func TestTop_APanicRestoresTheTerminal(t *testing.T) {
	t.Parallel()
	e := newTerminal(80, 20)
	v, _ := verbOn(e)
	defer func() {
		p := fmt.Sprint(recover())
		if !strings.HasPrefix(p, "broken\n") || !strings.Contains(p, "top_screen_test.go") || !e.restored() {
			t.Errorf("restored: %v, panic %q", e.restored(), p)
		}
	}()
	_ = v.show(t.Context(), &staged{queues: func() ([]reeve.QueueStats, error) { panic("broken") }})
	t.Error("no panic")
}

func TestTop_KeysMeanWhatTheHelpSays(t *testing.T) {
	t.Parallel()
	for want, keys := range map[topAction][]*tcell.EventKey{
		actQuit: {
			tcell.NewEventKey(tcell.KeyRune, "q", tcell.ModNone), tcell.NewEventKey(tcell.KeyCtrlC, "", tcell.ModCtrl),
			tcell.NewEventKey(tcell.KeyRune, "c", tcell.ModCtrl),
		},
		actNone:    {tcell.NewEventKey(tcell.KeyRune, "c", tcell.ModNone), tcell.NewEventKey(tcell.KeyF1, "", tcell.ModNone)},
		actReverse: {tcell.NewEventKey(tcell.KeyRune, "r", tcell.ModNone)},
		actLeft:    {tcell.NewEventKey(tcell.KeyLeft, "", tcell.ModNone), tcell.NewEventKey(tcell.KeyRune, "<", tcell.ModNone)},
		actOther:   {tcell.NewEventKey(tcell.KeyTab, "", tcell.ModNone), tcell.NewEventKey(tcell.KeyBacktab, "", tcell.ModNone)},
		actEnd:     {tcell.NewEventKey(tcell.KeyEnd, "", tcell.ModNone)},
	} {
		for _, k := range keys {
			if got := actionOf(k); got != want {
				t.Errorf("%s: %d, want %d", k.Name(), got, want)
			}
		}
	}
}

func TestTop_ATerminalThatCannotBeUsedIsAnError(t *testing.T) {
	t.Parallel()
	v, _ := verbOn(nil)
	v.screen = func() (tcell.Screen, error) { return nil, errors.New("no such device") }
	if err := v.show(t.Context(), nil); err == nil || err.Error() != "cannot use the terminal: no such device; 'reeve ls' needs none" {
		t.Error(err)
	}
}

func TestTop_SaysWhyTheConnectionIsLost(t *testing.T) {
	t.Parallel()
	v, _ := verbOn(newTerminal(80, 20))
	op := &staged{queues: func() ([]reeve.QueueStats, error) { return nil, context.DeadlineExceeded }}
	refused := errors.New("connection refused")
	for _, c := range []struct {
		state *proxy.State
		want  error
	}{{nil, context.DeadlineExceeded}, {&proxy.State{Connected: true}, context.DeadlineExceeded}, {&proxy.State{Err: refused}, refused}} {
		v.link.Store(c.state)
		if s := v.sample(t.Context(), op); s.err != c.want {
			t.Errorf("%+v: %v, want %v", c.state, s.err, c.want)
		}
	}
}
