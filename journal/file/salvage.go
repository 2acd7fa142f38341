package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/reeveq/reeve/journal"
)

// SalvageReport is what [Salvage] has found.
type SalvageReport struct {
	Frames  int64 // that were whole
	Bytes   int64 // of them
	First   journal.Pos
	Last    journal.Pos // their old numbers: from, to; 0: there were none
	Dropped []Dropped   // in the order of the files
	Missing []Missing   // in the order of their numbers
}

// Dropped is a part of a file of which nothing could be used.
type Dropped struct {
	File   string
	Offset int64
	Bytes  int64 // 0: the whole file
	Reason string
}

// Missing are the old numbers of frames that are not whole anywhere, between
// others that are.
type Missing struct{ From, To journal.Pos }

// Salvage copies every whole frame of the journal in dir, which stays as it is,
// into a new one in newDir, which must be empty or missing. There they are
// numbered from 1. What the disk does not give is left behind, as what is not
// whole. A journal that another process has is a [*journal.LockedError].
func Salvage(dir, newDir string) (SalvageReport, error) {
	var r SalvageReport
	pid, held, err := holder(dir)
	if err != nil {
		return r, err
	}
	if held {
		return r, &journal.LockedError{Name: dir, PID: pid}
	}
	if names, err := (lookFS{}).list(newDir); err == nil && len(names) > 0 {
		return r, fmt.Errorf("journal: %s is not empty: name a new directory", newDir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	sv, err := newSalvager(dir, lookFS{})
	if err != nil {
		return r, err
	}
	if sv.to, err = Open(newDir, Options{}); err != nil {
		return r, err
	}
	err = sv.run()
	return sv.report, errors.Join(err, sv.to.Close())
}

// salvager goes through all segments, whatever their headers say.
type salvager struct {
	fs     patchFS
	dir    string
	names  []string // of the segments, in their order
	id     uint64
	heads  map[string]segmentHeader // those that are whole
	first  journal.Pos
	to     *Journal
	last   journal.Pos // the old number of the last frame that was copied
	scan   scanner
	report SalvageReport
}

func newSalvager(dir string, fsys fsys) (*salvager, error) {
	names, err := fsys.list(dir)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	sv := &salvager{fs: patchFS{fsys}, dir: dir, heads: make(map[string]segmentHeader)}
	known := false
	first, _, err := readFirst(sv.fs, dir)
	switch {
	case err == nil:
		sv.id, sv.first, known = first.id, journal.Pos(first.words[0]), true
	case errors.Is(err, journal.ErrNewer):
		return nil, err
	case errors.Is(err, journal.ErrCorrupt):
		sv.drop(Dropped{File: filepath.Join(dir, firstName), Reason: err.Error()})
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for _, base := range names {
		n, ok := segmentFirst(base)
		if !ok || n < sv.first {
			continue
		}
		name := filepath.Join(dir, base)
		sv.names = append(sv.names, name)
		b, _, err := readBlock(sv.fs, name, segmentMagic)
		switch {
		case err == nil && (!known || b.id == sv.id):
			sv.id, known = b.id, true
			sv.heads[name] = headerOf(b)
		case err == nil:
			sv.drop(Dropped{File: name, Bytes: blockSize, Reason: "the file is another journal's"})
		case errors.Is(err, journal.ErrCorrupt):
			sv.drop(Dropped{File: name, Bytes: blockSize, Reason: errBlock.Error()})
		default:
			return nil, err
		}
	}
	// By what is in them, where that is known: files may have been renamed.
	slices.SortStableFunc(sv.names, func(a, b string) int { return cmp.Compare(sv.base(a), sv.base(b)) })
	switch {
	case len(sv.names) == 0:
		return nil, fmt.Errorf("journal: there is none in %s", dir)
	case !known: // frames tell whose they are by a number that nobody knows
		return nil, fmt.Errorf("journal: in %s neither FIRST nor the header of a segment is whole: restore one of them", dir)
	}
	return sv, nil
}

// base is the frame that a segment begins with, by its header or else its name.
func (sv *salvager) base(name string) journal.Pos {
	if head, whole := sv.heads[name]; whole {
		return head.first
	}
	base, _ := segmentFirst(filepath.Base(name))
	return base
}

// drop notes a part that is lost, with what was lost right before it.
func (sv *salvager) drop(d Dropped) {
	all := sv.report.Dropped
	if n := len(all); n > 0 && all[n-1].File == d.File && all[n-1].Offset+all[n-1].Bytes == d.Offset && d.Offset > 0 {
		all[n-1].Bytes += d.Bytes
		return
	}
	sv.report.Dropped = append(all, d)
}

func (sv *salvager) run() error {
	for i, name := range sv.names {
		if err := sv.segment(i, name); err != nil {
			return err
		}
	}
	return sv.to.Sync(context.Background())
}

// segment copies one segment's frames, and notes what of it could not be read.
func (sv *salvager) segment(i int, name string) error {
	f, err := sv.fs.open(name, false)
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	before := len(sv.report.Dropped)
	limit, err := sv.limit(i, name, f)
	if err == nil {
		err = sv.frames(name, f, limit)
	}
	sv.report.Dropped = append(sv.report.Dropped, f.(*patchedFile).dropped(name, limit)...)
	slices.SortStableFunc(sv.report.Dropped[before:], func(a, b Dropped) int { return cmp.Compare(a.Offset, b.Offset) })
	return err
}

// limit is where the frames of a segment end, as far as that is known.
func (sv *salvager) limit(i int, name string, f file) (int64, error) {
	limit, err := f.size()
	if err != nil {
		return 0, err
	}
	base := sv.base(name)
	if i+1 < len(sv.names) {
		if after, ok := sv.heads[sv.names[i+1]]; ok && after.prev == base {
			limit = min(limit, after.prevEnd)
		}
	}
	return limit, nil
}

// frames copies those that stand in the first limit bytes.
func (sv *salvager) frames(name string, f file, limit int64) error {
	s := &sv.scan
	s.begin(f, sv.id, sv.base(name), limit)
	for at := int64(frameStart); at < limit; {
		found := int64(-1)
		var h frameHeader
		end, err := s.headers(at, func(off int64, header frameHeader) bool {
			found, h = off, header
			return false
		})
		if err != nil {
			return err
		}
		if found < 0 {
			if end > at {
				sv.drop(Dropped{name, at, end - at, "no whole frame is there"})
			}
			return nil
		}
		if found > at && !sv.blank(at, found) {
			sv.drop(Dropped{name, at, found - at, "no whole frame is there"})
		}
		if h.flags&flagSeal != 0 {
			at = found + headerSize
			continue
		}
		if at, err = sv.frame(name, f, found, h, limit); err != nil {
			return err
		}
	}
	return nil
}

// blank tells whether all is zero between two offsets.
func (sv *salvager) blank(from, to int64) bool {
	for from < to {
		b, err := sv.scan.window(from, int(min(scanStep, to-from)))
		if err != nil || len(b) == 0 || !isZero(b) {
			return false
		}
		from += int64(len(b))
	}
	return true
}

// frame copies the frame at off, if it is whole, and returns where to look on.
func (sv *salvager) frame(name string, f file, off int64, h frameHeader, limit int64) (next int64, err error) {
	bad := func(why string) (int64, error) {
		sv.drop(Dropped{name, off, headerSize, fmt.Sprintf("frame %d: %s", h.pos, why)})
		return off + headerSize, nil
	}
	switch {
	case h.length == 0 || h.length > maxFrame || int64(h.length) > limit-off-headerSize:
		return bad("the file ends in the frame")
	case h.pos <= sv.last:
		return bad("a frame of this number or a later one stands before")
	}
	frame, err := sv.scan.window(off+headerSize, int(h.length))
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if len(frame) < int(h.length) || crc32.Checksum(frame, castagnoli) != h.crc {
		return bad("the frame's checksum is another")
	}
	if err := sv.to.Append(context.Background(), sv.to.last+1, frame, journal.AppendOptions{}); err != nil {
		return 0, err
	}
	r := &sv.report
	if sv.last != 0 && h.pos != sv.last+1 {
		r.Missing = append(r.Missing, Missing{sv.last + 1, h.pos - 1})
	}
	if r.Frames == 0 {
		r.First = h.pos
	}
	r.Frames++
	r.Bytes += int64(len(frame))
	r.Last, sv.last = h.pos, h.pos
	return off + frameSize(len(frame)), nil
}
