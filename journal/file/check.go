package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/reeveq/reeve/journal"
)

// Info is what a directory holds.
type Info struct {
	Dir      string
	ID       uint64      // of the journal
	First    journal.Pos // of the frames that are kept
	Last     journal.Pos // First-1: there is none
	Segments []SegmentInfo
	Disk     int64 // bytes of all files
	Reserve  int64 // of them the reserve's; 0: there is none
	Clean    bool  // it was closed, and not opened since
	Torn     *Torn // nil: it ends as it should
	Held     bool  // a process has the journal
	PID      int   // that process; 0: not known
}

// SegmentInfo is one file with frames.
type SegmentInfo struct {
	File   string
	First  journal.Pos // the number of its first frame
	Frames int64
	Bytes  int64 // up to the end of the last frame
	Disk   int64 // that the file has
}

// Torn is the end of the last segment that [Open] would drop: of what a power
// cut interrupted, and nobody was told that it is durable.
type Torn struct {
	File   string
	Offset int64
	Bytes  int64
	Reason string
}

// Report is what a check has read.
type Report struct {
	Info
	Frames int64
	Bytes  int64 // of the frames, without what surrounds them
}

// Check reads every frame of the journal in dir and verifies it. It changes
// nothing, and needs nobody's leave: of a journal that a process has, it sees
// what was written when it came by. The first damage is a
// [*journal.CorruptError], with what was read until then.
func Check(dir string) (Report, error) {
	return Scan(context.Background(), dir, func(journal.Pos, []byte) error { return nil })
}

// Scan is [Check] with f called for each frame, which is f's until it returns.
// It ends with f's error, or with ctx's.
func Scan(ctx context.Context, dir string, f func(p journal.Pos, frame []byte) error) (Report, error) {
	v, err := look(dir)
	if err != nil {
		return Report{Info: v.info}, err
	}
	r := Report{Info: v.info}
	each := func(p journal.Pos, _ int64, frame []byte) error {
		r.Frames++
		r.Bytes += int64(len(frame))
		return f(p, frame)
	}
	var s scanner
	for i, seg := range v.layout.segments[:len(v.layout.segments)-1] {
		end, next := v.layout.end(i)
		err := v.read(seg.name, func(f file) error {
			s.begin(f, seg.id, seg.first, end)
			return s.frames(ctx, seg.name, next, each)
		})
		if errors.Is(err, fs.ErrNotExist) && v.trimmed(&r.Info) {
			continue
		}
		if err != nil {
			return r, err
		}
		r.note(seg, next, end)
	}
	err = v.tail(ctx, &s, &r.Info, each)
	return r, err
}

// Stat tells what is in dir by names and headers, and reads of the frames only
// those of the last segment. Else it is as [Check].
func Stat(dir string) (Info, error) {
	v, err := look(dir)
	if err != nil {
		return v.info, err
	}
	info := v.info
	for i, seg := range v.layout.segments[:len(v.layout.segments)-1] {
		end, next := v.layout.end(i)
		info.note(seg, next, end)
	}
	err = v.tail(context.Background(), &scanner{}, &info, func(journal.Pos, int64, []byte) error { return nil })
	return info, err
}

// note adds a segment with frames up to next.
func (i *Info) note(seg headedSegment, next journal.Pos, end int64) {
	i.Segments = append(i.Segments, SegmentInfo{
		File:   seg.name,
		First:  seg.first,
		Frames: int64(next - seg.first),
		Bytes:  end,
		Disk:   seg.size,
	})
	i.Last = next - 1
}

// visit is a look at a directory.
type visit struct {
	layout *layout
	info   Info
}

// lookTries is how often a directory is looked at while its owner changes it.
const lookTries = 20

// look reads the layout of dir. A process that has the journal may remove or
// begin a segment meanwhile: what then seems missing is looked for once more.
func look(dir string) (v visit, err error) {
	for range lookTries {
		v.info = Info{Dir: dir}
		if v.info.PID, v.info.Held, err = holder(dir); err != nil {
			return v, err
		}
		v.layout, err = readLayout(lookFS{}, dir)
		if err == nil || !v.info.Held || !errors.Is(err, journal.ErrCorrupt) && !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return v, openError(dir, err)
	}
	l := v.layout
	if len(l.segments) == 0 {
		return v, fmt.Errorf("journal: there is none in %s", dir)
	}
	v.info.ID, v.info.First, v.info.Last = l.id, l.first, l.first-1
	v.info.Reserve, v.info.Clean = l.reserve, l.clean
	for _, name := range l.names {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && ours(name) {
			v.info.Disk += info.Size() // others are gone
		}
	}
	return v, nil
}

func (v visit) read(name string, f func(file) error) error {
	from, err := lookFS{}.open(name, false)
	if err != nil {
		return err
	}
	return errors.Join(f(from), from.Close())
}

// trimmed tells whether frames were trimmed since the visit began, and notes
// which are kept.
func (v visit) trimmed(info *Info) bool {
	first := v.kept()
	if first <= v.layout.first {
		return false
	}
	info.First, info.Last = first, max(info.Last, first-1)
	return true
}

// kept is the first frame that is kept by now; 0: not known.
func (v visit) kept() journal.Pos {
	b, _, err := readFirst(lookFS{}, v.info.Dir)
	if err != nil {
		return 0
	}
	return journal.Pos(b.words[0])
}

// tail reads the last segment, and notes it.
func (v visit) tail(ctx context.Context, s *scanner, info *Info, each func(journal.Pos, int64, []byte) error) error {
	head := *v.layout.head()
	err := v.read(head.name, func(f file) error {
		t, err := v.layout.readTail(ctx, s, f, each)
		if c := (*journal.CorruptError)(nil); errors.As(err, &c) && c.File != head.name {
			if _, missing := os.Stat(c.File); missing == nil || v.kept() > c.Pos { // it was begun meanwhile
				t, err = tail{off: s.off, next: s.next}, nil
			}
		}
		if err != nil {
			return err
		}
		info.note(head, t.next, t.off)
		if t.torn > 0 && !info.Held { // else it is about to be written
			info.Torn = &Torn{head.name, t.off, t.torn, t.why}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) && v.trimmed(info) {
		return nil
	}
	return err
}

// lookFS is the real file system, to read only.
type lookFS struct{ osFS }

func (lookFS) open(name string, _ bool) (file, error) {
	f, err := openToLook(name)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}
