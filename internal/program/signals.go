package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return "stopped by a signal: " + e.Signal.String() }

// ExitCode is 128 and the signal's number, as shells have it.
func (e *SignalError) ExitCode() int {
	if s, ok := e.Signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return 128
}

// Stop is how a program is asked to end.
type Stop struct {
	// Graceful ends with the first signal, or with the context Stop was made
	// from: finish what runs.
	Graceful context.Context
	// Now ends with the second: let go of everything. The process exits 3 s
	// later if the program has not ended.
	Now context.Context
}

// Interrupted is the error of a program that the second signal ended; nil if
// there was none.
func (s *Stop) Interrupted() error {
	cause := context.Cause(s.Now)
	if _, ok := errors.AsType[*SignalError](cause); ok {
		return fmt.Errorf("ended at once: %w", cause)
	}
	return nil
}

// echo is within what time the first signal, when it comes again, is no second
// one: timeout(1) and terminals signal a process and its group, so one
// intention arrives twice.
const echo = 50 * time.Millisecond

// overdue is after what time since the second signal a program that has not
// ended is ended: something that it lets go of blocks.
const overdue = 3 * time.Second

// exit ends the process; tests replace it.
var exit = os.Exit

// NotifyStop watches for SIGTERM and Ctrl-C (on Windows Ctrl-Break too) until
// release is called, once. When that is not within 3 s after the second
// signal, the process exits with [SignalError.ExitCode], whatever blocks; a
// third signal ends it as if nobody watched. NotifyStop also keeps a closed
// pipe on the standard output from ending the process before the error is
// told.
func NotifyStop(parent context.Context) (stop *Stop, release func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// Watched and not ignored: that would be inherited by every command run.
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	stop, end := follow(parent, signals, func() { signal.Stop(signals) })
	return stop, func() {
		signal.Stop(pipes)
		end()
	}
}

// follow is NotifyStop for the signals that arrive at a channel. It calls
// unwatch when no more of them are wanted, maybe twice.
func follow(parent context.Context, signals <-chan os.Signal, unwatch func()) (stop *Stop, release func()) {
	graceful, cancelGraceful := context.WithCancelCause(parent)
	now, cancelNow := context.WithCancelCause(context.WithoutCancel(parent))
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() { // joined by release
		defer close(gone)
		if !watch(signals, ended, cancelGraceful, cancelNow) {
			return
		}
		unwatch()
		late := time.NewTimer(overdue)
		defer late.Stop()
		select {
		case <-ended:
		case <-late.C:
			exit(ExitCode(context.Cause(now)))
		}
	}()
	return &Stop{graceful, now}, func() {
		unwatch()
		close(ended)
		<-gone
		cancelGraceful(nil)
		cancelNow(nil)
	}
}

// watch ends graceful with the first signal and now with the second, after
// which it returns true; or false when ended is closed before.
func watch(signals <-chan os.Signal, ended <-chan struct{}, graceful, now context.CancelCauseFunc) bool {
	var first os.Signal
	var since time.Time
	for {
		select {
		case s := <-signals:
			switch {
			case first == nil:
				first, since = s, time.Now()
				graceful(&SignalError{s})
			case s != first || time.Since(since) > echo:
				now(&SignalError{s})
				return true
			}
		case <-ended:
			return false
		}
	}
}
