package nats

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

// The second word of an endpoint, after the address: where streams are kept.
const (
	fileStorage   = "file"
	memoryStorage = "memory"
)

// maxPulls is how many requests for items may wait at a consumer: more than
// the idle workload's 5,000 workers have.
const maxPulls = 16 << 10

func build(ctx context.Context) (string, error) {
	return program.Build(ctx, "github.com/nats-io/nats-server/v2")
}

// start starts a server. Its limits are high enough for no workload to meet
// them: a client is cut off that has more than max_pending to read.
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
	storage, sync := memoryStorage, ""
	if set.Durable {
		storage, sync = fileStorage, "sync_interval: always"
	}
	config := filepath.Join(set.Dir, "nats.conf")
	text := fmt.Sprintf(`
listen: %q
max_payload: %d
max_pending: 1GB
max_connections: 100000
write_deadline: "1m"
jetstream {
  store_dir: %q
  max_memory_store: 16GB
  max_file_store: 64GB
  %s
}
`, addr, max(set.ItemBytes, 1<<20)+64<<10, filepath.Join(set.Dir, "store"), sync)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "-c", config)
	stop, err := program.Start(cmd, set.Log)
	if err != nil {
		return nil, err
	}
	if err := program.WaitListening(ctx, addr); err != nil {
		_ = stop()
		return nil, err
	}
	return &system.Server{Endpoint: addr + " " + storage, Version: version, PID: cmd.Process.Pid, Stop: stop}, nil
}

// version is what the program says of itself: "nats-server: v2.15.2".
func version(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "-version").Output()
	if err != nil {
		return "", fmt.Errorf("nats-server -version: %w", err)
	}
	_, v, ok := strings.Cut(strings.TrimSpace(string(out)), ": v")
	if !ok {
		return "", fmt.Errorf("nats-server -version: no version in %q", out)
	}
	return v, nil
}
