package program

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/address"
)

// Exit codes, those from 64 on in the manner of sysexits.h. A program that a
// second signal ended exits with 128 and the signal's number.
const (
	ExitDone        = 0
	ExitDead        = 1                    // the run ended, but some lines have no result; a method that was called failed
	ExitUsage       = 2                    // a command line that cannot be run; package cmdline has it too
	ExitData        = 65                   // a payload over a limit; queues that are damaged or of a newer version
	ExitNoInput     = 66                   // the input cannot be read
	ExitUnavailable = auth.ExitUnavailable // 69: no master there; the address or the directory is in use
	ExitSoftware    = 70                   // an error that has no code of its own
	ExitOutput      = 74                   // the output, or the directory of the queues, cannot be written
	ExitTryAgain    = 75                   // a queue or the master's disk is full; a batch run would repeat another
	ExitProtocol    = auth.ExitProtocol    // 76: something else answered than a master of this version
	ExitAuth        = auth.ExitAuth        // 77: the key is not shared; the master does not permit it
	ExitConfig      = auth.ExitKey         // 78: the key, or the lack of one; a queue, an object or a journal that the master does not have
)

// Error is an error with the exit code it ends a program with.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// ExitCode is Code.
func (e *Error) ExitCode() int { return e.Code }

// Fail gives err an exit code; nil stays nil.
func Fail(code int, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Err: err}
}

// ExitCode is the exit code of an error that ended a program.
func ExitCode(err error) int {
	if code := auth.ExitCode(err); code != 1 {
		return code
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own.Code
	}
	switch {
	case errors.Is(err, reeve.ErrAuth), errors.Is(err, reeve.ErrPermission):
		return ExitAuth
	case errors.Is(err, reeve.ErrKey), errors.Is(err, reeve.ErrNoSuchQueue), errors.Is(err, reeve.ErrQueueExists), errors.Is(err, reeve.ErrNoJournal):
		return ExitConfig
	case errors.Is(err, reeve.ErrNoSuchName), errors.Is(err, reeve.ErrNoSuchObject), errors.Is(err, reeve.ErrNotExposed),
		errors.Is(err, reeve.ErrObjectExists), errors.Is(err, reeve.ErrNoSuchBlob):
		return ExitConfig
	case errors.Is(err, reeve.ErrMethod), errors.Is(err, reeve.ErrPanic), errors.Is(err, reeve.ErrNoSuchKey),
		errors.Is(err, reeve.ErrOutOfRange), errors.Is(err, reeve.ErrNotFound), errors.Is(err, reeve.ErrLocked):
		return ExitDead
	case errors.Is(err, reeve.ErrUnserializable):
		return ExitData
	case errors.Is(err, reeve.ErrProtocol), errors.Is(err, reeve.ErrVersion), errors.Is(err, reeve.ErrUnsupported):
		return ExitProtocol
	case errors.Is(err, reeve.ErrInvalid):
		return ExitUsage
	case errors.Is(err, reeve.ErrTooLarge):
		return ExitData
	case errors.Is(err, reeve.ErrQueueFull), errors.Is(err, reeve.ErrNotEmpty), errors.Is(err, reeve.ErrJournalFull):
		return ExitTryAgain
	case errors.Is(err, reeve.ErrJournal):
		return ExitOutput
	case errors.Is(err, reeve.ErrDisconnected), errors.Is(err, context.DeadlineExceeded):
		return ExitUnavailable
	}
	return ExitSoftware
}

// Listen listens on addr; its errors say what to do and carry
// [ExitUnavailable].
func Listen(ctx context.Context, addr, flag string) (net.Listener, error) {
	ln, err := address.Listen(ctx, addr)
	_, socket := address.Path(addr)
	switch {
	case err == nil:
		return ln, nil
	case socket && errors.Is(err, syscall.EADDRINUSE):
		err = fmt.Errorf("cannot listen on %s: another program listens there; stop that one or choose another path with %s", addr, flag)
	case socket:
		err = fmt.Errorf("cannot listen on %s: %w", addr, err)
	case errors.Is(err, syscall.EADDRINUSE), isAddrInUse(err):
		err = fmt.Errorf("cannot listen on %s: the port is in use by another program; stop that one or choose another port with %s", addr, flag)
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("cannot listen on %s: not permitted; ports below 1024 are for administrators, choose another with %s", addr, flag)
	default:
		err = fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return nil, Fail(ExitUnavailable, err)
}
