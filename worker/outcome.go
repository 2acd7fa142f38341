package worker

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unicode/utf8"

	"github.com/reeveq/reeve"
)

// RetryAfter returns an error that has the task handed over again when d has
// passed (0 to [reeve.MaxTime]; what is outside is taken as the nearer end).
// With an err, which it wraps, the attempt has failed, and a d of 0 stands for
// the task's backoff. With nil nothing has failed: the task is snoozed, and no
// attempt is used up.
func RetryAfter(err error, d time.Duration) error {
	return &retryError{err: err, after: min(max(d, 0), reeve.MaxTime)}
}

// Permanent returns an error that makes the task dead at once, whatever
// attempts are left. It wraps err, which may be nil.
func Permanent(err error) error { return &permanentError{err: err} }

// Discard returns an error that ends the task without success and without a
// dead letter: nobody needs it any more. It wraps err, which may be nil, and
// whose text is told to who asks for the result.
func Discard(err error) error { return &discardError{err: err} }

// Skip is what a handler returns when there was nothing to do: the task is
// done, without a result. It may be wrapped.
var Skip error = skipError{}

type skipError struct{}

func (skipError) Error() string { return "worker: skipped" }

type discardError struct{ err error }

func (e *discardError) Error() string {
	if e.err == nil {
		return "worker: discarded"
	}
	return e.err.Error()
}

func (e *discardError) Unwrap() error { return e.err }

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

// success fills o with the end of a task whose handler returned payload. A
// result without a queue travels too: the master knows whether somebody is to
// have it by the task's id.
func success(o *reeve.Outcome, h *handler, t *reeve.Task, payload []byte) {
	switch {
	case h.to != "":
		o.Verb, o.To = reeve.Complete, h.to
		o.Result.Payload, o.Result.Type = payload, t.Type
	case payload != nil:
		o.Verb = reeve.Complete
		o.Result.Payload = payload
	default:
		o.Verb = reeve.Ack
	}
}

// failure is the end of a task whose handler returned err while its context
// had ended with cause (nil: had not ended).
func failure(err, cause error, timeout time.Duration) reeve.Outcome {
	timedOut := errors.Is(cause, reeve.ErrTimeout)
	text := errorText(err)
	switch {
	case timedOut && errors.Is(err, reeve.ErrTimeout): // it says so itself
		text = fmt.Sprintf("%v, after %v", reeve.ErrTimeout, timeout)
	case timedOut:
		text = fmt.Sprintf("%v, after %v: %s", reeve.ErrTimeout, timeout, text)
	}
	o := reeve.Outcome{Verb: reeve.Nack, TimedOut: timedOut, Error: cut(text)}
	if said(err, &o) {
		return o
	}
	if errors.Is(cause, ErrDraining) {
		// The handler stopped because it was told to: nothing has failed.
		return reeve.Outcome{Verb: reeve.Return}
	}
	return o
}

// said changes o, a failed attempt, to what the handler said by the kind of its
// error, which is heard also when the attempt was over. False if it said
// nothing. The order is that of the table in the package's comment.
func said(err error, o *reeve.Outcome) bool {
	var permanent *permanentError
	var discard *discardError
	var retry *retryError
	switch {
	case errors.As(err, &permanent):
		o.Verb, o.TimedOut = reeve.Bury, false
	case errors.As(err, &discard):
		o.Verb, o.TimedOut = reeve.Discard, false
	case errors.Is(err, Skip):
		*o = reeve.Outcome{Verb: reeve.Skip}
	case !errors.As(err, &retry):
		return false
	case retry.err != nil:
		o.Delay = retry.after
	default:
		o.Verb, o.Delay, o.TimedOut = reeve.Snooze, retry.after, false
		if err == error(retry) {
			o.Error = "" // it says no more than the verb does
		}
	}
	return true
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
