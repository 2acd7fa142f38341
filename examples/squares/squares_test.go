package squares_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/reeveq/reeve/examples/internal/exampletest"
)

func TestSquares_OneWorkerServesOneMasterAfterTheOther(t *testing.T) {
	t.Parallel()
	u := exampletest.New(t, "squares/task_master", "squares/task_worker")
	first := u.Start("task_master", "-addr", "127.0.0.1:0")
	addr := u.Says(first, "listening on ")
	worker := u.Start("task_worker", "-connect", addr)
	check(t, u.Wait(first))
	second := u.Start("task_master", "-addr", addr)
	check(t, u.Wait(second))

	worker.Kill()
	if n := strings.Count(worker.Stdout(), "run "); n != 20 {
		t.Errorf("the worker ran %d tasks:\n%s", n, worker.Stdout())
	}
}

// check compares what a master put with what it got.
func check(t *testing.T, stdout string) {
	t.Helper()
	var want, got []string
	for _, m := range regexp.MustCompile(`(?m)^put (\d+)$`).FindAllStringSubmatch(stdout, -1) {
		var n int
		fmt.Sscan(m[1], &n)
		want = append(want, fmt.Sprintf("%d * %d = %d", n, n, n*n))
	}
	for _, m := range regexp.MustCompile(`(?m)^result (.*)$`).FindAllStringSubmatch(strings.ReplaceAll(stdout, "\r", ""), -1) {
		got = append(got, m[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) != 10 || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSquares_AWorkerWithoutAMasterSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	u := exampletest.New(t, "squares/task_worker")
	_, stderr, code := u.Run("task_worker")
	if code != 1 || !strings.Contains(stderr, "task_worker: ") || !strings.Contains(stderr, "loopback.key") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
