package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func TestMakeDir_SyncsWhatItMadeAndWhatItFound(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var synced []string
	record := func(dir string) error {
		real, err := filepath.EvalSymlinks(dir)
		synced = append(synced, real)
		return err
	}
	below := func(names ...string) string { return filepath.Join(append([]string{root}, names...)...) }
	if err := makeDir(below("a", "b", "c"), record); err != nil {
		t.Fatal(err)
	}
	if want := []string{filepath.Dir(root), root, below("a"), below("a", "b")}; !slices.Equal(synced, want) {
		t.Errorf("synced %v, want %v", synced, want)
	}
	synced = nil
	if err := makeDir(below("a", "b", "c"), record); err != nil {
		t.Fatal(err)
	}
	if want := []string{below("a", "b")}; !slices.Equal(synced, want) {
		t.Errorf("of one that is there: synced %v, want %v", synced, want)
	}
}

func TestMakeDir_TakesAForeignParentAsItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, why := range []error{syscall.EACCES, syscall.EPERM, syscall.EINVAL, syscall.EROFS, syscall.ENOSYS} {
		if err := makeDir(dir, func(dir string) error { return &fs.PathError{Op: "sync", Path: dir, Err: why} }); err != nil {
			t.Errorf("%v: %v", why, err)
		}
	}
	for _, dir := range []string{dir, filepath.Join(dir, "new")} {
		if err := makeDir(dir, func(string) error { return syscall.EIO }); !errors.Is(err, syscall.EIO) {
			t.Errorf("the disk's own error: %v", err)
		}
	}
}

// A journal may be given a directory that has other things in it.
func TestOpen_LeavesForeignFilesAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	foreign := []string{"notes.tmp", "00000001.seg.tmp", "list.tmp" + string(filepath.Separator) + "one", "FIRST.old", "1.seg"}
	for _, name := range foreign {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, make([]byte, 1<<20), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
		appendTo(t, j, j.last+1, j.last+50)
		closed(t, j)
	}
	for _, name := range foreign {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() != 1<<20 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if info, err := Stat(dir); err != nil || info.Last != 100 || info.Disk > 1<<20 {
		t.Errorf("%+v, %v", info, err)
	}
}
