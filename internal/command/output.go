package command

import (
	"bytes"
	"strings"
)

// stderrTail is how much of the end of the standard error an [ExitError] holds.
const stderrTail = 4 << 10

// bounded keeps what is written as long as it is at most max bytes. Beyond
// that it calls over, once, lets go of everything and takes no more.
type bounded struct {
	max  int64
	over func()

	buf  bytes.Buffer
	full bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.full {
		return len(p), nil
	}
	if int64(b.buf.Len()+len(p)) > b.max {
		b.full = true
		b.buf = bytes.Buffer{}
		b.over()
		return len(p), nil
	}
	return b.buf.Write(p)
}

// tail keeps the last max bytes of what is written.
type tail struct {
	max int
	cut bool
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > t.max {
		p = p[len(p)-t.max:]
		t.cut = true
	}
	if over := len(t.buf) + len(p) - t.max; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
		t.cut = true
	}
	t.buf = append(t.buf, p...)
	return n, nil
}

// String is the text that was kept, as valid UTF-8 and without the white space
// around it.
func (t *tail) String() string {
	s := strings.TrimSpace(strings.ToValidUTF8(string(t.buf), "\uFFFD"))
	if t.cut {
		s = "..." + s
	}
	return s
}
