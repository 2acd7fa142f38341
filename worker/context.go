package worker

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
)

// attemptKey finds the attempt of a handler's context, or of one made from it.
type attemptKey struct{}

func attemptOf(ctx context.Context) *attempt {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	return a
}

// TaskFrom returns the task that a handler with this context runs: its id,
// attempt, type, priority, key. It must not be changed. False outside of a
// handler.
func TaskFrom(ctx context.Context) (*reeve.Task, bool) {
	a := attemptOf(ctx)
	if a == nil {
		return nil, false
	}
	return &a.lease.Task, true
}

// QueueFrom returns the name of the queue that the task is from which a handler
// with this context runs. False outside of a handler.
func QueueFrom(ctx context.Context) (string, bool) {
	a := attemptOf(ctx)
	if a == nil {
		return "", false
	}
	return a.lease.Queue(), true
}

// SetProgress tells how far the handler with this context is: percent from 0 to
// 100 and a text of at most [reeve.MaxProgressText] bytes, which who asks for
// the task sees. It does not wait and may be called as often as is convenient:
// of what is told in quick succession the last counts. [reeve.ErrInvalid] for
// an argument out of range and outside of a handler; [reeve.ErrLeaseLost] when
// the task is not this handler's any more. No handler needs to look at the
// error: the end of its context says the latter, too.
func SetProgress(ctx context.Context, percent float64, text string) error {
	a := attemptOf(ctx)
	if a == nil {
		return fmt.Errorf("worker: SetProgress outside of a handler: %w", reeve.ErrInvalid)
	}
	return a.lease.Progress(percent, text)
}
