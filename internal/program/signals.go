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
	// Now ends with the second: let go of everything.
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

// NotifyStop watches for SIGTERM and Ctrl-C (on Windows Ctrl-Break too) until
// release is called. A third signal ends the process as if nobody watched. It
// also keeps a closed pipe on the standard output from ending the process
// before the error is told.
func NotifyStop(parent context.Context) (stop *Stop, release func()) {
	graceful, cancelGraceful := context.WithCancelCause(parent)
	now, cancelNow := context.WithCancelCause(context.WithoutCancel(parent))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// Watched and not ignored: that would be inherited by every command run.
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() { // joined by release
		defer close(gone)
		if watch(signals, ended, cancelGraceful, cancelNow) {
			signal.Stop(signals)
		}
	}()
	return &Stop{graceful, now}, func() {
		signal.Stop(signals)
		signal.Stop(pipes)
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
