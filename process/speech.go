package process

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// maxTail bounds what is kept of what the master says, for errors: the end.
const maxTail = 4 << 10

// announcement is how the master says where it listens; the rest of the line is
// the address.
const announcement = "listening on "

// speech is a master's standard error.
type speech struct {
	listening chan string // cap 1; gets the address, once
	log       io.Writer   // nil: nobody listens

	mu    sync.Mutex // guards the fields below
	found bool
	line  []byte // the beginning of the line that is being written, at most maxTail
	end   []byte // at most maxTail
}

func newSpeech(log io.Writer) *speech { return &speech{listening: make(chan string, 1), log: log} }

// Write never fails: the master is not to notice what becomes of it.
func (s *speech) Write(b []byte) (int, error) {
	if s.log != nil { // with nothing locked: tail does not wait for it
		_, _ = s.log.Write(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = append(s.end, b[max(0, len(b)-maxTail):]...)
	if extra := len(s.end) - maxTail; extra > 0 {
		s.end = append(s.end[:0], s.end[extra:]...)
	}
	for rest := b; !s.found; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		s.line = append(s.line, line[:min(len(line), maxTail-len(s.line))]...)
		if !ended {
			break
		}
		if addr, ok := strings.CutPrefix(strings.TrimSuffix(string(s.line), "\r"), announcement); ok {
			s.found = true
			s.listening <- addr
		}
		s.line, rest = s.line[:0], after
	}
	return len(b), nil
}

// tail is the end of what was said.
func (s *speech) tail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text := strings.TrimSpace(string(s.end)); text != "" {
		return text
	}
	return "it said nothing"
}
