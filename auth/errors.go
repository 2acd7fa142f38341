package auth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/reeveq/reeve"
)

// Exit codes for programs, in the manner of sysexits.h: see [ExitCode].
const (
	ExitUnavailable = 69 // the master cannot be reached; trying again may help
	ExitProtocol    = 76 // something else than a reeve master of this version
	ExitAuth        = 77 // the key is not shared, or was not proved
	ExitKey         = 78 // the key itself cannot be used
)

// ExitCode maps an error to a program's exit code: 0 for nil, one of the Exit
// constants for the errors of this package and for failed dials, else 1.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err); ok {
		return e.ExitCode()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return ExitUnavailable
	}
	return 1
}

// GuessGiven reports whether err ended a handshake after the client had sent
// its proof: whoever answered there could test one guess at the key. The caller
// must then wait before the next attempt (1 s, doubling to 60 s, with jitter)
// and say so, and never take a fast reconnect path.
func GuessGiven(err error) bool {
	e, ok := errors.AsType[interface {
		error
		GuessGiven() bool
	}](err)
	return ok && e.GuessGiven()
}

// KeyError says why a key cannot be used, and where it came from; it never
// holds the key. It matches reeve.ErrKey.
type KeyError struct {
	Origin  string // "-authkey-file /etc/reeve.key", "REEVE_AUTHKEY", ...; may be empty
	Problem string
	Err     error // the cause, if there is one; already part of Problem's text
}

func (e *KeyError) Error() string {
	if e.Origin == "" {
		return fmt.Sprintf("%v: %s", reeve.ErrKey, e.Problem)
	}
	return fmt.Sprintf("%v from %s: %s", reeve.ErrKey, e.Origin, e.Problem)
}

// Is reports whether target is reeve.ErrKey.
func (e *KeyError) Is(target error) bool { return target == reeve.ErrKey }

// Unwrap gives the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// ExitCode is [ExitKey].
func (e *KeyError) ExitCode() int { return ExitKey }

// TimeoutError says that the peer at Addr did not finish the handshake in time.
// It matches context.DeadlineExceeded.
type TimeoutError struct {
	Addr  string
	After time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%s did not finish the handshake within %v", e.Addr, e.After)
}

// Is reports whether target is context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// ExitCode is [ExitUnavailable].
func (e *TimeoutError) ExitCode() int { return ExitUnavailable }

// HandshakeError is any other end of a handshake before the proof: a broken
// connection (exit code 69), or a peer that breaks the rules, which also
// matches reeve.ErrProtocol (exit code 76). It matches its cause.
type HandshakeError struct {
	Addr     string
	Protocol bool // the peer broke the rules
	Err      error
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("handshake with %s failed: %v", e.Addr, e.Err)
}

// Unwrap gives the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// Is reports whether target is reeve.ErrProtocol and the peer broke the rules.
func (e *HandshakeError) Is(target error) bool { return e.Protocol && target == reeve.ErrProtocol }

// ExitCode is [ExitProtocol] or [ExitUnavailable].
func (e *HandshakeError) ExitCode() int {
	if e.Protocol {
		return ExitProtocol
	}
	return ExitUnavailable
}
