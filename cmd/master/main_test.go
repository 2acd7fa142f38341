package main

import (
	"bytes"
	"strings"
	"testing"
)

// getenv has a key, so that none is made for the user who runs the tests.
func getenv(name string) string {
	return map[string]string{"REEVE_AUTHKEY": "a key for tests only"}[name]
}

func TestRun_RefusesWhatCannotBeRun(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-addr":               "flag -addr needs a value",
		"-addr x":             `-addr "x": want HOST:PORT`,
		"-addr=":              `-addr "": want HOST:PORT`,
		"-addr ::1:5000":      "[::1]:5000",
		"-input=":             "-input needs the name of a file",
		"-input x -output=":   "-output needs the name of a file",
		"stray":               `unexpected argument "stray"`,
		"-queue a,lease=1ms":  "-queue a: ",
		"-queue a,attempts=0": "want a whole number from 1 to 1000000",
		"-max-payload 1":      "want at least 1KiB",
		"-max-payload 2GiB":   "want at most 1GiB",
		"-log-format xml":     "want text or json",
		"-debug-addr :6060":   "want a loopback address",
		"-summary soon":       "want a time with its unit",
		"-data dir":           "unknown flag -data",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), append([]string{"x"}, strings.Fields(args)...), strings.NewReader(""), &stdout, &stderr, getenv)
			if code != 2 || stdout.Len() != 0 || !strings.Contains(stderr.String(), want) || !strings.Contains(stderr.String(), "\nTry 'master") {
				t.Fatalf("exit %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
			}
		})
	}
}
