package process

import (
	"strings"
	"sync"
)

// maxText bounds what is kept of a process's output, in bytes: its beginning.
const maxText = 1 << 20

// text is output that can be waited for.
type text struct {
	mu   sync.Mutex // guards the fields below
	buf  []byte
	more chan struct{} // nil: nobody waits
}

// Write keeps b. It never fails: the program must not notice the limit.
func (t *text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b[:min(len(b), maxText-len(t.buf))]...)
	if t.more != nil {
		close(t.more)
		t.more = nil
	}
	return len(b), nil
}

// changed is closed at the next Write.
func (t *text) changed() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more == nil {
		t.more = make(chan struct{})
	}
	return t.more
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

// after is the rest of the first complete line that holds words.
func (t *text) after(words string) (string, bool) {
	for line := range strings.Lines(t.String()) {
		if _, rest, ok := strings.Cut(line, words); ok && strings.HasSuffix(rest, "\n") {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// tail is the end of the output, enough for an error.
func (t *text) tail() string {
	s := t.String()
	return strings.TrimSpace(s[max(0, len(s)-2000):])
}
