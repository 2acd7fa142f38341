package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/command"
	"github.com/reeveq/reeve/worker"
)

// Exit codes of a command that say more than that it failed. The first two are
// those of sysexits.h for the same; the others are in no common program's use.
const (
	exitData    = 65 // EX_DATAERR
	exitLater   = 75 // EX_TEMPFAIL
	exitSkip    = 115
	exitDiscard = 116
)

// defaultLater is how long a command that exits with exitLater is left alone
// if it does not say how long.
const defaultLater = time.Minute

const exitCodes = `
  0      done
  65     dead at once: no attempt could succeed
  75     later: to be run again without using up an attempt, after the time
         that is the last line of the output (as 30s or 1h), or else a minute
  115    skipped: done without a result, there was nothing to do
  116    discarded: ended without success and without a dead letter
  other  a failed attempt`

// verdict is the error of a run in the form that says what becomes of its task.
func verdict(err error) error {
	exit, ok := errors.AsType[*command.ExitError](err)
	if !ok {
		return err
	}
	switch exit.Code {
	case exitData:
		return worker.Permanent(err)
	case exitLater:
		return fmt.Errorf("%w: %w", err, worker.RetryAfter(nil, later(exit.Stdout)))
	case exitSkip:
		return worker.Skip
	case exitDiscard:
		return worker.Discard(err)
	}
	return err
}

// later reads the last line of what a command printed.
func later(out []byte) time.Duration {
	out = bytes.TrimSpace(out)
	out = out[bytes.LastIndexByte(out, '\n')+1:]
	const longest = 64
	if len(out) > longest {
		return defaultLater
	}
	d, err := time.ParseDuration(strings.TrimSpace(string(out)))
	if err != nil || d < 0 || d > reeve.MaxTime {
		return defaultLater
	}
	return d
}
