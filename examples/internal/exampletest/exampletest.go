// Package exampletest runs an example as its reader would: the built program,
// in the source tree, with an empty home directory. It knows nothing of what
// the example does.
package exampletest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve/examples/internal/process"
)

const (
	module   = "github.com/reeveq/reeve"
	patience = 5 * time.Minute // no claim about speed
)

// User is somebody with an empty home directory, at the root of the source
// tree.
type User struct {
	t    testing.TB
	ctx  context.Context
	env  []string
	root string
	bin  string
}

// New makes a user who has built the given packages, named by their folders in
// examples.
func New(t testing.TB, packages ...string) *User {
	t.Helper()
	home := t.TempDir()
	u := &User{t: t, bin: t.TempDir(), root: filepath.Dir(goEnv(t, "GOMOD")[0])}
	u.env = append(process.Environ(""), "HOME="+home, "XDG_CONFIG_HOME="+home, "AppData="+home, "USERPROFILE="+home)
	names := []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOENV"} // which would be in the home directory
	for i, v := range goEnv(t, names...) {
		u.env = append(u.env, names[i]+"="+v)
	}
	for i, p := range packages {
		packages[i] = module + "/examples/" + p
	}
	if err := process.Build(t.Context(), u.bin, packages...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience) // without the compiler's time
	t.Cleanup(cancel)
	u.ctx = ctx
	return u
}

func goEnv(t testing.TB, names ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	return strings.Split(strings.ReplaceAll(strings.TrimRight(string(out), "\r\n"), "\r", ""), "\n")
}

func (u *User) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(u.ctx, process.Path(u.bin, name), args...)
	cmd.Env, cmd.Dir = u.env, u.root
	return cmd
}

// Run runs a program to its end and returns what it wrote to its standard
// output and to its standard error, and its exit code.
func (u *User) Run(name string, args ...string) (stdout, stderr string, code int) {
	u.t.Helper()
	cmd := u.command(name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	// When the time is over, an example is asked to end, so that it can end the
	// processes it has started, before it is made to.
	cmd.WaitDelay = 5 * time.Second
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(os.Interrupt); err != nil { // as on Windows
			return cmd.Process.Kill()
		}
		return nil
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || u.ctx.Err() != nil {
		u.t.Fatalf("%s: %v\n%s\n%s", name, err, &out, &errs)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Start starts a program, which is killed at the end of the test.
func (u *User) Start(name string, args ...string) *process.Process {
	u.t.Helper()
	p, err := process.Start(u.command(name, args...))
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(p.Kill)
	return p
}

// Wait waits for the end of p and returns its standard output. An exit code
// other than 0 fails the test.
func (u *User) Wait(p *process.Process) (stdout string) {
	u.t.Helper()
	if err := p.Wait(u.ctx); err != nil {
		u.t.Fatalf("%v\n%s", err, p.Stdout())
	}
	return p.Stdout()
}

// Says waits until p says words and returns what follows.
func (u *User) Says(p *process.Process, words string) string {
	u.t.Helper()
	rest, err := p.Says(u.ctx, words)
	if err != nil {
		u.t.Fatal(err)
	}
	return rest
}

// Tree makes a directory with the given files and returns its path.
func Tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
