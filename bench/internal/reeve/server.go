package reeve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

// start starts the program master as an operator would: with bounded queues,
// and with a journal where what is confirmed has to last.
func start(ctx context.Context, set system.Settings) (*system.Server, error) {
	exe, err := build(ctx)
	if err != nil {
		return nil, err
	}
	_, key, err := auth.GenerateKey("bench")
	if err != nil {
		return nil, err
	}
	addr, err := program.FreePort()
	if err != nil {
		return nil, err
	}
	args := []string{"-addr", addr, "-stop-on-eof", "-grace", "0"}
	for _, queue := range append([]string{"tasks", "results"}, set.Queues...) {
		if set.Backlog > 0 {
			queue += fmt.Sprintf(",max-len=%d", set.Backlog)
		}
		args = append(args, "-queue", queue)
	}
	if set.Durable {
		args = append(args, "-data", filepath.Join(set.Dir, "data"))
	}
	debug := ""
	if set.Profile != "" {
		if debug, err = program.FreePort(); err != nil {
			return nil, err
		}
		args = append(args, "-debug-addr", debug)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), auth.EnvKey+"="+key)
	in, err := cmd.StdinPipe() // its end ends the master, however this process ends
	if err != nil {
		return nil, err
	}
	stop, err := program.Start(cmd, set.Log)
	if err != nil {
		return nil, err
	}
	if err := program.WaitListening(ctx, addr); err != nil {
		return nil, errors.Join(err, stop())
	}
	s := &system.Server{Endpoint: addr + " " + key, Version: version(), PID: cmd.Process.Pid, Stop: func() error {
		defer in.Close()
		return stop()
	}}
	if set.Profile == "" {
		return s, nil
	}
	s.Snapshot = func() error { return heap(debug, strings.TrimSuffix(set.Profile, ".pprof")+".heap.pprof") }
	profiled, err := record(s, set)
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return profiled, nil
}

// heap writes a profile of the memory that the master uses, and has allocated.
func heap(addr, name string) error {
	resp, err := http.Get("http://" + addr + "/debug/pprof/heap?gc=1")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}

// record has perf write a profile of the server: the program has none of a whole
// run to give. The file is read with "perf report -i".
func record(s *system.Server, set system.Settings) (*system.Server, error) {
	perf, err := program.Find("perf", "linux-perf")
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(set.Profile, ".pprof") + ".perf"
	stop, err := program.Start(exec.Command(perf, "record", "-q", "-g", "-F", "1999", "-o", name, "-p", fmt.Sprint(s.PID)), set.Log)
	if err != nil {
		return nil, err
	}
	stopServer := s.Stop
	s.Stop = func() error { return errors.Join(stop(), stopServer()) }
	return s, nil
}

// version is what is checked out: the program is built of it.
var version = sync.OnceValue(func() string {
	dir, _ := sources() // else that of the process
	out, err := exec.Command("git", "-C", dir, "describe", "--always", "--dirty", "--tags").Output()
	if err != nil {
		return "(devel)"
	}
	return strings.TrimSpace(string(out))
})
