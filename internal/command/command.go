// Package command runs a program once per task: the payload on its standard
// input, what it prints as the result.
//
// It knows no queue and no worker, only a payload, a few names for the
// environment and a context. No shell is involved, so nothing in a payload can
// become a command.
//
// The program and all that it starts are one group and end together: when the
// context ends they are asked to (SIGTERM; on Windows Ctrl-Break) and, a moment
// later, made to. What the program leaves running when it exits is ended too.
// Its output is bounded while it is read, not afterwards.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config says what is run. Args is required, the rest has defaults.
type Config struct {
	// Args is the program and its arguments. In the arguments, {} stands for
	// the payload.
	Args []string
	// Env is the environment of the program, as os.Environ gives it. The
	// variables that hold the authkey are left out.
	Env []string
	// MaxOutput bounds what the program may print, in bytes. 0: 16 MiB.
	MaxOutput int64
	// KillAfter is how long the program may take to end once it was asked to.
	// 0: 500 ms.
	KillAfter time.Duration
}

// Task is what one run is told: the payload on its standard input, the rest in
// its environment.
type Task struct {
	ID, Queue, Type, Key string
	Attempt              uint32
	Priority             int32
	Payload              []byte
	Blobs                []string // the references of what it needs besides
}

func (t *Task) env() []string {
	return []string{
		"REEVE_TASK_ID=" + t.ID, "REEVE_QUEUE=" + t.Queue, "REEVE_TYPE=" + t.Type, "REEVE_KEY=" + t.Key,
		"REEVE_ATTEMPT=" + strconv.FormatUint(uint64(t.Attempt), 10),
		"REEVE_PRIORITY=" + strconv.FormatInt(int64(t.Priority), 10),
		"REEVE_BLOBS=" + strings.Join(t.Blobs, " "),
	}
}

// Runner runs the program. It is safe for concurrent use.
type Runner struct {
	cfg  Config
	path string
	env  []string

	mu      sync.Mutex // guards the fields below
	killed  bool
	running map[*group]struct{}
}

// ErrKilled is the error of runs that [Runner.Kill] ended.
var ErrKilled = errors.New("command: killed")

// Kill ends, without asking, all that runs, and lets nothing be run any more:
// for a process that is about to exit.
func (r *Runner) Kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed = true
	for g := range r.running {
		g.kill()
	}
}

// start starts cmd as the leader of g.
func (r *Runner) start(cmd *exec.Cmd, g *group) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killed {
		return ErrKilled
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	g.started()
	r.running[g] = struct{}{}
	return nil
}

func (r *Runner) ended(g *group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, g)
}

// New finds the program. [exec.ErrNotFound] if there is none.
func New(cfg Config) (*Runner, error) {
	if len(cfg.Args) == 0 || cfg.Args[0] == "" {
		return nil, errors.New("command: Config.Args names no program")
	}
	if cfg.MaxOutput < 0 || cfg.KillAfter < 0 {
		return nil, errors.New("command: Config.MaxOutput and Config.KillAfter must not be negative")
	}
	if cfg.MaxOutput == 0 {
		cfg.MaxOutput = 16 << 20
	}
	if cfg.KillAfter == 0 {
		cfg.KillAfter = 500 * time.Millisecond
	}
	path, err := exec.LookPath(cfg.Args[0])
	if err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	return &Runner{cfg: cfg, path: path, env: withoutKeys(cfg.Env), running: map[*group]struct{}{}}, nil
}

// OutputError says that the program printed more than it may.
type OutputError struct{ Max int64 }

func (e *OutputError) Error() string {
	return fmt.Sprintf("output over the limit of %d bytes (-max-output)", e.Max)
}

// ExitError says that the program failed, with what it printed and the end of
// what it wrote to its standard error.
type ExitError struct {
	Code   int    // its exit code; -1: a signal ended it
	State  string // "exit status 1", "signal: killed"
	Stdout []byte
	Stderr string
}

func (e *ExitError) Error() string {
	if e.Stderr == "" {
		return e.State
	}
	return e.State + ": " + e.Stderr
}

// Run runs the program for t and returns all that it printed. It returns when
// the program has ended: by itself, because ctx ended (the error matches ctx's
// cause), or because it printed too much ([OutputError]). A program that fails
// is an [ExitError].
func (r *Runner) Run(ctx context.Context, t Task) ([]byte, error) {
	args, err := r.args(t.Payload)
	if err != nil {
		return nil, err
	}
	runCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdout := &bounded{max: r.cfg.MaxOutput, over: func() { cancel(&OutputError{r.cfg.MaxOutput}) }}
	stderr := &tail{max: stderrTail}

	cmd := exec.CommandContext(runCtx, r.path)
	cmd.Args = args
	cmd.Env = append(r.env[:len(r.env):len(r.env)], t.env()...)
	cmd.Stdin = bytes.NewReader(t.Payload)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	// Backs up the kill below, for a process that has left the group and holds
	// the pipes.
	cmd.WaitDelay = r.cfg.KillAfter + time.Second

	g := newGroup(cmd)
	defer g.close()
	var force *time.Timer
	cmd.Cancel = func() error {
		if _, over := errors.AsType[*OutputError](context.Cause(runCtx)); over {
			g.kill()
			return nil
		}
		g.terminate()
		force = time.AfterFunc(r.cfg.KillAfter, g.kill)
		return nil
	}
	if err := r.start(cmd, g); err != nil {
		if cause := context.Cause(runCtx); cause != nil {
			err = cause // Start says only that it did not start
		}
		return nil, fmt.Errorf("command: %w", err)
	}
	defer r.ended(g)
	err = cmd.Wait() // Cancel has returned when Wait does
	if force != nil {
		force.Stop()
	}
	g.kill() // what it left behind
	return result(context.Cause(runCtx), err, stdout, stderr)
}

func result(cause, err error, stdout *bounded, stderr *tail) ([]byte, error) {
	if over, ok := errors.AsType[*OutputError](cause); ok {
		return nil, over
	}
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		// It was faster than the end of the context: its work is done.
		return stdout.buf.Bytes(), nil
	case cause != nil:
		return nil, fmt.Errorf("the command was ended: %w", cause)
	case failed:
		return nil, &ExitError{Code: exit.ExitCode(), State: exit.String(), Stdout: stdout.buf.Bytes(), Stderr: stderr.String()}
	case errors.Is(err, exec.ErrWaitDelay):
		// It ended well; what it left running held its output open.
		return stdout.buf.Bytes(), nil
	}
	return nil, fmt.Errorf("command: %w", err)
}

// args puts the payload in the place of each {}.
func (r *Runner) args(payload []byte) ([]string, error) {
	args := append([]string(nil), r.cfg.Args...)
	for i, a := range args[1:] {
		if !strings.Contains(a, placeholder) {
			continue
		}
		if bytes.IndexByte(payload, 0) >= 0 {
			return nil, errors.New("command: the payload holds a NUL byte, which no argument can: read it from the standard input instead of {}")
		}
		args[i+1] = strings.ReplaceAll(a, placeholder, string(payload))
	}
	return args, nil
}

const placeholder = "{}"

// withoutKeys leaves out the variables that hold the authkey or lead to it: the
// program has no business with it, and may print its environment.
func withoutKeys(env []string) []string {
	kept := make([]string, 0, len(env))
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		if !strings.EqualFold(name, "REEVE_AUTHKEY") && !strings.EqualFold(name, "REEVE_AUTHKEY_FILE") {
			kept = append(kept, v)
		}
	}
	return kept
}
