package commit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// commit appends the frames of l.batch, syncs them if anybody asked for it, and
// tells. A frame that there is no space for stays, with all behind it, for
// l.retryAt. After an error nobody of the batch was told.
func (l *Log[T]) commit() (did bool, err error) {
	n, synced := 0, false
	for _, f := range l.batch {
		ok, err := l.append(f)
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		n++
		synced = synced || f.sync
		l.syncAt = earlier(l.syncAt, f.syncBy)
	}
	if n == 0 {
		return false, nil
	}
	if synced || passed(l.syncAt) {
		if err := l.sync(); err != nil {
			return false, err
		}
	}
	l.mu.Lock()
	l.stats.Commits++
	l.mu.Unlock()
	for _, f := range l.batch[:n] {
		l.tell(f)
	}
	return true, nil
}

// append writes a frame, with the reserve if there is no other space. It returns
// false if there is none at all, which is an error when the Log is being closed.
func (l *Log[T]) append(f *Share[T]) (ok bool, err error) {
	err = l.try(f, false)
	if err == nil {
		l.hasSpace()
		return true, nil
	}
	if errors.Is(err, reeve.ErrJournalFull) {
		l.hasNoSpace(err)
		if err = l.try(f, true); err == nil {
			l.retryAt = time.Time{}
			return true, nil
		}
	}
	switch {
	case !errors.Is(err, reeve.ErrJournalFull):
		return false, fmt.Errorf("frame %d: %w", f.pos, err)
	case l.ctx.Err() == nil:
		if l.retryAt.IsZero() {
			l.cfg.Logger.Error("the journal's reserve is used up, too: everything waits for space", "err", err)
		}
		l.retryAt = time.Now().Add(retryEvery)
		return false, nil
	case f != l.batch[0]: // first what could be written
		return false, nil
	}
	l.gaveUp = true
	return false, fmt.Errorf("%w before frame %d was written: %w", reeve.ErrClosed, f.pos, err)
}

// try appends f. Close does not interrupt it: what was begun is to be known.
func (l *Log[T]) try(f *Share[T], reserve bool) error {
	return l.cfg.Journal.Append(context.Background(), f.pos, f.buf, journal.AppendOptions{Reserve: reserve})
}

// stuck reports whether it is too early to try again.
func (l *Log[T]) stuck() bool {
	return !l.retryAt.IsZero() && !passed(l.retryAt) && l.ctx.Err() == nil
}

// sync makes durable what was appended.
func (l *Log[T]) sync() error {
	l.syncAt = time.Time{}
	if err := l.cfg.Journal.Sync(context.Background()); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	l.mu.Lock()
	l.stats.Syncs++
	l.mu.Unlock()
	return nil
}

// syncAsked is the last sync, if there is one that nobody will ask for again.
func (l *Log[T]) syncAsked() error {
	if l.syncAt.IsZero() {
		return nil
	}
	return l.sync()
}
