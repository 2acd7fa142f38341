package pool

import (
	"errors"
	"fmt"
	"strings"

	"github.com/reeveq/reeve"
)

// ErrRunning is what Join returns before Close or Terminate, which it would
// wait for.
var ErrRunning = errors.New("pool: still running: Close or Terminate it before Join")

var (
	errClosed     = fmt.Errorf("pool: it takes no more work: %w", reeve.ErrClosed)
	errTerminated = fmt.Errorf("pool: it was terminated: %w", reeve.ErrCancelled)
)

// TaskError tells that a task of a pool ended without a result. It matches one
// of [reeve.ErrTaskDead], [reeve.ErrCancelled], [reeve.ErrExpired],
// [reeve.ErrDiscarded] and [reeve.ErrPurged]; and of a dead task what its last
// attempt ended with: [reeve.ErrWorkerLost] when workers were lost with it,
// [reeve.ErrTimeout], or [reeve.ErrPanic].
type TaskError struct {
	ID       reeve.ID
	Type     string
	State    reeve.State
	Attempts uint32
	// Reason tells why in a line; Text and Stack are those of the last attempt
	// that told any, as the worker gave them.
	Reason, Text, Stack string
	// History are the attempts, as far as the queue keeps them; of a dead task
	// only, and nil if that was removed meanwhile.
	History []reeve.AttemptRecord

	cause error // by its state
	last  error // by its last attempt; nil: nothing more is known than that it failed
}

func (e *TaskError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pool: task %v of type %q: %v", e.ID, e.Type, e.cause)
	switch {
	case e.Reason != "":
		b.WriteString(": " + e.Reason)
	case e.Text != "":
		b.WriteString(": " + e.Text)
	}
	return b.String()
}

// Is reports whether target is one of the errors that the TaskError matches.
func (e *TaskError) Is(target error) bool {
	return target == e.cause || e.last != nil && target == e.last
}

// taskError is the end r of a task that is not done. info, which may be nil, is
// what else is known of it.
func taskError(r *reeve.Result, info *reeve.TaskInfo) error {
	e := &TaskError{ID: r.ID, Type: r.Type, State: r.State, Attempts: r.Attempts, Reason: r.Reason, Text: r.Error}
	for _, kind := range []error{reeve.ErrTaskDead, reeve.ErrCancelled, reeve.ErrExpired, reeve.ErrDiscarded, reeve.ErrPurged} {
		if errors.Is(r.Err(), kind) {
			e.cause = kind
		}
	}
	if e.cause == nil { // a state of a newer version
		e.cause = reeve.ErrInternal
	}
	if r.State == reeve.StateDead {
		if info != nil {
			e.Stack, e.History = info.Stack, info.History
		}
		e.last = lastEnd(r, info)
	}
	return e
}

// lastEnd is what the last attempt at a dead task ended with, as far as it has a
// name.
func lastEnd(r *reeve.Result, info *reeve.TaskInfo) error {
	if info == nil || len(info.History) == 0 {
		if strings.HasPrefix(r.Reason, "worker lost") {
			return reeve.ErrWorkerLost
		}
		return nil
	}
	switch last := info.History[len(info.History)-1]; {
	case last.Outcome == "lost":
		return reeve.ErrWorkerLost
	case last.Outcome == "timed_out":
		return reeve.ErrTimeout
	case last.Stack != "": // which only panics have
		return reeve.ErrPanic
	}
	return nil
}

// InputError tells which input of a Map failed first, in their order, and how.
type InputError struct {
	Index int
	Err   error
}

func (e *InputError) Error() string {
	return fmt.Sprintf("pool: input %d: %s", e.Index, strings.TrimPrefix(e.Err.Error(), "pool: "))
}

func (e *InputError) Unwrap() error { return e.Err }

// unwritable is the error of an input that the codec cannot write.
func unwritable(v any, c reeve.Codec, err error) error {
	return fmt.Errorf("pool: %T as %s: %w: %w", v, c.Name(), reeve.ErrUnserializable, err)
}

// unreadable is the error of a result that the codec cannot read.
func unreadable(v any, c reeve.Codec, err error) error {
	return fmt.Errorf("pool: a result is not readable as %s into %T: %w: %w", c.Name(), v, reeve.ErrUnserializable, err)
}
