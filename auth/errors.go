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

// RejectedError is the client's: the master says that the keys differ, or that
// it does not know the key id (it does not tell which). It matches
// reeve.ErrAuth.
type RejectedError struct {
	Addr  string // of the master, as the caller gave it
	KeyID string
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("authentication failed: the master at %s does not share this authkey (key id %q). "+
		"Check -authkey/REEVE_AUTHKEY on both sides. If the key is right, someone may be intercepting this connection.", e.Addr, e.KeyID)
}

// Is reports whether target is reeve.ErrAuth.
func (e *RejectedError) Is(target error) bool { return target == reeve.ErrAuth }

// ExitCode is [ExitAuth].
func (e *RejectedError) ExitCode() int { return ExitAuth }

// GuessGiven is true.
func (e *RejectedError) GuessGiven() bool { return true }

// UnprovenError is the client's: it sent its proof and got none back. The peer
// is a false master, or a master that died in that very moment. It matches
// reeve.ErrAuth and its cause.
type UnprovenError struct {
	Addr string
	Err  error // what came instead of the proof
}

func (e *UnprovenError) Error() string {
	return fmt.Sprintf("the peer at %s did not prove that it knows the authkey", e.Addr)
}

// Unwrap gives the cause.
func (e *UnprovenError) Unwrap() error { return e.Err }

// Is reports whether target is reeve.ErrAuth.
func (e *UnprovenError) Is(target error) bool { return target == reeve.ErrAuth }

// ExitCode is [ExitAuth].
func (e *UnprovenError) ExitCode() int { return ExitAuth }

// GuessGiven is true.
func (e *UnprovenError) GuessGiven() bool { return true }

// ThrottledError says that too many logins have failed of late; nothing is
// known about this key. The client should try again after RetryAfter. The text
// is the client's; a [Server] that throttles somebody returns the same type.
type ThrottledError struct {
	Addr       string
	RetryAfter time.Duration
	guess      bool
}

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("master asks to wait %v: too many failed attempts", e.RetryAfter)
}

// ExitCode is [ExitUnavailable].
func (e *ThrottledError) ExitCode() int { return ExitUnavailable }

// GuessGiven reports whether the proof had been sent already.
func (e *ThrottledError) GuessGiven() bool { return e.guess }

// RefusedError is the client's: the master ended the handshake for a reason of
// its own. Text is unauthenticated and printed quoted. It matches
// reeve.ErrProtocol.
type RefusedError struct {
	Addr  string
	Code  int
	Text  string
	guess bool
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the master at %s refused the handshake (code %d): %q", e.Addr, e.Code, e.Text)
}

// Is reports whether target is reeve.ErrProtocol.
func (e *RefusedError) Is(target error) bool { return target == reeve.ErrProtocol }

// ExitCode is [ExitProtocol].
func (e *RefusedError) ExitCode() int { return ExitProtocol }

// GuessGiven reports whether the proof had been sent already.
func (e *RefusedError) GuessGiven() bool { return e.guess }

// NotTLSError is the client's: what answers there does not speak TLS. It
// matches reeve.ErrProtocol.
type NotTLSError struct {
	Addr string
	Got  []byte // the first bytes, at most 5
}

func (e *NotTLSError) Error() string {
	return fmt.Sprintf("%s does not speak TLS (got %q): is this the master's port?", e.Addr, e.Got)
}

// Is reports whether target is reeve.ErrProtocol.
func (e *NotTLSError) Is(target error) bool { return target == reeve.ErrProtocol }

// ExitCode is [ExitProtocol].
func (e *NotTLSError) ExitCode() int { return ExitProtocol }

// NotMasterError is the client's: a TLS server that is no reeve master. It
// matches reeve.ErrProtocol.
type NotMasterError struct{ Addr string }

func (e *NotMasterError) Error() string { return e.Addr + " is not a reeve master" }

// Is reports whether target is reeve.ErrProtocol.
func (e *NotMasterError) Is(target error) bool { return target == reeve.ErrProtocol }

// ExitCode is [ExitProtocol].
func (e *NotMasterError) ExitCode() int { return ExitProtocol }

// VersionError is the client's: the server offers no version of the protocol
// (or of TLS) that this side speaks. It matches reeve.ErrVersion,
// reeve.ErrProtocol and its cause.
type VersionError struct {
	Addr string
	Err  error
}

func (e *VersionError) Error() string {
	return "version mismatch: this worker speaks " + alpn + ", the master does not"
}

// Unwrap gives the cause.
func (e *VersionError) Unwrap() error { return e.Err }

// Is reports whether target is reeve.ErrVersion or reeve.ErrProtocol.
func (e *VersionError) Is(target error) bool {
	return target == reeve.ErrVersion || target == reeve.ErrProtocol
}

// ExitCode is [ExitProtocol].
func (e *VersionError) ExitCode() int { return ExitProtocol }

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

// LoginError is the server's: a client proved nothing, or the wrong key. It
// matches reeve.ErrAuth.
type LoginError struct {
	Remote string
	KeyID  string // as the client claims
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("authentication failed: the client at %s does not share the authkey (key id %q)", e.Remote, e.KeyID)
}

// Is reports whether target is reeve.ErrAuth.
func (e *LoginError) Is(target error) bool { return target == reeve.ErrAuth }

// ExitCode is [ExitAuth].
func (e *LoginError) ExitCode() int { return ExitAuth }

// PlainTextError is the server's: the client does not speak TLS. It matches
// reeve.ErrProtocol.
type PlainTextError struct {
	Remote string
	Got    []byte // the first bytes, at most 5
}

func (e *PlainTextError) Error() string {
	return fmt.Sprintf("%s does not speak TLS (got %q)", e.Remote, e.Got)
}

// Is reports whether target is reeve.ErrProtocol.
func (e *PlainTextError) Is(target error) bool { return target == reeve.ErrProtocol }

// EvictedError is the server's: an unauthenticated connection made place for a
// newer one. It matches reeve.ErrLimit.
type EvictedError struct{ Remote string }

func (e *EvictedError) Error() string {
	return fmt.Sprintf("%s was cut off before it authenticated: too many unauthenticated connections", e.Remote)
}

// Is reports whether target is reeve.ErrLimit.
func (e *EvictedError) Is(target error) bool { return target == reeve.ErrLimit }
