package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

// node is a RabbitMQ node that has nothing in common with others of the machine:
// it has its directories, its ports, on loopback only, and its own epmd, which
// Erlang's nodes find each other with.
type node struct {
	addr string
	pid  int
	stop func() error
}

func startNode(ctx context.Context, set system.Settings) (*node, error) {
	path, err := script()
	if err != nil {
		return nil, err
	}
	epmd, err := program.Find("epmd", "erlang-base")
	if err != nil {
		return nil, err
	}
	addr, epmdAddr, distAddr, err := ports()
	if err != nil {
		return nil, err
	}
	stopEpmd, err := program.Start(exec.Command(epmd, "-address", host(epmdAddr), "-port", port(epmdAddr)), set.Log)
	if err != nil {
		return nil, err
	}
	if err := program.WaitListening(ctx, epmdAddr); err != nil {
		return nil, errors.Join(err, stopEpmd())
	}
	env, err := environment(set.Dir, addr, epmdAddr, distAddr)
	if err != nil {
		return nil, errors.Join(err, stopEpmd())
	}
	cmd := exec.Command(path)
	cmd.Env = env
	cmd.Dir = set.Dir
	kill, err := program.Start(cmd, set.Log)
	if err != nil {
		return nil, errors.Join(err, stopEpmd())
	}
	n := &node{addr: addr, pid: cmd.Process.Pid}
	n.stop = sync.OnceValue(func() error {
		// SIGTERM is what stops it in order; an interrupt it does not heed.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		return errors.Join(kill(), stopEpmd())
	})
	if err := program.WaitListening(ctx, addr); err != nil {
		return nil, errors.Join(err, n.stop())
	}
	return n, nil
}

// script is the program that becomes the server. Debian's in the path is another,
// which gives its own user's directories.
func script() (string, error) {
	path, err := program.Find("rabbitmq-server", "rabbitmq-server")
	if err != nil {
		return "", err
	}
	const debian = "/usr/lib/rabbitmq/bin/rabbitmq-server"
	if _, err := os.Stat(debian); err == nil {
		return debian, nil
	}
	return path, nil
}

// ports are three addresses that nobody listens on: for clients, epmd and other nodes.
func ports() (clients, epmd, dist string, err error) {
	for _, addr := range []*string{&clients, &epmd, &dist} {
		if *addr, err = program.FreePort(); err != nil {
			return "", "", "", err
		}
	}
	return clients, epmd, dist, nil
}

func host(addr string) string {
	h, _, _ := net.SplitHostPort(addr)
	return h
}

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

// environment is where the scripts take the node's configuration from. The files
// that they would read by default are replaced.
func environment(dir, addr, epmd, dist string) ([]string, error) {
	plugins, config := filepath.Join(dir, "enabled_plugins"), filepath.Join(dir, "rabbitmq.conf")
	if err := errors.Join(
		os.WriteFile(plugins, []byte("[].\n"), 0o600),
		os.WriteFile(config, []byte("log.console.level = warning\n"), 0o600)); err != nil {
		return nil, err
	}
	var env []string
	for _, v := range [][2]string{
		{"HOME", dir}, // the cookie is made there
		{"RABBITMQ_NODENAME", fmt.Sprintf("reeve-bench-%s@localhost", port(addr))},
		{"RABBITMQ_NODE_IP_ADDRESS", host(addr)},
		{"RABBITMQ_NODE_PORT", port(addr)},
		{"RABBITMQ_DIST_PORT", port(dist)},
		{"ERL_EPMD_ADDRESS", host(epmd)},
		{"ERL_EPMD_PORT", port(epmd)},
		{"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+B i -kernel inet_dist_use_interface {127,0,0,1}"},
		{"RABBITMQ_MNESIA_BASE", filepath.Join(dir, "mnesia")},
		{"RABBITMQ_LOG_BASE", filepath.Join(dir, "log")},
		{"RABBITMQ_LOGS", "-"},
		{"RABBITMQ_ENABLED_PLUGINS_FILE", plugins},
		{"RABBITMQ_CONFIG_FILE", config},
		{"RABBITMQ_ADVANCED_CONFIG_FILE", filepath.Join(dir, "none.config")},
		{"RABBITMQ_CONF_ENV_FILE", filepath.Join(dir, "none.conf")},
		// So the script becomes the server, and its process is the one to signal.
		{"RUNNING_UNDER_SYSTEMD", "true"},
	} {
		env = append(env, v[0]+"="+v[1])
	}
	return append(os.Environ(), env...), nil
}
