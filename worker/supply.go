package worker

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/reeveq/reeve"
)

// supply decides how many slots the consumer has. After a lost lease it asks
// for half, until an end of a lease succeeds: who loses leases should not hold
// many. Near the end of Config.MaxTasks it asks for no more than are left.
//
// lost and succeeded may be called from any callback: they only note, and
// poke. What calls the consumer is apply, which callbacks must not.
type supply struct {
	log  *slog.Logger
	poke func() // has apply called soon; never blocks

	lowered atomic.Bool   // written with mu held
	round   atomic.Uint64 // counts the lowerings; written with mu held

	mu   sync.Mutex // guards the fields below; never held across a call of the consumer
	full int        // without any loss
	low  int        // the bound while lowered
	left int        // the bound by MaxTasks, or full

	applying sync.Mutex // serialises apply and guards the fields below; taken before mu
	consumer reeve.Consumer
	asked    int
	told     bool // the log knows that the slots are lowered
	stopped  bool
}

func newSupply(slots int, log *slog.Logger, poke func()) *supply {
	return &supply{log: log, poke: poke, full: slots, low: slots, left: slots}
}

// begin sets the consumer, which has want slots.
func (s *supply) begin(c reeve.Consumer) {
	s.applying.Lock()
	s.consumer, s.asked = c, s.want()
	s.applying.Unlock()
}

func (s *supply) want() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lowered.Load() {
		return min(s.left, s.low)
	}
	return min(s.left, s.full)
}

// lost notes the loss of a lease that was taken in the given round. Leases
// that were taken before the last lowering do not lower again: many are lost
// by one event.
func (s *supply) lost(round uint64) {
	s.mu.Lock()
	if round != s.round.Load() {
		s.mu.Unlock()
		return
	}
	if !s.lowered.Load() {
		s.low = s.full
	}
	s.low = max(1, s.low/2)
	s.lowered.Store(true)
	s.round.Add(1)
	s.mu.Unlock()
	s.poke()
}

// succeeded notes that the master accepted the end of a lease.
func (s *supply) succeeded() {
	if !s.lowered.Load() {
		return
	}
	s.mu.Lock()
	s.lowered.Store(false)
	s.mu.Unlock()
	s.poke()
}

// limit bounds the slots by the number of tasks that are still to be taken.
// It is in force when limit returns. Not for callbacks.
func (s *supply) limit(left uint64) {
	s.mu.Lock()
	if left < uint64(s.left) {
		s.left = int(left)
	}
	bounds := left < uint64(s.full)
	s.mu.Unlock()
	if bounds {
		s.apply() // also when another goroutine has noted less: it may not have applied it
	}
}

// stop sets the slots to zero for good. Not for callbacks.
func (s *supply) stop() {
	s.applying.Lock()
	s.stopped = true
	s.applying.Unlock()
	s.apply()
}

// apply tells the consumer what is wanted. Not for callbacks.
func (s *supply) apply() {
	s.applying.Lock()
	defer s.applying.Unlock()
	want := 0
	if !s.stopped {
		want = s.want()
	}
	if want == s.asked {
		return
	}
	if err := s.consumer.SetSlots(want); err != nil {
		// A consumer that has ended says so to Next, which is heard.
		s.log.Debug("slots not set", "slots", want, "err", err)
		return
	}
	s.asked = want
	if low := s.lowered.Load(); low != s.told && !s.stopped {
		s.told = low
		s.log.Info("slots changed after lost leases", "slots", want, "lowered", low)
	}
}

func (s *supply) slots() int {
	s.applying.Lock()
	defer s.applying.Unlock()
	return s.asked
}
