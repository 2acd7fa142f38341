// Package process builds and starts the programs that an example consists of,
// and ends them by their process id.
//
// It is plumbing that every operating system has its own tool for, a shell or
// a service manager, and knows nothing of queues. The examples use it so that
// one command shows a whole system, on Linux, macOS and Windows alike.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Build compiles packages, given by import path, into the directory dir. The
// working directory must be inside the module.
func Build(ctx context.Context, dir string, packages ...string) error {
	args := append([]string{"build", "-o", dir + string(filepath.Separator)}, packages...)
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build, which must be run in the source tree: %w\n%s", err, out)
	}
	return nil
}

// Path is where Build has put the program name.
func Path(dir, name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(dir, name)
}

// Environ is the environment of this process with key as the authkey, and
// without any other one.
func Environ(key string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(strings.ToUpper(v), "REEVE_")
	})
	if key != "" {
		env = append(env, "REEVE_AUTHKEY="+key)
	}
	return env
}

// Process is a program that was started. Its methods may be called from any
// goroutine.
type Process struct {
	name   string
	cmd    *exec.Cmd
	stdout text
	stderr text
	ended  chan struct{} // closed when it has ended; err is set by then
	err    error
}

// Start starts cmd, which must be made by exec.CommandContext, so that it ends
// with its context. Its standard error is kept for Says, as is its standard
// output unless cmd says where it goes.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{name: filepath.Base(cmd.Path), cmd: cmd, ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = &p.stdout
	}
	cmd.Stderr = &p.stderr
	cmd.WaitDelay = 5 * time.Second // what it started may hold its output open
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { // ends with the process; Kill and Wait wait for it
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// ID is the process id.
func (p *Process) ID() int { return p.cmd.Process.Pid }

// Kill ends the process as kill -9 does, without a chance to say goodbye, and
// returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // an error says that it has ended already
	<-p.ended
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits until the process has ended or ctx ends. An exit code other than
// 0 is an error with the end of what it said.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		return fmt.Errorf("%s has not ended: %w\n%s", p.name, context.Cause(ctx), p.stderr.tail())
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", p.name, p.err, p.stderr.tail())
	}
	return nil
}

// Says waits until the process writes a line that holds words to its standard
// error, and returns what follows them there.
func (p *Process) Says(ctx context.Context, words string) (string, error) {
	for {
		changed := p.stderr.changed()
		if rest, ok := p.stderr.after(words); ok {
			return rest, nil
		}
		select {
		case <-changed:
		case <-p.ended:
			if rest, ok := p.stderr.after(words); ok {
				return rest, nil
			}
			return "", errors.Join(fmt.Errorf("%s ended without saying %q", p.name, words), p.Wait(ctx))
		case <-ctx.Done():
			return "", fmt.Errorf("%s does not say %q: %w\n%s", p.name, words, context.Cause(ctx), p.stderr.tail())
		}
	}
}

// Stdout is the beginning of what the process has written to its standard
// output, up to 1 MiB.
func (p *Process) Stdout() string { return p.stdout.String() }

// Stderr is the same of its standard error.
func (p *Process) Stderr() string { return p.stderr.String() }
