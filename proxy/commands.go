package proxy

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// maxCommands bounds the commands of the master that wait for their turn, and
// the reports that wait to be written.
const maxCommands = 16

// command is one that waits for its turn, with the connection it came from.
type command struct {
	link *link
	wire.Command
}

// onCommand has a command carried out, after those before it.
func (l *link) onCommand(m wire.Command) {
	if !l.lock() {
		return
	}
	c := l.c
	defer c.unlock()
	switch {
	case c.cfg.Control == nil:
		l.report(wire.Report{Seq: m.Seq, Error: fmt.Sprintf("%v: this client takes no commands", reeve.ErrUnsupported)})
	case len(c.commands) >= maxCommands:
		err := &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "commands that wait", Value: maxCommands + 1, Max: maxCommands}
		l.report(wire.Report{Seq: m.Seq, Error: err.Error()})
	default:
		c.commands = append(c.commands, command{l, m})
		if !c.commanded {
			c.commanded = true
			carried := make(chan struct{})
			c.carried = carried
			c.commanding.Go(func() { // waited for by Close
				defer close(carried)
				c.carryOut()
			})
		}
	}
}

// report has a report written. One too many is dropped: the master then tells
// who asked that there was no answer.
func (l *link) report(r wire.Report) {
	select {
	case l.reports <- r:
	default:
	}
}

// awaitReport waits, as far as ctx lets it, for the report of the command that
// is being carried out: it may be what makes the program close the client.
func (l *link) awaitReport(ctx context.Context) {
	c := l.c
	c.mu.Lock()
	carried := c.carried
	c.mu.Unlock()
	if carried != nil {
		l.wait(ctx, carried)
	}
}

// carryOut carries out commands, one at a time, while there are any.
func (c *Client) carryOut() {
	for {
		c.mu.Lock()
		if len(c.commands) == 0 || c.closed != nil {
			c.commands, c.commanded = nil, false
			c.mu.Unlock()
			return
		}
		cmd := c.commands[0]
		c.commands = c.commands[1:]
		c.mu.Unlock()
		status, err := c.cfg.Control(c.life, reeve.Command{Do: reeve.CommandKind(cmd.Kind), Concurrency: int(min(cmd.Concurrency, reeve.MaxSlots+1))})
		r := wire.Report{Seq: cmd.Seq, Status: (*wire.WorkerStatus)(status)}
		if err != nil {
			r.Error = err.Error()
		}
		cmd.link.report(r)
	}
}
