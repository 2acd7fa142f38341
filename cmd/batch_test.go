package cmd_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// batch starts a batch run over input and returns it with the master's address.
func (s *site) batch(input string, args ...string) (*process, string) {
	s.t.Helper()
	return s.master(append([]string{"-input", s.file("input", input)}, args...)...)
}

func TestBatch_WritesOneResultPerLineAndNothingElse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10<<20)
	for name, c := range map[string]struct{ input, want string }{
		"lines":              {"echo a\necho b\n", "a\nb\n"},
		"no final newline":   {"echo a\necho b", "a\nb\n"},
		"CRLF":               {"echo a\r\necho b\r\n", "a\nb\n"},
		"an inner CR":        {"echo a\rb\n", "a\rb\n"},
		"a final CR":         {"echo a\necho b\r", "a\nb\r\n"},
		"empty":              {"", ""},
		"empty results":      {"echo \necho\necho c\n", "\n\nc\n"},
		"invalid UTF-8":      {"echo \xff\xfe\x00\x80\n", "\xff\xfe\x00\x80\n"},
		"a line of 10 MiB":   {"echo " + long + "\nsquare 2\n", long + "\n4\n"},
		"more than a window": {strings.Repeat("square 3\n", 20000), strings.Repeat("9\n", 20000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			m, addr := s.batch(c.input, "-ordered")
			s.start("worker", "-connect", addr, "-concurrency", "3", "-prefetch", "64")
			m.wants(0, fmt.Sprintf("%d done, 0 without a result", strings.Count(strings.TrimSuffix(c.want, "\n")+"\n", "\n")*min(1, len(c.want))))
			if got := m.stdout.String(); got != c.want {
				t.Errorf("%d bytes, want %d: %.100q", len(got), len(c.want), got)
			}
		})
	}
}

func TestBatch_DeadLinesAreListedAndTheOthersDone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.master("-input", s.file("input", "echo one\nfail no luck\ncube 3\necho "+strings.Repeat("y", 5000)+"\n\necho six\n"),
		"-queue", "tasks,attempts=2,backoff=0", "-max-payload", "4KiB", "-ordered")
	s.start("worker", "-connect", addr)
	m.wants(1, "line 2 has no result: ", "no luck", "line 3 has no result: ", "the demo functions are",
		"line 4 has no result: reeve: too large: line bytes 5006, limit 4096 (set by -max-payload)", "line 5 has no result: ", "6 lines: 2 done, 4 without a result")
	if got := m.stdout.String(); got != "one\nsix\n" {
		t.Errorf("got %q", got)
	}
}

func TestBatch_ReadsAndWritesFilesAndPipes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	out := filepath.Join(s.dir, "out")
	m, addr := s.batch("square 5\n", "-output", out)
	s.start("worker", "-connect", addr)
	m.wants(0)
	if got := mustRead(t, out); got != "25\n" || m.stdout.String() != "" {
		t.Errorf("file %q, standard output %q", got, m.stdout.String())
	}
	p := s.startWith(func(c *exec.Cmd) { c.Stdin = strings.NewReader("square 6\n") }, "master", "-addr", "127.0.0.1:0", "-input", "-")
	s.start("worker", "-connect", p.says(`^listening on (\S+)$`))
	p.wants(0, "1 line: 1 done, 0 without a result")
	if got := p.stdout.String(); got != "36\n" {
		t.Errorf("got %q", got)
	}
}

func TestBatch_FilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	in := s.file("in", "echo a\n")
	s.run("", "master", "-addr", "127.0.0.1:0", "-input", filepath.Join(s.dir, "none")).wants(66, "cannot read the input", "none")
	s.run("", "master", "-addr", "127.0.0.1:0", "-input", s.dir).wants(66, "is a directory")
	s.run("", "master", "-addr", "127.0.0.1:0", "-input", in, "-output", in).wants(74, "both input and output")
	s.run("", "master", "-addr", "127.0.0.1:0", "-input", in, "-output", filepath.Join(s.dir, "no", "dir")).wants(74, "cannot write the output")
	s.run("", "master", "-output", "x").wants(2, "-output needs -input")
	s.run("", "master", "-ordered").wants(2, "-ordered needs -input")
	s.run("", "master", "-input", in, "-queue", "results").wants(2, `queue "results" is declared twice`)
	if got := mustRead(t, in); got != "echo a\n" {
		t.Errorf("the input was changed to %q", got)
	}
}

func TestBatch_TakesTheFirstAndTheSecondQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch("square 7\n", "-queue", "in,max-len=1", "-queue", "out", "-queue", "other")
	s.start("worker", "-connect", addr, "-queue", "in", "-results", "out")
	m.wants(0)
	if got := m.stdout.String(); got != "49\n" {
		t.Errorf("got %q", got)
	}
}

func TestBatch_AQueueThatRefusesIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch(strings.Repeat("echo x\n", 50), "-queue", "tasks,max-len=4,full=refuse")
	s.start("worker", "-connect", addr)
	m.wants(0, "50 lines: 50 done, 0 without a result")
}

func TestBatch_WorkersWithoutResultsDoNotHangIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch("echo a\necho b\n")
	s.start("worker", "-connect", addr, "-results", "")
	m.wants(1, "line 1 has no result: ended without a result", "line 2 has no result", "-results results")
}

func TestBatch_AWorkerKilledMidwayLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var input strings.Builder
	var want []string
	for i := range 3000 {
		fmt.Fprintf(&input, "square %d\n", i)
		want = append(want, fmt.Sprint(i*i))
	}
	m, addr := s.batch("sleep 5ms\n"+input.String(), "-summary", "0s")
	want = append(want, "slept 5ms")
	victim := s.worker(addr, "-concurrency", "2", "-prefetch", "200")
	waitFor(t, func() bool { return strings.Count(m.stdout.String(), "\n") > 100 })
	if err := victim.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.start("worker", "-connect", addr, "-concurrency", "2")
	m.wants(0, "3001 lines: 3001 done, 0 without a result")
	got := strings.Split(strings.TrimSuffix(m.stdout.String(), "\n"), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
}

func TestBatch_WorkersOutliveTheRunAndServeTheNextMaster(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch("square 8\n")
	w := s.worker(addr)
	m.wants(0)
	w.says("not connected, trying again")
	next := s.start("master", "-addr", addr, "-input", s.file("next", "square 9\n"))
	next.wants(0)
	if got := next.stdout.String(); got != "81\n" {
		t.Errorf("got %q", got)
	}
}

func TestLog_InJSONEveryLineIsARecord(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.start("master", "-addr", "127.0.0.1:0", "-log-format", "json", "-input", s.file("input", "square 4\nfail x\n"), "-queue", "tasks,attempts=1")
	addr := m.says(`"msg":"listening on \S+","addr":"([^"]+)"`)
	s.start("worker", "-connect", addr)
	m.wants(1, `"msg":"line 2 has no result: `, `"line":2`, `"done":1,"without_result":1`)
	for line := range strings.Lines(m.stderr.String()) {
		if !strings.HasPrefix(line, "{") || !strings.HasSuffix(line, "}\n") {
			t.Errorf("%q", line)
		}
	}
}

func TestBatch_ALineThatIsCancelledDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch("sleep 1h\necho two\n", "-ordered", "-queue", "tasks,keep-result=1h,concurrency=2")
	s.start("worker", "-connect", addr, "-concurrency", "2")
	waitFor(t, func() bool {
		var queues []struct {
			Name         string
			Done, Leased int
		}
		err := json.Unmarshal([]byte(s.run("", "reeve", "ls", "-json", "-connect", addr).stdout.String()), &queues)
		return err == nil && len(queues) == 2 && queues[1].Name == "tasks" && queues[1].Done == 1 && queues[1].Leased == 1
	})
	s.run("", "reeve", "cancel", "tasks", "-all", "-reason", "took too long", "-connect", addr).wants(0)
	m.wants(1, "line 1 has no result: cancelled: took too long", "2 lines: 1 done, 1 without a result")
	if got := m.stdout.String(); got != "two\n" {
		t.Errorf("got %q", got)
	}
}
