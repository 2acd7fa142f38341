// Package redis measures Redis as a queue: lists used in pipelines, with a script
// and one item at a time, and streams. It also starts the server for package asynq. What it
// does not measure is what takes items without keeping them until they are
// ended (LPOP, LMPOP, pub/sub), nor items that a consumer that died has left:
// nobody takes those back.
//
// A role has a connection of its own: a consumer one, which it may block, and
// all that a client does besides those of a pool.
package redis

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

// Systems are the ways of using Redis that are measured.
func Systems() []system.System {
	return []system.System{lists{}, script{}, naive{}, streams{}}
}

// Start starts a Redis server, for a queue or what is built on it. Its endpoint
// is the address.
func Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	path, err := program.Find("redis-server", "redis-server")
	if err != nil {
		return nil, err
	}
	version, err := version(ctx, path)
	if err != nil {
		return nil, err
	}
	addr, err := program.FreePort()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	// The limit of clients holds the idle workload's 5,000 consumers and the
	// connection with which each is ended.
	args := []string{"--bind", host, "--port", port, "--dir", set.Dir, "--save", "", "--daemonize", "no", "--maxclients", "12000"}
	if set.Durable {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	} else {
		args = append(args, "--appendonly", "no")
	}
	cmd := exec.Command(path, args...)
	stop, err := program.Start(cmd, set.Log)
	if err != nil {
		return nil, err
	}
	if err := program.WaitListening(ctx, addr); err != nil {
		_ = stop()
		return nil, err
	}
	return &system.Server{Endpoint: addr, Version: version, PID: cmd.Process.Pid, Stop: stop}, nil
}

// version is what the program says of itself: "Redis server v=7.0.15 sha=…".
func version(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("redis-server --version: %w", err)
	}
	for field := range strings.FieldsSeq(string(out)) {
		if v, ok := strings.CutPrefix(field, "v="); ok {
			return v, nil
		}
	}
	return "", fmt.Errorf("redis-server --version: no version in %q", out)
}
