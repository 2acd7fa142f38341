package commit

import (
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// hasNoSpace takes note of an Append that found no space outside the reserve.
func (l *Log[T]) hasNoSpace(err error) {
	l.probeAt = time.Now().Add(probeEvery)
	l.mu.Lock()
	l.stats.Refused++
	l.mu.Unlock()
	if l.full.CompareAndSwap(false, true) {
		l.cfg.Logger.Warn("no space is left for the journal", "err", err)
	}
}

// hasSpace takes note of an Append that went without the reserve.
func (l *Log[T]) hasSpace() {
	l.retryAt = time.Time{}
	if l.full.Load() {
		l.probeAt = time.Time{}
		l.full.Store(false)
		l.cfg.Logger.Info("there is space for the journal again")
	}
}

// probe looks, when there is nothing to write, whether there is space again: by
// a frame without a section.
func (l *Log[T]) probe() (did bool, err error) {
	l.mu.Lock()
	if len(l.live) > 0 {
		l.mu.Unlock()
		return false, nil
	}
	f := l.begin()
	l.seal()
	l.mu.Unlock()
	switch err := l.try(f, false); {
	case err == nil:
		l.hasSpace()
		l.tell(f)
		return true, nil
	case errors.Is(err, reeve.ErrJournalFull):
		l.hasNoSpace(err)
		l.unbegin(f)
		return false, nil
	default:
		return false, fmt.Errorf("frame %d: %w", f.pos, err)
	}
}

// unbegin takes back a frame of which nothing was written, unless another was
// begun behind it: then it goes with that one.
func (l *Log[T]) unbegin(f *Share[T]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.live) > 1 {
		return
	}
	l.live = l.live[:0]
	l.next = f.pos
	l.recycle(f)
}
