package session

import (
	"sync/atomic"
	"time"
)

// watchdog calls bite when a write has been in progress for too long. It
// costs two atomic stores a write: its timer is not moved with each write but
// looks, when it fires, at the write in progress then.
type watchdog struct {
	clock   func() time.Duration
	timeout time.Duration
	bite    func()

	began atomic.Int64 // clock time of the write in progress plus 1, 0 when there is none
	armed atomic.Bool
	timer *time.Timer
}

func newWatchdog(clock func() time.Duration, timeout time.Duration, bite func()) *watchdog {
	d := &watchdog{clock: clock, timeout: timeout, bite: bite}
	d.timer = time.AfterFunc(timeout, d.look)
	d.timer.Stop()
	return d
}

func (d *watchdog) start() {
	d.began.Store(int64(d.clock()) + 1)
	if !d.armed.Load() && d.armed.CompareAndSwap(false, true) {
		d.timer.Reset(d.timeout)
	}
}

func (d *watchdog) stop() { d.began.Store(0) }

func (d *watchdog) look() {
	began := d.began.Load()
	if began == 0 {
		d.armed.Store(false)
		// A write that began just now may have found the timer still armed.
		if began = d.began.Load(); began == 0 || !d.armed.CompareAndSwap(false, true) {
			return
		}
	}
	if left := time.Duration(began-1) + d.timeout - d.clock(); left > 0 {
		d.timer.Reset(left)
		return
	}
	d.bite()
}

// close lets the timer go. A write that begins later arms it again, and must
// then come to an end by the closed connection.
func (d *watchdog) close() { d.timer.Stop() }
