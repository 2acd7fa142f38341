package batch

import (
	"bufio"
	"bytes"
	"io"
)

// writer writes results, in the order of their lines if that is asked for.
type writer struct {
	w       *bufio.Writer
	ordered bool

	next      int64            // ordered: the line whose turn it is
	held      map[int64]result // ordered: those that came before their turn
	heldBytes int64
}

// result is what there is for one line.
type result struct {
	text []byte
	none bool // the line is dead
}

func newWriter(w io.Writer, ordered bool) *writer {
	return &writer{w: bufio.NewWriterSize(w, 64<<10), ordered: ordered, next: 1, held: map[int64]result{}}
}

// add writes what there is for a line, now or when its turn comes. later
// reports that it is held.
func (w *writer) add(line int64, r result) (later bool, err error) {
	if !w.ordered {
		return false, w.write(r)
	}
	if line != w.next {
		w.held[line] = r
		w.heldBytes += int64(len(r.text))
		return true, nil
	}
	for {
		if err := w.write(r); err != nil {
			return false, err
		}
		w.next++
		var ok bool
		if r, ok = w.held[w.next]; !ok {
			return false, nil
		}
		delete(w.held, w.next)
		w.heldBytes -= int64(len(r.text))
	}
}

func (w *writer) write(r result) error {
	if r.none {
		return nil
	}
	_, _ = w.w.Write(bytes.TrimSuffix(r.text, []byte("\n")))
	if err := w.w.WriteByte('\n'); err != nil { // bufio keeps the first error
		return &OutputError{err}
	}
	return nil
}

// flush returns when all that was written has left the process.
func (w *writer) flush() error {
	if err := w.w.Flush(); err != nil {
		return &OutputError{err}
	}
	return nil
}
