package queue

import (
	"math"
	"sync/atomic"
	"time"
)

// never is a due time that does not come.
const never = math.MaxInt64

// clock is the engine's only goroutine: it sleeps until the next due time of
// any queue and has that queue do what is due.
type clock struct {
	wake  chan struct{} // cap 1: anyone sends without blocking, only runClock receives
	done  chan struct{} // closed by stop
	ended chan struct{} // closed by runClock
	armed atomic.Int64  // what runClock sleeps until
	off   atomic.Bool
}

func (c *clock) init() {
	c.wake = make(chan struct{}, 1)
	c.done = make(chan struct{})
	c.ended = make(chan struct{})
	c.armed.Store(never)
}

// due makes the clock look again when at is before what it sleeps until.
func (c *clock) due(at int64) {
	if at >= c.armed.Load() {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// stop ends runClock and waits for it.
func (c *clock) stop() {
	if c.off.CompareAndSwap(false, true) {
		close(c.done)
	}
	<-c.ended
}

func (e *Engine) runClock() {
	defer close(e.clock.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := e.tick(e.now())
		e.clock.armed.Store(next)
		// A due time set between tick and the line above saw the old value and
		// may not have woken us: look once more.
		next = min(next, e.earliest())
		if next == never {
			timer.Stop()
		} else {
			timer.Reset(max(0, time.Duration(next-e.now())))
		}
		select {
		case <-e.clock.done:
			return
		case <-e.clock.wake:
		case <-timer.C:
		}
		e.clock.armed.Store(math.MinInt64) // awake: nobody needs to wake us
	}
}

// tick does all that is due at now and returns the next due time.
func (e *Engine) tick(now int64) int64 {
	next := int64(never)
	for _, q := range e.all() {
		if q.nextDue.Load() <= now {
			q.tick(now)
		}
		next = min(next, q.nextDue.Load())
	}
	return next
}

func (e *Engine) earliest() int64 {
	next := int64(never)
	for _, q := range e.all() {
		next = min(next, q.nextDue.Load())
	}
	return next
}
