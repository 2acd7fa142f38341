package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// frameOf is what frame p of n bytes holds in these tests.
func frameOf(p journal.Pos, n int) []byte {
	b := make([]byte, n)
	r := rand.NewPCG(uint64(p), 1)
	for i := range b {
		b[i] = byte(r.Uint64())
	}
	return b
}

// sizeOf is the size of frame p in tests that want many.
func sizeOf(p journal.Pos) int { return 1 + int(p)*37%3000 }

func openDir(t testing.TB, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil && !errors.Is(err, journal.ErrClosed) && !errors.Is(err, reeve.ErrJournal) {
			t.Error(err)
		}
	})
	return j
}

// appendTo appends the frames from one to another number and syncs.
func appendTo(t testing.TB, j *Journal, from, to journal.Pos) {
	t.Helper()
	for p := from; p <= to; p++ {
		if err := j.Append(t.Context(), p, frameOf(p, sizeOf(p)), journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// replayed checks that the frames of j are those from one to another number.
func replayed(t testing.TB, j *Journal, from, to journal.Pos) {
	t.Helper()
	next := from
	last, err := j.Replay(t.Context(), func(p journal.Pos, frame []byte) error {
		if p != next {
			t.Fatalf("frame %d came, want %d", p, next)
		}
		if !bytes.Equal(frame, frameOf(p, sizeOf(p))) {
			t.Fatalf("frame %d is another", p)
		}
		next++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != to || next != to+1 {
		t.Fatalf("the last is %d, and %d came as the next: want %d", last, next, to)
	}
}

func closed(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// abandoned ends a journal as the end of its process does.
func abandoned(t testing.TB, j *Journal) {
	t.Helper()
	j.keeper.stop()
	j.mu.Lock()
	j.err = journal.ErrClosed
	for _, s := range j.segments {
		if err := j.closeLocked(s); err != nil {
			t.Error(err)
		}
	}
	j.mu.Unlock()
	if err := j.unlock(); err != nil {
		t.Error(err)
	}
}

func files(t testing.TB, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestJournal_KeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"closed", "abandoned"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "a", "b")
			var last journal.Pos
			for range 5 {
				j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
				replayed(t, j, 1, last)
				appendTo(t, j, last+1, last+100)
				last += 100
				if how == "closed" {
					closed(t, j)
				} else {
					abandoned(t, j)
				}
			}
			if n := len(files(t, dir, "*.seg")); n < 10 {
				t.Errorf("%d segments, want many", n)
			}
			for _, name := range files(t, dir, "*") {
				if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v %v, want mode 600", name, info.Mode(), err)
				}
			}
		})
	}
}

func TestJournal_TakesFramesInTheirOrderOnly(t *testing.T) {
	t.Parallel()
	for _, p := range []journal.Pos{0, 3, 5} {
		j := openDir(t, t.TempDir(), Options{})
		appendTo(t, j, 1, 3)
		err := j.Append(t.Context(), p, []byte("x"), journal.AppendOptions{})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("frame %d cannot follow frame 3", p)) {
			t.Errorf("frame %d: %v", p, err)
		}
	}
}

func TestReplay_ComesOnceAndFirst(t *testing.T) {
	t.Parallel()
	j := openDir(t, t.TempDir(), Options{})
	appendTo(t, j, 1, 1)
	if _, err := j.Replay(t.Context(), nil); !errors.Is(err, errReplayed) {
		t.Errorf("after an append: %v", err)
	}
}

func TestReplay_EndsWithItsCallersError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{})
	appendTo(t, j, 1, 10)
	closed(t, j)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, want := range []error{enough, context.Canceled} {
		j := openDir(t, dir, Options{})
		seen := 0
		_, err := j.Replay(ctx, func(p journal.Pos, frame []byte) error {
			if seen++; want == enough {
				return enough
			}
			cancel()
			return nil
		})
		if !errors.Is(err, want) || seen != 1 {
			t.Errorf("%v after %d frames, want %v", err, seen, want)
		}
		closed(t, j)
	}
}

func TestTrim_RemovesWholeSegments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	appendTo(t, j, 1, 200)
	before := len(files(t, dir, "*.seg"))
	if err := j.Trim(t.Context(), 201); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Read(t.Context(), 200); !errors.Is(err, journal.ErrTrimmed) {
		t.Errorf("read of a frame that was trimmed: %v", err)
	}
	if err := j.Trim(t.Context(), 202); err == nil {
		t.Error("trimmed more than there is")
	}
	appendTo(t, j, 201, 210)
	first := j.segments[0].first
	closed(t, j)
	if after := len(files(t, dir, "*.seg")); before < 4 || after != len(j.segments) || after > 2 {
		t.Errorf("%d segments of %d are left", after, before)
	}
	j = openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	replayed(t, j, first, 210)
	if _, err := j.Read(t.Context(), first-1); !errors.Is(err, journal.ErrTrimmed) {
		t.Errorf("read of a frame that was removed: %v", err)
	}
}
