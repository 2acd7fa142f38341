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
		"-queue a,,b":                    "-queue must not be empty",
		"-queue a=0":                     `queue "a": weight "0", want a whole number from 1 to 1000`,
		"-queue a -queue b,a=2":          `worker: -queue: queue "a" is a source twice`,
		"-queue a=2,b -strict":           `-strict and the weight of queue "a"`,
		"-queue a,results":               "-queue and -results must not be the same",
		"-type square -type cube":        `-type "cube": there is no such demo function; there are: checksum, echo`,
		"-type square -type square":      "it was given before",
		"-label=":                        `-label: label "" of 0 bytes, want 1 to 255`,
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
