package main

import (
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/journal"
)

// explainData is why the queues in -data cannot be used, with the cure, and the
// exit code.
func (o *options) explainData(err error) error {
	locked, _ := errors.AsType[*journal.LockedError](err)
	damaged, _ := errors.AsType[*journal.CorruptError](err)
	switch {
	case err == nil:
		return nil
	case locked != nil && locked.PID != 0:
		return program.Fail(program.ExitUnavailable, fmt.Errorf("-data %s is in use by process %d: stop that master, or choose another directory", o.data, locked.PID))
	case locked != nil:
		return program.Fail(program.ExitUnavailable, fmt.Errorf("-data %s is in use by another process: stop that master, or choose another directory", o.data))
	case damaged != nil:
		return program.Fail(program.ExitData, fmt.Errorf("the queues in -data %s cannot be read: %w. Nothing was changed. "+
			"'reeve journal check %[1]s' looks at all of them, 'reeve journal salvage %[1]s NEWDIR' writes what is whole into a new directory", o.data, damaged))
	case errors.Is(err, journal.ErrNewer):
		return program.Fail(program.ExitData, fmt.Errorf("-data %s was written by a newer master, which is needed to read it; nothing was changed: %w", o.data, err))
	case errors.Is(err, reeve.ErrJournalFull):
		return program.Fail(program.ExitOutput, fmt.Errorf("-data %s: there is no space to begin with: make some on its disk and start again: %w", o.data, err))
	}
	return program.Fail(program.ExitOutput, fmt.Errorf("cannot use -data %s: %w", o.data, err))
}

// explainFailure is the end of a master whose journal failed while it ran.
func (o *options) explainFailure(err error) error {
	return program.Fail(program.ExitOutput, fmt.Errorf("the queues in -data %s can no longer be written, so the master ends: %w. "+
		"See to the disk and start it again: what was acknowledged is there, and workers come back by themselves", o.data, err))
}
