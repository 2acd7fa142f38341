package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const microHelp = `usage: go run . micro [flags]

Runs the micro-benchmarks of the wire format, of the queues and of the journal,
and compares them with the saved baseline through benchstat: medians, and a
change only where it is more than noise ("~" is none). Run it before and after a
change on a machine that does nothing else. Times of a baseline that another
machine saved say nothing; bytes and allocations an operation do.

With -save the figures become the baseline. To judge one change:

  go run . micro -baseline /tmp/before.txt -save
  (change the code)
  go run . micro -baseline /tmp/before.txt

flags:
`

// microPackages have the benchmarks, from the directory of the module that is measured.
var microPackages = []string{"./internal/wire", "./internal/queue", "./journal/file"}

// microRun is a run of the micro-benchmarks.
type microRun struct {
	pattern  string
	count    int
	time     time.Duration
	baseline string
	save     bool
}

// micro runs the micro-benchmarks as args say. What they print goes to stderr
// while they run, the comparison to stdout. It ends with ctx.
func micro(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var m microRun
	fs := flag.NewFlagSet("micro", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, microHelp); fs.PrintDefaults() }
	fs.StringVar(&m.pattern, "bench", "^Benchmark(Wire|Engine|Journal)", "run the benchmarks that match `REGEXP`")
	fs.IntVar(&m.count, "count", 6, "run each `N` times; with fewer than 6 no change is ever more than noise")
	fs.DurationVar(&m.time, "time", 300*time.Millisecond, "run each for `TIME` at least")
	fs.StringVar(&m.baseline, "baseline", filepath.Join("baseline", "micro.txt"), "compare with `FILE`, or write it")
	fs.BoolVar(&m.save, "save", false, "write the baseline instead of comparing with it")
	if err := fs.Parse(args); err != nil {
		return flag.ErrHelp // it has told what is wrong
	}
	_, err := regexp.Compile(m.pattern)
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("micro: it takes no arguments, but flags: %q", fs.Arg(0))
	case err != nil:
		return fmt.Errorf("micro: -bench: %w", err)
	case m.count < 1 || m.time <= 0:
		return errors.New("micro: want -count and -time above 0")
	}
	if !m.save {
		if _, err := os.Stat(m.baseline); err != nil { // before minutes of work
			return fmt.Errorf("micro: no baseline to compare with, -save writes one: %w", err)
		}
	}
	figures, err := m.measure(ctx, stderr)
	if err != nil {
		return err
	}
	if m.save {
		if err := os.MkdirAll(filepath.Dir(m.baseline), 0o755); err != nil {
			return fmt.Errorf("micro: %w", err)
		}
		if err := os.WriteFile(m.baseline, figures, 0o644); err != nil {
			return fmt.Errorf("micro: %w", err)
		}
		_, err := fmt.Fprintf(stdout, "saved to %s\n", m.baseline)
		return err
	}
	return m.compare(ctx, figures, stdout, stderr)
}

// measure runs the benchmarks and returns what they printed.
func (m *microRun) measure(ctx context.Context, stderr io.Writer) ([]byte, error) {
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/reeveq/reeve").Output()
	if err != nil {
		return nil, fmt.Errorf("micro: the module that is measured (is the working directory bench?): %w", err)
	}
	args := []string{"test", "-run", "^$", "-bench", m.pattern, "-benchmem", "-count", strconv.Itoa(m.count),
		"-benchtime", m.time.String(), "-timeout", "0", "-p", "1"} // one package at a time: they would disturb each other
	cmd := exec.CommandContext(ctx, "go", append(args, microPackages...)...)
	cmd.Dir = strings.TrimSpace(string(dir))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, stderr), stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("micro: go test: %w", err)
	}
	if !bytes.Contains(out.Bytes(), []byte("\nBenchmark")) {
		return nil, fmt.Errorf("micro: no benchmark matches %q", m.pattern)
	}
	return out.Bytes(), nil
}

// compare has benchstat write the baseline and figures side by side.
func (m *microRun) compare(ctx context.Context, figures []byte, stdout, stderr io.Writer) error {
	saved, err := os.ReadFile(m.baseline)
	if err != nil {
		return fmt.Errorf("micro: %w", err)
	}
	if then, now := processor(saved), processor(figures); then != now {
		fmt.Fprintf(stderr, "The baseline is of another machine (%s, this is %s): compare bytes and allocations only.\n", then, now)
	}
	now, err := os.CreateTemp("", "reeve-micro-*.txt")
	if err != nil {
		return fmt.Errorf("micro: %w", err)
	}
	defer os.Remove(now.Name())
	_, err = now.Write(figures)
	if err := errors.Join(err, now.Close()); err != nil {
		return fmt.Errorf("micro: %w", err)
	}
	// Without -ignore figures of two machines would stand in two tables.
	cmd := exec.CommandContext(ctx, "go", "tool", "benchstat", "-ignore", "cpu,goos,goarch",
		"baseline="+m.baseline, "now="+now.Name())
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("micro: benchstat: %w", err)
	}
	return nil
}

var processorLine = regexp.MustCompile(`(?m)^cpu: (.*)$`)

// processor is the one that figures name, or "unknown".
func processor(figures []byte) string {
	if m := processorLine.FindSubmatch(figures); m != nil {
		return string(bytes.TrimSpace(m[1]))
	}
	return "unknown"
}
