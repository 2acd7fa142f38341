package file

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"github.com/reeveq/reeve/journal"
)

// readSome reads some frames from one to another number.
func readSome(t *testing.T, j *Journal, rng *rand.Rand, n int, from, to journal.Pos) {
	for range n {
		p := from + journal.Pos(rng.Uint64N(uint64(to-from+1)))
		b, err := j.Read(t.Context(), p)
		if err != nil || !bytes.Equal(b, frameOf(p, sizeOf(p))) {
			t.Errorf("read of frame %d: %d bytes, %v", p, len(b), err)
		}
	}
}

func TestRead_FindsEveryFrame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	appendTo(t, j, 1, 300)
	for _, how := range []string{"after they were written", "not replayed", "replayed"} {
		if how == "replayed" {
			replayed(t, j, 1, 300)
		}
		for p := journal.Pos(1); p <= 300; p++ {
			b, err := j.Read(t.Context(), p)
			if err != nil || !bytes.Equal(b, frameOf(p, sizeOf(p))) {
				t.Fatalf("%s: read of frame %d: %v", how, p, err)
			}
		}
		if _, err := j.Read(t.Context(), 301); err == nil {
			t.Errorf("%s: read a frame that was never written", how)
		}
		if _, err := j.Read(t.Context(), 0); !errors.Is(err, journal.ErrTrimmed) {
			t.Errorf("%s: read of frame 0: %v", how, err)
		}
		if how != "replayed" {
			closed(t, j)
			j = openDir(t, dir, Options{SegmentSize: MinSegmentSize})
		}
	}
}

func TestRead_GoesOnBesideEverythingElse(t *testing.T) {
	t.Parallel()
	const n, batch = 3000, 30
	j := openDir(t, t.TempDir(), Options{SegmentSize: MinSegmentSize})
	appendTo(t, j, 1, batch)
	type span struct {
		from, to journal.Pos
		read     *sync.WaitGroup
	}
	spans := make(chan span)
	var readers sync.WaitGroup
	for i := range 3 {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 1))
			for s := range spans {
				readSome(t, j, rng, 50, s.from, s.to)
				s.read.Done()
			}
		})
	}
	const kept = 20 * batch
	var rounds []*sync.WaitGroup
	for p := journal.Pos(batch + 1); p <= n; p += batch {
		from := max(p, kept+1) - kept
		if p > 2*kept { // what is trimmed was asked for by rounds that are over
			for len(rounds) > kept/batch {
				rounds[0].Wait()
				rounds = rounds[1:]
			}
			if err := j.Trim(t.Context(), from-kept); err != nil {
				t.Fatal(err)
			}
		}
		read := new(sync.WaitGroup)
		rounds = append(rounds, read)
		for range 3 {
			read.Add(1)
			spans <- span{from, p - 1, read}
		}
		appendTo(t, j, p, p+batch-1)
	}
	close(spans)
	readers.Wait()
	if j.opened > maxOpen {
		t.Errorf("%d files are open", j.opened)
	}
}

func TestRead_KeepsNotTooManyFilesOpen(t *testing.T) {
	t.Parallel()
	disk := newCrashFS(rand.New(rand.NewPCG(1, 1)))
	j := openOn(t, disk, Options{})
	p := journal.Pos(0)
	for len(j.segments) < maxOpen+20 {
		p++
		if err := j.Append(t.Context(), p, make([]byte, 60<<10), journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for p := range p {
		if _, err := j.Read(t.Context(), p+1); err != nil {
			t.Fatal(err)
		}
	}
	if j.opened > maxOpen || disk.openFiles() > maxOpen {
		t.Errorf("%d files are open, by the disk %d: want %d at most", j.opened, disk.openFiles(), maxOpen)
	}
	closed(t, j)
	if n := disk.openFiles(); n != 0 {
		t.Errorf("%d files stay open", n)
	}
}

func TestRead_NamesWhatIsDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{})
	appendTo(t, j, 1, 200)
	name := segmentPath(dir, 1)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for p := journal.Pos(50); p < 60; p++ {
		at := bytes.Index(b, frameOf(p, sizeOf(p)))
		at -= int(p%2) * 20 // in the frame, or in its header
		b[at] ^= 1
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var damage *journal.CorruptError
		if _, err := j.Read(t.Context(), p); !errors.As(err, &damage) || damage.Pos != p || damage.File != name || damage.Offset > int64(at) {
			t.Errorf("frame %d, byte %d: %v", p, at, err)
		}
		b[at] ^= 1
	}
}
