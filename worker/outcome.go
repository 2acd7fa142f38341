package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unicode/utf8"

	"github.com/reeveq/reeve"
)

// RetryAfter returns an error that fails the attempt and has the task handed
// over again not before d has passed; d below zero is zero. It wraps err,
// which may be nil.
func RetryAfter(err error, d time.Duration) error { return &retryError{err: err, after: max(d, 0)} }

// Permanent returns an error that makes the task dead at once, whatever
// attempts are left. It wraps err, which may be nil.
func Permanent(err error) error { return &permanentError{err: err} }

type retryError struct {
	err   error
	after time.Duration
}

func (e *retryError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("worker: retry after %v", e.after)
	}
	return e.err.Error()
}

func (e *retryError) Unwrap() error { return e.err }

type permanentError struct{ err error }

func (e *permanentError) Error() string {
	if e.err == nil {
		return "worker: permanent failure"
	}
	return e.err.Error()
}

func (e *permanentError) Unwrap() error { return e.err }

// success fills o with the end of a task whose handler returned payload.
func success(o *reeve.Outcome, h *handler, t *reeve.Task, payload []byte) {
	if h.to == "" {
		o.Verb = reeve.Ack
		return
	}
	o.Verb, o.To = reeve.Complete, h.to
	o.Result.Payload, o.Result.Type = payload, t.Type
}

// failure is the end of a task whose handler returned err while its context
// had ended with cause (nil: had not ended).
func failure(err, cause error, timeout time.Duration) reeve.Outcome {
	var permanent *permanentError
	var retry *retryError
	timedOut := errors.Is(cause, reeve.ErrTimeout)
	text := errorText(err)
	switch {
	case timedOut && errors.Is(err, reeve.ErrTimeout): // it says so itself
		text = fmt.Sprintf("%v, after %v", reeve.ErrTimeout, timeout)
	case timedOut:
		text = fmt.Sprintf("%v, after %v: %s", reeve.ErrTimeout, timeout, text)
	}
	o := reeve.Outcome{Verb: reeve.Nack, TimedOut: timedOut, Error: cut(text)}
	switch {
	case errors.As(err, &permanent):
		o.Verb, o.TimedOut = reeve.Bury, false
	case errors.As(err, &retry):
		o.Delay = retry.after
	case errors.Is(cause, ErrDraining):
		// The handler stopped because it was told to: nothing has failed.
		o = reeve.Outcome{Verb: reeve.Return}
	}
	return o
}

// givenUp is the end of a task whose handler did not return although its
// context had ended with cause.
func givenUp(cause error, timeout time.Duration) reeve.Outcome {
	if errors.Is(cause, ErrDraining) {
		return reeve.Outcome{Verb: reeve.Return}
	}
	return reeve.Outcome{
		Verb: reeve.Nack, TimedOut: true,
		Error: fmt.Sprintf("%v, after %v, and the handler did not return", reeve.ErrTimeout, timeout),
	}
}

// panicked is the end of a task whose handler panicked with v. It must be
// called by the function that recovered, for the stack.
func panicked(v any) reeve.Outcome {
	stack := make([]byte, reeve.MaxErrorText)
	stack = stack[:runtime.Stack(stack, false)]
	return reeve.Outcome{Verb: reeve.Nack, Error: cut(fmt.Sprintf("panic: %v", v)), Stack: string(stack)}
}

// errorText survives an Error method that panics, as that of a nil pointer in
// an error does.
func errorText(err error) string { return fmt.Sprintf("%v", err) }

// cut bounds an error text, not in the middle of a rune.
func cut(s string) string {
	if len(s) <= reeve.MaxErrorText {
		return s
	}
	n := reeve.MaxErrorText
	for n > reeve.MaxErrorText-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// leaseLost is cause as a handler should see it.
func leaseLost(cause error) error {
	if errors.Is(cause, reeve.ErrLeaseLost) {
		return cause
	}
	return fmt.Errorf("%w: %w", reeve.ErrLeaseLost, cause)
}

type taskKey struct{}

// TaskFrom returns the task that a handler with this context runs: its id,
// attempt, type. It must not be changed. False outside of a handler.
func TaskFrom(ctx context.Context) (*reeve.Task, bool) {
	t, ok := ctx.Value(taskKey{}).(*reeve.Task)
	return t, ok
}
