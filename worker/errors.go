package worker

import "errors"

var (
	// ErrDraining is the cause with which a handler's context ends when the
	// worker stops and its grace is over. An error that the handler returns
	// after that gives the task back instead of failing the attempt.
	ErrDraining = errors.New("worker: draining")
	// ErrStuck is what Run returns when Config.MaxStuck handlers ignore the
	// end of their contexts: the process should be restarted.
	ErrStuck = errors.New("worker: too many stuck handlers")
	// ErrUnanswered is what Run returns when it had to end before the master
	// answered the last ends of leases. Those tasks may be run again.
	ErrUnanswered = errors.New("worker: ended before the master answered")
)
