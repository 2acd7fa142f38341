// Package cmd_test runs the three programs as their users do: real processes,
// connected over loopback.
package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// bin is where the programs are.
var bin string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "reeve-cmd-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./master", "./worker", "./reeve")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s\n%v\n", out, err)
		return 1
	}
	return m.Run()
}

// patience is how long anything may take. It is no claim about speed.
const patience = 60 * time.Second

// site is a user's account on a machine of its own: no keys, no settings.
type site struct {
	t   *testing.T
	env []string
	dir string
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	env := []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "AppData=" + dir}
	for _, name := range []string{"PATH", "SystemRoot", "TEMP", "TMP", "TMPDIR", "GORACE", "GOCOVERDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return &site{t: t, env: env, dir: dir}
}

// with is the same account with more in the environment.
func (s *site) with(env ...string) *site {
	return &site{t: s.t, env: append(s.env[:len(s.env):len(s.env)], env...), dir: s.dir}
}

// file writes a file that only its owner may read and returns its path.
func (s *site) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// process is a program that runs.
type process struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	stdout text
	stderr text
	ended  chan struct{}
}

// start starts a program; it is ended at the end of the test.
func (s *site) start(name string, args ...string) *process {
	s.t.Helper()
	return s.startWith(func(*exec.Cmd) {}, name, args...)
}

func (s *site) startWith(set func(*exec.Cmd), name string, args ...string) *process {
	s.t.Helper()
	exe := filepath.Join(bin, name)
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	p := &process{t: s.t, name: name, cmd: exec.Command(exe, args...), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = s.env, s.dir
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	set(p.cmd)
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { // ends with the process
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	s.t.Cleanup(func() {
		p.askToEnd()
		select {
		case <-p.ended:
		case <-time.After(patience / 4):
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
		if s.t.Failed() {
			s.t.Logf("%s %q\nstdout: %.2000s\nstderr: %.4000s", name, args, p.stdout.String(), p.stderr.String())
		}
	})
	return p
}

// run runs a program to its end.
func (s *site) run(stdin, name string, args ...string) *process {
	s.t.Helper()
	p := s.startWith(func(c *exec.Cmd) { c.Stdin = strings.NewReader(stdin) }, name, args...)
	p.exit()
	return p
}

// exit waits for the end and returns the exit code.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("%s does not end", p.name)
		return -1
	}
}

// wants fails the test unless the program ended with code and wrote text to
// its standard error.
func (p *process) wants(code int, text ...string) {
	p.t.Helper()
	if got := p.exit(); got != code {
		p.t.Errorf("%s ended with %d, want %d", p.name, got, code)
	}
	for _, want := range text {
		if !strings.Contains(p.stderr.String(), want) {
			p.t.Errorf("%s: no %q on standard error", p.name, want)
		}
	}
}

// says waits until the standard error matches pattern and returns what its
// group matched.
func (p *process) says(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		changed := p.stderr.changed()
		if m := re.FindStringSubmatch(p.stderr.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-changed:
		case <-p.ended:
			if m := re.FindStringSubmatch(p.stderr.String()); m != nil {
				return m[len(m)-1]
			}
			p.t.Fatalf("%s ended without saying %q", p.name, pattern)
		case <-ctx.Done():
			p.t.Fatalf("%s does not say %q", p.name, pattern)
		}
	}
}

// master starts a master on a free port and returns it with its address.
func (s *site) master(args ...string) (*process, string) {
	s.t.Helper()
	p := s.start("master", append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	return p, p.says(`^listening on (\S+)$`)
}

// worker starts a worker and waits until it works.
func (s *site) worker(addr string, args ...string) *process {
	s.t.Helper()
	p := s.start("worker", append([]string{"-connect", addr}, args...)...)
	p.says("worker started")
	return p
}

// text is output that can be waited for.
type text struct {
	mu   sync.Mutex // guards the fields below
	buf  bytes.Buffer
	more chan struct{}
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more != nil {
		close(t.more)
		t.more = nil
	}
	return t.buf.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// changed is closed when more has come.
func (t *text) changed() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more == nil {
		t.more = make(chan struct{})
	}
	return t.more
}
