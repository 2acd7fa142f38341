package reeve

import (
	"errors"
	"fmt"
	"strings"
)

// The errors of Reeve. errors.Is holds for them on both sides of a connection.
var (
	ErrEmpty          = errors.New("reeve: queue is empty")
	ErrQueueFull      = errors.New("reeve: queue is full")
	ErrShutdown       = errors.New("reeve: queue was shut down")
	ErrLeaseLost      = errors.New("reeve: lease lost")
	ErrNoSuchQueue    = errors.New("reeve: no such queue")
	ErrQueueExists    = errors.New("reeve: queue exists with another configuration")
	ErrNotEmpty       = errors.New("reeve: queue has tasks")
	ErrNoHandler      = errors.New("reeve: no handler for this task type")
	ErrTimeout        = errors.New("reeve: attempt ran out of time")
	ErrInvalid        = errors.New("reeve: invalid argument")
	ErrTooLarge       = errors.New("reeve: too large")
	ErrLimit          = errors.New("reeve: limit reached")
	ErrClosed         = errors.New("reeve: closed")
	ErrDisconnected   = errors.New("reeve: not connected to the master")
	ErrOutcomeUnknown = errors.New("reeve: the master no longer knows whether this request was carried out")
	ErrAuth           = errors.New("reeve: authentication failed")
	ErrKey            = errors.New("reeve: bad authkey")
	ErrProtocol       = errors.New("reeve: protocol error")
	ErrVersion        = errors.New("reeve: version mismatch")
	ErrUnsupported    = errors.New("reeve: the peer does not know this message")
	ErrInternal       = errors.New("reeve: internal error")
	ErrPermission     = errors.New("reeve: permission denied")
	ErrDuplicate      = errors.New("reeve: a task with this unique key exists")
	ErrNoSuchTask     = errors.New("reeve: no such task")
	ErrNotDone        = errors.New("reeve: task has not ended yet")
	ErrCancelled      = errors.New("reeve: task was cancelled")
	ErrExpired        = errors.New("reeve: task expired")
	ErrDiscarded      = errors.New("reeve: task was discarded by its handler")
	ErrPurged         = errors.New("reeve: task was purged")
	ErrTaskDead       = errors.New("reeve: task is dead")
	ErrJournalFull    = errors.New("reeve: no space is left for the master's journal")
	ErrJournal        = errors.New("reeve: the journal failed")
	ErrNoJournal      = errors.New("reeve: the master keeps no journal")
)

// NoSuchQueueError names the queue that was asked for and those that exist.
// It matches [ErrNoSuchQueue].
type NoSuchQueueError struct {
	Name  string
	Known []string
}

func (e *NoSuchQueueError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("%v: %q; the master has none", ErrNoSuchQueue, e.Name)
	}
	const most = 64 // there may be thousands
	names, more := e.Known, ""
	if len(names) > most {
		names, more = names[:most], fmt.Sprintf(", and %d more", len(names)-most)
	}
	return fmt.Sprintf("%v: %q; the master has: %s%s", ErrNoSuchQueue, e.Name, strings.Join(names, ", "), more)
}

// Is reports whether target is [ErrNoSuchQueue].
func (e *NoSuchQueueError) Is(target error) bool { return target == ErrNoSuchQueue }

// DuplicateError tells which tasks of a Put were not put, because tasks with
// their unique keys exist. The others were. It matches [ErrDuplicate].
type DuplicateError struct {
	Tasks []int // their places in the Put
	IDs   []ID  // of the tasks that have the keys, in the same order
}

func (e *DuplicateError) Error() string {
	if len(e.IDs) == 1 {
		return fmt.Sprintf("%v: %v", ErrDuplicate, e.IDs[0])
	}
	return fmt.Sprintf("%v: %d of the tasks", ErrDuplicate, len(e.IDs))
}

// Is reports whether target is [ErrDuplicate].
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// LimitError names the limit that was reached, what was asked for and what is
// allowed, and, where there is one, the option that sets it. It matches Kind,
// which is [ErrLimit], [ErrTooLarge] or [ErrQueueFull], and [ErrLimit].
type LimitError struct {
	Kind  error
	Limit string // "payload bytes", "queue length", ...
	Value int64  // asked for; -1: not known
	Max   int64
	Set   string // how to change it: "-max-payload", "QueueConfig.MaxLen"
}

func (e *LimitError) Error() string {
	var b strings.Builder
	kind := e.Kind
	if kind == nil {
		kind = ErrLimit
	}
	b.WriteString(kind.Error())
	b.WriteString(": ")
	b.WriteString(e.Limit)
	if e.Value >= 0 {
		fmt.Fprintf(&b, " %d", e.Value)
	}
	fmt.Fprintf(&b, ", limit %d", e.Max)
	if e.Set != "" {
		fmt.Fprintf(&b, " (set by %s)", e.Set)
	}
	return b.String()
}

// Is reports whether target is the error's kind or [ErrLimit].
func (e *LimitError) Is(target error) bool { return target == e.Kind || target == ErrLimit }

// RemoteError is an error of the master that no error of this build stands for
// alone: what a method of a shared object failed with, a panic, the error of a
// newer version. It matches the sentinel of its code where there is one. That of a
// method matches [ErrMethod], too, and what [RegisterError] and
// [RegisterErrorType] know of it.
type RemoteError struct {
	Code  int
	Text  string
	Stack string // only from a master in debug mode
	// Object and Method are what failed; empty: it was no method of a shared object.
	Object, Method string
	kind           error
}

// NewRemoteError makes a RemoteError that matches kind, which may be nil.
func NewRemoteError(kind error, code int, text, stack string) *RemoteError {
	return &RemoteError{Code: code, Text: text, Stack: stack, kind: kind}
}

func (e *RemoteError) Error() string {
	if e.Text != "" {
		return e.Text
	}
	if e.kind != nil {
		return e.kind.Error()
	}
	return fmt.Sprintf("reeve: error %d of the master", e.Code)
}

// Unwrap gives what the error stands for: the sentinel of its code, registered
// errors, or nil.
func (e *RemoteError) Unwrap() error { return e.kind }

// Is reports whether target is [ErrMethod] and the error one that a method
// returned.
func (e *RemoteError) Is(target error) bool {
	return target == ErrMethod && e.Method != "" && !errors.Is(e.kind, ErrPanic)
}
