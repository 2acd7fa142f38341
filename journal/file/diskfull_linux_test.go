package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// A file system of one megabyte, where this process may mount one. Where it may
// not, it says so, and the simulated disks above have to do.
func TestFull_OnAFileSystemThatIs(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		fmt.Fprintf(os.Stderr, "%s: simulated only, for this process may not mount a file system: %v\n", t.Name(), err)
		return
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ctx := context.Background()
	j, err := Open(filepath.Join(dir, "j"), small)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { j.Close() }() // a second time, mostly
	frame := func(p journal.Pos) []byte { return bytes.Repeat([]byte{byte(p)}, 1000) }
	last, err := j.Replay(ctx, func(journal.Pos, []byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	fill := func(o journal.AppendOptions) (n int) {
		t.Helper()
		for ; ; n++ {
			err := j.Append(ctx, last+1, frame(last+1), o)
			if errors.Is(err, reeve.ErrJournalFull) {
				return n
			}
			if err != nil || n > 2000 {
				t.Fatalf("after %d frames: %v", n, err)
			}
			last++
		}
	}
	if n := fill(journal.AppendOptions{}); n < 500 {
		t.Errorf("full after %d frames of 1000 bytes", n)
	}
	if n := fill(reserved); n < 32 {
		t.Errorf("the reserve holds %d frames of 1000 bytes", n)
	}
	if err := j.Close(); err != nil {
		t.Fatalf("Close on a full disk: %v", err)
	}
	if j, err = Open(filepath.Join(dir, "j"), small); err != nil {
		t.Fatalf("Open on a full disk: %v", err)
	}
	fs, got, err := replay(j)
	if err != nil || got != last || len(fs) != int(last) {
		t.Fatalf("found %d frames to %d: %v; want %d", len(fs), got, err, last)
	}
	for _, f := range fs {
		if !bytes.Equal(f.data, frame(f.pos)) {
			t.Fatalf("frame %d is not what was appended", f.pos)
		}
	}
	if err := j.Trim(ctx, last-10); err != nil {
		t.Fatal(err)
	}
	if n := fill(journal.AppendOptions{}); n < 300 {
		t.Errorf("after a Trim %d frames", n)
	}
	if n := fill(reserved); n < 32 {
		t.Errorf("the second time the reserve holds %d frames of 1000 bytes", n)
	}
	if err := j.Sync(ctx); err != nil {
		t.Fatal(err)
	}
}
