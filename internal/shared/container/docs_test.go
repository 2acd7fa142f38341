package container

import (
	"os"
	"strings"
	"testing"
)

func TestProtocol_HasEveryMethod(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(strings.ReplaceAll(string(b), "\r", ""), "\n### Containers\n")
	text, _, _ = strings.Cut(text, "\n## ")
	for _, typ := range Types() {
		_, about, ok := strings.Cut(text, "\n**"+typ.Name+"**")
		if typ.Name == "namespace" {
			_, about, ok = strings.Cut(text, "**namespace**\n")
		}
		about, _, _ = strings.Cut(about, "\n**")
		if !ok {
			t.Errorf("there is nothing about a %s", typ.Name)
		}
		for _, m := range typ.Methods {
			if !hasWord(about, m.Name) {
				t.Errorf("method %s of a %s is missing", m.Name, typ.Name)
			}
		}
	}
}

// hasWord reports whether a word stands in text by itself.
func hasWord(text, word string) bool {
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return r < 'a' || r > 'z' }) {
		if w == word {
			return true
		}
	}
	return false
}
