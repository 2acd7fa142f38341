package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/reeveq/reeve/journal"
)

// Trim implements [journal.Journal]: segments with nothing but frames before p
// are removed, by another goroutine. The one that is written stays, unless it
// is larger than segments are and nothing in it is kept. What was appended is
// durable before anything is removed.
func (j *Journal) Trim(_ context.Context, p journal.Pos) error {
	if err := j.usable(); err != nil {
		return err
	}
	if p > j.last+1 {
		return fmt.Errorf("journal: trim before frame %d: the last one is %d", p, j.last)
	}
	if err := j.letGo(p); err != nil && !wantsSpace(err) {
		return j.fail("trim", err)
	}
	j.mu.Lock()
	j.trimmed = max(j.trimmed, p)
	n := 0
	for n+1 < len(j.segments) && j.segments[n+1].first <= p {
		n++
	}
	segs := j.segments[:n:n]
	j.segments = j.segments[n:]
	first := j.segments[0].first
	j.mu.Unlock()
	if n > 0 {
		j.keeper.drop(segs, first)
	}
	return nil
}

// letGo prepares for a trim: what was appended may be what is to be kept of the
// segments that are removed, and a large one with nothing that is kept gets a
// successor.
func (j *Journal) letGo(p journal.Pos) error {
	if len(j.segments) > 1 && j.segments[1].first <= p {
		if err := j.flush(); err != nil {
			return err
		}
	}
	if w := &j.w; p <= j.last || w.off == frameStart || w.filled <= j.opt.SegmentSize {
		return nil
	}
	if err := j.unclean(); err != nil {
		return err
	}
	return j.rotate(0)
}

// FIRST holds the first frame that is kept, twice: at 0, and at firstCopy. It is
// written in place, so that segments can be removed when no space is left.
const firstCopy = 4096

// writeFirst notes that nothing before the segment that begins with first is
// missing.
func (j *Journal) writeFirst(first journal.Pos) error {
	b := block{firstMagic, j.id, [4]uint64{uint64(first)}}.encode()
	name := filepath.Join(j.dir, firstName)
	f, err := j.fs.open(name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return j.write(name, func(f file) error {
			_, err := f.WriteAt(b, 0)
			if err == nil {
				_, err = f.WriteAt(b, firstCopy)
			}
			return err
		})
	}
	if err != nil {
		return err
	}
	// One after the other, each durable before the next is begun: one is whole at
	// any time. So the one that a power cut has torn is the first to be written.
	offsets := []int64{0, firstCopy}
	one, two, err := readCopies(f)
	if err == nil && one.err == nil && two.err != nil {
		offsets = []int64{firstCopy, 0}
	}
	if err == nil {
		err = f.datasync() // what was read may be known to the operating system only
	}
	for _, off := range offsets {
		if err == nil {
			_, err = f.WriteAt(b, off)
			err = harmless(err) // the other one is whole
		}
		if err == nil {
			err = f.datasync()
		}
	}
	return errors.Join(err, f.Close())
}

// readFirst returns the block of FIRST that counts, and whether both are whole
// and the same; no file is an error that matches fs.ErrNotExist.
func readFirst(fsys fsys, dir string) (b block, same bool, err error) {
	name := filepath.Join(dir, firstName)
	f, err := fsys.open(name, false)
	if err != nil {
		return b, false, err
	}
	defer f.Close() // it was only read
	one, two, err := readCopies(f)
	if err != nil {
		return b, false, err
	}
	for _, c := range []firstBlock{one, two} {
		if errors.Is(c.err, journal.ErrNewer) {
			return b, false, fmt.Errorf("%s: %w", name, c.err)
		}
	}
	switch {
	case one.err != nil && two.err != nil:
		return b, false, &journal.CorruptError{File: name, Reason: "neither copy of what it holds is whole"}
	case one.err != nil || two.err == nil && two.words[0] > one.words[0]:
		return two.block, false, nil
	}
	return one.block, two.err == nil && one.block == two.block, nil
}

// firstBlock is one of the two copies.
type firstBlock struct {
	block
	err error // it is not whole
}

// readCopies reads what FIRST holds; its own error is that of reading.
func readCopies(f file) (one, two firstBlock, err error) {
	p := make([]byte, firstCopy+blockSize)
	n, err := f.ReadAt(p, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return one, two, err
	}
	clear(p[n:])
	one.block, one.err = decodeBlock(p, firstMagic)
	two.block, two.err = decodeBlock(p[firstCopy:], firstMagic)
	return one, two, nil
}
