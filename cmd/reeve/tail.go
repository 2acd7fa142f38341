package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/proxy"
	"github.com/urfave/cli/v3"
	"golang.org/x/term"
)

// tailVerb follows what happens on a master.
type tailVerb struct {
	*session
	kinds kindList
	n     int // 0: no end

	colours bool
	missed  uint64 // events that the next one with -json is to tell of

	// The connection was there before, and is not now. Owned by connection.
	connected, lost bool
}

func (t *tool) tailCommand() *cli.Command {
	v := &tailVerb{session: t.session()}
	v.onState = v.connection
	return &cli.Command{
		Name: "tail", Usage: "follow what happens to tasks and queues", ArgsUsage: "[QUEUE...]",
		Description: `Writes a line for each event of the queues, of all queues without a name, from now
on: the time, the queue, what happened, the task's id and type, the number of the
attempt, the worker, and what there is to tell. Ctrl-C ends it. With -json, a line
is an object: time, queue, event, id, type, attempt, worker, text, missed.

When the connection is lost, tail goes on as soon as it is back; what happened in
between is not shown. Neither is what this reader is too slow for: the standard
error says how many events were missed.

The kinds of events:
  ` + strings.Join(kindNames()[:9], ", ") + `,
  ` + strings.Join(kindNames()[9:], ", ") + `.

Examples:
  reeve tail
  reeve tail tasks -kind failed,timed_out,lost,dead
  reeve tail tasks -kind done -n 100 -json`,
		Flags: v.flags(
			cmdline.Flag("kind", &v.kinds, "only events of `KIND[,KIND]`"),
			cmdline.Int("n", &v.n, 0, 1<<31-1, "end after `N` events; 0: never"),
		),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			queues := cmd.Args().Slice()
			if slices.Contains(queues, "") {
				return cmdline.Usagef(cmd, "the name of a queue is empty")
			}
			if f, ok := v.stdout.(*os.File); ok && !v.json && v.getenv("NO_COLOR") == "" && v.getenv("TERM") != "dumb" {
				v.colours = term.IsTerminal(int(f.Fd())) && understandsColours(f)
			}
			return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error {
				return v.follow(ctx, op, queues)
			})
		},
	}
}

// follow writes events until ctx ends or there were enough.
func (v *tailVerb) follow(ctx context.Context, op reeve.Operator, queues []string) error {
	shown := 0
	for e, err := range op.Events(ctx, queues...) {
		if err != nil {
			return err
		}
		if e.Missed > 0 {
			v.missed += e.Missed
			v.note("%d events were missed: they came faster than they were read", e.Missed)
		}
		if len(v.kinds) > 0 && !slices.Contains(v.kinds, e.Kind) {
			continue
		}
		if err := v.write(&e); err != nil {
			return err
		}
		if shown++; shown == v.n {
			return nil
		}
	}
	return nil // by Ctrl-C: how one ends it
}

// connection is told of every change of the connection.
func (v *tailVerb) connection(s proxy.State) {
	switch {
	case s.Connected && v.lost:
		v.note("connected again; what happened in between was missed")
	case !s.Connected && v.connected && !v.lost:
		v.note("%v; events go on when the connection is back", s.Err)
	}
	v.connected = v.connected || s.Connected
	v.lost = v.connected && !s.Connected
}

// note tells, apart from the events, what the user should know of them.
func (v *tailVerb) note(format string, args ...any) {
	line := "reeve: " + printable(fmt.Sprintf(format, args...)) + "\n"
	_, _ = io.WriteString(v.stderr, line) // there is nobody else to tell
}

func (v *tailVerb) write(e *reeve.Event) error {
	if v.json {
		e.Missed, v.missed = v.missed, 0 // those of events that were not shown, too
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = v.stdout.Write(append(line, '\n'))
		return outputError(err)
	}
	_, err := v.stdout.Write(append(v.line(nil, e), '\n'))
	return outputError(err)
}

// line appends an event as people read it.
func (v *tailVerb) line(b []byte, e *reeve.Event) []byte {
	b = e.Time.Local().AppendFormat(b, "15:04:05.000")
	b = fmt.Appendf(b, "  %s  ", printable(e.Queue))
	kind := fmt.Sprintf("%-9s", printable(string(e.Kind)))
	if c := kindColours[e.Kind]; v.colours && c != "" {
		kind = "\x1b[" + c + "m" + kind + "\x1b[0m"
	}
	b = append(b, kind...)
	if e.ID != 0 {
		b = fmt.Appendf(b, "  %v", e.ID)
	}
	if e.Type != "" {
		b = fmt.Appendf(b, "  %s", printable(e.Type))
	}
	if e.Attempt > 0 {
		b = fmt.Appendf(b, "  #%d", e.Attempt)
	}
	if e.Worker != "" {
		b = fmt.Appendf(b, "  %s", printable(e.Worker))
	}
	if e.Text != "" {
		b = fmt.Appendf(b, "  %s", printable(e.Text))
	}
	return b
}
