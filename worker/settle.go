package worker

import (
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// refusedDelay keeps a task whose end was refused from coming back at once:
// the reason, a result queue that is missing, does not go away so soon.
const refusedDelay = time.Second

// maxRefusals is after how many refused ends of one lease it is left alone.
const maxRefusals = 3

// settle sends the end of the lease and does not wait for the answer. The
// ledger has it until then.
func (a *attempt) settle(o *reeve.Outcome) {
	a.end, a.endBytes = o, len(o.Result.Payload)
	a.w.ledger.sent(a.endBytes)
	a.lease.Settle(o, a.answered)
}

// answered hears what became of the end. It must not block nor call the lease:
// it is called by what stands behind that.
func (a *attempt) answered(err error) {
	w := a.w
	switch {
	case err == nil:
		w.counts.add(a.end)
		w.supply.succeeded()
	case errors.Is(err, reeve.ErrLeaseLost):
		a.noteGone(err)
	case a.gone.Load(): // the loss by the name that who stands behind the lease gave it
	default:
		w.counts.refused.Add(1)
		a.refusals++
		go a.refused(err) // the ledger waits for it: the end is not taken off
		return
	}
	w.ledger.answered(a.endBytes)
}

// refused ends the lease in another way, because it still stands: nobody else
// would get the task as long as this process lives.
func (a *attempt) refused(err error) {
	w := a.w
	w.cfg.Logger.Warn("end of a lease refused", "task", a.lease.ID, "type", a.lease.Type, "to", a.end.To, "err", err)
	if a.refusals >= maxRefusals || errors.Is(err, reeve.ErrClosed) {
		w.ledger.answered(a.endBytes)
		return
	}
	// Whether an end took effect that nobody knows about, its token tells:
	// sent again it takes effect at most once.
	if !errors.Is(err, reeve.ErrOutcomeUnknown) {
		a.end = instead(a.end, err)
	}
	a.lease.Settle(a.end, a.answered)
}

// instead is the end of a lease whose end o was refused with err.
func instead(o *reeve.Outcome, err error) *reeve.Outcome {
	text := fmt.Sprintf("worker: the end of the lease was refused: %v", err)
	switch {
	case o.Verb == reeve.Complete && o.To != "":
		text = fmt.Sprintf("worker: the result was refused by queue %q: %v", o.To, err)
	case o.Verb == reeve.Complete:
		text = fmt.Sprintf("worker: the result was refused: %v", err)
	}
	if o.Error != "" {
		text += "; the attempt's error: " + o.Error
	}
	if o.Verb == reeve.Complete && (errors.Is(err, reeve.ErrTooLarge) || errors.Is(err, reeve.ErrInvalid)) {
		return &reeve.Outcome{Verb: reeve.Bury, Error: cut(text)} // the next result would be no better
	}
	return &reeve.Outcome{
		Verb: reeve.Nack, Delay: refusedDelay, TimedOut: o.TimedOut, Error: cut(text), Stack: o.Stack,
	}
}
