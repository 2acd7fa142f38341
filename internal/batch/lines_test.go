package batch

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

// cut is what the package says a line is, in the plainest way.
func cut(input []byte) [][]byte {
	var lines [][]byte
	for len(input) > 0 {
		line, rest, found := bytes.Cut(input, []byte("\n"))
		if found {
			line = bytes.TrimSuffix(line, []byte("\r"))
		}
		lines = append(lines, line)
		input = rest
	}
	return lines
}

func FuzzLineReader(f *testing.F) {
	f.Add([]byte("a\r\nb\n\n\rc\r"), int64(3), true)
	f.Add(bytes.Repeat([]byte("x"), 70), int64(69), false)
	f.Fuzz(func(t *testing.T, input []byte, max int64, slow bool) {
		if max < 0 {
			return
		}
		var r io.Reader = bytes.NewReader(input)
		if slow {
			r = iotest.HalfReader(r)
		}
		lr := newLineReader(r, min(max, 1<<30), 16)
		var size int64
		for i, want := range cut(input) {
			got, err := lr.next()
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			if over := int64(len(want)) > max; got.over != over || !over && !bytes.Equal(got.text, want) {
				t.Fatalf("line %d: %q (over %v), want %q", i+1, got.text, got.over, want)
			}
			size += got.size
		}
		if _, err := lr.next(); !errors.Is(err, io.EOF) || size != int64(len(input)) {
			t.Fatalf("%v after %d of %d bytes", err, size, len(input))
		}
	})
}

func TestWriter_StripsOneLineEndOnly(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := newWriter(&out, false)
	for _, s := range []string{"a\n", "b\n\n", "", "\n", "c\r\n"} {
		if _, err := w.add(1, result{text: []byte(s)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	if want := "a\nb\n\n\n\nc\r\n"; out.String() != want {
		t.Fatalf("%q, want %q", out.String(), want)
	}
}

func TestWriter_OrderedSkipsDeadLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := newWriter(&out, true)
	var held []bool
	for _, r := range []struct {
		line int64
		result
	}{{3, result{text: []byte("c")}}, {2, result{none: true}}, {1, result{text: []byte("a")}}, {4, result{text: []byte("d")}}} {
		later, err := w.add(r.line, r.result)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, later)
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	if out.String() != "a\nc\nd\n" || !slices.Equal(held, []bool{true, true, false, false}) || w.heldBytes != 0 {
		t.Fatalf("%q, held %v, %d bytes", out.String(), held, w.heldBytes)
	}
}
