package journaltest

import "math/rand/v2"

// CrashMode is what a crash does to the frames that were not synced: [Kill],
// [PowerCut], [Lose] or [LoseSome].
type CrashMode struct {
	power bool
	lose  func(unsynced int) int // how many, the last ones first
}

// Kill is the end of the process: every frame is there, and those that were not
// synced still are not.
func Kill() CrashMode {
	return CrashMode{lose: func(int) int { return 0 }}
}

// PowerCut loses everything that was not synced.
func PowerCut() CrashMode {
	return CrashMode{power: true, lose: func(unsynced int) int { return unsynced }}
}

// Lose is a power cut that loses the last n frames, as far as they were not
// synced.
func Lose(n int) CrashMode {
	return CrashMode{power: true, lose: func(unsynced int) int { return max(0, min(n, unsynced)) }}
}

// LoseSome is a power cut that loses any number of the frames not synced.
func LoseSome(r *rand.Rand) CrashMode {
	return CrashMode{power: true, lose: func(unsynced int) int { return r.IntN(unsynced + 1) }}
}

// Crash ends the ownership of m, whose calls fail with [journal.ErrFenced] from
// now on, those that are held up too, and returns the next owner, with m's
// configuration and none of its faults and gates. After m's Close it is a plain
// reopening, because nothing can be lost.
func (m *Memory) Crash(how CrashMode) *Memory {
	d := m.disk
	next := newOwner(m.cfg, d) // from here on nobody else changes the disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if how.power {
		d.loseLocked(how.lose(int(d.last() - d.synced)))
		d.synced = d.last() // what is found after a power cut survived one
	}
	return next
}

func (d *disk) loseLocked(n int) {
	for range n {
		if len(d.frames) == 0 {
			d.first-- // it was trimmed: its number is what is lost
			continue
		}
		last := d.last()
		delete(d.damaged, last)
		d.frames = d.frames[:last-d.first]
	}
}
