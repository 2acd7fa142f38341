package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/examples/internal/process"
)

// run starts the master with the list of files and the workers with this
// program as their command, and returns when the batch is done.
func run(ctx context.Context, dir string, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	names, err := list(dir)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bin, err := os.MkdirTemp("", "reeve-checksum-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	if err := process.Build(ctx, bin, "github.com/reeveq/reeve/cmd/master", "github.com/reeveq/reeve/cmd/worker"); err != nil {
		return err
	}
	_, key, err := auth.GenerateKey("checksum") // for this run only; the programs read it from their environment
	if err != nil {
		return err
	}
	env := process.Environ(key)

	cmd := exec.CommandContext(ctx, process.Path(bin, "master"), "-addr", "127.0.0.1:0", "-input", "-", "-ordered", "-queue", "tasks,attempts=2", "-queue", "results")
	cmd.Env, cmd.Stdin, cmd.Stdout = env, strings.NewReader(names), os.Stdout
	master, err := process.Start(cmd)
	if err != nil {
		return err
	}
	defer master.Kill()
	addr, err := master.Says(ctx, "listening on ")
	if err != nil {
		return err
	}
	for range workers {
		cmd := exec.CommandContext(ctx, process.Path(bin, "worker"), "-connect", addr, "--", self, "-file", "{}")
		cmd.Env = env
		w, err := process.Start(cmd)
		if err != nil {
			return err
		}
		defer w.Kill() // it would wait for the next master
		go func() {    // until then; without workers there is nothing to wait for
			<-w.Ended()
			cancel(fmt.Errorf("a worker has ended: %w", w.Wait(context.Background())))
		}()
	}
	// The exit code is 0 when every line has its result. Else the master has
	// listed on its standard error those that have none.
	return master.Wait(ctx)
}

// list returns the regular files under dir, one absolute path per line.
func list(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // WalkDir does not follow one
		return "", err
	}
	var names strings.Builder
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if strings.ContainsAny(path, "\r\n") {
			return fmt.Errorf("%q cannot be a line of a list", path)
		}
		names.WriteString(path + "\n")
		return nil
	})
	return names.String(), err
}
