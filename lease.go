package reeve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"
)

// Lease is a task that was handed to this process: nobody else has it while
// the lease stands. It stands as long as the process lives and is connected;
// no call is needed to keep it. It ends by exactly one of Ack, Complete, Nack,
// Return, Bury, Snooze, Skip and Discard, or is lost: the connection broke, the
// holder was silent for longer than the queue's lease, the attempt ran out of
// time, the task was cancelled ([ErrCancelled] is the cause then, too).
//
// Methods may be called from any goroutine. The ends wait for the master's
// answer; across a lost connection they go on when it is back, so an end whose
// answer was lost takes effect once. [ErrLeaseLost]: the lease did not stand
// any more and the end had no effect. When ctx ends first, the end is still
// sent and may take effect.
type Lease struct {
	Task
	queue string
	by    Settler

	mu      sync.Mutex // guards the fields below
	settled bool
	lost    error
	onLost  func(error)
}

// Settler is what stands behind a lease: the master itself, or the session
// with it.
type Settler interface {
	// Settle ends the lease as o says. It does not wait: done, which must not
	// block, is called once with the result, from any goroutine or before
	// Settle returns. It must not keep o.
	Settle(l *Lease, o *Outcome, done func(error))
	// Extend waits until the master has answered.
	Extend(ctx context.Context, l *Lease, d time.Duration) error
	// Progress notes how far the work is. It does not wait.
	Progress(l *Lease, percent float64, text string)
}

// Verb is the way in which a lease ends.
type Verb uint8

// The ends of a lease.
const (
	Ack Verb = 1 + iota
	Complete
	Nack
	Return
	Bury
	Snooze
	Skip
	Discard
)

// Outcome is the end of a lease with all that goes with it.
type Outcome struct {
	Verb Verb
	// To and Result: the queue and the task that Complete puts. An empty To
	// puts nothing: Result's payload is kept by the task's id, if the task or
	// its queue says so, as it is with a queue, too.
	To     string
	Result Task
	// Delay: Nack's and Snooze's, before the task may be handed over again. For
	// Nack 0 is the task's backoff.
	Delay time.Duration
	// TimedOut marks a Nack because the attempt ran out of time.
	TimedOut bool
	// Error and Stack tell why (Nack, Bury, Snooze, Discard); they are kept with
	// the task, cut to [MaxErrorText] bytes each.
	Error, Stack string
}

// MaxErrorText bounds the error text and the stack kept with a task, in bytes.
const MaxErrorText = 8 << 10

// NewLease makes the lease that by stands behind. Users do not need it.
func NewLease(queue string, t Task, by Settler) *Lease {
	return &Lease{Task: t, queue: queue, by: by}
}

// leasePiece is how many leases share one piece of memory, which lives as long
// as any of them: 2 KiB at most for one that is kept.
const leasePiece = 8

// NewLeases makes leases of tasks that came together.
func NewLeases(queue string, ts []Task, by Settler) []*Lease {
	leases := make([]*Lease, len(ts))
	var piece []Lease
	for i := range ts {
		if len(piece) == 0 {
			piece = make([]Lease, min(leasePiece, len(ts)-i))
		}
		l := &piece[0]
		piece = piece[1:]
		l.Task, l.queue, l.by = ts[i], queue, by
		leases[i] = l
	}
	return leases
}

// Queue is the name of the queue the task is from.
func (l *Lease) Queue() string { return l.queue }

// Token is the right to end this lease.
func (l *Lease) Token() Token { return Token{Queue: l.queue, ID: l.ID, Attempt: l.Attempt} }

// Ack marks the task done: it will not be handed over again. It is what
// task_done is in Python's queue.Queue.
func (l *Lease) Ack(ctx context.Context) error {
	return l.settleWait(ctx, &Outcome{Verb: Ack})
}

// Complete marks the task done and puts result on the queue to, in one step:
// both happen or neither. It waits while that queue is full; the lease stands
// meanwhile. The result is also kept by the task's id, if the task or its queue
// says so; with an empty to that is all that is done with it.
func (l *Lease) Complete(ctx context.Context, to string, result Task) error {
	return l.settleWait(ctx, &Outcome{Verb: Complete, To: to, Result: result})
}

// Nack gives the task back as a failed attempt, to be handed over again after
// delay, or makes it dead when its attempts are used up. With a delay of 0 its
// backoff, if it or its queue has one, says when. cause may be nil; its text is
// kept with the task.
func (l *Lease) Nack(ctx context.Context, delay time.Duration, cause error) error {
	o := Outcome{Verb: Nack, Delay: delay}
	if cause != nil {
		o.Error = cause.Error()
	}
	return l.settleWait(ctx, &o)
}

// Return gives the task back to the front of the queue as if it had not been
// handed over: no attempt is used up.
func (l *Lease) Return(ctx context.Context) error {
	return l.settleWait(ctx, &Outcome{Verb: Return})
}

// Bury makes the task dead at once, whatever attempts are left.
func (l *Lease) Bury(ctx context.Context, reason string) error {
	return l.settleWait(ctx, &Outcome{Verb: Bury, Error: reason})
}

// Snooze gives the task back to be handed over again after delay, without
// using up an attempt.
func (l *Lease) Snooze(ctx context.Context, delay time.Duration) error {
	return l.settleWait(ctx, &Outcome{Verb: Snooze, Delay: delay})
}

// Skip marks the task done without a result: there was nothing to do.
func (l *Lease) Skip(ctx context.Context) error {
	return l.settleWait(ctx, &Outcome{Verb: Skip})
}

// Discard ends the task without success and without a dead letter: nobody
// needs it any more. reason is told to who asks for its result.
func (l *Lease) Discard(ctx context.Context, reason string) error {
	return l.settleWait(ctx, &Outcome{Verb: Discard, Error: reason})
}

// Progress tells how far the work is: percent from 0 to 100 and a text of at
// most [MaxProgressText] bytes, which who asks for the task sees. It does not
// wait; of several that are told in quick succession the last one counts.
// [ErrInvalid] for an argument out of range, [ErrLeaseLost].
func (l *Lease) Progress(percent float64, text string) error {
	if !(percent >= 0 && percent <= 100) {
		return fmt.Errorf("%w: progress of %v %%, want 0 to 100", ErrInvalid, percent)
	}
	if len(text) > MaxProgressText || !utf8.ValidString(text) {
		return fmt.Errorf("%w: progress text of %d bytes, want at most %d, in UTF-8", ErrInvalid, len(text), MaxProgressText)
	}
	if err := l.standing(); err != nil {
		return err
	}
	l.by.Progress(l, percent, text)
	return nil
}

// Extend makes the lease outlast at least d of silence, counted from now: for
// a holder that is about to be suspended. A broken connection still ends it.
// d must be positive and at most 24 h ([ErrInvalid]).
func (l *Lease) Extend(ctx context.Context, d time.Duration) error {
	if d <= 0 || d > 24*time.Hour {
		return fmt.Errorf("%w: Extend by %v, want more than 0 and at most 24h", ErrInvalid, d)
	}
	if err := l.standing(); err != nil {
		return err
	}
	return l.by.Extend(ctx, l, d)
}

// Settle ends the lease as o says without waiting; done, if not nil, is called
// once with the result and must not block. A second end of one lease gives
// [ErrLeaseLost]. After any other error, as that of a Complete into a queue
// that does not exist, the lease may be ended again.
func (l *Lease) Settle(o *Outcome, done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	l.mu.Lock()
	err := l.standingLocked()
	l.settled = true
	l.mu.Unlock()
	if err != nil {
		done(err)
		return
	}
	l.by.Settle(l, o, func(err error) {
		if err != nil && !errors.Is(err, ErrLeaseLost) {
			// Refused or unknown. The token keeps a second end from harm.
			l.mu.Lock()
			l.settled = false
			l.mu.Unlock()
		}
		done(err)
	})
}

// settleWait ends the lease. ctx ends the wait only, also one that has ended before:
// what was done is done, and must not be done again because nobody waits.
func (l *Lease) settleWait(ctx context.Context, o *Outcome) error {
	answer := make(chan error, 1)
	l.Settle(o, func(err error) { answer <- err })
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// OnLost has f called once, with the cause, when the lease is lost before it
// is ended; at once if it already is. f must not block. A later call replaces
// f; nil removes it.
func (l *Lease) OnLost(f func(cause error)) {
	l.mu.Lock()
	lost := l.lost
	l.onLost = f
	l.mu.Unlock()
	if lost != nil && f != nil {
		f(lost)
	}
}

// Lose marks the lease lost. It is for what stands behind the lease; users do
// not need it.
func (l *Lease) Lose(cause error) {
	l.mu.Lock()
	if l.lost != nil || l.settled {
		l.mu.Unlock()
		return
	}
	l.lost = cause
	f := l.onLost
	l.mu.Unlock()
	if f != nil {
		f(cause)
	}
}

func (l *Lease) standing() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.standingLocked()
}

func (l *Lease) standingLocked() error {
	switch {
	case l.lost != nil:
		return l.lost
	case l.settled:
		return fmt.Errorf("%w: the lease of task %v was ended before", ErrLeaseLost, l.ID)
	}
	return nil
}
