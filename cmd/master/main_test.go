package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

// getenv has a key, so that none is made for the user who runs the tests.
func getenv(name string) string {
	return map[string]string{"REEVE_AUTHKEY": "a key for tests only"}[name]
}

func TestRun_RefusesWhatCannotBeRun(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-addr":                    "flag -addr needs a value",
		"-addr x":                  `-addr "x": want HOST:PORT`,
		"-addr=":                   `-addr "": want HOST:PORT`,
		"-addr ::1:5000":           "[::1]:5000",
		"-input=":                  "-input needs the name of a file",
		"-input x -output=":        "-output needs the name of a file",
		"stray":                    `unexpected argument "stray"`,
		"-queue a\x00":             "-queue a",
		"-queue a,lease=1ms":       `queue "a": lease=1ms: want 100ms to 24h`,
		"-queue a,attempts=0":      "want a whole number from 1 to 1000000",
		"-queue a,window=1-2@Mars": "window=1-2@Mars: window \"1-2@Mars\", want HH:MM-HH:MM",
		"-max-payload 1":           "want at least 1KiB",
		"-max-payload 2GiB":        "want at most 1GiB",
		"-log-format xml":          "want text or json",
		"-debug-addr :6060":        "want a loopback address",
		"-summary soon":            "want a time with its unit",
		"-data=":                   "-data needs the name of a directory",
		"-durability sync":         "-durability needs -data",
		"-memory 1GiB":             "-memory needs -data",
		"-queue a,durability=sync": "-queue a,durability=sync: durability= needs -data",
		"-data d -durability soon": "want sync, none or interval=TIME",
		"-data d -memory 1023KiB":  "want at least 1MiB",
		"-stop-on-eof -input x":    "-stop-on-eof and -input",
		"-data d -memory -1":       "want a number of bytes",
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

// parse reads a command line without running anything.
func parse(t *testing.T, args string) *options {
	t.Helper()
	o := newOptions(getenv)
	root := o.command(func(_ context.Context, cmd *cli.Command) error { return o.complete(cmd) })
	var out bytes.Buffer
	if code := cmdline.Run(t.Context(), root, append([]string{"x"}, strings.Fields(args)...), cmdline.IO{Out: &out, Err: &out}, program.ExitCode); code != 0 {
		t.Fatalf("%s: exit %d: %s", args, code, out.String())
	}
	return o
}

func TestOptions_QueuesWaitAfterAFailureUnlessTheySayOtherwise(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]map[string]time.Duration{
		"":                                       {"tasks": time.Second, "results": time.Second},
		"-queue a":                               {"a": time.Second},
		"-queue a,attempts=2 -queue b":           {"a": time.Second, "b": time.Second},
		"-queue a,backoff=0":                     {"a": 0},
		"-queue a,backoff=5s..1m":                {"a": 5 * time.Second},
		"-input x -queue a,backoff=0":            {"a": 0, "results": time.Second},
		"-input x":                               {"tasks": time.Second, "results": time.Second},
		"-queue a,backoff=0 -queue b,backoff=2h": {"a": 0, "b": 2 * time.Hour},
	} {
		o := parse(t, args)
		for _, q := range o.queues {
			if base, known := want[q.Name]; !known || q.Config.Backoff.Base != base {
				t.Errorf("%s: queue %s waits %v first", args, q.Name, q.Config.Backoff.Base)
			}
		}
		if len(o.queues) != len(want) {
			t.Errorf("%s: %d queues", args, len(o.queues))
		}
	}
}

func TestHelp_ExplainsEveryOptionOfAQueue(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"x", "-help"}, strings.NewReader(""), &stdout, &stderr, getenv); code != 0 {
		t.Fatal(code, stderr.String())
	}
	for name := range strings.SplitSeq(cmdline.QueueOptions(), ", ") {
		if !strings.Contains(stdout.String(), "\n  "+name) {
			t.Errorf("no help for %s", name)
		}
	}
}
