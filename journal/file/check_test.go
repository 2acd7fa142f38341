package file

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/reeveq/reeve/journal"
)

func TestCheck_ReadsEveryFrameAndChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize, foreground: true})
	appendTo(t, j, 1, 200)
	r, err := Check(dir)
	if err != nil || !r.Held || r.PID != os.Getpid() || r.Last != 200 || r.Clean {
		t.Errorf("while it is open: %+v, %v", r, err)
	}
	abandoned(t, j)

	var bytesOf int64
	for p := journal.Pos(1); p <= 200; p++ {
		bytesOf += int64(sizeOf(p))
	}
	before := everything(t, dir)
	r, err = Check(dir)
	if err != nil || r.First != 1 || r.Last != 200 || r.Frames != 200 || r.Bytes != bytesOf || r.Held || r.Clean || r.Torn != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if r.Disk < int64(len(r.Segments))*MinSegmentSize || r.Reserve != MinSegmentSize || r.ID == 0 {
		t.Errorf("%+v", r)
	}
	info, err := Stat(dir)
	if err != nil || info.Last != 200 || len(info.Segments) != len(r.Segments) || info.Segments[1] != r.Segments[1] {
		t.Errorf("%+v, %v: want as %+v", info, err, r.Info)
	}
	if !same(before, everything(t, dir)) {
		t.Error("the directory was changed")
	}
	closed(t, openDir(t, dir, Options{SegmentSize: MinSegmentSize}))
	if r, err := Check(dir); err != nil || !r.Clean || r.Frames != 200 {
		t.Errorf("when it was closed: %+v, %v", r, err)
	}
}

func TestCheck_TellsTornFromDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	appendTo(t, j, 1, 199)
	appendTo(t, j, 200, 200)
	at := j.w.off - 10
	head := j.head().name
	abandoned(t, j)
	flip := func(name string, at int64) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[at] ^= 4
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flip(head, at)
	if r, err := Check(dir); err != nil || r.Last != 199 || r.Torn == nil || r.Torn.File != head || r.Torn.Bytes == 0 || r.Torn.Offset >= at {
		t.Errorf("%+v, %v", r, err)
	}
	flip(head, at)
	for _, name := range files(t, dir, "*.seg") {
		flip(name, frameStart+headerSize+5)
		r, err := Check(dir)
		var damage *journal.CorruptError
		if !errors.As(err, &damage) || damage.File != name || damage.Offset != frameStart || damage.Pos != r.Last+1 && name != head {
			t.Errorf("%+v, %v", r, err)
		}
		flip(name, frameStart+headerSize+5)
	}
}

func TestCheck_LooksWhileTheJournalGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	appendTo(t, j, 1, 100)
	done := make(chan struct{})
	go func() { // ends before the test
		defer close(done)
		for p := journal.Pos(101); p <= 3000; p += 50 {
			appendTo(t, j, p, p+49)
			if err := j.Trim(t.Context(), p-50); err != nil {
				t.Error(err)
			}
		}
	}()
	for looking := true; looking; {
		select {
		case <-done:
			looking = false
		default:
		}
		if _, err := Check(dir); err != nil {
			t.Error(err)
		}
	}
}

func TestScan_GoesOnWhenAllItLooksAtIsTrimmed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: 2 << 20, foreground: true})
	put := func(from, to journal.Pos) {
		for p := from; p <= to; p++ {
			if err := j.Append(t.Context(), p, make([]byte, 300<<10), journal.AppendOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(1, 8)
	began := j.head().first
	r, err := Scan(t.Context(), dir, func(p journal.Pos, _ []byte) error {
		if p == began { // what is read is the end, still
			put(9, 25)
			return j.Trim(t.Context(), 25)
		}
		return nil
	})
	if err != nil || r.Last < 8 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestSalvage_CopiesWhatIsWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{SegmentSize: MinSegmentSize})
	appendTo(t, j, 1, 200)
	closed(t, j)
	names := files(t, dir, "*.seg")
	if len(names) < 5 {
		t.Fatal("too few segments")
	}
	lost := map[journal.Pos]bool{}
	harm := func(name string, f func(b []byte) []byte) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	find := func(b []byte, p journal.Pos) int { return bytes.Index(b, frameOf(p, sizeOf(p))) }
	harm(names[0], func(b []byte) []byte { // a frame, and the header of another
		b[find(b, 10)+3] ^= 1
		b[find(b, 20)-20] ^= 1
		lost[10], lost[20] = true, true
		return b
	})
	harm(names[1], func(b []byte) []byte { // the segment's header
		clear(b[:blockSize])
		return b
	})
	two, _ := segmentFirst(filepath.Base(names[2]))
	three, _ := segmentFirst(filepath.Base(names[3]))
	if err := os.Remove(names[2]); err != nil {
		t.Fatal(err)
	}
	for p := two; p < three; p++ {
		lost[p] = true
	}
	harm(names[len(names)-1], func(b []byte) []byte { // the end
		lost[200] = true
		return b[:find(b, 200)+5]
	})

	before := everything(t, dir)
	to := filepath.Join(t.TempDir(), "new")
	r, err := Salvage(dir, to)
	if err != nil || r.Frames != int64(200-len(lost)) || r.First != 1 || r.Last != 199 {
		t.Fatalf("%+v, %v: want %d frames", r, err, 200-len(lost))
	}
	if len(r.Dropped) != 4 || len(r.Missing) != 3 || r.Missing[2] != (Missing{two, three - 1}) || r.Missing[0] != (Missing{10, 10}) {
		t.Errorf("%+v", r)
	}
	if !same(before, everything(t, dir)) {
		t.Error("the directory was changed")
	}
	j = openDir(t, to, Options{})
	old := journal.Pos(0)
	last, err := j.Replay(t.Context(), func(p journal.Pos, frame []byte) error {
		for old++; lost[old]; {
			old++
		}
		if !bytes.Equal(frame, frameOf(old, sizeOf(old))) {
			t.Errorf("frame %d is not what %d was", p, old)
		}
		return nil
	})
	if err != nil || int64(last) != r.Frames {
		t.Errorf("%d frames, %v", last, err)
	}
	if _, err := Salvage(dir, to); err == nil {
		t.Error("salvaged into a directory that is not empty")
	}
}
