package auth

import (
	"fmt"

	"github.com/reeveq/reeve"
)

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
