package worker

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
)

// Stats are the numbers of a worker at one moment. The counters begin with
// Run and go on across reconnects; ends of leases count when the master has
// answered.
type Stats struct {
	Slots    int  `json:"slots"`    // tasks it may hold, as last asked for
	Running  int  `json:"running"`  // handlers at work
	Stuck    int  `json:"stuck"`    // handlers given up that have not returned
	Draining bool `json:"draining"` // takes nothing any more

	Unanswered      int   `json:"unanswered"`       // ends of leases the master has not answered
	UnansweredBytes int64 `json:"unanswered_bytes"` // of their results

	Done      uint64 `json:"done"`      // acked, completed and skipped
	Failed    uint64 `json:"failed"`    // attempts, panics and missing handlers included
	TimedOut  uint64 `json:"timed_out"` // attempts
	Returned  uint64 `json:"returned"`  // given back when draining
	Buried    uint64 `json:"buried"`    // made dead by the handler or an unreadable payload
	Snoozed   uint64 `json:"snoozed"`   // handlers that asked to be called again later
	Skipped   uint64 `json:"skipped"`   // of Done: handlers that had nothing to do
	Discarded uint64 `json:"discarded"` // tasks that their handlers gave up
	Lost      uint64 `json:"lost"`      // leases lost before their end was accepted
	Cancelled uint64 `json:"cancelled"` // leases of tasks that were cancelled

	NoHandler uint64 `json:"no_handler"` // attempts without a handler
	Panicked  uint64 `json:"panicked"`   // handlers that panicked or ended their goroutine
	Late      uint64 `json:"late"`       // returns of handlers that were given up
	Refused   uint64 `json:"refused"`    // ends the master did not accept though the lease stood
}

// RunningTask is a task whose handler has not returned.
type RunningTask struct {
	Queue   string    `json:"queue"`
	ID      reeve.ID  `json:"id"`
	Type    string    `json:"type"`
	Attempt uint32    `json:"attempt"`
	Since   time.Time `json:"since"`
	Stuck   bool      `json:"stuck"` // given up
}

// Stats returns the worker's numbers.
func (w *Worker) Stats() Stats {
	c := &w.counts
	s := Stats{
		Slots: w.supply.slots(), Draining: w.stopping.Load(),
		Done: c.done.Load(), Failed: c.failed.Load(), TimedOut: c.timedOut.Load(),
		Returned: c.returned.Load(), Buried: c.buried.Load(),
		Snoozed: c.snoozed.Load(), Skipped: c.skipped.Load(), Discarded: c.discarded.Load(),
		Lost: c.lost.Load(), Cancelled: c.cancelled.Load(),
		NoHandler: c.noHandler.Load(), Panicked: c.panicked.Load(),
		Late: c.late.Load(), Refused: c.refused.Load(),
	}
	s.Unanswered, s.UnansweredBytes = w.ledger.unanswered()
	for _, a := range w.attempts() {
		if a.givenUp() {
			s.Stuck++
		} else {
			s.Running++
		}
	}
	return s
}

// Running lists the tasks whose handlers have not returned, oldest first.
func (w *Worker) Running() []RunningTask {
	var list []RunningTask
	for _, a := range w.attempts() {
		list = append(list, RunningTask{
			Queue: a.lease.Queue(), ID: a.lease.ID, Type: a.lease.Type, Attempt: a.lease.Attempt, Since: a.since, Stuck: a.givenUp(),
		})
	}
	slices.SortFunc(list, func(a, b RunningTask) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func (a *attempt) givenUp() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state == forsaken
}

// counts are the counters behind Stats.
type counts struct {
	ended atomic.Uint64 // tasks that ended here, whatever the master says to it
	stuck atomic.Int64

	done, failed, timedOut, returned, buried atomic.Uint64
	snoozed, skipped, discarded              atomic.Uint64
	lost, cancelled                          atomic.Uint64
	noHandler, panicked, late, refused       atomic.Uint64
}

// add counts an end that the master accepted.
func (c *counts) add(o *reeve.Outcome) {
	switch o.Verb {
	case reeve.Ack, reeve.Complete:
		c.done.Add(1)
	case reeve.Nack:
		if o.TimedOut {
			c.timedOut.Add(1)
		} else {
			c.failed.Add(1)
		}
	case reeve.Return:
		c.returned.Add(1)
	case reeve.Bury:
		c.buried.Add(1)
	case reeve.Snooze:
		c.snoozed.Add(1)
	case reeve.Skip:
		c.done.Add(1)
		c.skipped.Add(1)
	case reeve.Discard:
		c.discarded.Add(1)
	}
}

// limiter lets one event in ten seconds through and counts the others.
type limiter struct {
	mu      sync.Mutex // guards the fields below
	last    time.Time
	skipped int
}

const limiterPause = 10 * time.Second

// allow reports whether this event may pass, and how many were held back since
// the last that did.
func (l *limiter) allow() (skipped int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.last.IsZero() || now.Sub(l.last) >= limiterPause {
		skipped, l.skipped, l.last = l.skipped, 0, now
		return skipped, true
	}
	l.skipped++
	return 0, false
}
