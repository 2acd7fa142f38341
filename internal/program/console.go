package program

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// Console is the standard error as log lines and a progress line share it: a
// line that is written appears above the progress line. It is safe for
// concurrent use.
type Console struct {
	mu     sync.Mutex // guards the writer and the fields below
	w      io.Writer
	status Status
}

// Status is a line that is drawn over itself. Its methods are called one at a
// time and write to the Console's writer.
type Status interface {
	Clear()
	Draw()
}

// NewConsole shares w.
func NewConsole(w io.Writer) *Console { return &Console{w: w} }

// Write writes whole lines above the progress line.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status != nil {
		c.status.Clear()
		defer c.status.Draw()
	}
	return c.w.Write(p)
}

// SetStatus replaces the progress line; nil ends it. make gets the writer.
func (c *Console) SetStatus(make func(io.Writer) Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status != nil {
		c.status.Clear()
		c.status = nil
	}
	if make != nil {
		c.status = make(c.w)
	}
}

// Update has change change the progress line and draw it.
func (c *Console) Update(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// Terminal reports whether somebody watches.
func (c *Console) Terminal() bool {
	f, ok := c.w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
