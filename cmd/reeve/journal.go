package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
	"github.com/urfave/cli/v3"
)

// exitDamage is the exit code when a journal is damaged, or was.
const exitDamage = 1

func (t *tool) journalCommand() *cli.Command {
	return &cli.Command{
		Name: "journal", Usage: "check, mend and copy the directory that a master keeps its queues in",
		Description: `DIR is what master -data had. These commands need no master, and but for salvage and
restore, which make a new directory, they change nothing: check, stat and dump may
look at the directory of a master that runs.

Examples:
  reeve journal check DIR
  reeve journal salvage DIR NEWDIR
  reeve journal restore queues.backup NEWDIR`,
		Commands: []*cli.Command{
			t.journalCheckCommand(), t.journalStatCommand(), t.journalSalvageCommand(), t.journalDumpCommand(),
			t.journalRestoreCommand(),
		},
	}
}

// oneDir is the directory that is the only argument.
func oneDir(cmd *cli.Command) (string, error) {
	if cmd.Args().Len() != 1 || cmd.Args().First() == "" {
		return "", cmdline.Usagef(cmd, "the directory of one journal is needed")
	}
	return cmd.Args().First(), nil
}

// twoArgs are the only two arguments.
func twoArgs(cmd *cli.Command, want string) (from, to string, err error) {
	if cmd.Args().Len() != 2 || cmd.Args().First() == "" || cmd.Args().Get(1) == "" {
		return "", "", cmdline.Usagef(cmd, "%s", want)
	}
	return cmd.Args().First(), cmd.Args().Get(1), nil
}

// stoppable runs f with a ctx that ends with the first signal.
func stoppable(ctx context.Context, f func(context.Context) error) error {
	stop, release := program.NotifyStop(ctx)
	defer release()
	err := f(stop.Graceful)
	if sig, ok := errors.AsType[*program.SignalError](context.Cause(stop.Graceful)); ok && err != nil {
		return sig
	}
	return err
}

// journalError gives the error of reading a journal its exit code.
func journalError(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, journal.ErrCorrupt), errors.Is(err, record.ErrMalformed):
		return program.Fail(exitDamage, fmt.Errorf("%w; \"reeve journal salvage %s NEWDIR\" takes what is whole", err, dir))
	case errors.Is(err, journal.ErrNewer), errors.Is(err, record.ErrNewer):
		return program.Fail(program.ExitProtocol, fmt.Errorf("%w; a reeve of that version reads it", err))
	case errors.Is(err, context.Canceled):
		return err
	}
	return program.Fail(program.ExitNoInput, err)
}

// inUse says that what a process writes to the journal may be missing.
func inUse(pid int) string {
	return fmt.Sprintf("%s has it: what that writes meanwhile may be missing", process(pid))
}

func process(pid int) string {
	if pid == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d", pid)
}

// witness is an output that remembers its error: what writes to it may fail for
// other reasons.
type witness struct {
	w   io.Writer
	err error
}

func (w *witness) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.err = err
	return n, err
}
