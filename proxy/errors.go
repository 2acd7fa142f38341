package proxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
)

// goodbyeError is the end of a session that the master ended on purpose.
type goodbyeError struct {
	addr string
	err  error // nil: no particular reason
}

func (e *goodbyeError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("the master at %s ended the session", e.addr)
	}
	return fmt.Sprintf("the master at %s ended the session: %v", e.addr, e.err)
}

func (e *goodbyeError) Unwrap() []error {
	if e.err == nil {
		return []error{reeve.ErrDisconnected}
	}
	return []error{reeve.ErrDisconnected, e.err}
}

// isViolation reports whether a read failed because of what was read.
func isViolation(err error) bool {
	return errors.Is(err, reeve.ErrProtocol) || errors.Is(err, reeve.ErrTooLarge)
}

// isLeaving reports whether the master refused because it is going away.
func isLeaving(err error) bool { return errors.Is(err, reeve.ErrClosed) }

// attemptErrors are the ends of an attempt at several addresses, one for each.
type attemptErrors []error

func (e attemptErrors) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e attemptErrors) Unwrap() []error { return e }

// guessGiven reports whether one of the addresses could test a guess at the key.
func guessGiven(err error) bool {
	if all, ok := errors.AsType[attemptErrors](err); ok {
		return slices.ContainsFunc(all, auth.GuessGiven)
	}
	return auth.GuessGiven(err)
}

// isFinal reports whether trying again cannot help as long as neither side is
// started anew: the key is wrong, or what answers is no master of this version.
// Of several addresses, that must be so for each.
func isFinal(err error) bool {
	if all, ok := errors.AsType[attemptErrors](err); ok {
		return !slices.ContainsFunc(all, func(err error) bool { return !isFinal(err) })
	}
	if _, ok := errors.AsType[*auth.RejectedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*auth.NotTLSError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*auth.NotMasterError](err); ok {
		return true
	}
	return errors.Is(err, reeve.ErrKey) || errors.Is(err, reeve.ErrVersion)
}
