// Package beanstalk measures beanstalkd: with commands in pipelines, and one at a
// time as its Go client has them. It has no batches: what is gathered here is
// what is written, the server answers each command with a system call of its own.
package beanstalk

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

const (
	// batch is how many commands are written before their answers are read.
	batch = 100
	// lease is how long a job is reserved: longer than any measurement.
	lease = time.Hour
	// smallest is beanstalkd's own bound of a job's bytes.
	smallest = 65535
)

// Systems are the ways of using it.
func Systems() []system.System {
	return []system.System{pipelined{}, naive{}}
}

// start starts the server. Its endpoint is its address.
func start(ctx context.Context, set system.Settings) (*system.Server, error) {
	path, err := program.Find("beanstalkd", "beanstalkd")
	if err != nil {
		return nil, err
	}
	version, err := exec.CommandContext(ctx, path, "-v").Output()
	if err != nil {
		return nil, fmt.Errorf("beanstalkd -v: %w", err)
	}
	addr, err := program.FreePort()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	args := []string{"-l", host, "-p", port, "-z", strconv.Itoa(max(set.ItemBytes, smallest))}
	if set.Durable {
		args = append(args, "-b", set.Dir, "-f", "0")
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
	return &system.Server{
		Endpoint: addr,
		Version:  strings.TrimSpace(strings.TrimPrefix(string(version), "beanstalkd")),
		PID:      cmd.Process.Pid,
		Stop:     stop,
	}, nil
}

// pipelined is beanstalkd with commands in pipelines.
type pipelined struct{}

func (pipelined) Name() string { return "beanstalkd" }

func (pipelined) About() string {
	return fmt.Sprintf("beanstalkd in pipelines of %d commands by hand; a job is deleted after its result is put", batch)
}

func (pipelined) Group() system.Group { return system.Peer }

func (pipelined) Batch() int { return batch }

func (pipelined) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	return start(ctx, set)
}

func (pipelined) Dial(ctx context.Context, endpoint string) (system.Client, error) {
	first, err := dial(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return &client{pool[*conn]{
		dial: func(ctx context.Context) (*conn, error) { return dial(ctx, endpoint) },
		idle: []*conn{first},
	}}, nil
}

// naive is beanstalkd one command at a time.
type naive struct{}

func (naive) Name() string { return "beanstalkd-naive" }

func (naive) About() string {
	return "beanstalkd with go-beanstalk, one command at a time: reserve, put the result, delete"
}

func (naive) Group() system.Group { return system.Peer }

func (naive) Batch() int { return 1 }

func (naive) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	return start(ctx, set)
}

func (naive) Dial(ctx context.Context, endpoint string) (system.Client, error) {
	first, err := dialNaive(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return &naiveClient{pool[naiveConn]{
		dial: func(ctx context.Context) (naiveConn, error) { return dialNaive(ctx, endpoint) },
		idle: []naiveConn{first},
	}}, nil
}
