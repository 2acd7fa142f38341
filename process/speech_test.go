package process

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
)

// heard is the address that speech finds in what is written in parts.
func heard(parts ...string) string {
	s := newSpeech(nil)
	for _, p := range parts {
		_, _ = s.Write([]byte(p)) // never fails
	}
	select {
	case addr := <-s.listening:
		return addr
	default:
		return ""
	}
}

func TestSpeech_FindsTheAddressHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for want, parts := range map[string][]string{
		"a:1":          {"listening on a:1\n"},
		"a:2":          {"first\r\nlistening on a:2\r\nlistening on b:2\n"},
		"unix:/a path": {"x\nlisten", "ing on unix:/a", " path", "\n"},
		"a:3":          {strings.Repeat("x", 3*maxTail), "\nlistening on a:3\n"},
	} {
		if got := heard(parts...); got != want {
			t.Errorf("%q: %q", parts, got)
		}
	}
	for _, part := range []string{"", "listening on a:1", "I am listening on a:1\n"} {
		if got := heard(part); got != "" {
			t.Errorf("%q: %q", part, got)
		}
	}
}

func TestSpeech_KeepsTheEndOnly(t *testing.T) {
	t.Parallel()
	s := newSpeech(nil)
	for range 10 {
		_, _ = s.Write(bytes.Repeat([]byte("x"), maxTail-1))
	}
	_, _ = s.Write([]byte("the end\n"))
	if tail := s.tail(); len(tail) > maxTail || !strings.HasSuffix(tail, "xthe end") || cap(s.line) > 4*maxTail || cap(s.end) > 4*maxTail {
		t.Errorf("%d bytes, %d, %d", len(tail), cap(s.line), cap(s.end))
	}
}

// stuck is a log whose Write does not return until it is closed.
type stuck chan struct{}

func (c stuck) Write(b []byte) (int, error) { <-c; return len(b), nil }

func TestSpeech_ALogThatIsStuckHoldsUpNoTail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := make(stuck)
		s := newSpeech(log)
		go s.Write([]byte("first\n")) // ends below
		synctest.Wait()
		if tail := s.tail(); tail != "it said nothing" {
			t.Error(tail)
		}
		close(log)
		synctest.Wait()
		if tail := s.tail(); tail != "first" {
			t.Error(tail)
		}
	})
}

// FuzzSpeech: the address is that of the first line that announces one, wherever
// the writes are cut.
func FuzzSpeech(f *testing.F) {
	f.Add("x\nlistening on a:1\n", uint8(5))
	f.Add("listening on \r\n", uint8(0))
	f.Fuzz(func(t *testing.T, text string, cut uint8) {
		if len(text) > maxTail {
			return
		}
		n := min(int(cut), len(text))
		if whole, parts := heard(text), heard(text[:n], text[n:]); whole != parts {
			t.Errorf("%q or %q", whole, parts)
		}
	})
}
