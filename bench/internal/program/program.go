// Package program finds, builds, starts and ends the programs of the systems
// that are measured. It knows none of them.
package program

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

// Find is the path of an installed program, or system.ErrAbsent with the
// Debian package that has it.
func Find(name, debian string) (string, error) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/lib/rabbitmq/bin") {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w: apt-get install %s", name, system.ErrAbsent, debian)
}

var builds sync.Mutex

// Build builds a Go program, of this module or of one that it requires as a
// tool, and returns its path. It is built once a process. The working
// directory is that of the module.
func Build(ctx context.Context, pkg string) (string, error) { return BuildIn(ctx, "", pkg) }

// BuildIn is Build of a program of the module in the directory module, with what
// that one requires.
func BuildIn(ctx context.Context, module, pkg string) (string, error) {
	builds.Lock()
	defer builds.Unlock()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("reeve-bench-%d", os.Getpid()))
	path := filepath.Join(dir, filepath.Base(strings.TrimSuffix(pkg, "/v2")))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
	cmd.Dir = module
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: go build: %v: %s", pkg, system.ErrAbsent, err, out)
	}
	return path, nil
}

// Clean removes what Build made.
func Clean() error {
	return os.RemoveAll(filepath.Join(os.TempDir(), fmt.Sprintf("reeve-bench-%d", os.Getpid())))
}

// Start starts cmd, whose output goes to log, and returns how it is stopped:
// with an interrupt, and killed if it does not end within 20 s.
func Start(cmd *exec.Cmd, log io.Writer) (stop func() error, err error) {
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	if cmd.Stderr == nil {
		cmd.Stderr = log
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // received by stop, or kept
	var once sync.Once
	return func() (err error) {
		once.Do(func() {
			_ = cmd.Process.Signal(os.Interrupt)
			select {
			case err = <-ended:
			case <-time.After(20 * time.Second):
				_ = cmd.Process.Kill()
				err = fmt.Errorf("%s did not end after an interrupt: %w", cmd.Path, <-ended)
			}
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				err = nil // many end by the signal itself
			}
		})
		return err
	}, nil
}

// FreePort is a loopback address that nobody listens on now.
func FreePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// WaitListening waits until addr accepts connections.
func WaitListening(ctx context.Context, addr string) error {
	for {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not accept connections: %w", addr, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// servedSettings is the environment variable in which Self hands on the settings.
const servedSettings = "REEVE_BENCH_SETTINGS"

// Self starts this program again as the server of s; see ServeSelf.
func Self(ctx context.Context, s system.Served, set system.Settings) (*system.Server, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log := set.Log
	set.Log = nil
	text, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe, "serve", s.Name())
	cmd.Env = append(os.Environ(), servedSettings+"="+string(text))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stop, err := Start(cmd, log)
	if err != nil {
		return nil, err
	}
	line := make(chan string, 1)
	go func() { // ends with the server's output
		r := bufio.NewReader(out)
		first, _ := r.ReadString('\n')
		line <- strings.TrimSpace(first)
		_, _ = io.Copy(log, r)
	}()
	select {
	case endpoint := <-line:
		if endpoint == "" {
			return nil, errors.Join(fmt.Errorf("the server of %s ended at once", s.Name()), stop())
		}
		return &system.Server{Endpoint: endpoint, PID: cmd.Process.Pid, Stop: stop}, nil
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), stop())
	}
}

// ServeSelf is what the program does that Self started: it serves until ctx ends.
func ServeSelf(ctx context.Context, s system.Served) error {
	var set system.Settings
	if err := json.Unmarshal([]byte(os.Getenv(servedSettings)), &set); err != nil {
		return fmt.Errorf("%s: %w", servedSettings, err)
	}
	set.Log = os.Stderr
	return s.Serve(ctx, set, func(endpoint string) { fmt.Println(endpoint) })
}
