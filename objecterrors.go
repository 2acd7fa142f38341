package reeve

import (
	"errors"
	"fmt"
	"strings"
)

// The errors of shared objects, of the queues that clients declare, and of the
// pool. errors.Is holds for them on both sides of a connection.
var (
	ErrNoSuchName     = errors.New("reeve: no shared object has this name")
	ErrNoSuchObject   = errors.New("reeve: no such object: it was released or deleted, or was of an earlier life of the master")
	ErrObjectExists   = errors.New("reeve: an object of this name exists with another type or configuration")
	ErrNotExposed     = errors.New("reeve: the object has no such method")
	ErrUnserializable = errors.New("reeve: value cannot be sent")
	ErrMethod         = errors.New("reeve: the method failed")
	ErrPanic          = errors.New("reeve: the method panicked")
	ErrLocked         = errors.New("reeve: held by another owner")
	ErrNotLocked      = errors.New("reeve: not held")
	ErrNotOwner       = errors.New("reeve: held by another owner, not by this one")
	ErrOverRelease    = errors.New("reeve: released more often than acquired")
	ErrBrokenBarrier  = errors.New("reeve: the barrier is broken")
	ErrDeadlock       = errors.New("reeve: waiting would be a deadlock")
	ErrNoSuchKey      = errors.New("reeve: no such key")
	ErrOutOfRange     = errors.New("reeve: index out of range")
	ErrNotFound       = errors.New("reeve: no such value")
	ErrMissed         = errors.New("reeve: changes were missed")
	ErrTooManyDone    = errors.New("reeve: more tasks were reported done than were put")
	ErrWorkerLost     = errors.New("reeve: the worker was lost")
	ErrNoSuchBlob     = errors.New("reeve: no such blob")
)

// NoSuchNameError names the object that was asked for and those that exist. It
// matches [ErrNoSuchName].
type NoSuchNameError struct {
	Name  string
	Known []string
}

func (e *NoSuchNameError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("%v: %q; the master has none", ErrNoSuchName, e.Name)
	}
	return fmt.Sprintf("%v: %q; the master has: %s", ErrNoSuchName, e.Name, strings.Join(e.Known, ", "))
}

// Is reports whether target is [ErrNoSuchName].
func (e *NoSuchNameError) Is(target error) bool { return target == ErrNoSuchName }

// DeadlockError names the locks of a cycle, each with who holds it and waits for
// the next one; the last one waits for the first. It matches [ErrDeadlock].
type DeadlockError struct{ Cycle []string }

func (e *DeadlockError) Error() string {
	return fmt.Sprintf("%v: %s", ErrDeadlock, strings.Join(e.Cycle, " → "))
}

// Is reports whether target is [ErrDeadlock].
func (e *DeadlockError) Is(target error) bool { return target == ErrDeadlock }
