package commit

import (
	"runtime"
	"time"
)

// run is the Log's goroutine.
func (l *Log[T]) run() {
	defer close(l.done)
	l.end(l.serve())
	l.tellLate()
}

// serve commits until the journal fails, or Close was called and everything is
// committed.
func (l *Log[T]) serve() error {
	more := false // Work has more to do
	for {
		state := l.take()
		var err error
		var did bool // a commit, and more may have come meanwhile
		switch {
		case state == drained:
			return l.syncAsked()
		case state == ready && !l.stuck():
			did, err = l.commit()
		case passed(l.syncAt):
			err = l.sync()
		case state == idle && l.full.Load() && passed(l.probeAt):
			did, err = l.probe()
			more = true // what Work can do about it
		case state == idle && more:
			more = l.work()
		default:
			l.sleep(state)
		}
		if err != nil {
			return err
		}
		if did {
			more = l.work()
			// Those that were told come back with more: let them, or one goes
			// alone and all others wait for it.
			runtime.Gosched()
		}
	}
}

// state is what take has found.
type state int8

const (
	idle    state = iota // nothing to write
	held                 // by a section that has not left yet
	ready                // the frames of Log.batch can be written
	drained              // nothing to write, for ever
)

// take looks for frames that can be written, and puts them into l.batch.
func (l *Log[T]) take() state {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.takeLocked()
}

func (l *Log[T]) takeLocked() state {
	if l.open != nil && l.open.left > 0 {
		l.seal()
	}
	l.batch = l.batch[:0]
	for _, f := range l.live {
		if !f.sealed || f.in > 0 {
			break
		}
		l.batch = append(l.batch, f)
	}
	switch {
	case len(l.batch) > 0:
		return ready
	case len(l.live) > 0:
		return held
	case l.closing:
		return drained
	}
	return idle
}

// sleep waits until there is something to do other than in state s: a section
// has left, a time has come, or Close was called.
func (l *Log[T]) sleep(s state) {
	until := l.syncAt
	switch {
	case s == ready: // stuck
		until = earlier(until, l.retryAt)
	case s == idle && l.full.Load():
		until = earlier(until, l.probeAt)
	}
	if s != ready && !l.doze(s) {
		return
	}
	var timeout <-chan time.Time
	if !until.IsZero() {
		l.timer.Reset(time.Until(until))
		defer l.timer.Stop()
		timeout = l.timer.C
	}
	select {
	case <-l.wake:
	case <-timeout:
	}
	l.mu.Lock()
	l.asleep = false
	l.mu.Unlock()
}

// doze makes Leave wake the goroutine. It returns false if something has
// changed since s.
func (l *Log[T]) doze(s state) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = l.takeLocked() == s
	return l.asleep
}

// rouse wakes the goroutine. That it is not asleep any more does no harm.
func (l *Log[T]) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Log[T]) work() (more bool) {
	return l.cfg.Work != nil && l.ctx.Err() == nil && l.cfg.Work(l.ctx)
}

// passed reports whether t is set and has come.
func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// earlier is the earlier of a and b that is set.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
