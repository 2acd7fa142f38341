package auth

import (
	_ "embed" // the list of passwords
	"fmt"
	"strings"
	"sync"
)

// minPassword is the length below which every password counts as weak, so that
// the list needs to name longer ones only.
const minPassword = 12

//go:embed weak.txt
var weakText string

// weakList is the list's passwords, in lower case.
var weakList = sync.OnceValue(func() map[string]bool {
	list := make(map[string]bool)
	for line := range strings.Lines(weakText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list[line] = true
		}
	}
	return list
})

// Weak reports whether k is a password that somebody who may try a few thousand
// times a day could find: shorter than 12 bytes, one of a list of well-known
// ones, or a short pattern said over and over. A generated key is never weak.
func (k Key) Weak() bool {
	if k.IsZero() || k.Generated() {
		return false
	}
	s := string(k.m().secret)
	return len(s) < minPassword || weakList()[strings.ToLower(s)] || repeats(s) || runs(s)
}

// repeats reports whether s is one piece of at most 6 bytes, said over and over.
func repeats(s string) bool {
	for n := 1; n <= 6 && n < len(s); n++ {
		if strings.HasPrefix(s[n:], s[:len(s)-n]) {
			return true
		}
	}
	return false
}

// runs reports whether s counts up or down all along: "abcdefghijklmn".
func runs(s string) bool {
	step := func(i int) int { return int(s[i]) - int(s[i-1]) }
	if len(s) < 2 || (step(1) != 1 && step(1) != -1) {
		return false
	}
	for i := 2; i < len(s); i++ {
		if step(i) != step(1) {
			return false
		}
	}
	return true
}

// WeakKeyWarning is what a master prints when it listens beyond loopback with a
// weak key: three lines, the last with a newly generated key ready for use. The
// key is shown this once and kept nowhere.
func WeakKeyWarning() (string, error) {
	_, text, err := GenerateKey("worker")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("warning: this authkey is weak: whoever can reach this port may guess it within days.\n"+
		"Use a generated key on both sides instead (make more with: reeve keygen ID). A new one, kept nowhere:\n%s\n", text), nil
}
