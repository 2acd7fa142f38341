package file

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/reeveq/reeve/journal"
)

// Open opens the journal in dir, or makes one, and keeps others away until
// Close. It reads the last segment whole: an end that a power cut has torn is
// dropped, and the Logger told; damage is a [*journal.CorruptError]. A directory
// that another process has is a [*journal.LockedError] at once, one that a newer
// version wrote is [journal.ErrNewer], and not touched.
//
// The reserve is made afterwards, by a goroutine that ends with Close.
func Open(dir string, o Options) (*Journal, error) { return open(dir, o, osFS{}) }

func open(dir string, o Options, fsys fsys) (*Journal, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := fsys.mkdir(dir); err != nil {
		return nil, openError(dir, err)
	}
	unlock, err := fsys.lock(dir)
	if err != nil {
		return nil, openError(dir, err)
	}
	j := &Journal{fs: fsys, dir: dir, opt: o, log: o.Logger, unlock: unlock}
	j.idle.L = &j.mu
	reserve, err := j.load()
	if err != nil {
		return nil, errors.Join(openError(dir, err), j.abandon())
	}
	j.keeper.start(j, reserve)
	return j, nil
}

// openError says what to do where that is known.
func openError(dir string, err error) error {
	cure := ""
	switch {
	case errors.Is(err, journal.ErrCorrupt), errors.Is(err, journal.ErrLocked), errors.Is(err, journal.ErrNewer):
		return err
	case errors.Is(err, errNotDir), errors.Is(err, syscall.ENOTDIR):
		cure = ": name a directory"
	case errors.Is(err, syscall.EROFS):
		cure = ": mount it to be written, or name another directory"
	case errors.Is(err, fs.ErrPermission):
		cure = ": its owner alone may write it; run as that user, or name another directory"
	case errors.Is(err, syscall.EIO):
		cure = ": the disk fails; what it still gives can be salvaged"
	case isFull(err):
		cure = ": make space there"
	}
	return fmt.Errorf("journal: cannot open %s: %w%s", dir, err, cure)
}

// abandon gives up what load has opened.
func (j *Journal) abandon() error {
	var err error
	if j.w.f != nil {
		err = j.w.f.Close()
	}
	return errors.Join(err, j.unlock())
}

// load reads the directory, or makes a journal there, and returns the size of
// the reserve.
func (j *Journal) load() (reserve int64, err error) {
	l, err := readLayout(j.fs, j.dir)
	if err != nil {
		return 0, err
	}
	made := len(l.segments) == 0
	if made {
		if l, err = j.make(l); err != nil {
			return 0, err
		}
	}
	j.id = l.id
	head := l.head()
	f, err := j.fs.open(head.name, false)
	if err != nil {
		return 0, err
	}
	j.w.f = f
	var marks segment
	t, err := l.readTail(context.Background(), &scanner{}, f, func(p journal.Pos, off int64, _ []byte) error {
		marks.note(p, off)
		return nil
	})
	if err != nil {
		return 0, err
	}
	if !made && (!l.clean || t.torn > 0 || t.next-1 != l.durable) {
		if err := j.mend(head, t); err != nil {
			return 0, err
		}
	}
	for i, s := range l.segments {
		end, _ := l.end(i)
		j.segments = append(j.segments, &segment{name: s.name, first: s.first, end: end})
	}
	seg := j.head()
	seg.f, seg.end, seg.marks = f, t.off, marks.marks
	j.opened = 1
	j.last = t.next - 1
	j.trimmed = j.segments[0].first
	j.w = writer{seg: seg, f: f, off: t.off, filled: head.size, clean: l.clean, synced: j.last, syncedOff: t.off}
	return j.tidy(l)
}

// make makes a journal where there is none.
func (j *Journal) make(l *layout) (*layout, error) {
	j.id = j.opt.id
	if j.id == 0 {
		var b [8]byte
		rand.Read(b[:])
		j.id = le.Uint64(b[:])
	}
	if err := j.removeAll(l.leftover); err != nil {
		return nil, err
	}
	if _, err := j.create(segmentHeader{id: j.id, first: 1}, segmentPath(j.dir, 1)); err != nil {
		return nil, err
	}
	return readLayout(j.fs, j.dir)
}

// mend makes durable what is read after a journal was not closed: it may be
// known to the operating system only, or torn. What is torn is overwritten
// before anything is written in its place: or what is left of it could follow
// a new frame, after the next power cut, as if it was written later.
func (j *Journal) mend(head *headedSegment, t tail) error {
	if t.torn > 0 {
		j.log.Warn("journal: a torn end was dropped", "file", head.name, "offset", t.off, "bytes", t.torn, "why", t.why)
		for off := t.off; off < t.off+t.torn; off += fillStep {
			n := min(fillStep, t.off+t.torn-off)
			_, err := j.w.f.WriteAt(zeros[:n], off)
			if isFull(err) { // on a file system that never writes over anything
				err, head.size = j.w.f.truncate(t.off), t.off
				off = t.off + t.torn
			}
			if err != nil {
				return err
			}
		}
	}
	if err := j.w.f.sync(); err != nil {
		j.w.syncedOff, j.w.off = frameStart, t.off+t.torn // nobody knows what of it is durable
		j.writeAgain()
		return err
	}
	return j.fs.syncDir(j.dir)
}

// tidy removes what is left over and repairs FIRST and RESERVE, of which the
// size is returned; 0: it is to be made.
func (j *Journal) tidy(l *layout) (reserve int64, err error) {
	if reserve, err = j.tidyReserve(l); err != nil {
		return 0, err
	}
	if !l.noFirst && !l.repair && len(l.leftover) == 0 {
		return reserve, nil
	}
	err = j.writeFirst(l.first)
	if wantsSpace(err) {
		return reserve, nil // nothing else is removed before this worked
	}
	if err != nil {
		return 0, err
	}
	return reserve, j.removeAll(l.leftover)
}

// tidyReserve removes a reserve that will not do, and returns the size of one
// that will.
func (j *Journal) tidyReserve(l *layout) (int64, error) {
	if l.reserve == 0 {
		return 0, nil
	}
	name := filepath.Join(j.dir, reserveName)
	blank, err := j.blankReserve(name)
	if err != nil {
		return 0, err
	}
	if blank && l.reserve == j.opt.SegmentSize {
		return l.reserve, nil
	}
	return 0, removeFile(j.fs, name)
}

// blankReserve tells whether the reserve has no header: one that has it was about
// to become a segment, and may be one already, under two names.
func (j *Journal) blankReserve(name string) (bool, error) {
	f, err := j.fs.open(name, false)
	if err != nil {
		return false, err
	}
	p := make([]byte, blockSize)
	n, err := f.ReadAt(p, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return isZero(p[:n]), errors.Join(err, f.Close())
}

func (j *Journal) removeAll(names []string) error {
	for _, name := range names {
		if err := removeFile(j.fs, name); err != nil {
			return err
		}
	}
	return nil
}
