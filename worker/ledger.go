package worker

import (
	"context"
	"sync"
	"sync/atomic"
)

// ledger counts what Run has to wait for: the goroutines that are not given
// up, and the ends of leases that the master has not answered. The latter are
// bounded. Its methods never call out, so any callback may use them.
type ledger struct {
	maxEnds  int
	maxBytes int64

	full atomic.Bool // a bound is reached; written with mu held

	mu       sync.Mutex // guards the fields below
	live     int
	ends     int
	bytes    int64
	room     chan struct{} // closed when there is room again; nil when nobody waits
	draining bool
	quiet    chan struct{} // closed when draining and nothing is left to wait for
	isQuiet  bool
}

func newLedger(maxEnds int, maxBytes int64) *ledger {
	return &ledger{maxEnds: maxEnds, maxBytes: maxBytes, quiet: make(chan struct{})}
}

// waitRoom waits until no bound is reached. False when ctx ended first.
func (l *ledger) waitRoom(ctx context.Context) bool {
	for l.full.Load() {
		l.mu.Lock()
		if !l.full.Load() {
			l.mu.Unlock()
			break
		}
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// sent notes the end of a lease with so many bytes, before it is sent.
func (l *ledger) sent(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends++
	l.bytes += int64(bytes)
	if l.ends >= l.maxEnds || l.bytes >= l.maxBytes {
		l.full.Store(true)
	}
}

// answered takes back what sent noted.
func (l *ledger) answered(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends--
	l.bytes -= int64(bytes)
	if l.ends < l.maxEnds && l.bytes < l.maxBytes {
		l.full.Store(false)
		if l.room != nil {
			close(l.room)
			l.room = nil
		}
	}
	l.checkLocked()
}

func (l *ledger) enter() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live++
}

func (l *ledger) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live--
	l.checkLocked()
}

// drain says that nothing new will begin: from now on quiet may be closed.
func (l *ledger) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draining = true
	l.checkLocked()
}

func (l *ledger) checkLocked() {
	if l.draining && l.live == 0 && l.ends == 0 && !l.isQuiet {
		l.isQuiet = true
		close(l.quiet)
	}
}

func (l *ledger) unanswered() (ends int, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ends, l.bytes
}
