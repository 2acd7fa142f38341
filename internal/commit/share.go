package commit

import (
	"time"

	"github.com/reeveq/reeve/journal"
)

// Share is a section's part in a frame, from Enter to Leave.
type Share[T any] struct { // it is the frame itself
	pos    journal.Pos
	dead   bool      // a frame that is never written
	sealed bool      // nobody enters any more
	in     int       // sections that have entered and not left
	left   int       // sections that have left
	buf    []byte    // head and sections
	ts     []T       // to be told
	sync   bool      // a section is Synced
	syncBy time.Time // when a sync of it is due; zero: nobody asked
	by     time.Duration
}

// Pos is the number of the frame. It must not be called after Leave.
func (s *Share[T]) Pos() journal.Pos { return s.pos }

// Enter takes part in the open frame. It never blocks, not even when the Log
// has failed or was closed. It must be followed by Leave, within microseconds:
// the frame, and all behind it, wait for that.
func (l *Log[T]) Enter() *Share[T] {
	l.mu.Lock()
	f := l.open
	if f == nil || len(f.buf) >= l.cfg.MaxBytes {
		f = l.enterNext()
	}
	f.in++
	l.mu.Unlock()
	return f
}

// enterNext begins a frame for a section.
func (l *Log[T]) enterNext() *Share[T] {
	if l.closing || l.over {
		l.missed = true
		return &Share[T]{pos: l.next, dead: true}
	}
	l.seal()
	f := l.begin()
	l.last = f.pos
	return f
}

// begin opens the next frame.
func (l *Log[T]) begin() *Share[T] {
	var f *Share[T]
	if n := len(l.free); n > 0 {
		f, l.free = l.free[n-1], l.free[:n-1]
	} else {
		f = new(Share[T])
	}
	f.pos = l.next
	f.buf = l.cfg.Head(f.buf[:0])
	l.next++
	l.live = append(l.live, f)
	l.open = f
	return f
}

// seal closes the open frame, if there is one, to further sections.
func (l *Log[T]) seal() {
	if l.open != nil {
		l.open.sealed, l.open = true, nil
	}
}

// recycle keeps a frame to be used again, but not a buffer that is out of the
// ordinary.
func (l *Log[T]) recycle(f *Share[T]) {
	if len(l.free) == keepFrames {
		return
	}
	buf := f.buf[:0]
	if cap(buf) > 2*l.cfg.MaxBytes {
		buf = nil
	}
	*f = Share[T]{buf: buf, ts: f.ts[:0]}
	l.free = append(l.free, f)
}

// Leave adds recs, as one unit, to the frame of s and has each of ts told when
// the frame is committed. Both are copied; recs should not be empty. Sections
// stand in a frame in the order of their Leave. A Written section is synced by
// the given time from now at the latest; below 0: by Config.Interval; 0: nobody
// asks for a sync of it. For Synced ones by means nothing.
//
// It never blocks and never calls Tell: after a failure or Close the Log's
// goroutine tells ts the error at once.
func (l *Log[T]) Leave(s *Share[T], recs []byte, ts []T, d Durability, by time.Duration) {
	l.mu.Lock()
	var wake bool
	if l.over || s.dead {
		wake = l.tooLate(ts...)
	} else {
		wake = l.leave(s, recs, ts, d, by)
	}
	l.mu.Unlock()
	if wake {
		l.rouse()
	}
}

// leave is Leave as long as frames are written.
func (l *Log[T]) leave(f *Share[T], recs []byte, ts []T, d Durability, by time.Duration) (wake bool) {
	if f.in == 0 {
		panic("commit: Leave without Enter")
	}
	f.in--
	f.left++
	f.buf = append(f.buf, recs...)
	f.ts = append(f.ts, ts...)
	switch {
	case d == Synced:
		f.sync = true
	case by != 0:
		f.syncWithin(by, l.cfg.Interval)
	}
	if !l.asleep {
		return false
	}
	if head := l.live[0]; head.in > 0 {
		if head == l.open {
			l.seal() // else others could enter for ever
		}
		return false
	}
	l.asleep = false
	return true
}

// syncWithin asks for a sync by that time from now; below 0: the usual. Only
// the first section of a frame asks the clock, and those in a greater hurry.
func (f *Share[T]) syncWithin(by, usual time.Duration) {
	if by < 0 {
		by = usual
	}
	if f.by != 0 && f.by <= by {
		return
	}
	f.by = by
	if at := time.Now().Add(by); f.syncBy.IsZero() || at.Before(f.syncBy) {
		f.syncBy = at
	}
}

// Follow has t told after frame p and all that is told for it so far, even if
// it is being told right now. It returns false if p was told already: then the
// caller tells. A p that nobody has entered yet means the last that somebody
// has. It never blocks and never calls Tell; after a failure or Close t is told
// the error.
func (l *Log[T]) Follow(p journal.Pos, t T) bool {
	if p <= l.Told() {
		return false
	}
	l.mu.Lock()
	wake, ok := l.follow(p, t)
	l.mu.Unlock()
	if wake {
		l.rouse()
	}
	return ok
}

func (l *Log[T]) follow(p journal.Pos, t T) (wake, ok bool) {
	told := l.Told()
	if l.over || l.closing && p > l.last {
		if p <= told {
			return false, false
		}
		return l.tooLate(t), true
	}
	p = min(p, l.last)
	if p <= told {
		return false, false
	}
	f := l.live[p-l.live[0].pos]
	f.ts = append(f.ts, t)
	return false, true
}
