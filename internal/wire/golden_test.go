package wire_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/reeveq/reeve/internal/wire"
)

// -update writes the golden file anew. Lines are only ever added to it: a
// changed one is a message that older programs do not read.
var update = flag.Bool("update", false, "write testdata/frames.golden")

const goldenFile = "testdata/frames.golden"

func TestFrames_AreThoseOfEveryRelease(t *testing.T) {
	t.Parallel()
	if *update {
		var b bytes.Buffer
		for _, s := range samples() {
			fmt.Fprintf(&b, "%s %x\n", s.name, s.frames())
		}
		if err := os.WriteFile(goldenFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden := readGolden(t)
	for _, s := range samples() {
		if got := s.frames(); !bytes.Equal(got, golden[s.name]) {
			t.Errorf("%s is\n%x, was\n%x", s.name, got, golden[s.name])
		}
		delete(golden, s.name)
	}
	for name := range golden {
		t.Errorf("no sample %s any more", name)
	}
}

// What an older program sent is still read, and every type has a sample.
func TestFrames_OfEveryReleaseAreRead(t *testing.T) {
	t.Parallel()
	seen := map[wire.Type]bool{}
	for name, buf := range readGolden(t) {
		for _, frame := range frames(buf) {
			typ, body, err := wire.ParseType(frame)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			seen[typ] = true
			if h := hotOf(typ); h != nil {
				err = h.fresh().Decode(body)
			} else {
				m := reflect.New(reflect.TypeOf(coldOf(t, typ)).Elem()).Interface()
				err = wire.Decode(typ, body, m)
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for typ := range wire.Type(1000) {
		if typ.Known() && !seen[typ] {
			t.Errorf("no sample of %v", typ)
		}
	}
}

func coldOf(t *testing.T, typ wire.Type) wire.Message {
	t.Helper()
	for _, m := range coldMessages() {
		if typeOf(t, fill(m)) == typ {
			return m
		}
	}
	t.Fatalf("no struct for %v", typ)
	return nil
}

// fill gives a Claim what it cannot be without.
func fill(m wire.Message) wire.Message {
	if c, ok := m.(*wire.Claim); ok {
		c.Entries = wire.Pairs{{ID: 1, Attempt: 1}}
	}
	return m
}

// TestProtocolDoc_ExamplesAreReal compares the blocks of docs/PROTOCOL.md that
// open with "```hex NAME" with what is sent, comments after # left out.
func TestProtocolDoc_ExamplesAreReal(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	golden := readGolden(t)
	checked := map[string]bool{}
	name, text := "", ""
	for line := range strings.Lines(string(doc)) {
		line = strings.TrimSpace(line)
		switch {
		case name == "" && strings.HasPrefix(line, "```hex "):
			name, text = strings.TrimPrefix(line, "```hex "), ""
		case name != "" && line == "```":
			got, err := hex.DecodeString(text)
			if err != nil || !bytes.Equal(got, golden[name]) || checked[name] {
				t.Errorf("%s in the document is\n%x (%v), and is sent as\n%x", name, got, err, golden[name])
			}
			checked[name], name = true, ""
		case name != "":
			code, _, _ := strings.Cut(line, "#")
			text += strings.Join(strings.Fields(code), "")
		}
	}
	for name := range golden {
		if !checked[name] {
			t.Errorf("docs/PROTOCOL.md has no example %s", name)
		}
	}
}

// The table of error codes in the document is the one of every release.
func TestProtocolDoc_ErrorCodesAreReal(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/codes.golden")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "| code | name in Go |")
	table, _, _ = strings.Cut(table, "\n\n")
	var got strings.Builder
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 3 && !strings.Contains(line, "---") && strings.TrimSpace(cells[1]) != "" {
			fmt.Fprintf(&got, "%s %s\n", strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]))
		}
	}
	if got.String() != string(golden) {
		t.Errorf("the document has\n%s, want\n%s", got.String(), golden)
	}
}

func readGolden(t *testing.T) map[string][]byte {
	t.Helper()
	f, err := os.Open(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][]byte{}
	for s := bufio.NewScanner(f); s.Scan(); {
		name, digits, _ := strings.Cut(s.Text(), " ")
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) == 0 || out[name] != nil {
			t.Fatalf("line %q: %v", s.Text(), err)
		}
		out[name] = b
	}
	return out
}
