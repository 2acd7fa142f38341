package program

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// LogFlags are the flags of the log.
type LogFlags struct {
	Format  string
	Verbose bool
}

// Flags are the command line's.
func (f *LogFlags) Flags() []cli.Flag {
	f.Format = "text"
	return []cli.Flag{
		cmdline.Choice("log-format", &f.Format, []string{"text", "json"}, "write the log as `FORMAT`, text or json"),
		cmdline.Bool("v", &f.Verbose, "log more: connections, calls, what the libraries do"),
	}
}

// Log is a program's log: one line per change of the program's state, none per
// task.
type Log struct {
	*slog.Logger
	plain io.Writer // nil: everything is JSON
}

// New makes the log on w.
func (f *LogFlags) New(w io.Writer) *Log {
	opts := &slog.HandlerOptions{Level: slog.LevelInfo}
	if f.Verbose {
		opts.Level = slog.LevelDebug
	}
	if f.Format == "json" {
		return &Log{Logger: slog.New(slog.NewJSONHandler(w, opts))}
	}
	return &Log{Logger: slog.New(slog.NewTextHandler(w, opts)), plain: w}
}

// Announce writes a line that people and other programs look for: text alone,
// or, in a JSON log, a record with text as its message and the attributes.
func (l *Log) Announce(text string, attrs ...slog.Attr) {
	if l.plain != nil {
		fmt.Fprintln(l.plain, text)
		return
	}
	l.LogAttrs(context.Background(), slog.LevelInfo, text, attrs...)
}
