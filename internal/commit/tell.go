package commit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// tell tells that f, the oldest frame, is committed, also those that come to
// follow it meanwhile, and is done with it.
func (l *Log[T]) tell(f *Share[T]) {
	l.mu.Lock()
	for len(f.ts) > 0 {
		ts := f.ts
		f.ts = l.spare[:0]
		l.mu.Unlock()
		l.cfg.Tell(ts, nil)
		l.keepSpare(ts)
		l.mu.Lock()
	}
	l.stats.Sections += uint64(f.left)
	l.stats.Bytes += uint64(len(f.buf))
	l.stats.Frames++
	l.live = slices.Delete(l.live, 0, 1)
	l.told.Store(uint64(f.pos))
	l.recycle(f)
	if l.waiting > 0 {
		l.changed.Broadcast()
	}
	l.mu.Unlock()
}

// keepSpare keeps the memory of what was told, unless it is out of the ordinary.
func (l *Log[T]) keepSpare(ts []T) {
	l.spare = nil
	if cap(ts) <= keepTold {
		clear(ts)
		l.spare = ts[:0]
	}
}

// Wait waits until frame p was told; if the Log failed or was closed before,
// it returns why. It must not be called by Tell, Work or Failed. A frame that
// nobody enters is waited for until Close.
func (l *Log[T]) Wait(p journal.Pos) error {
	if p <= l.Told() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting++
	for p > l.Told() && !l.over {
		l.changed.Wait()
	}
	l.waiting--
	if p <= l.Told() {
		return nil
	}
	return l.why()
}

// Close commits the sections that have entered before it, ends the Log's
// goroutine and returns nil if all was committed. If there is no space, not
// even in the reserve, it gives up: what was not written is told an error that
// matches reeve.ErrClosed and reeve.ErrJournalFull. What enters later is told
// reeve.ErrClosed. Close does not close the journal, and must not be called by
// Tell, Work or Failed; a second one waits for the first and returns the same.
func (l *Log[T]) Close() error {
	l.mu.Lock()
	l.closing = true
	l.seal()
	l.mu.Unlock()
	l.cancel()
	l.rouse()
	<-l.done
	return l.Err()
}

// end ends the writing: because of err, or of Close if that is nil.
func (l *Log[T]) end(err error) {
	failed := err != nil && !l.gaveUp
	if failed && !errors.Is(err, reeve.ErrJournal) {
		err = fmt.Errorf("%w: %w", reeve.ErrJournal, err)
	}
	l.mu.Lock()
	l.over, l.err = true, err
	var late []T
	for _, f := range l.live {
		late = append(late, f.ts...)
	}
	l.late = append(late, l.late...)
	l.live, l.open, l.free, l.batch, l.spare = nil, nil, nil, nil, nil
	l.changed.Broadcast()
	l.mu.Unlock()
	if failed {
		l.cfg.Logger.Error("the journal failed", "err", err)
		if l.cfg.Failed != nil {
			l.cfg.Failed(err)
		}
	}
}

// why is the error of all that is not committed. It needs l.over.
func (l *Log[T]) why() error {
	if l.err != nil {
		return l.err
	}
	return reeve.ErrClosed
}

// tellLate tells all that comes after the end why it is not committed, until
// Close was called. It is the end of the Log's goroutine, and a goroutine of
// its own for what comes after that one has ended.
func (l *Log[T]) tellLate() {
	l.mu.Lock()
	for {
		switch {
		case len(l.late) > 0:
			ts, err := l.late, l.why()
			l.late = nil
			l.mu.Unlock()
			l.cfg.Tell(ts, err)
			l.mu.Lock()
		case l.closing:
			l.running = false
			l.mu.Unlock()
			return
		default:
			l.asleep = true
			l.mu.Unlock()
			<-l.wake
			l.mu.Lock()
			l.asleep = false
		}
	}
}

// tooLate has ts told that nothing is written any more.
func (l *Log[T]) tooLate(ts ...T) (wake bool) {
	if len(ts) == 0 {
		return false
	}
	l.late = append(l.late, ts...)
	if !l.running {
		l.running = true
		go l.tellLate()
		return false
	}
	return l.asleep
}
