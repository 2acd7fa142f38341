package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRun_RefusesWhatCannotBeRun(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                      "a command is needed",
		"put":                   "the name of a queue is needed",
		"put tasks -batch 5000": "want a whole number from 1 to 4096",
		"get":                   "the name of one queue is needed",
		"keygen a b":            "one name is enough",
		"keygen UPPER":          "key id",
		"ls -connect localhost": `-connect "localhost": want HOST:PORT`,
		"version now":           `unexpected argument "now"`,
		"-connect h:1":          "unknown flag -connect",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), append([]string{"x"}, strings.Fields(args)...), strings.NewReader(""), &stdout, &stderr, func(string) string { return "" })
			if code != 2 || stdout.Len() != 0 || !strings.Contains(stderr.String(), want) || !strings.Contains(stderr.String(), "\nTry 'reeve") {
				t.Fatalf("exit %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
			}
		})
	}
}
