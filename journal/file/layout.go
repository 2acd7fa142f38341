package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/reeveq/reeve/journal"
)

// layout is what a directory holds, by names and headers.
type layout struct {
	dir      string
	names    []string
	id       uint64
	segments []headedSegment // those that are kept, without a gap
	leftover []string        // segments that were trimmed, and files that were not finished
	first    journal.Pos     // the first frame that is kept
	noFirst  bool            // FIRST is missing, and may be
	repair   bool            // FIRST is to be written again
	reserve  int64           // the size of RESERVE; 0: there is none
	clean    bool            // CLEAN is there
	durable  journal.Pos     // the last frame that was, by CLEAN
	closed   uint64          // whose CLEAN that is
}

type headedSegment struct {
	name string
	segmentHeader
	size int64
}

// readLayout reads what is in dir and checks that nothing is missing. It
// changes nothing. A directory without a journal has no segments.
func readLayout(fsys fsys, dir string) (*layout, error) {
	names, err := fsys.list(dir)
	if err != nil {
		return nil, err
	}
	slices.Sort(names) // segments in their order
	l := &layout{dir: dir, names: names}
	if err := l.readNotes(fsys); err != nil {
		return nil, err
	}
	if err := l.readHeaders(fsys); err != nil {
		return nil, err
	}
	return l, l.check()
}

// readNotes reads FIRST, CLEAN and RESERVE, and finds what was not finished.
func (l *layout) readNotes(fsys fsys) error {
	first, same, err := readFirst(fsys, l.dir)
	switch {
	case err == nil:
		l.id, l.first, l.repair = first.id, journal.Pos(first.words[0]), !same
	case errors.Is(err, fs.ErrNotExist):
		l.first, l.noFirst = 1, true
	default:
		return err
	}
	if slices.Contains(l.names, cleanName) {
		name := filepath.Join(l.dir, cleanName)
		b, _, err := readBlock(fsys, name, cleanMagic)
		if err != nil {
			if errors.Is(err, journal.ErrCorrupt) {
				err = &journal.CorruptError{File: name, Reason: "the note that the journal was closed is damaged: " +
					"move the file away, and check the journal"}
			}
			return err
		}
		l.clean, l.durable, l.closed = true, journal.Pos(b.words[0]), b.id
	}
	if slices.Contains(l.names, reserveName) {
		f, err := fsys.open(filepath.Join(l.dir, reserveName), false)
		if err != nil {
			return err
		}
		defer f.Close() // it was only asked
		if l.reserve, err = f.size(); err != nil {
			return err
		}
	}
	for _, name := range l.names {
		if strings.HasSuffix(name, tempExt) && ours(name) {
			l.leftover = append(l.leftover, filepath.Join(l.dir, name))
		}
	}
	return nil
}

// readHeaders reads those of all segments that are kept.
func (l *layout) readHeaders(fsys fsys) error {
	var damaged error
	for _, base := range l.names {
		first, ok := segmentFirst(base)
		if !ok {
			continue
		}
		name := filepath.Join(l.dir, base)
		if first < l.first {
			l.leftover = append(l.leftover, name)
			continue
		}
		b, size, err := readBlock(fsys, name, segmentMagic)
		if errors.Is(err, journal.ErrCorrupt) {
			damaged = errors.Join(damaged, err) // a newer version is said first
			continue
		}
		if err != nil {
			return err
		}
		l.segments = append(l.segments, headedSegment{name, headerOf(b), size})
	}
	if err, ok := damaged.(interface{ Unwrap() []error }); ok {
		return err.Unwrap()[0]
	}
	return damaged
}

// readBlock reads the block at the beginning of a file.
func readBlock(fsys fsys, name, magic string) (b block, size int64, err error) {
	f, err := fsys.open(name, false)
	if err != nil {
		return b, 0, err
	}
	defer f.Close() // it was only read
	p := make([]byte, blockSize)
	n, err := f.ReadAt(p, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return b, 0, err
	}
	b, err = decodeBlock(p[:n], magic)
	switch {
	case errors.Is(err, errBlock):
		return b, 0, &journal.CorruptError{File: name, Reason: err.Error()}
	case err != nil:
		return b, 0, fmt.Errorf("%s: %w", name, err)
	}
	size, err = f.size()
	return b, size, err
}

// check tells whether the segments are those of one journal, and all of them.
func (l *layout) check() error {
	if len(l.segments) == 0 {
		if l.noFirst && !l.clean {
			return nil
		}
		return &journal.CorruptError{File: segmentPath(l.dir, l.first), Pos: l.first, Reason: "the file is missing"}
	}
	if l.noFirst {
		l.id = l.segments[0].id
	}
	if l.clean && l.closed != l.id {
		return &journal.CorruptError{File: filepath.Join(l.dir, cleanName), Reason: "the file is another journal's: move it away, and check the journal"}
	}
	next := l.first
	for i, s := range l.segments {
		switch {
		case s.name != segmentPath(l.dir, s.first):
			return &journal.CorruptError{File: s.name, Reason: fmt.Sprintf("the file begins with frame %d", s.first)}
		case s.id != l.id:
			return &journal.CorruptError{File: s.name, Reason: "the file is another journal's"}
		case i == 0 && s.first != next:
			return &journal.CorruptError{File: segmentPath(l.dir, next), Pos: next, Reason: "the file is missing"}
		case i > 0 && s.prev != l.segments[i-1].first:
			return &journal.CorruptError{File: segmentPath(l.dir, s.prev), Pos: s.prev, Reason: "the file is missing"}
		case s.size < frameStart:
			return &journal.CorruptError{File: s.name, Offset: s.size, Pos: s.first, Reason: "the file ends too early"}
		}
	}
	return nil
}

// end is where the frames of segment i end, and the frame that is next then;
// of the last segment the file's end, and 0.
func (l *layout) end(i int) (int64, journal.Pos) {
	if i+1 == len(l.segments) {
		return l.segments[i].size, 0
	}
	return l.segments[i+1].prevEnd, l.segments[i+1].first
}

// tail is how the last segment ends.
type tail struct {
	off  int64       // behind the last good frame
	next journal.Pos // the number behind its
	torn int64       // bytes behind it that are no frame
	why  string      // they are none
}

// readTail passes on the frames of the last segment, and tells where it was
// torn. It is damage, and not torn, when what is missing was durable: by CLEAN,
// by the segment's header, or by what was written later.
func (l *layout) readTail(ctx context.Context, s *scanner, f file, each func(p journal.Pos, off int64, frame []byte) error) (tail, error) {
	head := l.head()
	s.begin(f, head.id, head.first, head.size)
	for {
		if err := ctx.Err(); err != nil {
			return tail{}, err
		}
		pos, off := s.next, s.off
		what, frame, why, err := s.step()
		if err == nil && what != foundFrame {
			var t tail
			if t, err = l.judge(s, what, why); err == nil {
				return t, nil
			}
			// Somebody may have written meanwhile, if this is but a look.
			s.again()
			if what, frame, _, _ = s.step(); what == foundFrame {
				err = nil
			}
		}
		if err != nil {
			return tail{}, err
		}
		if err := each(pos, off, frame); err != nil {
			return tail{}, err
		}
	}
}

// judge tells whether the frames end where the scanner is.
func (l *layout) judge(s *scanner, what found, why string) (tail, error) {
	if what == foundSeal {
		return tail{}, &journal.CorruptError{File: segmentPath(l.dir, s.next), Pos: s.next, Reason: "the file is missing"}
	}
	synced, end, err := s.rest()
	if err != nil {
		return tail{}, err
	}
	if max(synced, l.durable, s.first-1) >= s.next {
		return tail{}, &journal.CorruptError{File: l.head().name, Offset: s.off, Pos: s.next, Reason: why}
	}
	return tail{off: s.off, next: s.next, torn: end - s.off, why: why}, nil
}

func (l *layout) head() *headedSegment { return &l.segments[len(l.segments)-1] }
