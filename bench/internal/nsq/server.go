package nsq

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

// memoryQueue is nsqd's own default of what a topic and a channel keep in
// memory; a larger backlog is given as much as it needs.
const memoryQueue = 10_000

func build(ctx context.Context) (string, error) {
	return program.Build(ctx, "github.com/nsqio/nsq/apps/nsqd")
}

// start starts nsqd. Its limits are high enough for no workload to meet them.
func start(ctx context.Context, set system.Settings) (*system.Server, error) {
	path, err := build(ctx)
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
	http, err := program.FreePort()
	if err != nil {
		return nil, err
	}
	args := []string{
		"-tcp-address=" + addr, "-http-address=" + http, "-broadcast-address=127.0.0.1",
		"-data-path=" + set.Dir, "-log-level=warn",
		fmt.Sprintf("-max-msg-size=%d", max(set.ItemBytes, 1<<20)),
		fmt.Sprintf("-max-body-size=%d", max(set.ItemBytes, maxBody)+1<<20),
		"-max-rdy-count=100000",
	}
	if set.Durable {
		args = append(args, "-mem-queue-size=0", "-sync-every=1")
	} else {
		args = append(args, fmt.Sprintf("-mem-queue-size=%d", max(set.Backlog, memoryQueue)))
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

// version is what the program says of itself: "nsqd v1.3.0 (built w/go1.26)".
func version(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "-version").Output()
	if err != nil {
		return "", fmt.Errorf("nsqd -version: %w", err)
	}
	for field := range strings.FieldsSeq(string(out)) {
		if v, ok := strings.CutPrefix(field, "v"); ok {
			return v, nil
		}
	}
	return "", fmt.Errorf("nsqd -version: no version in %q", out)
}
