package file

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reeveq/reeve/journal"
)

func TestOpen_NamesTheOptionThatIsOutOfRange(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{-1, 1, MinSegmentSize - 1, MaxSegmentSize + 1} {
		dir := filepath.Join(t.TempDir(), "new")
		if _, err := Open(dir, Options{SegmentSize: n}); err == nil || !strings.Contains(err.Error(), "Options.SegmentSize") {
			t.Errorf("%d: %v", n, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%d: the directory was made", n)
		}
	}
}

func TestOpen_SaysWhyADirectoryWillNotDo(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{name, filepath.Join(name, "below")} {
		_, err := Open(dir, Options{})
		if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "directory") {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if _, err := Stat(t.TempDir()); err == nil || !strings.Contains(err.Error(), "there is none in") {
		t.Errorf("stat of an empty directory: %v", err)
	}
}

// everything is the content of all files in dir but LOCK.
func everything(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, name := range files(t, dir, "*") {
		if filepath.Base(name) == lockName {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = string(b)
	}
	return all
}

func same(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		if a[name] != b[name] {
			return false
		}
	}
	return true
}

func TestOpen_LeavesANewerVersionAlone(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"*.seg", firstName, cleanName} {
		dir := t.TempDir()
		j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
		appendTo(t, j, 1, 200)
		closed(t, j)
		names := files(t, dir, which)
		name := names[len(names)/2]
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		le.PutUint32(b[8:], version+1)
		sign(b)
		if which == firstName {
			copy(b[firstCopy:], b[:blockSize])
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		before := everything(t, dir)
		if _, err := Open(dir, Options{}); !errors.Is(err, journal.ErrNewer) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", which, err)
		}
		if _, err := Check(dir); !errors.Is(err, journal.ErrNewer) {
			t.Errorf("%s: check: %v", which, err)
		}
		if !same(before, everything(t, dir)) {
			t.Errorf("%s: the directory was changed", which)
		}
	}
}

// ended makes a journal of n frames in one segment on a disk in memory that was
// not closed, and returns where its frames begin, and the last ends.
func ended(t testing.TB, n journal.Pos) (disk *crashFS, offs []int64) {
	t.Helper()
	disk = newCrashFS(rand.New(rand.NewPCG(1, 1)))
	j := openOn(t, disk, Options{})
	offs = append(offs, j.w.off)
	for p := journal.Pos(1); p <= n; p++ {
		appendTo(t, j, p, p)
		offs = append(offs, j.w.off)
	}
	if len(j.segments) != 1 {
		t.Fatal("more than one segment")
	}
	abandoned(t, j)
	return disk, offs
}

// openOn opens the journal on a disk in memory, the keeper in the foreground.
func openOn(t testing.TB, disk *crashFS, o Options) *Journal {
	t.Helper()
	o.SegmentSize, o.foreground = MinSegmentSize, true
	j, err := open("dir", o, disk)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// contentOf is that of a file on a disk in memory.
func contentOf(t testing.TB, disk *crashFS, name string) []byte {
	t.Helper()
	f, err := disk.open(name, false)
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return b
}

// replace makes b the content of a file on a disk in memory.
func replace(t testing.TB, disk *crashFS, name string, b []byte) {
	t.Helper()
	f, err := disk.open(name, false)
	if err != nil {
		t.Fatal(err)
	}
	_, werr := f.WriteAt(b, 0)
	if err := errors.Join(werr, f.truncate(int64(len(b))), f.sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_DropsATornEnd(t *testing.T) {
	t.Parallel()
	const n = 8
	disk, offs := ended(t, n)
	head := segmentPath("dir", 1)
	whole := contentOf(t, disk, head)
	for cut := offs[n-2]; cut <= offs[n]; cut++ {
		for _, how := range []string{"cut", "zeroed"} {
			b := bytes.Clone(whole)
			if how == "zeroed" {
				clear(b[cut:])
			} else {
				b = b[:cut]
			}
			replace(t, disk, head, b)
			// The last bytes of a frame may be padding, or zero themselves.
			last := journal.Pos(n - 2)
			for last < n && cut >= offs[last]+frameSize(sizeOf(last+1))-alignment && bytes.Equal(padded(b, offs[last+1]), whole[:offs[last+1]]) &&
				(how == "zeroed" || cut >= offs[last]+headerSize+int64(sizeOf(last+1))) {
				last++
			}
			var log bytes.Buffer
			j := openOn(t, disk, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			replayed(t, j, 1, last)
			torn := cut > offs[last] && !isZero(b[offs[last]:cut])
			if logged := strings.Contains(log.String(), "a torn end was dropped"); logged != torn || strings.Count(log.String(), "\n") > 1 {
				t.Fatalf("%s at %d: the log is %q", how, cut, log.String())
			}
			if cut%5 != 0 {
				abandoned(t, j)
				continue
			}
			appendTo(t, j, last+1, last+1)
			abandoned(t, j)
			j = openOn(t, disk, Options{})
			replayed(t, j, 1, last+1)
			abandoned(t, j)
		}
	}
}

// padded is b with zeros up to n bytes.
func padded(b []byte, n int64) []byte {
	p := make([]byte, n)
	copy(p, b)
	return p
}

func TestOpen_TakesACutForDamageWhenTheJournalWasClosed(t *testing.T) {
	t.Parallel()
	const n = 8
	disk, offs := ended(t, n)
	closed(t, openOn(t, disk, Options{})) // now it was
	head := segmentPath("dir", 1)
	whole := contentOf(t, disk, head)
	for cut := offs[n-2]; cut < offs[n]; cut++ {
		for _, b := range [][]byte{whole[:cut], padded(whole[:cut], int64(len(whole)))} {
			if bytes.Equal(padded(b, int64(len(whole))), whole) {
				continue // nothing but padding is missing
			}
			replace(t, disk, head, b)
			_, err := open("dir", Options{}, disk)
			var damage *journal.CorruptError
			if !errors.As(err, &damage) || damage.File != head || damage.Offset != offs[damage.Pos-1] || damage.Pos < n-1 {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			if !bytes.Equal(contentOf(t, disk, head), b) {
				t.Fatalf("cut at %d: the file was changed", cut)
			}
		}
	}
}

func TestOpen_TellsWhichFileIsMissing(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"closed", "abandoned"} {
		dir := t.TempDir()
		j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
		appendTo(t, j, 1, 200)
		if err := j.Trim(t.Context(), 90); err != nil {
			t.Fatal(err)
		}
		if how == "closed" {
			closed(t, j)
		} else {
			abandoned(t, j)
		}
		for _, name := range files(t, dir, "*.seg") {
			if err := os.Rename(name, name+".away"); err != nil {
				t.Fatal(err)
			}
			j, err := Open(dir, Options{SegmentSize: MinSegmentSize})
			if err == nil {
				_, err = j.Replay(t.Context(), func(journal.Pos, []byte) error { return nil })
				abandoned(t, j)
			}
			var damage *journal.CorruptError
			if !errors.As(err, &damage) || damage.File != name {
				t.Errorf("%s, without %s: %v", how, filepath.Base(name), err)
			}
			if err := os.Rename(name+".away", name); err != nil {
				t.Fatal(err)
			}
		}
		openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	}
}

func TestOpen_TellsSegmentsThatWereSwapped(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	for _, dir := range []string{dir, other} {
		j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
		appendTo(t, j, 1, 200)
		closed(t, j)
	}
	names := files(t, dir, "*.seg")
	for _, from := range []string{names[0], names[2], filepath.Join(other, filepath.Base(names[1]))} {
		kept, err := os.ReadFile(names[1])
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(names[1], b, 0o600); err != nil {
			t.Fatal(err)
		}
		var damage *journal.CorruptError
		if _, err := Open(dir, Options{}); !errors.As(err, &damage) || damage.File != names[1] {
			t.Errorf("%s in its place: %v", from, err)
		}
		if err := os.WriteFile(names[1], kept, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openDir(t, dir, Options{})
}

func TestOpen_TellsAnotherJournalsCLEAN(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	for _, dir := range []string{dir, other} {
		closed(t, openDir(t, dir, Options{SegmentSize: MinSegmentSize}))
	}
	name := filepath.Join(dir, cleanName)
	if err := os.Rename(filepath.Join(other, cleanName), name); err != nil {
		t.Fatal(err)
	}
	var damage *journal.CorruptError
	if _, err := Open(dir, Options{}); !errors.As(err, &damage) || damage.File != name {
		t.Error(err)
	}
}

func TestOpen_RemovesWhatWasNotFinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	appendTo(t, j, 1, 200)
	abandoned(t, j)
	first := files(t, dir, "*.seg")[0]
	old, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{segmentPath(dir, 99) + tempExt, filepath.Join(dir, reserveName+tempExt)} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j = openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	if err := j.Trim(t.Context(), 200); err != nil {
		t.Fatal(err)
	}
	closed(t, j)
	if err := os.WriteFile(first, old, 0o600); err != nil { // as if the power had been cut before it was removed
		t.Fatal(err)
	}
	j = openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	replayed(t, j, j.segments[0].first, 200)
	closed(t, j)
	if n := files(t, dir, "*.seg"); len(n) != len(j.segments) || len(files(t, dir, "*.tmp")) != 0 {
		t.Errorf("left over: %v", files(t, dir, "*"))
	}
}

// sign gives a block the checksum of what it holds.
func sign(b []byte) { le.PutUint32(b[60:], crc32.Checksum(b[:60], castagnoli)) }
