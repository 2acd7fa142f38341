package worker

import (
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
)

// calm is how long no lease must be lost before the slots come back without
// the success of an end, which tasks that run for hours do not bring soon.
const calm = 30 * time.Second

// supply decides how many slots the consumer has. After a lost lease it asks
// for half, until an end of a lease succeeds or calm has passed since the last
// loss: who loses leases should not hold many, but a restart of the master
// loses all and says nothing about the worker. Near the end of Config.MaxTasks
// it asks for no more than are left.
//
// lost and succeeded may be called from any callback: they only note, and
// poke. What calls the consumer is apply, which callbacks must not.
type supply struct {
	log  *slog.Logger
	poke func() // has apply called soon; never blocks

	lowered atomic.Bool   // written with mu held
	round   atomic.Uint64 // counts the lowerings; written with mu held

	mu       sync.Mutex  // guards the fields below; never held across a call of the consumer
	full     int         // without any loss
	low      int         // the bound while lowered
	left     uint64      // the bound by MaxTasks, which is none at first
	lastLoss time.Time   // of any lease while lowered
	timer    *time.Timer // pokes at calm after lastLoss; nil before the first loss
	stopped  bool        // the slots are zero for good, and the timer is stopped

	applying sync.Mutex // serialises apply and guards the fields below; taken before mu
	consumer reeve.Consumer
	asked    int
	told     bool // the log knows that the slots are lowered
}

func newSupply(slots int, log *slog.Logger, poke func()) *supply {
	return &supply{log: log, poke: poke, full: slots, low: slots, left: math.MaxUint64}
}

// begin sets the consumer, which was asked for so many slots.
func (s *supply) begin(c reeve.Consumer, slots int) {
	s.applying.Lock()
	s.consumer, s.asked = c, slots
	s.applying.Unlock()
	s.apply()
}

// want is how many slots there should be now.
func (s *supply) want() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return 0
	}
	// The timer may have fired just before a loss: what counts is the time.
	if s.lowered.Load() && time.Since(s.lastLoss) >= calm {
		s.lowered.Store(false)
	}
	n := s.full
	if s.lowered.Load() {
		n = min(n, s.low)
	}
	return int(min(s.left, uint64(n)))
}

// resize changes how many slots there are without any loss; soon, since who
// calls it may be told by what stands behind the consumer.
func (s *supply) resize(slots int) {
	s.mu.Lock()
	s.full = slots
	s.mu.Unlock()
	s.poke()
}

// lost notes the loss of a lease that was taken in the given round. Leases
// that were taken before the last lowering do not lower again, because many
// are lost by one event, but they are no calm either.
func (s *supply) lost(round uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lowers := round == s.round.Load()
	if lowers {
		if !s.lowered.Load() {
			s.low = s.full
		}
		s.low = max(1, s.low/2)
		s.lowered.Store(true)
		s.round.Add(1)
	}
	if s.lowered.Load() {
		s.awaitCalmLocked()
	}
	if lowers {
		s.poke()
	}
}

// awaitCalmLocked has calm begin now. The caller holds mu.
func (s *supply) awaitCalmLocked() {
	s.lastLoss = time.Now()
	switch {
	case s.stopped:
	case s.timer == nil:
		s.timer = time.AfterFunc(calm, s.poke)
	default:
		s.timer.Reset(calm)
	}
}

// succeeded notes that the master accepted the end of a lease.
func (s *supply) succeeded() {
	if !s.lowered.Load() {
		return
	}
	s.mu.Lock()
	s.lowered.Store(false)
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.poke()
}

// limit bounds the slots by the number of tasks that are still to be taken.
// It is in force when limit returns. Not for callbacks.
func (s *supply) limit(left uint64) {
	s.mu.Lock()
	s.left = min(s.left, left)
	bounds := left < uint64(s.full)
	s.mu.Unlock()
	if bounds {
		s.apply() // also when another goroutine has noted less: it may not have applied it
	}
}

// stop sets the slots to zero for good and stops the timer. Not for callbacks.
func (s *supply) stop() {
	s.mu.Lock()
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.apply()
}

// apply tells the consumer what is wanted. Not for callbacks.
func (s *supply) apply() {
	s.applying.Lock()
	defer s.applying.Unlock()
	want := s.want()
	if want == s.asked {
		return
	}
	if err := s.consumer.SetSlots(want); err != nil {
		// A consumer that has ended says so to Next, which is heard.
		s.log.Debug("slots not set", "slots", want, "err", err)
		return
	}
	s.asked = want
	if low := s.lowered.Load(); low != s.told && want > 0 { // none are for another reason
		s.told = low
		s.log.Info("slots changed after lost leases", "slots", want, "lowered", low)
	}
}

func (s *supply) slots() int {
	s.applying.Lock()
	defer s.applying.Unlock()
	return s.asked
}
