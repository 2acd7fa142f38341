package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRun_RefusesWhatCannotBeRun(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-concurrency 0":                 "want a whole number from 1 to 65536",
		"-concurrency 65536 -prefetch 1": "too many together",
		"-queue= ":                       "-queue must not be empty",
		"-connect=":                      `-connect "": want HOST:PORT`,
		"-connect a:1,b":                 `-connect "b": want HOST:PORT`,
		"-grace never":                   "want a time with its unit",
		"-max-output 0":                  "want at least 1",
		"-debug-addr 192.0.2.1:1":        "want a loopback address",
		"square 12":                      `unexpected argument "square"`,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), append([]string{"x"}, strings.Fields(args)...), strings.NewReader(""), &stdout, &stderr, func(string) string { return "" })
			if code != 2 || stdout.Len() != 0 || !strings.Contains(stderr.String(), want) || !strings.Contains(stderr.String(), "\nTry 'worker") {
				t.Fatalf("exit %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
			}
		})
	}
}
