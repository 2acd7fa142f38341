package batch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// line is one line of the input.
type line struct {
	text []byte // its own memory
	size int64  // with what ends it
	over bool   // longer than allowed; text is nil then
}

// lineReader cuts an input into lines of at most max bytes. What is too long is
// read over without being held.
type lineReader struct {
	r   *bufio.Reader
	max int64
}

// readSize is how much is read at a time; lines may be longer.
const readSize = 64 << 10

func newLineReader(r io.Reader, max int64, readSize int) *lineReader {
	return &lineReader{bufio.NewReaderSize(r, readSize), max}
}

// next waits for a line; io.EOF after the last. An error that cuts a line short
// comes instead of it.
func (l *lineReader) next() (line, error) {
	var ln line
	for {
		piece, err := l.r.ReadSlice('\n')
		ln.size += int64(len(piece))
		ended := err == nil
		if ended {
			piece = piece[:len(piece)-1]
		}
		// One byte more than allowed may be the CR before the LF.
		if !ln.over && int64(len(ln.text)+len(piece)) > l.max+1 {
			ln.over, ln.text = true, nil
		}
		if !ln.over {
			ln.text = append(ln.text, piece...)
		}
		switch {
		case ended:
			ln.text = bytes.TrimSuffix(ln.text, []byte("\r"))
			return l.check(ln), nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && ln.size > 0:
			return l.check(ln), nil
		default:
			return line{}, err
		}
	}
}

func (l *lineReader) check(ln line) line {
	if int64(len(ln.text)) > l.max {
		ln.over, ln.text = true, nil
	}
	return ln
}

// ready reports whether next has a whole line without waiting for the input.
func (l *lineReader) ready() bool {
	n := l.r.Buffered()
	if n == 0 {
		return false
	}
	b, _ := l.r.Peek(n)
	return bytes.IndexByte(b, '\n') >= 0
}
