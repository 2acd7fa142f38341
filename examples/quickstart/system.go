package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/examples/internal/process"
	"github.com/reeveq/reeve/proxy"
)

const workers = 3

// system is a master, its workers and a connection to them.
type system struct {
	ctx    context.Context // ends with a cause when a process ends that should not
	cancel context.CancelCauseFunc
	dir    string // of the programs

	master  *process.Process
	workers []*process.Process
	client  *proxy.Client
}

// start builds the programs and starts all processes. close ends them.
func start(ctx context.Context, out io.Writer) (s *system, err error) {
	s = &system{}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "reeve-quickstart-*"); err != nil {
		return nil, err
	}
	fmt.Fprintln(out, "building master and worker")
	if err := process.Build(ctx, s.dir, "github.com/reeveq/reeve/cmd/master", "github.com/reeveq/reeve/cmd/worker"); err != nil {
		return nil, err
	}

	// One key for this run, which nobody else has. The programs read it from
	// their environment.
	key, text, err := auth.GenerateKey("quickstart")
	if err != nil {
		return nil, err
	}
	env := process.Environ(text)

	// A short queue of results keeps the workers at most this far ahead, so
	// that halfway means halfway.
	s.master, err = s.program(env, "master", "-addr", "127.0.0.1:0", "-queue", "tasks", "-queue", "results,max-len=64")
	if err != nil {
		return nil, err
	}
	addr, err := s.master.Says(ctx, "listening on ")
	if err != nil {
		return nil, err
	}
	go s.watch(s.master) // until close
	fmt.Fprintf(out, "master: process %d, %s\n", s.master.ID(), addr)

	for n := range workers {
		// Tasks this small are worth holding a few ahead.
		w, err := s.program(env, "worker", "-connect", addr, "-concurrency", "2", "-prefetch", "32")
		if err != nil {
			return nil, err
		}
		s.workers = append(s.workers, w)
		if _, err := w.Says(ctx, "worker started"); err != nil {
			return nil, err
		}
		if n > 0 { // the first is the one to be killed
			go s.watch(w) // until close
		}
		fmt.Fprintf(out, "worker %d: process %d\n", n+1, w.ID())
	}
	s.client, err = proxy.Dial(ctx, addr, proxy.Config{AuthKey: key})
	return s, err
}

func (s *system) program(env []string, name string, args ...string) (*process.Process, error) {
	cmd := exec.CommandContext(s.ctx, process.Path(s.dir, name), args...)
	cmd.Env = env
	return process.Start(cmd)
}

// watch ends the system's context when p ends before close: nobody would do
// what is waited for.
func (s *system) watch(p *process.Process) {
	select {
	case <-p.Ended():
		s.cancel(fmt.Errorf("process %d has ended: %w", p.ID(), p.Wait(context.Background())))
	case <-s.ctx.Done():
	}
}

// close ends all that still runs.
func (s *system) close() {
	if s.client != nil {
		s.client.Close()
	}
	s.cancel(nil)
	for _, p := range s.workers {
		p.Kill()
	}
	if s.master != nil {
		s.master.Kill()
	}
	os.RemoveAll(s.dir)
}
