package file

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// writer is where the next frame goes. The one who appends has it alone.
type writer struct {
	seg    *segment // the last
	f      file     // its file
	off    int64    // behind the last frame
	filled int64    // the file's size: written ahead, with zeros
	clean  bool     // CLEAN is still there
	buf    []byte   // of one frame with its header

	synced    journal.Pos // the last frame that is durable
	syncedOff int64       // where it ends, or where the first frame stands
}

// fillStep is how much is written ahead at once: writing over blocks that were
// written before needs no change of the file system's own records, and makes a
// sync twice as fast.
const fillStep = 1 << 20

// maxBuffer is how large a buffer is kept for the next frame.
const maxBuffer = 4 << 20

var zeros [fillStep]byte

// sealSize is kept free at the end of each segment.
const sealSize = headerSize

var (
	errEmpty    = errors.New("a frame is empty")
	errTooLarge = errors.New("a frame is too large")
)

// Append implements [journal.Journal]. It writes to the page cache only, but
// for the first frame of a segment, which waits for the disk; without Reserve it
// may wait for the reserve to be made. With no space left it fails without
// Reserve; with it, only when the reserve is used up, too.
func (j *Journal) Append(_ context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
	if err := j.usable(); err != nil {
		return err
	}
	switch {
	case p != j.last+1:
		return j.fail("append", fmt.Errorf("frame %d cannot follow frame %d", p, j.last))
	case len(frame) == 0:
		return j.fail("append", errEmpty)
	case len(frame) > maxFrame:
		return j.fail("append", fmt.Errorf("%w: %d bytes, at most %d", errTooLarge, len(frame), maxFrame))
	}
	j.replayed = true
	size := frameSize(len(frame))
	if err := j.room(size, o.Reserve); err != nil {
		return j.refuse(err)
	}
	if err := j.put(p, frame, size); err != nil {
		return j.refuse(err)
	}
	w := &j.w
	j.mu.Lock()
	defer j.mu.Unlock()
	w.seg.note(p, w.off)
	w.off += size
	w.seg.end = w.off
	j.last = p
	return nil
}

// noSpace is the want of space of a step that has left no trace.
type noSpace struct{ cause error }

func (e *noSpace) Error() string { return e.cause.Error() }
func (e *noSpace) Unwrap() error { return e.cause }

// harmless makes the want of space a [*noSpace], and leaves other errors alone.
func harmless(err error) error {
	if err != nil && isFull(err) {
		return &noSpace{err}
	}
	return err
}

// wantsSpace tells a [*noSpace].
func wantsSpace(err error) bool {
	if err == nil {
		return false // and nothing is allocated
	}
	var none *noSpace
	return errors.As(err, &none)
}

// refuse tells the want of space from what ends the journal.
func (j *Journal) refuse(err error) error {
	if wantsSpace(err) {
		return fmt.Errorf("%w in %s: make space there: %w", reeve.ErrJournalFull, j.dir, err)
	}
	return j.fail("append", err)
}

// put writes a frame, and takes it back where there was no space for it:
// overwriting takes none on most file systems, but not on all.
func (j *Journal) put(p journal.Pos, frame []byte, size int64) error {
	w := &j.w
	if int64(cap(w.buf)) < size {
		w.buf = make([]byte, size)
	}
	b := w.buf[:size]
	frameHeader{
		crc:    crc32.Checksum(frame, castagnoli),
		length: uint32(len(frame)),
		pos:    p,
		synced: w.synced,
	}.encode(b, place(j.id, w.seg.first, w.off))
	n := copy(b[headerSize:], frame)
	clear(b[headerSize+n:])
	if cap(w.buf) > maxBuffer {
		w.buf = nil
	}
	_, err := w.f.WriteAt(b, w.off)
	if isFull(err) {
		undo := w.f.truncate(w.off)
		if undo == nil {
			undo = w.f.sync() // or it could be found in the place of the next one, after a power cut
		}
		if undo != nil {
			j.writeAgain()
			return fmt.Errorf("taking back what found no space: %w", undo)
		}
		w.filled = w.off
	}
	return harmless(err)
}

// room makes room for size bytes, and for a seal behind them, or returns an
// error and has changed nothing that counts.
func (j *Journal) room(size int64, reserve bool) error {
	if err := j.unclean(); err != nil {
		return err
	}
	if !reserve {
		if err := j.keeper.allows(j, size); err != nil {
			return err
		}
	}
	w := &j.w
	if w.off > frameStart && w.off+size+sealSize > j.opt.SegmentSize {
		if err := j.rotate(size); err != nil {
			return err
		}
	}
	err := j.fill(w.off + size)
	if !wantsSpace(err) || !reserve || w.off == frameStart || !j.keeper.has(size) {
		return err
	}
	j.log.Warn("journal: no space is left, the reserve is used", "dir", j.dir, "err", err)
	return j.rotate(size) // what is left of this segment is not needed
}

// fill writes zeros ahead until the segment has to bytes at least. Without the
// space for them all, none are kept.
func (j *Journal) fill(to int64) error {
	w := &j.w
	filled := w.filled
	for filled < to {
		n := min(fillStep, max(j.opt.SegmentSize, to)-filled)
		_, err := w.f.WriteAt(zeros[:n], filled)
		if isFull(err) {
			if undo := w.f.truncate(w.filled); undo != nil {
				return fmt.Errorf("taking back what found no space: %w", undo)
			}
		}
		if err != nil {
			return harmless(err)
		}
		filled += n
	}
	w.filled = filled
	return nil
}

// Sync implements [journal.Journal].
func (j *Journal) Sync(context.Context) error {
	if err := j.usable(); err != nil {
		return err
	}
	if err := j.flush(); err != nil {
		return j.fail("sync", err)
	}
	return nil
}

// flush makes everything that was appended durable.
func (j *Journal) flush() error {
	w := &j.w
	if w.synced == j.last {
		return nil
	}
	if err := w.f.datasync(); err != nil {
		j.writeAgain()
		return err
	}
	w.synced, w.syncedOff = j.last, w.off
	return nil
}

// writeAgain writes what is not durable over itself, after a sync failed: the
// operating system takes those bytes for written now, and whoever opens the
// journal next would take them for durable.
func (j *Journal) writeAgain() {
	w := &j.w
	b := make([]byte, max(0, min(scanStep, w.off-w.syncedOff)))
	for off := w.syncedOff; off < w.off; {
		n, err := w.f.ReadAt(b[:min(int64(len(b)), w.off-off)], off)
		if n == 0 || err != nil {
			return // nothing more can be done, and the error that counts is known
		}
		if _, err := w.f.WriteAt(b[:n], off); err != nil {
			return
		}
		off += int64(n)
	}
}
