package file

import (
	"bytes"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// sizeOfFiles is what all files in dir have.
func sizeOfFiles(t testing.TB, dir string) (n int64) {
	t.Helper()
	for _, name := range files(t, dir, "*") {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

func TestTrim_LeavesTwoSegmentsAtMost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{})
	frame := frameOf(1, 1<<20)
	for p := journal.Pos(1); p <= 60; p++ {
		if err := j.Append(t.Context(), p, frame, journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Trim(t.Context(), 61); err != nil {
		t.Fatal(err)
	}
	closed(t, j)
	if n := sizeOfFiles(t, dir); n > 2*DefaultSegmentSize+64<<10 {
		t.Errorf("%d bytes are left", n)
	}
}

func TestAppend_GivesALargeFrameASegment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	large := []byte(strings.Repeat("large", 1<<20))
	for p := journal.Pos(1); p <= 9; p++ {
		frame := frameOf(p, sizeOf(p))
		if p%3 == 0 {
			frame = large
		}
		if err := j.Append(t.Context(), p, frame, journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	abandoned(t, j)
	j = openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	if n := len(files(t, dir, "*.seg")); n != 6 {
		t.Errorf("%d segments, want 6", n)
	}
	last, err := j.Replay(t.Context(), func(p journal.Pos, frame []byte) error {
		if want := frameOf(p, sizeOf(p)); p%3 != 0 && !bytes.Equal(frame, want) || p%3 == 0 && !bytes.Equal(frame, large) {
			t.Errorf("frame %d is another", p)
		}
		return nil
	})
	if err != nil || last != 9 {
		t.Errorf("the last is %d, %v", last, err)
	}
	if b, err := j.Read(t.Context(), 6); err != nil || !bytes.Equal(b, large) {
		t.Errorf("read of a large frame: %d bytes, %v", len(b), err)
	}
	if err := j.Trim(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	closed(t, j)
	if n := sizeOfFiles(t, dir); n > 3*MinSegmentSize {
		t.Errorf("%d bytes are left when all was trimmed", n)
	}
}

func TestRotate_MakesSegmentsOfTheReserve(t *testing.T) {
	t.Parallel()
	disk := newCrashFS(rand.New(rand.NewPCG(1, 1)))
	j := openOn(t, disk, Options{})
	appendTo(t, j, 1, 200)
	if made := len(j.segments); made < 4 || strings.Contains(disk.names(), tempExt) || !strings.Contains(disk.names(), reserveName) {
		t.Errorf("%d segments, and the files are %s", made, disk.names())
	}
	closed(t, j)
}

// slowFS has every write to the reserve wait.
type slowFS struct {
	fsys
	begun, goOn chan struct{}
}

type slowFile struct {
	file
	fs slowFS
}

func (s slowFS) open(name string, create bool) (file, error) {
	f, err := s.fsys.open(name, create)
	if err == nil && strings.HasSuffix(name, reserveName+tempExt) {
		f = slowFile{f, s}
	}
	return f, err
}

func (f slowFile) WriteAt(p []byte, off int64) (int, error) {
	select {
	case f.fs.begun <- struct{}{}:
	default:
	}
	<-f.fs.goOn
	return f.file.WriteAt(p, off)
}

func TestOpen_DoesNotWaitForTheReserve(t *testing.T) {
	t.Parallel()
	slow := slowFS{osFS{}, make(chan struct{}, 1), make(chan struct{})}
	dir := t.TempDir()
	j, err := open(dir, Options{}, slow)
	if err != nil {
		t.Fatal(err)
	}
	<-slow.begun
	appendTo(t, j, 1, 1000) // more than was filled at first
	if len(files(t, dir, reserveName)) != 0 {
		t.Error("the reserve is there already")
	}
	close(slow.goOn)
	closed(t, j)
}

func TestAppend_WaitsForTheReserveRatherThanUseItsPlace(t *testing.T) {
	t.Parallel()
	slow := slowFS{osFS{}, make(chan struct{}, 1), make(chan struct{}, 100)}
	j, err := open(t.TempDir(), Options{SegmentSize: MinSegmentSize}, slow)
	if err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, MinSegmentSize/4)
	if err := j.Append(t.Context(), 1, frame, journal.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
	<-slow.begun
	// Those that may use it have what is left meanwhile.
	if err := j.Append(t.Context(), 2, frame, journal.AppendOptions{Reserve: true}); err != nil {
		t.Fatal(err)
	}
	appended := make(chan error, 1)
	go func() { appended <- j.Append(t.Context(), 3, frame, journal.AppendOptions{}) }() // received below
	select {
	case err := <-appended:
		t.Errorf("a frame did not wait: %v", err)
	default:
	}
	close(slow.goOn)
	if err := <-appended; err != nil {
		t.Error(err)
	}
	closed(t, j)
}

func TestReserve_IsUsedAndMadeAgain(t *testing.T) {
	t.Parallel()
	disk := newCrashFS(rand.New(rand.NewPCG(1, 1)))
	var log bytes.Buffer
	j := openOn(t, disk, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	appendTo(t, j, 1, 10)
	disk.budget = disk.used // not a block more
	full := func(p journal.Pos, o journal.AppendOptions) journal.Pos {
		for {
			err := j.Append(t.Context(), p, frameOf(p, sizeOf(p)), o)
			if err != nil && !errors.Is(err, reeve.ErrJournalFull) {
				t.Fatal(err)
			}
			if err != nil {
				return p
			}
			p++
		}
	}
	plain := full(11, journal.AppendOptions{})
	all := full(plain, journal.AppendOptions{Reserve: true})
	if kept := int64(all-plain) * 1500; kept < MinSegmentSize/2 {
		t.Errorf("frames %d to %d had the reserve: too few", plain, all)
	}
	if n := strings.Count(log.String(), "no space is left for the reserve"); n != 1 {
		t.Errorf("the log is %s", log.String())
	}
	if err := j.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := j.Trim(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "the reserve was made again"); n != 1 {
		t.Errorf("the log is %s", log.String())
	}
	disk.budget += MinSegmentSize // else the next segment is the reserve, and there is none
	appendTo(t, j, all, all+5)
	closed(t, j)
	j = openOn(t, disk, Options{})
	replayed(t, j, j.segments[0].first, all+5)
	closed(t, j)
}

func TestOpen_MakesAReserveThatIsNotBlankAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	appendTo(t, j, 1, 10)
	closed(t, j)
	// As if the power was cut between the two halves of a rename: the segment
	// has two names.
	name := filepath.Join(dir, reserveName)
	if err := errors.Join(removeFile(osFS{}, name), os.Link(segmentPath(dir, 1), name)); err != nil {
		t.Fatal(err)
	}
	j = openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	replayed(t, j, 1, 10)
	appendTo(t, j, 11, 200)
	closed(t, j)
	replayed(t, openDir(t, dir, Options{SegmentSize: MinSegmentSize}), 1, 200)
}

func TestOpen_LooksAtTheReserveOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := newCrashFS(rand.New(rand.NewPCG(1, 1)))
	j := openOn(t, disk, Options{})
	appendTo(t, j, 1, 10)
	closed(t, j)
	reserve := filepath.Join("dir", reserveName)
	b := contentOf(t, disk, reserve)
	copy(b, segmentHeader{id: j.id, first: 11, prev: 1}.encode())
	replace(t, disk, reserve, b)
	if err := disk.remove(filepath.Join("dir", firstName)); err != nil { // which has to be made again
		t.Fatal(err)
	}
	disk.budget = disk.used
	j = openOn(t, disk, Options{})
	replayed(t, j, 1, 10)
	if j.keeper.has(0) {
		t.Error("a reserve that is not blank was kept")
	}
	if !strings.Contains(disk.names(), firstName) {
		t.Errorf("the files are %s", disk.names())
	}
	closed(t, j)
}
