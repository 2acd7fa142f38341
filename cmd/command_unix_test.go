//go:build unix

package cmd_test

import (
	"strings"
	"testing"
)

func TestCommand_ItsOutputIsTheResult(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch("a b\n$(id)\n\n", "-ordered")
	s.with("REEVE_AUTHKEY=").start("worker", "-connect", addr, "--", "sh", "-c", `printf '%s=%s\n\n' "$1" "$(cat)"`, "sh", "<{}>")
	m.wants(0)
	if got := m.stdout.String(); got != "<a b>=a b\n\n<$(id)>=$(id)\n\n<>=\n\n" {
		t.Errorf("got %q", got)
	}
}

func TestCommand_OneThatFailsOrPrintsTooMuchIsAFailedAttempt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch("fail\nprint\nenv\nok\n", "-queue", "tasks,attempts=2,backoff=0", "-ordered")
	s.start("worker", "-connect", addr, "-concurrency", "4", "-max-output", "1MiB", "--", "sh", "-c",
		`case $1 in
		fail) echo "disk on fire" >&2; exit 4;;
		print) head -c 100000000 /dev/zero;;
		env) echo "$REEVE_QUEUE $REEVE_ATTEMPT ${#REEVE_TASK_ID}";;
		ok) echo fine;;
		esac`, "sh", "{}")
	m.wants(1, "line 1 has no result: ", "exit status 4: disk on fire", "line 2 has no result: ", "output over the limit of 1048576 bytes (-max-output)",
		"4 lines: 2 done, 2 without a result")
	if got := m.stdout.String(); got != "tasks 1 16\nfine\n" {
		t.Errorf("got %q", got)
	}
}

func TestCommand_OneThatNeverEndsIsAFailedAttempt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch("never\n", "-queue", "tasks,attempts=2,backoff=0")
	s.start("worker", "-connect", addr, "-timeout", "1s", "--", "sh", "-c", `trap "" TERM; while :; do sleep 1; done`)
	m.wants(1, "line 1 has no result: 2 attempts timed out; last: reeve: attempt ran out of time, after 1s", "1 line: 0 done, 1 without a result")
}

func TestCommand_TheKeyIsNotInItsEnvironment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	keyed := s.with("REEVE_AUTHKEY=hush hush hush hush")
	m, addr := keyed.batch("x\n")
	w := keyed.worker(addr, "--", "env")
	m.wants(0)
	if got := m.stdout.String(); !strings.Contains(got, "REEVE_TASK_ID=") || strings.Contains(got, "hush") {
		t.Errorf("got %q", got)
	}
	if strings.Contains(w.stderr.String(), "hush") {
		t.Error("the key is in the log")
	}
}
