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
	// One after the other: one is whole at any time.
	for _, off := range []int64{0, firstCopy} {
		if err == nil {
			_, err = f.WriteAt(b, off)
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
	p := make([]byte, firstCopy+blockSize)
	n, err := f.ReadAt(p, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return b, false, err
	}
	clear(p[n:])
	one, err1 := decodeBlock(p, firstMagic)
	two, err2 := decodeBlock(p[firstCopy:], firstMagic)
	for _, err := range []error{err1, err2} {
		if errors.Is(err, journal.ErrNewer) {
			return b, false, fmt.Errorf("%s: %w", name, err)
		}
	}
	switch {
	case err1 != nil && err2 != nil:
		return b, false, &journal.CorruptError{File: name, Reason: "neither copy of what it holds is whole"}
	case err1 != nil || err2 == nil && two.words[0] > one.words[0]:
		one = two
	}
	return one, err1 == nil && err2 == nil && one == two, nil
}
