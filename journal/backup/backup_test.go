package backup_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/backup"
)

var at = time.Unix(1790000000, 0)

// frames are those that tests back up, the first of which has the number 7.
func frames() [][]byte {
	return [][]byte{[]byte("one"), bytes.Repeat([]byte("two"), 1<<20), {0}, []byte("four")}
}

const first = journal.Pos(7)

func written(t testing.TB, first journal.Pos, frames [][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := backup.NewWriter(&b, backup.Header{First: first, Last: first + journal.Pos(len(frames)) - 1, Time: at})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		if err := w.Frame(first+journal.Pos(i), f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if size, n := w.Written(); size != int64(b.Len()) || n != int64(len(frames)) {
		t.Errorf("%d bytes and %d frames are said to be written, %d and %d were", size, n, b.Len(), len(frames))
	}
	return b.Bytes()
}

// read reads a whole backup; the frames are copies.
func read(r io.Reader) (h backup.Header, got [][]byte, err error) {
	b, err := backup.NewReader(r, "FILE")
	if err != nil {
		return h, nil, err
	}
	for next := b.Header().First; ; next++ {
		p, frame, err := b.Next()
		if err == io.EOF {
			return b.Header(), got, nil
		}
		if err != nil {
			if _, _, again := b.Next(); again != err {
				return h, got, errors.New("another call has another error")
			}
			return b.Header(), got, err
		}
		if p != next {
			return h, got, errors.New("a frame with a wrong number")
		}
		got = append(got, bytes.Clone(frame))
	}
}

func TestBackup_IsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][][]byte{"frames": frames(), "none": nil} {
		file := written(t, first, want)
		for how, r := range map[string]io.Reader{
			"at once": bytes.NewReader(file), "in halves": iotest.HalfReader(bytes.NewReader(file)),
			"with the end": iotest.DataErrReader(bytes.NewReader(file)),
		} {
			h, got, err := read(r)
			if err != nil || h.First != first || h.Last != first+journal.Pos(len(want))-1 || !h.Time.Equal(at) || len(got) != len(want) {
				t.Fatalf("%s, %s: %+v, %d frames, %v", name, how, h, len(got), err)
			}
			for i := range want {
				if !bytes.Equal(got[i], want[i]) {
					t.Errorf("%s, %s: frame %d differs", name, how, i)
				}
			}
		}
	}
}

// The format is for ever: these are the bytes of every release.
func TestBackup_IsThatOfEveryRelease(t *testing.T) {
	t.Parallel()
	const golden = "72656576 65206261 636b7570 20310a" + // "reeve backup 1\n"
		"0700000000000000 0800000000000000 0000f32384 5bd718 b7c0aa4f" +
		"0700000000000000 03000000 2d35bf92 6f6e65" +
		"0800000000000000 03000000 8ac2f4eb 74776f" +
		"0000000000000000 0200000000000000 0600000000000000 38b9f14e"
	want, err := hex.DecodeString(strings.ReplaceAll(golden, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	if got := written(t, first, [][]byte{[]byte("one"), []byte("two")}); !bytes.Equal(got, want) {
		t.Errorf("is\n%x, was\n%x", got, want)
	}
	if _, got, err := read(bytes.NewReader(want)); err != nil || len(got) != 2 || string(got[1]) != "two" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestReader_KnowsABackupThatWasCutOff(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"frames": written(t, first, [][]byte{[]byte("one"), []byte("two")}), "none": written(t, first, nil),
	} {
		for n := range len(file) {
			_, _, err := read(bytes.NewReader(file[:n]))
			if want := backup.ErrIncomplete; n == 0 && !errors.Is(err, backup.ErrFormat) || n > 0 && !errors.Is(err, want) {
				t.Errorf("%s, %d of %d bytes: %v", name, n, len(file), err)
			}
		}
	}
	_, got, err := read(bytes.NewReader(written(t, first, frames())[:200]))
	if len(got) != 1 || err == nil || err.Error() != "backup: incomplete: FILE was cut off in frame 8 of 10, after 200 bytes" {
		t.Errorf("%d frames, %v", len(got), err)
	}
}

func TestReader_NamesDamage(t *testing.T) {
	t.Parallel()
	file := written(t, first, [][]byte{[]byte("one"), []byte("two")})
	for i := range file {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(file)
			bad[i] ^= bit
			_, got, err := read(bytes.NewReader(bad))
			var damage *journal.CorruptError
			switch {
			case err == nil:
				t.Errorf("byte %d: not noticed", i)
			case errors.Is(err, backup.ErrFormat), errors.Is(err, journal.ErrNewer):
				if i >= len("reeve backup 1\n") {
					t.Errorf("byte %d: %v", i, err)
				}
			case errors.Is(err, backup.ErrIncomplete): // a length that goes beyond the end
			case !errors.As(err, &damage) || damage.File != "FILE" || damage.Offset > int64(i):
				t.Errorf("byte %d: %v", i, err)
			}
			for j, f := range got {
				if string(f) != []string{"one", "two"}[j] {
					t.Errorf("byte %d: frame %d is %q", i, j, f)
				}
			}
		}
	}
	if _, _, err := read(bytes.NewReader(append(file, 0))); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("a byte behind the end: %v", err)
	}
}

func TestReader_RefusesWhatIsNoBackupOfThisVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"":                            backup.ErrFormat,
		`{"reeve_journal":1}` + "\n":  backup.ErrFormat,
		"reeve backup 2\nand so on":   journal.ErrNewer,
		"reeve backup 10\nand so on":  journal.ErrNewer,
		"reeve bac":                   backup.ErrIncomplete,
		"reeve backup of something..": journal.ErrNewer,
	} {
		if _, _, err := read(strings.NewReader(text)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	broken := errors.New("broken")
	if _, _, err := read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Error(err)
	}
	file := written(t, first, frames())
	if _, _, err := read(io.MultiReader(bytes.NewReader(file[:100]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// A length is believed as far as there is something.
func TestReader_AllocatesNothingOnTheWordOfALength(t *testing.T) {
	file := written(t, first, [][]byte{[]byte("one")})
	long := bytes.Clone(file)
	copy(long[len("reeve backup 1\n")+28+8:], []byte{0xff, 0xff, 0xff, 0x7f})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := read(bytes.NewReader(long)); !errors.Is(err, backup.ErrIncomplete) {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	if allocated > 4<<20 {
		t.Errorf("%d bytes were allocated for %d", allocated, len(long))
	}
}

func TestWriter_RefusesWhatWouldBeNoBackup(t *testing.T) {
	t.Parallel()
	for _, h := range []backup.Header{{}, {First: 3, Last: 1}, {First: 0, Last: 4}} {
		if _, err := backup.NewWriter(io.Discard, h); err == nil {
			t.Errorf("%+v", h)
		}
	}
	w, err := backup.NewWriter(io.Discard, backup.Header{First: 2, Last: 3})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"another frame":  w.Frame(3, []byte("x")),
		"an empty frame": w.Frame(2, nil),
		"no frame":       w.Close(),
	} {
		if err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	if err := w.Frame(2, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, backup.ErrIncomplete) {
		t.Error(err)
	}
	if err := w.Frame(3, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Frame(4, []byte("x")); err == nil {
		t.Error("a frame beyond the last was taken")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, journal.ErrClosed) {
		t.Error(err)
	}
}

// failing takes some writes, and then half of one.
type failing struct {
	left  int
	wrote int
}

var errFull = errors.New("no room")

func (f *failing) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		f.wrote++
		return len(p) / 2, errFull
	}
	return len(p), nil
}

func TestWriter_AfterAFailedWriteNothingMoreIsWritten(t *testing.T) {
	t.Parallel()
	for left := range 4 {
		f := &failing{left: left}
		w, err := backup.NewWriter(f, backup.Header{First: 1, Last: 1})
		if err == nil {
			err = w.Frame(1, []byte("x"))
		}
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, errFull) || f.wrote != 1 {
			t.Errorf("after %d writes: %v, %d more", left, err, f.wrote)
		}
		if err := w.Frame(1, []byte("x")); !errors.Is(err, errFull) {
			t.Error(err)
		}
		if err := w.Close(); !errors.Is(err, errFull) || f.wrote != 1 {
			t.Error(err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(written(f, first, [][]byte{[]byte("one"), []byte("two")}))
	f.Add(written(f, 1, nil))
	f.Add([]byte("reeve backup 2\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		h, got, err := read(bytes.NewReader(file))
		if err != nil {
			return
		}
		// Whatever is taken for a whole backup is one, byte for byte.
		var b bytes.Buffer
		w, err := backup.NewWriter(&b, h)
		if err != nil {
			t.Fatal(err)
		}
		for i, frame := range got {
			if err := w.Frame(h.First+journal.Pos(i), frame); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), file) {
			t.Errorf("read\n%x, wrote\n%x", file, b.Bytes())
		}
	})
}
