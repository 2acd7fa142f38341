package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/examples/internal/process"
)

const workers = 3

// team is the worker processes.
type team struct {
	members map[string]*process.Process // by name

	mu       sync.Mutex // guards the fields below
	leaving  bool       // they may end
	casualty string     // the one that was killed
}

// startTeam starts the workers. When one ends that should not, failed is told.
func startTeam(ctx context.Context, master, secret string, failed context.CancelCauseFunc) (*team, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t := &team{members: map[string]*process.Process{}}
	for n := range workers {
		name := fmt.Sprintf("worker-%d", n+1)
		cmd := exec.CommandContext(ctx, self, "-worker", master, "-name", name)
		cmd.Env = process.Environ(secret)
		p, err := process.Start(cmd)
		if err != nil {
			t.close()
			return nil, err
		}
		t.members[name] = p
		go func() { // until the process ends, which close sees to
			<-p.Ended()
			t.mu.Lock()
			defer t.mu.Unlock()
			if !t.leaving && t.casualty != name {
				failed(fmt.Errorf("%s has ended: %w", name, p.Wait(context.Background())))
			}
		}()
	}
	return t, nil
}

// kill kills the named worker, as kill -9 does. When it returns, the worker is
// no more.
func (t *team) kill(name string) {
	p := t.members[name]
	if p == nil {
		return // not one of ours
	}
	t.mu.Lock()
	t.casualty = name
	t.mu.Unlock()
	p.Kill()
}

// killed is the name of the worker that was killed.
func (t *team) killed() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.casualty
}

// dismiss shuts the queue down, which ends the workers, and waits for them.
func (t *team) dismiss(ctx context.Context, fetch *reeve.TypedQueue[string]) error {
	t.mu.Lock()
	t.leaving = true
	t.mu.Unlock()
	if err := fetch.Shutdown(ctx, false); err != nil {
		return err
	}
	for name, p := range t.members {
		if name == t.killed() {
			continue
		}
		if err := p.Wait(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// close ends what still runs.
func (t *team) close() {
	t.mu.Lock()
	t.leaving = true
	t.mu.Unlock()
	for _, p := range t.members {
		p.Kill()
	}
}
