// Package process runs a master as a child of this process: the program master,
// with a key that only the two of them know. It is for programs that want queues
// which survive a panic of theirs, or a master whose memory is not their own;
// most are better served by package manager, or by a master that a service
// manager runs.
//
// It restarts nothing, does not connect (package proxy does, with what [Master]
// tells), and knows nothing of what the master does.
//
// The key is handed over in the child's environment, never on its command line,
// and is nowhere else. The child leads a process group of its own, so that Ctrl-C
// reaches this process only, and ends in order when the pipe to its standard
// input ends: by Stop, or because this process is gone, whatever ended it.
package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
)

// Config says which master is started. The zero value starts the one that is in
// PATH, with the queues that it has by default.
type Config struct {
	// Path is the program. Empty: "master", looked for in PATH.
	Path string
	// Addr is where it listens, "host:port" or "unix:/path". Empty: a free port of
	// 127.0.0.1.
	Addr string
	// Args are further flags, as "-queue", "orders,max-len=1000". Those for the
	// address, the key, the end and the form of the log are Start's.
	Args []string
	// Env is the environment. nil: that of this process. Keys in it are left out.
	Env []string
	// Log gets what the master writes to its standard error. Its Write must not
	// block for long: the master waits for it, and so does whoever waits for the
	// master's end. nil: nobody gets it.
	Log io.Writer
	// StartTimeout is how long the master may take until it listens, which with
	// -data includes the reading of what is kept. 0: [DefaultStartTimeout].
	StartTimeout time.Duration
	// Grace is how long it lets workers finish when it is stopped, and as long
	// again, but at least a second, it may take to end before it is killed. 0:
	// [DefaultGrace].
	Grace time.Duration
}

// Defaults of [Config].
const (
	DefaultStartTimeout = 30 * time.Second
	DefaultGrace        = 5 * time.Second
)

func (c Config) withDefaults() Config {
	c.Path = cmp.Or(c.Path, "master")
	c.Addr = cmp.Or(c.Addr, "127.0.0.1:0")
	c.StartTimeout = cmp.Or(c.StartTimeout, DefaultStartTimeout)
	c.Grace = cmp.Or(c.Grace, DefaultGrace)
	if c.Env == nil {
		c.Env = os.Environ()
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.StartTimeout < 0:
		return errors.New("process: Config.StartTimeout must not be negative")
	case c.Grace < 0:
		return errors.New("process: Config.Grace must not be negative")
	}
	return nil
}

// Master is a master that was started. Its methods may be called from any
// goroutine.
type Master struct {
	cmd   *exec.Cmd
	addr  string
	key   auth.Key
	grace time.Duration
	alive io.Closer // the child's standard input: it ends with it
	said  *speech

	ended chan struct{} // closed when the process has ended; err is set by then
	err   error
}

// Start starts a master and returns when clients can connect to it. ctx is for
// Start only: the master lives until Stop, or until this process ends. When it
// ends before it listens, or takes longer than Config.StartTimeout, the error has
// the end of what it said; it has ended by then.
func Start(ctx context.Context, cfg Config) (*Master, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	key, text, err := auth.GenerateKey("process")
	if err != nil {
		return nil, err
	}
	m := &Master{key: key, grace: cfg.Grace, said: newSpeech(cfg.Log), ended: make(chan struct{})}
	m.cmd = exec.Command(cfg.Path, append(slices.Clone(cfg.Args),
		"-addr", cfg.Addr, "-stop-on-eof", "-grace", cfg.Grace.String(), "-log-format", "text")...)
	m.cmd.Env = append(withoutKeys(cfg.Env), auth.EnvKey+"="+text)
	m.cmd.Stderr = m.said
	m.cmd.WaitDelay = time.Second // what the master started may hold its output open
	setGroup(m.cmd)
	if m.alive, err = m.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	go func() { // ends with the process; Stop and a failed Start wait for it
		defer close(m.ended)
		m.err = m.cmd.Wait()
	}()
	if err := m.awaitListening(ctx, cfg.StartTimeout); err != nil {
		_ = m.cmd.Process.Kill() // an error says that it has ended
		<-m.ended
		return nil, err
	}
	return m, nil
}

// withoutKeys is env without a key: two sources of one are an error of the master.
func withoutKeys(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.EqualFold(name, auth.EnvKey) || strings.EqualFold(name, auth.EnvKeyFile)
	})
}

func (m *Master) awaitListening(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	select {
	case m.addr = <-m.said.listening:
		return nil
	case <-m.ended:
		if m.err == nil {
			return fmt.Errorf("process: the master ended before it listened: %s", m.said.tail())
		}
		return fmt.Errorf("process: the master ended before it listened: %w: %s", m.err, m.said.tail())
	case <-ctx.Done():
		return fmt.Errorf("process: the master does not listen: %w: %s", context.Cause(ctx), m.said.tail())
	}
}

// Addr is where the master listens, for proxy.Dial.
func (m *Master) Addr() string { return m.addr }

// Key is the master's key, for proxy.Config.AuthKey.
func (m *Master) Key() auth.Key { return m.key }

// PID is the number of its process.
func (m *Master) PID() int { return m.cmd.Process.Pid }

// Done is closed when the master has ended, for whatever reason.
func (m *Master) Done() <-chan struct{} { return m.ended }

// over reports whether the master has ended, which counts more than that a ctx has.
func (m *Master) over() bool {
	select {
	case <-m.ended:
		return true
	default:
		return false
	}
}

// Wait waits until the master has ended, and returns nil if it did so in order,
// or how it ended with the last that it said; or until ctx ends, whose cause it
// returns then.
func (m *Master) Wait(ctx context.Context) error {
	if !m.over() {
		select {
		case <-m.ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if m.err == nil {
		return nil
	}
	return fmt.Errorf("process: the master ended: %w: %s", m.err, m.said.tail())
}

// Stop ends the master in order: it lets workers finish for Config.Grace, says
// goodbye to clients, and closes what it keeps on a disk. One that has not ended
// after that time and as much again, or when ctx ends, is killed, which is
// [reeve.ErrTimeout] or ctx's cause: a ctx that has ended kills it at once. Stop
// returns when the process has ended. Further calls do no harm and return nil.
func (m *Master) Stop(ctx context.Context) error {
	_ = m.alive.Close() // an error says that it was closed before
	if m.over() {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, m.grace+max(m.grace, time.Second), fmt.Errorf("process: %w: the master was killed, for it did not end within twice its grace of %v", reeve.ErrTimeout, m.grace))
	defer cancel()
	select {
	case <-m.ended:
		return nil
	case <-ctx.Done():
		m.Kill()
		return context.Cause(ctx)
	}
}

// Kill ends the master at once and without a goodbye, and returns when its
// process has ended.
func (m *Master) Kill() {
	_ = m.cmd.Process.Kill() // an error says that it has ended
	<-m.ended
}
