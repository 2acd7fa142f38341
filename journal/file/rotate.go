package file

import (
	"errors"
	"path/filepath"
)

// rotate begins a segment, for a frame that takes size bytes. Everything before
// is durable then; so only the last segment can have an end that a power cut
// has torn. A segment gets its name when its header is durable; so a header
// that is not whole is damage, always. The seal of the one before is written
// when the new one cannot be lost any more; so one that is sealed and has no
// successor is damage, too.
func (j *Journal) rotate(size int64) error {
	if err := j.flush(); err != nil {
		return err
	}
	w := &j.w
	h := segmentHeader{id: j.id, first: j.last + 1, prev: w.seg.first, prevEnd: w.off}
	name := segmentPath(j.dir, h.first)
	filled, err := j.keeper.take(h, name, size)
	if errors.Is(err, errNoReserve) {
		filled, err = j.create(h, name)
	}
	if err != nil {
		return err
	}
	f, err := j.fs.open(name, false)
	if err != nil {
		return err
	}
	sealed := j.seal()

	seg := &segment{name: name, first: h.first, end: frameStart, f: f}
	j.mu.Lock()
	j.segments = append(j.segments, seg)
	if j.opened++; j.opened > maxOpen {
		j.closeIdleLocked()
	}
	j.mu.Unlock()
	w.seg, w.f, w.off, w.filled, w.syncedOff = seg, f, frameStart, filled, frameStart
	j.keeper.kick()
	return sealed
}

// seal ends the last segment. Without the space for it nothing is lost but that
// the loss of what follows would be noticed.
func (j *Journal) seal() error {
	w := &j.w
	b := make([]byte, sealSize)
	frameHeader{pos: j.last + 1, synced: j.last, flags: flagSeal}.encode(b, place(j.id, w.seg.first, w.off))
	if _, err := w.f.WriteAt(b, w.off); err != nil {
		if isFull(err) {
			return nil
		}
		return err
	}
	return w.f.datasync()
}

// create makes a segment, and returns its size. It leaves no trace when there
// is no space for it.
func (j *Journal) create(h segmentHeader, name string) (filled int64, err error) {
	filled = min(fillStep, j.opt.SegmentSize)
	err = j.write(name, func(f file) error {
		if _, err := f.WriteAt(zeros[:filled], 0); err != nil {
			return err
		}
		_, err := f.WriteAt(h.encode(), 0)
		return err
	})
	return filled, err
}

// write makes a file of what f writes. It appears under its name when all of it
// is durable, and not at all when there is no space for it.
func (j *Journal) write(name string, write func(f file) error) error {
	temp := name + tempExt
	err := j.writeTemp(temp, write)
	if err == nil {
		err = j.fs.rename(temp, name)
	}
	if err != nil {
		// One that was not made is none; others go when the journal is opened.
		_ = j.fs.remove(temp)
		return harmless(err)
	}
	return j.fs.syncDir(j.dir)
}

func (j *Journal) writeTemp(temp string, write func(f file) error) error {
	f, err := j.fs.open(temp, true)
	if err != nil {
		return err
	}
	err = f.truncate(0)
	if err == nil {
		err = write(f)
	}
	if err == nil {
		err = f.sync()
	}
	return errors.Join(err, f.Close())
}

// markClean notes that everything up to the last frame is durable: from then on
// an end that is missing was not torn by a power cut. Where there is no space
// for that, nothing else is lost.
func (j *Journal) markClean() error {
	w := &j.w
	if w.clean {
		return nil
	}
	b := block{cleanMagic, j.id, [4]uint64{uint64(j.last), uint64(w.seg.first), uint64(w.off)}}
	err := j.write(filepath.Join(j.dir, cleanName), func(f file) error {
		_, err := f.WriteAt(b.encode(), 0)
		return err
	})
	if wantsSpace(err) {
		j.log.Warn("journal: no space is left to note that it was closed", "dir", j.dir, "err", err)
		return nil
	}
	return err
}

// unclean takes the note back, before the first change.
func (j *Journal) unclean() error {
	if !j.w.clean {
		return nil
	}
	if err := removeFile(j.fs, filepath.Join(j.dir, cleanName)); err != nil {
		return harmless(err)
	}
	if err := j.fs.syncDir(j.dir); err != nil {
		return err
	}
	j.w.clean = false
	return nil
}
