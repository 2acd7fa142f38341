package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/examples/internal/exampletest"
)

func TestQuickstart_LosesNothingWithAWorkerKilled(t *testing.T) {
	t.Parallel()
	const n = 600
	files, lines := map[string]string{}, 0
	for i := range n {
		files[fmt.Sprintf("%d/file %d.txt", i%7, i)] = strings.Repeat("line\n", i) + "no line end"
		lines += i
	}
	u := exampletest.New(t, "quickstart")
	stdout, stderr, code := u.Run("quickstart", exampletest.Tree(t, files))
	if code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
	for _, want := range []string{
		`(?m)^worker 1: kill -9 \d+$`,
		`(?m)^100 %  600 results$`,
		fmt.Sprintf(`(?m)^lines +%d +%d$`, lines, lines),
		`(?m)^SHA-256 of all +([0-9a-f]{12})\.\.\. +[0-9a-f]{12}\.\.\.$`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("no %s in:\n%s", want, stdout)
		}
	}
	last := regexp.MustCompile(`\n600 files, 600 results, 0 lost, 1 worker killed, (\d+) redelivered\n$`).FindStringSubmatch(stdout)
	if last == nil {
		t.Fatalf("the last line is not as promised:\n%s", stdout)
	}
	// The killed worker held as many tasks as it may: there were more waiting.
	if k, err := strconv.Atoi(last[1]); err != nil || k == 0 || k > 34 {
		t.Errorf("%s redelivered, want 1 to 34", last[1])
	}
}

func TestQuickstart_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	u := exampletest.New(t, "quickstart")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{t.TempDir()}, 1, "no files under "},
		{[]string{"no-such-directory"}, 1, "no-such-directory"},
		{[]string{"a", "b"}, 2, "usage: "},
	} {
		if stdout, stderr, code := u.Run("quickstart", c.args...); code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: exit code %d\n%s\n%s", c.args, code, stdout, stderr)
		}
	}
}

func TestReport_FailsForEveryDifference(t *testing.T) {
	t.Parallel()
	files := []string{"a", "b"}
	direct := map[string]string{"a": "aa 1", "b": "bb 2"}
	good := func() *outcome {
		return &outcome{killed: 1, redelivered: 3, results: map[string][]string{"a": {"aa 1"}, "b": {"bb 2"}}}
	}
	var out strings.Builder
	if err := report(&out, files, good(), direct); err != nil {
		t.Fatal(err)
	}
	if want := "2 files, 2 results, 0 lost, 1 worker killed, 3 redelivered\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got:\n%s", out.String())
	}
	for name, spoil := range map[string]func(*outcome){
		"lost":    func(o *outcome) { delete(o.results, "a"); o.dead = []reeve.DeadTask{{Reason: "5 attempts failed"}} },
		"wrong":   func(o *outcome) { o.results["b"][0] = "bb 3" },
		"doubled": func(o *outcome) { o.results["b"] = append(o.results["b"], "bb 2") },
		"foreign": func(o *outcome) { o.results["c"] = []string{"cc 1"} },
		"unhurt":  func(o *outcome) { o.killed = 0 },
	} {
		o := good()
		spoil(o)
		if err := report(io.Discard, files, o, direct); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
