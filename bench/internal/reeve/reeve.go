// Package reeve has this project as a system that is measured: the program
// master, and clients over its encrypted connections, used as its documentation
// says at first (reeve) and as fast as its interface allows (reeve-batch).
package reeve

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/proxy"
)

// Systems are the ways of using it.
func Systems() []system.System {
	return []system.System{
		single{way{name: "reeve", batch: 1, about: "the worker runtime with its defaults, single puts"}},
		way{name: "reeve-batch", batch: 256, about: "consumers that hold 512, ended without waiting, puts of 256"},
	}
}

// way is one way of using it. It is a system.Served for the sake of objects,
// whose types are those of the program that hosts them.
type way struct {
	name, about string
	batch       int
}

func (w way) Name() string        { return w.name }
func (w way) About() string       { return w.about + "; TLS" }
func (w way) Group() system.Group { return system.Reeve }
func (w way) Batch() int          { return w.batch }

// Build builds the program master.
func (way) Build(ctx context.Context) error {
	_, err := build(ctx)
	return err
}

// Start starts the program master; for objects, this program.
func (w way) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	if set.Objects {
		return w.object(ctx, set)
	}
	return start(ctx, set)
}

// Dial connects to the master of an endpoint: its address, a blank, and the key.
func (w way) Dial(ctx context.Context, endpoint string) (system.Client, error) {
	c, err := dial(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return newClient(c), nil
}

func dial(ctx context.Context, endpoint string) (*proxy.Client, error) {
	addr, text, _ := strings.Cut(endpoint, " ")
	key, err := auth.ParseKey([]byte(text))
	if err != nil {
		return nil, err
	}
	return proxy.Dial(ctx, addr, proxy.Config{AuthKey: key})
}

// sources is the directory of this project: that in which the module of the
// benchmarks is, in which they are run.
var sources = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	dir := filepath.Dir(strings.TrimSpace(string(out)))
	if err != nil || filepath.Base(dir) != "bench" {
		return "", fmt.Errorf("the sources of master: %w: run it in the directory bench", system.ErrAbsent)
	}
	return filepath.Dir(dir), nil
})

func build(ctx context.Context) (string, error) {
	dir, err := sources()
	if err != nil {
		return "", err
	}
	return program.BuildIn(ctx, dir, "./cmd/master")
}

var _ system.Built = way{}
