package auth

import (
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// RejectedError is the client's: the master says that the keys differ, or that
// it does not know the key id (it does not tell which). It matches
// reeve.ErrAuth.
type RejectedError struct {
	Addr  string // of the master, as the caller gave it
	KeyID string
}

func (e *RejectedError) Error() string {
	text := fmt.Sprintf("authentication failed: the master at %s does not share this authkey (key id %q). "+
		"Check -authkey/REEVE_AUTHKEY on both sides. If the key is right, someone may be intercepting this connection.", e.Addr, e.KeyID)
	if e.KeyID == loopbackKeyID {
		text += " That is the key of programs that are given none: this master was given another, or is another user's."
	}
	return text
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
