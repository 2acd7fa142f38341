package managers

import (
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
)

// process is the Python process of this one's clients of a server.
type process struct {
	id   processID
	cmd  *exec.Cmd
	in   io.Closer // its end ends the process
	dir  string    // has the script and the socket
	path string    // of the socket

	uses int // guarded by shared.mu
}

type processID struct {
	endpoint string
	chunked  bool
}

// shared are the processes that run.
var shared = struct {
	mu        sync.Mutex // guards processes, and is held while one starts
	processes map[processID]*process
}{processes: make(map[processID]*process)}

// share returns the process for a server's clients, to be released. The first
// use starts it; ctx bounds that.
func share(ctx context.Context, endpoint string, chunked bool) (*process, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	id := processID{endpoint, chunked}
	p, ok := shared.processes[id]
	if !ok {
		var err error
		if p, err = startProcess(ctx, id); err != nil {
			return nil, fmt.Errorf("client.py: %w", err)
		}
		shared.processes[id] = p
	}
	p.uses++
	return p, nil
}

// release ends the process after its last use.
func (p *process) release() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if p.uses--; p.uses > 0 {
		return nil
	}
	delete(shared.processes, p.id)
	return p.stop()
}

func startProcess(ctx context.Context, id processID) (_ *process, err error) {
	interpreter, err := python()
	if err != nil {
		return nil, err
	}
	addr, key, _ := strings.Cut(id.endpoint, " ")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	p := &process{id: id}
	if p.dir, err = os.MkdirTemp("", "reeve-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stop())
		}
	}()
	script := filepath.Join(p.dir, "client.py")
	p.path = filepath.Join(p.dir, "socket")
	if err := os.WriteFile(script, clientScript, 0o600); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(interpreter, script)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.in = in
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return nil, err
	}
	settings := map[string]any{
		"host": host, "port": json.Number(port), "key": key, "socket": p.path, "chunked": id.chunked,
	}
	if err := json.NewEncoder(in).Encode(settings); err != nil {
		return nil, err
	}
	_, err = line(ctx, firstLines(out, 1, io.Discard))
	return p, err
}

// stop ends the process: by itself, or killed after 5 s.
func (p *process) stop() error {
	var err error
	if p.cmd != nil {
		_ = p.in.Close()
		kill := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
		err = p.cmd.Wait()
		kill.Stop()
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

// open starts a thread of the process that does what order says.
func (p *process) open(ctx context.Context, order map[string]any) (*pipe, error) {
	c, err := new(net.Dialer).DialContext(ctx, "unix", p.path)
	if err != nil {
		return nil, err
	}
	opened := newPipe(c)
	if err := json.NewEncoder(c).Encode(order); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return opened, nil
}

// start is open, and waits until the thread has answered.
func (p *process) start(ctx context.Context, order map[string]any) (*pipe, error) {
	opened, err := p.open(ctx, order)
	if err != nil {
		return nil, err
	}
	defer opened.bound(ctx)()
	if err := opened.answer(); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}
