package file

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/reeveq/reeve/journal"
)

// FuzzOpen: whatever is in a segment, a journal has the frames that were
// written, up to one of them, or says where it is damaged.
func FuzzOpen(f *testing.F) {
	f.Add(uint32(0), []byte{1}, false, false)
	f.Add(uint32(blockSize), []byte{0xff}, false, true)
	f.Add(uint32(frameStart), bytes.Repeat([]byte{0}, headerSize), false, false)
	f.Add(uint32(frameStart+4000), bytes.Repeat([]byte{0xa5}, 700), true, false)
	f.Add(uint32(30000), []byte("RFRM"), true, true)
	const n = 20
	disk, offs := ended(f, n)
	dir := make(map[string][]byte)
	for _, name := range []string{segmentPath("dir", 1), "dir/" + firstName, "dir/" + reserveName} {
		dir[name] = contentOf(f, disk, name)
	}
	f.Fuzz(func(t *testing.T, at uint32, with []byte, cut, add bool) {
		disk := newCrashFS(rand.New(rand.NewPCG(1, 1)))
		for name, b := range dir {
			if name == segmentPath("dir", 1) {
				b = mutated(b, int(at), with, cut, add)
			}
			create(t, disk, name, b)
		}
		j, err := open("dir", Options{SegmentSize: MinSegmentSize, foreground: true}, disk)
		if err != nil {
			if !errors.Is(err, journal.ErrCorrupt) && !errors.Is(err, journal.ErrNewer) {
				t.Fatal(err)
			}
			return
		}
		next := journal.Pos(1)
		last, err := j.Replay(t.Context(), func(p journal.Pos, frame []byte) error {
			if p != next || p > n || !bytes.Equal(frame, frameOf(p, sizeOf(p))) {
				t.Fatalf("frame %d came as %d, or is another", next, p)
			}
			next++
			return nil
		})
		if err != nil || last != next-1 {
			t.Fatalf("%d frames, the last is %d: %v", next-1, last, err)
		}
		if first := int64(at) % int64(len(dir[segmentPath("dir", 1)])); last < n && first >= offs[last+1] {
			t.Fatalf("frame %d is lost by a change at %d, and it ends at %d", last+1, first, offs[last+1])
		}
		appendTo(t, j, next, next+3)
		closed(t, j)
		j = openOn(t, disk, Options{})
		replayed(t, j, 1, next+3)
		closed(t, j)
	})
}

// mutated is b with some of it changed from one byte on, by with: added to what
// is there, or in its place; or cut there.
func mutated(b []byte, at int, with []byte, cut, add bool) []byte {
	at %= len(b)
	if cut {
		return append(bytes.Clone(b[:at]), with...)
	}
	b = bytes.Clone(b)
	for i, c := range with {
		if at+i == len(b) {
			break
		}
		if add {
			c += b[at+i]
		}
		b[at+i] = c
	}
	return b
}

// create makes a file on a disk in memory.
func create(t testing.TB, disk *crashFS, name string, b []byte) {
	t.Helper()
	f, err := disk.open(name, true)
	if err != nil {
		t.Fatal(err)
	}
	_, werr := f.WriteAt(b, 0)
	if err := errors.Join(werr, f.sync(), f.Close(), disk.syncDir("dir")); err != nil {
		t.Fatal(err)
	}
}
