// Package managers measures Python's multiprocessing.managers: a server process
// that has queues, and clients that call their methods through proxies.
//
// The clients are Python as well: a client process here has one Python process
// as its child, in which each worker, producer or consumer is a thread with a
// connection of its own. A worker runs there as a whole. What is put and taken
// here is on its way over a Unix socket besides, many items at a time: that adds
// about half a microsecond to each, and 100 to 200 µs to one that is alone. Where
// that would matter, the client is system.Timed.
package managers

import (
	"bufio"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

// batch is how many items go to the Python process and back at a time, and how
// many the chunked use puts and takes with one call.
const batch = 100

var (
	//go:embed server.py
	serverScript []byte
	//go:embed client.py
	clientScript []byte
)

// Systems are the ways of using it.
func Systems() []system.System {
	return []system.System{managers{}, managers{chunked: true}}
}

type managers struct {
	chunked bool // put_many and get_many
}

func (s managers) Name() string {
	if s.chunked {
		return "managers-chunked"
	}
	return "managers"
}

func (s managers) About() string {
	if s.chunked {
		return fmt.Sprintf("Python's multiprocessing.managers with put_many and get_many of %d items, no acknowledgement; Python clients (an item alone is 0.1 to 0.2 ms on its way to and from them)", batch)
	}
	return "Python's multiprocessing.managers: get, put the result, task_done, a call each, no acknowledgement; Python clients (an item alone is 0.1 to 0.2 ms on its way to and from them)"
}

func (managers) Group() system.Group { return system.Peer }

func (managers) Batch() int { return batch }

// python is the interpreter.
func python() (string, error) { return program.Find("python3", "python3") }

func (managers) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	if set.Durable {
		return nil, fmt.Errorf("multiprocessing.managers keeps nothing on disk: %w", system.ErrUnsupported)
	}
	interpreter, err := python()
	if err != nil {
		return nil, err
	}
	script := filepath.Join(set.Dir, "server.py")
	if err := os.WriteFile(script, serverScript, 0o600); err != nil {
		return nil, err
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	key := hex.EncodeToString(random)
	cmd := exec.Command(interpreter, script)
	cmd.Env = append(os.Environ(), "REEVE_BENCH_KEY="+key)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stop, err := program.Start(cmd, set.Log)
	if err != nil {
		return nil, err
	}
	lines := firstLines(out, 2, set.Log)
	port, err := line(ctx, lines)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("server.py: %w", err), stop())
	}
	version, err := line(ctx, lines)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("server.py: %w", err), stop())
	}
	return &system.Server{
		Endpoint: "127.0.0.1:" + port + " " + key,
		Version:  version,
		PID:      cmd.Process.Pid,
		Stop:     stop,
	}, nil
}

// firstLines gives the first n lines of out; what follows goes to log. The
// channel is closed when there are fewer.
func firstLines(out io.Reader, n int, log io.Writer) <-chan string {
	lines := make(chan string, n)
	go func() { // ends with the process's output
		defer close(lines)
		r := bufio.NewReader(out)
		for range n {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			lines <- strings.TrimSpace(line)
		}
		_, _ = io.Copy(log, r)
	}()
	return lines
}

func line(ctx context.Context, lines <-chan string) (string, error) {
	select {
	case s, ok := <-lines:
		if !ok {
			return "", errors.New("it ended at once")
		}
		return s, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (s managers) Dial(ctx context.Context, endpoint string) (system.Client, error) {
	p, err := share(ctx, endpoint, s.chunked)
	if err != nil {
		return nil, err
	}
	return &client{python: p}, nil
}
