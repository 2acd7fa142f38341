package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/reeveq/reeve/auth"
)

// master is the program under test, one life after the other with one journal
// and one address.
type master struct {
	program, dir string
	addr, debug  string
	key          string // text

	mu    sync.Mutex // guards the fields below
	life  *child     // nil: none now
	lives int
}

// buildMaster builds the program of the module that this one is about.
func buildMaster(ctx context.Context, dir string) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/reeveq/reeve").Output()
	if err != nil {
		return "", fmt.Errorf("where the module github.com/reeveq/reeve is: %w", err)
	}
	program, err := filepath.Abs(filepath.Join(dir, "master"))
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/master")
	cmd.Dir = strings.TrimSpace(string(root))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/master: %w: %s", err, out)
	}
	return program, nil
}

func newMaster(ctx context.Context, dir string) (*master, error) {
	program, err := buildMaster(ctx, dir)
	if err != nil {
		return nil, err
	}
	_, key, err := auth.GenerateKey("soak")
	if err != nil {
		return nil, err
	}
	m := &master{program: program, dir: dir, key: key}
	for _, addr := range []*string{&m.addr, &m.debug} {
		if *addr, err = lastingPort(ctx); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// lastingPort is an address that stays free between two lives of a master: no
// system gives ports of that range away by itself.
func lastingPort(ctx context.Context) (string, error) {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err == nil {
			return addr, ln.Close()
		}
	}
	return "", errors.New("no port is free")
}

// startTimeout is for a master that reads its journal.
const startTimeout = time.Minute

// start begins a life, and returns when it listens or, with early, after that
// time.
func (m *master) start(early time.Duration) error {
	cmd := exec.Command(m.program,
		"-addr", m.addr, "-debug-addr", m.debug, "-data", filepath.Join(m.dir, "data"), "-stop-on-eof", "-grace", "5s",
		"-queue", tasksQueue+",max-len=20000,attempts=100000,backoff=0,lease=3s",
		"-queue", resultsQueue+",max-len=20000,attempts=100000,backoff=0,lease=3s")
	cmd.Env = append(os.Environ(), auth.EnvKey+"="+m.key)
	listens := &listening{done: make(chan struct{})}
	life, err := launch(m.dir, "master", cmd, listens)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.life = life
	m.lives++
	m.mu.Unlock()
	var soon <-chan time.Time
	if early > 0 {
		soon = time.After(early)
	}
	select {
	case <-listens.done:
		return nil
	case <-soon:
		return nil
	case <-life.ended:
		return fmt.Errorf("the master ended while it started: %v; see master.log", life.err)
	case <-time.After(startTimeout):
		return fmt.Errorf("the master does not listen after %v; see master.log", startTimeout)
	}
}

// kill ends a life without warning.
func (m *master) kill() error {
	m.mu.Lock()
	life := m.life
	m.life = nil
	m.mu.Unlock()
	if life == nil {
		return nil
	}
	return life.kill()
}

// stop ends the last life in order.
func (m *master) stop() error {
	m.mu.Lock()
	life := m.life
	m.life = nil
	m.mu.Unlock()
	if life == nil {
		return nil
	}
	if err := life.stop(); err != nil {
		return fmt.Errorf("the master did not end in order: %w; see master.log", err)
	}
	return nil
}

// pid is the process that lives now; 0: none.
func (m *master) pid() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil {
		return 0
	}
	return m.life.cmd.Process.Pid
}

func (m *master) killed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(0, m.lives-1)
}

// check reports a master that has ended by itself.
func (m *master) check() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil {
		return nil
	}
	select {
	case <-m.life.ended:
		return fmt.Errorf("the master has ended by itself: %v; see master.log", m.life.err)
	default:
		return nil
	}
}

// listening waits for the line with which the master says that it is ready.
type listening struct {
	text []byte
	said bool
	done chan struct{}
}

func (l *listening) Write(p []byte) (int, error) {
	if !l.said {
		l.text = append(l.text, p...)
		if bytes.Contains(l.text, []byte("listening on ")) {
			l.said, l.text = true, nil
			close(l.done)
		}
	}
	return len(p), nil
}
