package worker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// drain ends the run. The order matters: first nothing new comes, then what
// was not started goes back, so that other workers get it while ours finish.
func (w *Worker) drain(ctx context.Context) error {
	w.cfg.Logger.Debug("worker drains", "source", w.name)
	w.supply.stop()
	w.ledger.enter()
	go w.closeConsumer() // the ledger waits for it
	w.ledger.drain()

	if w.awaitGrace(ctx) {
		return w.verdict()
	}
	w.cancelAll()
	select {
	case <-w.ledger.quiet:
		return w.verdict()
	case <-w.kill:
	case <-time.After(w.cfg.CancelGrace):
	}
	w.giveUpAll()
	select {
	case <-w.ledger.quiet:
	case <-time.After(w.cfg.CancelGrace):
	}
	return w.verdict()
}

// closeConsumer gives back what no slot has got.
func (w *Worker) closeConsumer() {
	defer w.ledger.leave()
	if err := w.consumer.Close(); err != nil {
		w.cfg.Logger.Debug("consumer not closed", "err", err)
	}
}

// awaitGrace waits until everything is finished, which is true, or Grace is
// over. Grace begins when somebody wants the worker to stop.
func (w *Worker) awaitGrace(ctx context.Context) bool {
	wanted, hurry := ctx.Done(), w.hurry
	var over <-chan time.Time
	for {
		select {
		case <-w.ledger.quiet:
			return true
		case <-wanted:
		case <-hurry:
		case <-over:
			return false
		case <-w.now:
			return false
		case <-w.kill:
			return false
		}
		wanted, hurry = nil, nil
		t := time.NewTimer(max(w.cfg.Grace, 0))
		defer t.Stop() // at most one is made
		over = t.C
	}
}

func (w *Worker) cancelAll() {
	for _, a := range w.attempts() {
		a.cancel(ErrDraining)
	}
}

func (w *Worker) giveUpAll() {
	for _, a := range w.attempts() {
		a.giveUp()
	}
}

func (w *Worker) verdict() error {
	err := w.reason()
	n, bytes := w.ledger.unanswered()
	if n > 0 {
		err = errors.Join(err, fmt.Errorf("%w: %d ends of leases with %d bytes of results", ErrUnanswered, n, bytes))
	}
	return err
}
