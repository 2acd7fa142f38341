package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes a text that came from elsewhere fit for one line of a
// terminal: whatever could move the cursor or change how text looks is a
// question mark, line ends and tabs are blanks.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}

// printableLines is printable for a text of several lines.
func printableLines(s string) []string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range all {
		all[i] = printable(strings.ReplaceAll(l, "\t", "    "))
	}
	return all
}

// clipped is the beginning of a printable text, of at most n characters.
func clipped(s string, n int) string {
	s = printable(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
