package worker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
)

// state is who may end the lease of an attempt.
type state uint8

const (
	running  state = iota // nobody yet: the handler runs
	finished              // the slot, because the handler returned
	forsaken              // who gave up waiting for the handler
)

// attempt is one run of one task's handler. It is the handler's context. It is
// not used again for another task: a handler may keep it, and the loss of a
// lease may be told late.
type attempt struct {
	context.Context

	w     *Worker
	slot  *slot
	lease *reeve.Lease
	since time.Time
	round uint64 // of the supply, when the lease was taken

	timeout      time.Duration // 0: as long as it takes
	cancel       context.CancelCauseFunc
	stopDeadline context.CancelFunc // nil without a timeout

	out  reeve.Outcome // the slot's; the handler's result goes here
	gone atomic.Bool   // the lease is lost or cancelled, and counted so

	// How the lease was ended, for who hears the master's answer. Written
	// before each Settle.
	end      *reeve.Outcome
	endBytes int
	refusals int

	mu    sync.Mutex // guards the fields below
	state state
	timer *time.Timer // gives up; nil while nothing says that the handler should have ended
}

func newAttempt(s *slot, l *reeve.Lease) *attempt {
	a := &attempt{w: s.w, slot: s, lease: l, since: time.Now(), round: s.w.supply.round.Load()}
	a.Context, a.cancel = context.WithCancelCause(s.w.base)
	a.timeout = shorter(l.Timeout, s.w.cfg.Timeout)
	if a.timeout > 0 {
		a.Context, a.stopDeadline = context.WithDeadlineCause(a.Context, a.since.Add(a.timeout), reeve.ErrTimeout)
	}
	return a
}

// shorter is the shorter of two timeouts, of which 0 is none.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// Value gives [TaskFrom] and its like the attempt.
func (a *attempt) Value(key any) any {
	if _, ok := key.(attemptKey); ok {
		return a
	}
	return a.Context.Value(key)
}

// String keeps fmt from walking through the fields of a context.
func (a *attempt) String() string { return fmt.Sprintf("worker.attempt(task %v)", a.lease.ID) }

// begin puts the attempt under watch. False when it is over already.
func (a *attempt) begin() bool {
	if t, grace := a.timeout, a.w.cfg.CancelGrace; t > 0 && t <= math.MaxInt64-grace {
		a.giveUpAfter(t + grace)
	}
	a.lease.OnLost(a.onLost)
	return a.Err() == nil
}

// onLost must not block: it is called by whoever noticed the loss.
func (a *attempt) onLost(cause error) {
	a.noteGone(cause)
	a.cancel(leaseLost(cause))
	a.giveUpAfter(a.w.cfg.CancelGrace)
}

// noteGone counts that the lease does not stand any more. That somebody
// cancelled the task says nothing about this worker.
func (a *attempt) noteGone(cause error) {
	if !a.gone.CompareAndSwap(false, true) {
		return
	}
	if errors.Is(cause, reeve.ErrCancelled) {
		a.w.counts.cancelled.Add(1)
		return
	}
	a.w.counts.lost.Add(1)
	a.w.supply.lost(a.round)
}

func (a *attempt) giveUpAfter(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.state != running:
	case a.timer == nil:
		a.timer = time.AfterFunc(d, a.giveUp)
	default:
		a.timer.Reset(d)
	}
}

// invoke runs the handler and leaves the outcome in out. It does not survive
// a handler that calls runtime.Goexit, but the outcome does. Everything that
// runs code of the user's, his errors' methods too, is in here.
func (a *attempt) invoke(h *handler) {
	done := false
	defer func() {
		if done {
			return
		}
		a.w.counts.panicked.Add(1)
		if v := recover(); v != nil {
			a.out = panicked(v)
			return
		}
		a.out = reeve.Outcome{Verb: reeve.Nack, Error: "the handler ended its goroutine (runtime.Goexit)"}
	}()
	payload, err := h.call(a, &a.lease.Task)
	if err == nil {
		success(&a.out, h, &a.lease.Task, payload)
	} else {
		a.out = failure(err, context.Cause(a), a.timeout)
	}
	done = true
}

// claim is true for the one caller that may end the lease.
func (a *attempt) claim(as state) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state != running {
		return false
	}
	a.state = as
	if a.timer != nil {
		a.timer.Stop()
	}
	return true
}

// release ends the context.
func (a *attempt) release() {
	a.cancel(nil)
	if a.stopDeadline != nil {
		a.stopDeadline()
	}
}

// giveUp ends the attempt without its handler, whose slot gets a successor.
func (a *attempt) giveUp() {
	if !a.claim(forsaken) {
		return
	}
	w, cause := a.w, context.Cause(a)
	stuck := w.counts.stuck.Add(1)
	w.cfg.Logger.Warn("handler given up: it does not return after its context ended",
		"task", a.lease.ID, "type", a.lease.Type, "cause", cause, "ran", time.Since(a.since), "stuck", stuck)
	w.countTask()
	if !errors.Is(cause, reeve.ErrLeaseLost) {
		o := givenUp(cause, a.timeout)
		a.settle(&o)
	}
	if w.cfg.MaxStuck > 0 && stuck >= int64(w.cfg.MaxStuck) && !errors.Is(cause, ErrDraining) {
		w.stop(fmt.Errorf("%w: %d", ErrStuck, stuck), urgent)
	}
	w.replace(a.slot)
	w.ledger.leave()
}
