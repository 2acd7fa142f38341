package file

import (
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/reeveq/reeve/journal"
)

// keeper does what nobody waits for, in a goroutine of its own: it makes the
// reserve, and removes segments that were trimmed.
//
// The reserve is a file of a segment's size, written with zeros. Each segment
// is made of it, so that it is known to work, and it is made again then. While
// it cannot be made because there is no space, frames that may not use it are
// refused, and what is left of the segment at hand takes its place.
type keeper struct {
	j    *Journal
	wake chan struct{} // any goroutine sends, and never waits; only run receives
	quit chan struct{} // closed by stop
	done chan struct{} // closed when run ended; stop waits for it

	mu      sync.Mutex // guards the fields below; taken alone
	state   reserveState
	cause   error         // why it was refused
	size    int64         // of the reserve that is ready
	settled chan struct{} // closed when the state is awaited no more
	rest    time.Time     // until then it is not tried again
	dropped []*segment    // to be removed
	first   journal.Pos   // that is kept
}

// A reserve that found no space has taken some for a moment, and worn the disk:
// the next one is tried when a second has passed for each restStep that it got.
const (
	restStep = 1 << 20
	maxRest  = 10 * time.Second
)

type reserveState int

const (
	awaited reserveState = iota // it is made, or will be
	ready
	refused // there is no space for it
	failed  // it cannot be made, for another reason
)

var (
	errNoReserve = errors.New("there is no reserve")
	errStopped   = errors.New("the journal is being closed")
)

// start sets the keeper to work. size is that of the reserve, 0 if there is none.
func (k *keeper) start(j *Journal, size int64) {
	k.j = j
	k.settled = make(chan struct{})
	k.quit, k.done = make(chan struct{}), make(chan struct{})
	k.wake = make(chan struct{}, 1)
	if size > 0 {
		k.size = size
		k.setLocked(ready, nil)
	}
	if j.opt.foreground {
		close(k.done)
		k.step()
		return
	}
	go k.run() // stop waits for it
}

func (k *keeper) run() {
	defer close(k.done)
	for {
		k.step()
		select {
		case <-k.wake:
		case <-k.quit:
			return
		}
	}
}

// stop ends the keeper's work, and does what must not be left behind.
func (k *keeper) stop() {
	close(k.quit)
	<-k.done
	k.removeDropped()
}

// kick has the keeper look for work.
func (k *keeper) kick() {
	if k.j.opt.foreground {
		k.step()
		return
	}
	select {
	case k.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (k *keeper) step() {
	k.removeDropped()
	k.makeReserve()
}

func (k *keeper) setLocked(s reserveState, cause error) {
	if s == awaited {
		k.settled = make(chan struct{})
	} else if k.state == awaited {
		close(k.settled)
	}
	k.state, k.cause = s, cause
}

// allows tells whether a frame that may not use the reserve may be written:
// returns nil, or why not. While the reserve is made, half of the segment at
// hand stands for it: frames that would need that half wait.
func (k *keeper) allows(j *Journal, size int64) error {
	w := &j.w
	for {
		k.mu.Lock()
		state, cause, settled := k.state, k.cause, k.settled
		k.mu.Unlock()
		switch state {
		case ready, failed:
			return nil
		case refused:
			k.kick()
			k.mu.Lock()
			state = k.state // made again at once, with no goroutine
			k.mu.Unlock()
			if state == refused {
				return cause
			}
			return nil
		}
		if w.filled < j.opt.SegmentSize || w.off+size < w.filled/2 {
			return nil
		}
		<-settled
	}
}

// has tells whether the reserve is there, for a frame that takes size bytes.
func (k *keeper) has(size int64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state == ready && frameStart+size+sealSize <= k.size
}

// take makes a segment of the reserve and returns its size. Without one it is
// errNoReserve.
func (k *keeper) take(h segmentHeader, name string, size int64) (int64, error) {
	if !k.has(size) {
		return 0, errNoReserve
	}
	j := k.j
	reserve := filepath.Join(j.dir, reserveName)
	f, err := j.fs.open(reserve, false)
	if err != nil {
		return 0, err
	}
	_, err = f.WriteAt(h.encode(), 0)
	if err == nil {
		err = f.datasync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, harmless(err)
	}
	if err := j.fs.rename(reserve, name); err != nil {
		return 0, harmless(err)
	}
	k.mu.Lock()
	k.setLocked(awaited, nil)
	had := k.size
	k.mu.Unlock()
	return had, j.fs.syncDir(j.dir)
}

// makeReserve makes the reserve, unless it is there.
func (k *keeper) makeReserve() {
	j := k.j
	k.mu.Lock()
	state, rest := k.state, k.rest
	k.mu.Unlock()
	if state == ready || state == refused && time.Now().Before(rest) {
		return
	}
	size, off := j.opt.SegmentSize, int64(0)
	err := j.write(filepath.Join(j.dir, reserveName), func(f file) error {
		for ; off < size; off += fillStep {
			select {
			case <-k.quit:
				return errStopped
			default:
			}
			if _, err := f.WriteAt(zeros[:min(fillStep, size-off)], off); err != nil {
				return err
			}
			// In small steps, for who appends waits for the same disk.
			if err := f.datasync(); err != nil {
				return err
			}
		}
		return nil
	})
	k.settle(err, size, off)
	switch {
	case err == nil && state == refused:
		j.log.Info("journal: the reserve was made again", "dir", j.dir, "bytes", size)
	case err == nil, errors.Is(err, errStopped):
	case wantsSpace(err) && state != refused:
		j.log.Warn("journal: no space is left for the reserve", "dir", j.dir, "bytes", size, "err", err)
	case !wantsSpace(err) && state != failed:
		j.log.Warn("journal: the reserve cannot be made", "dir", j.dir, "err", err)
	}
}

// settle notes how the making of the reserve ended, and how far it came.
func (k *keeper) settle(err error, size, off int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err == nil:
		k.size = size
		k.setLocked(ready, nil)
	case wantsSpace(err):
		k.setLocked(refused, err)
		k.rest = time.Now().Add(min(time.Duration(off/restStep)*time.Second, maxRest))
	default:
		k.setLocked(failed, err)
	}
}

// drop hands over segments that were trimmed; first is the first frame kept.
func (k *keeper) drop(segs []*segment, first journal.Pos) {
	k.mu.Lock()
	k.dropped = append(k.dropped, segs...)
	k.first = first
	k.mu.Unlock()
	k.kick()
}

// removeDropped removes segments that were trimmed, after it is durable that
// they are not missing. What fails is tried again later.
func (k *keeper) removeDropped() {
	j := k.j
	k.mu.Lock()
	segs, first := k.dropped, k.first
	k.dropped = nil
	k.mu.Unlock()
	if len(segs) == 0 {
		return
	}
	err := j.writeFirst(first)
	for err == nil && len(segs) > 0 {
		j.mu.Lock()
		err = j.closeLocked(segs[0])
		j.mu.Unlock()
		if err == nil {
			err = removeFile(j.fs, segs[0].name)
		}
		if err == nil {
			segs = segs[1:]
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		j.log.Warn("journal: a segment that was trimmed is still there", "file", segs[0].name, "err", err)
		k.dropped = append(segs, k.dropped...)
		return
	}
	k.rest = time.Time{} // there is space
}

// left are the segments that could not be removed, after stop: they go when the
// journal is opened.
func (k *keeper) left() []*segment {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dropped
}

// removeFile removes a file that may be gone already.
func removeFile(fsys fsys, name string) error {
	if err := fsys.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
