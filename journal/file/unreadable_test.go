package file

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/reeveq/reeve/journal"
)

// brokenFS is a disk that does not give some bytes of one file.
type brokenFS struct {
	fsys
	name   string
	lo, hi int64
}

func (b brokenFS) open(name string, create bool) (file, error) {
	f, err := b.fsys.open(name, create)
	if err == nil && name == b.name {
		f = brokenFile{f, b}
	}
	return f, err
}

type brokenFile struct {
	file
	fs brokenFS
}

func (f brokenFile) ReadAt(p []byte, off int64) (int, error) {
	if off < f.fs.hi && off+int64(len(p)) > f.fs.lo {
		n := 0
		if off < f.fs.lo {
			n, _ = f.file.ReadAt(p[:f.fs.lo-off], off)
		}
		return n, &fs.PathError{Op: "read", Path: f.fs.name, Err: syscall.EIO}
	}
	return f.file.ReadAt(p, off)
}

// salvaged are the old numbers of the frames that salvage has brought.
func salvaged(t *testing.T, dir string, fsys fsys) (map[journal.Pos]bool, SalvageReport) {
	t.Helper()
	sv, err := newSalvager(dir, fsys)
	if err != nil {
		t.Fatal(err)
	}
	sv.to = openDir(t, filepath.Join(t.TempDir(), "new"), Options{SegmentSize: MinSegmentSize})
	if err := sv.run(); err != nil {
		t.Fatal(err)
	}
	closed(t, sv.to)
	sv.to = openDir(t, sv.to.dir, Options{})
	brought := make(map[journal.Pos]bool)
	old := journal.Pos(1)
	if _, err := sv.to.Replay(t.Context(), func(p journal.Pos, frame []byte) error {
		for old < 1000 && !bytes.Equal(frame, frameOf(old, sizeOf(old))) {
			old++
		}
		brought[old] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if int64(len(brought)) != sv.report.Frames {
		t.Errorf("%d frames, the report says %d", len(brought), sv.report.Frames)
	}
	return brought, sv.report
}

func TestSalvage_LeavesBehindWhatTheDiskDoesNotGive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	const n = 150
	offs := make(map[journal.Pos]int64)
	for p := journal.Pos(1); p <= n; p++ {
		appendTo(t, j, p, p)
		offs[p] = j.w.off - frameSize(sizeOf(p))
	}
	segs := j.segments
	closed(t, j)
	for _, hole := range []struct {
		seg    int
		lo, hi int64
	}{
		{1, 0, 4096},        // the segment's header
		{1, 20_000, 20_512}, // a frame, or two
		{1, 16_384, 40_000}, // many
		{len(segs) - 1, frameStart + 10, frameStart + 11},
	} {
		seg := segs[hole.seg]
		brought, r := salvaged(t, dir, brokenFS{lookFS{}, seg.name, hole.lo, hole.hi})
		for p := journal.Pos(1); p <= n; p++ {
			// A hole takes what lies in the same 4096 bytes, no more.
			within := p >= seg.first && (hole.seg+1 == len(segs) || p < segs[hole.seg+1].first)
			end := offs[p] + frameSize(sizeOf(p))
			lost := within && offs[p] < (hole.hi+patchStep-1)&^(patchStep-1) && end > hole.lo&^(patchStep-1)
			if lost == brought[p] {
				t.Errorf("%d to %d of %s: frame %d at %d to %d is brought: %v", hole.lo, hole.hi, seg.name, p, offs[p], end, brought[p])
			}
		}
		told := false
		for _, d := range r.Dropped {
			told = told || d.File == seg.name && strings.Contains(d.Reason, "cannot be read") && d.Offset <= hole.lo && d.Offset+d.Bytes >= hole.hi
		}
		if !told {
			t.Errorf("%d to %d of %s: %+v", hole.lo, hole.hi, seg.name, r.Dropped)
		}
	}
}

func TestSalvage_GoesOnWithoutFIRST(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	appendTo(t, j, 1, 20)
	closed(t, j)
	name := filepath.Join(dir, firstName)
	brought, r := salvaged(t, dir, brokenFS{lookFS{}, name, 0, 1 << 20})
	if len(brought) != 20 || len(r.Dropped) != 1 || r.Dropped[0].File != name {
		t.Errorf("%d frames, %+v", len(brought), r)
	}
}
