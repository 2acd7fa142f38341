package file

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/reeveq/reeve/journal"
)

// Directories that former versions wrote have to open for ever: a test that
// needs another testdata/v1 is a format that needs another version.

var update = flag.Bool("update", false, "make the golden directories that are missing")

const goldenLast = 150

// makeGolden writes frames, trims some, and closes.
func makeGolden(t *testing.T, dir string) {
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize, foreground: true, id: 0x0123456789abcdef})
	for p := journal.Pos(1); p <= goldenLast; p++ {
		if err := j.Append(t.Context(), p, frameOf(p, sizeOf(p)), journal.AppendOptions{Reserve: p%3 == 0}); err != nil {
			t.Fatal(err)
		}
		if p%4 == 0 {
			if err := j.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Trim(t.Context(), 80); err != nil {
		t.Fatal(err)
	}
	closed(t, j)
	for _, name := range []string{lockName, reserveName} { // nothing is in them
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGolden_Version1IsWrittenAsEver(t *testing.T) {
	t.Parallel()
	golden := filepath.Join("testdata", "v1")
	if _, err := os.Stat(golden); os.IsNotExist(err) && *update {
		makeGolden(t, golden)
	}
	dir := t.TempDir()
	makeGolden(t, dir)
	want, got := everything(t, golden), everything(t, dir)
	if !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))) {
		t.Fatalf("files %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s is another", name)
		}
	}
}

func TestGolden_Version1Opens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "v1"))); err != nil {
		t.Fatal(err)
	}
	before := everything(t, dir)
	if r, err := Check(dir); err != nil || r.First == 1 || r.First > 80 || r.Last != goldenLast || !r.Clean || r.Torn != nil {
		t.Errorf("%+v, %v", r, err)
	}
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	first := j.segments[0].first
	replayed(t, j, first, goldenLast)
	closed(t, j)
	after := everything(t, dir)
	delete(after, reserveName) // which was made
	if !same(before, after) {
		t.Error("opening it has changed it")
	}
	j = openDir(t, dir, Options{})
	appendTo(t, j, goldenLast+1, goldenLast+10)
	closed(t, j)
	replayed(t, openDir(t, dir, Options{}), first, goldenLast+10)
}
